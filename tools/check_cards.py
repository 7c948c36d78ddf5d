#!/usr/bin/env python3
"""Checks every card: tasks/*/*.card.json (methods) and models/*/card.json (networks).

usage: check_cards.py [ROOT]             keys, chains, priorities, weights
       check_cards.py [ROOT] --repeat ID[:REQUIREMENT]    runs the command that repeats a result of that card
"""
import collections
import hashlib
import json
import pathlib
import re
import subprocess
import sys

TASKS = ("processing segmentation recognition detection generation classification annotation synthesis analysis "
         "retrieval").split()
MODALITIES = {"CT", "MR", "US", "PET", "SPECT"}
METHOD_KEYS = ("id task title modalities inputs outputs algorithm reference determinism evidence_note intended_use "
               "not_for known_failures").split()
MODEL_KEYS = ("id title architecture training_data network weights_licence weights_sha256 evidence_note intended_use not_for "
              "known_failures").split()
RESULT_KEYS = "requirement data n metric value class command".split()
INPUT_KINDS = {"image", "labels", "regions", "contours", "raw", "table", "transform", "index", "findings", "scores", "measurements"}
ORIGIN = re.compile(r"\b(real|simulated|slices?|synthetic|phantoms?|analytic|not measured)\b", re.I)


def load(root):
    """The cards as {path: card} of methods and of models; a card that is no JSON is a fault."""
    methods, models, faults = {}, {}, []
    for pattern, cards in (("tasks/*/*.card.json", methods), ("models/*/card.json", models)):
        for path in sorted(root.glob(pattern)):
            try:
                cards[path.relative_to(root).as_posix()] = json.loads(path.read_text())
            except json.JSONDecodeError as fault:
                faults.append(f"{path.relative_to(root)}: no JSON: {fault}")
    return methods, models, faults


def key_of(card):
    return f"{card.get('task')}/{card.get('id')}"


def check_method(path, card):
    for key in METHOD_KEYS:
        # An elementary algorithm has no paper: its reference is "".
        if key not in card or card[key] is None or (card[key] == "" and key != "reference"):
            yield f"{path}: '{key}' is missing or empty"
    if card.get("task") not in TASKS:
        yield f"{path}: task '{card.get('task')}' is none of the ten"
    elif path.split("/")[1] != card["task"]:
        yield f"{path}: lies in the folder of another task than '{card['task']}'"
    if pathlib.Path(path).name != card.get("id", "").replace(".", "_", 1) + ".card.json":
        yield f"{path}: the file is not named after the id '{card.get('id')}'"
    for modality in set(card.get("modalities", [])) - MODALITIES:
        yield f"{path}: modality '{modality}' is none of {', '.join(sorted(MODALITIES))}"
    for part in ("inputs", "outputs", "parameters"):
        names = [item.get("role", item.get("name")) for item in card.get(part, [])]
        for name, times in collections.Counter(names).items():
            if times > 1 or not name:
                yield f"{path}: {part} has '{name}' {times} times"
    for item in card.get("inputs", []):
        if item.get("kind", "image") not in INPUT_KINDS:
            yield f"{path}: input '{item.get('role')}' has the unknown kind '{item['kind']}'"
    for item in card.get("parameters", []):
        yield from check_parameter(path, item)
    yield from check_results(path, card)


def check_parameter(path, item):
    name, default = item.get("name"), item.get("default")
    low, high = item.get("minimum"), item.get("maximum")
    if item.get("type") not in ("number", "integer", "text", "choice", "flag"):
        yield f"{path}: parameter '{name}' has the unknown type '{item.get('type')}'"
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        if (low is not None and default < low) or (high is not None and default > high):
            yield f"{path}: parameter '{name}': the default {default} is out of its range"
    if item.get("type") == "choice" and default is not None and default not in item.get("choices", []):
        yield f"{path}: parameter '{name}': the default '{default}' is no choice"


def check_results(path, card):
    for number, result in enumerate(card.get("results", [])):
        for key in RESULT_KEYS:
            if result.get(key) in ("", None):
                yield f"{path}: result {number} lacks '{key}'"
        if result.get("class") not in ("E", "P", "Q", "Q-slice"):
            yield f"{path}: result {number} has the unknown class '{result.get('class')}'"


def check_model(root, path, card):
    for key in MODEL_KEYS:
        if key not in card or card[key] in ("", None, [], {}):
            yield f"{path}: '{key}' is missing or empty"
    network = card.get("network", {})
    file = root / pathlib.Path(path).parent / network.get("file", "model.onnx")
    wanted = {card.get("weights_sha256"), network.get("sha256", card.get("weights_sha256"))}
    if not file.is_file():
        yield f"{path}: the weights {file.name} are not there"
    elif wanted != {hashlib.sha256(file.read_bytes()).hexdigest()}:
        yield f"{path}: the sha256 of {file.name} is not the one on the card"
    for item in card.get("training_data", []):
        if not item.get("licence"):
            yield f"{path}: training data '{item.get('name')}' has no licence"
    if not ORIGIN.search(str(card.get("evidence_note", "")).split("\n")[0]):
        yield f"{path}: the first line of 'evidence_note' must say whether the evidence is real, simulated or slices"
    yield from check_results(path, card)


def suppliers_of(wanted, methods):
    """Keys of the methods that yield what a `from` entry names: task/id, a bare id, or SCHEME:VALUE."""
    found = []
    for card in methods.values():
        codes = [f"{c['scheme']}:{c['value']}" for o in card.get("outputs", []) if (c := o.get("code"))]
        if wanted in (key_of(card), card.get("id")) or wanted in codes:
            found.append(key_of(card))
    return found


def with_bundles(methods, models):
    """The methods, and the models that are methods by themselves (no method of ours has their key)."""
    own = {key_of(card) for card in methods.values()}
    return {**methods, **{path: card for path, card in models.items() if key_of(card) not in own}}


def check_chains(methods):
    needs = {}
    for path, card in methods.items():
        needs[key_of(card)] = set()
        for item in card.get("inputs", []):
            for wanted in item.get("from", []):
                found = suppliers_of(wanted, methods)
                if not found:
                    yield f"{path}: input '{item.get('role')}' wants '{wanted}', which no method supplies"
                if len(found) > 1 and ":" not in wanted:
                    yield f"{path}: input '{item.get('role')}' wants '{wanted}', which is ambiguous: {', '.join(found)}"
                needs[key_of(card)].update(found)
    done, open_keys = set(), []

    def visit(key):
        if key in open_keys:
            return " -> ".join([*open_keys[open_keys.index(key):], key])
        if key in done:
            return None
        open_keys.append(key)
        circle = next((c for other in sorted(needs.get(key, ())) if (c := visit(other))), None)
        open_keys.pop()
        done.add(key)
        return circle

    for key in sorted(needs):
        if circle := visit(key):
            yield f"a chain goes in a circle: {circle}"
            return


def check_priorities(methods):
    """Two methods that report may run on one modality for one coded concept need different priorities."""
    rows = collections.defaultdict(list)
    for card in methods.values():
        if not card.get("gate", {}).get("in_report", True):
            continue
        for item in card.get("outputs", []):
            code = item.get("code")
            if code and code.get("value"):
                for modality in card.get("modalities") or MODALITIES:
                    rows[(code["scheme"], code["value"], modality, card.get("priority", 0))].append(key_of(card))
    for (scheme, value, modality, priority), keys in sorted(rows.items()):
        if len(set(keys)) > 1:
            yield f"{' and '.join(sorted(set(keys)))} both yield {scheme}:{value} on {modality} with priority {priority}"


def faults(root):
    methods, models, found = load(root)
    for path, card in methods.items():
        found += check_method(path, card)
    for path, card in models.items():
        found += check_model(root, path, card)
    for cards in (methods, models):
        for key, times in collections.Counter(map(key_of, cards.values())).items():
            if times > 1:
                found.append(f"the key {key} is on {times} cards: {', '.join(p for p, c in cards.items() if key_of(c) == key)}")
    return [*found, *check_chains(with_bundles(methods, models)), *check_priorities(methods)]


def repeat(root, what):
    """Runs the commands of the results of one card (its id, or id:requirement); their own exit code is the answer."""
    name, _, requirement = what.partition(":")
    methods, models, _ = load(root)
    failed, ran = 0, 0
    for card in [*methods.values(), *models.values()]:
        for result in card.get("results", []):
            if card.get("id") == name and requirement in ("", result.get("requirement")):
                ran += 1
                print(f"{name}: {result['metric']} {result['value']} on {result['data']} (n = {result['n']}): {result['command']}")
                failed += subprocess.run(result["command"], shell=True, cwd=root).returncode != 0
    print(f"{ran - failed} commands repeated, {failed} failed" if ran else f"no result of '{what}' is on a card")
    return 1 if failed or not ran else 0


def main():
    arguments = sys.argv[1:]
    what = arguments.pop(arguments.index("--repeat") + 1) if "--repeat" in arguments else None
    arguments = [a for a in arguments if a != "--repeat"]
    root = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parent.parent)
    if what:
        return repeat(root, what)
    found = faults(root)
    methods, models, _ = load(root)
    print("\n".join(found) if found else f"cards: {len(methods)} of methods and {len(models)} of models are right")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
