#!/usr/bin/env python3
"""Draws the 10 x 5 grid from docs/cells.json, the cards, docs/measured.json, and `penta methods --json`.

A cell is met when every method of it runs from penta on its small image and every requirement's recorded number, n and
interval pass; else 'k/m' parts (methods and requirements together); else empty.
usage: cells.py [--missing] [--check]     --missing also lists what is missing; --check only looks for faults
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TASKS = ("processing segmentation recognition detection generation classification annotation synthesis analysis "
         "retrieval").split()
MODALITIES = ["ct", "mr", "us", "pet", "spect"]


def recorded(root=ROOT):
    """Results by requirement id: those on the cards, and those of what users bring (docs/measured.json)."""
    found = {}
    for result in json.loads((root / "docs" / "measured.json").read_text())["results"]:
        found.setdefault(result["requirement"], []).append(result)
    for path in [*root.glob("tasks/*/*.card.json"), *root.glob("models/*/card.json")]:
        card = json.loads(path.read_text())
        for result in card.get("results", []):
            found.setdefault(result.get("requirement"), []).append({**result, "id": card["id"]})
    return found


def known_methods():
    """Keys (task/id, modality) of the methods that the program has; those of the cards where it is not built."""
    program = ROOT / "build" / "release" / "penta"
    if program.exists():
        done = subprocess.run([program, "methods", "--json"], capture_output=True, text=True, cwd=ROOT)
        if done.returncode == 0 and done.stdout.startswith("{"):
            cards = json.loads(done.stdout)["methods"]
            return {(card["task"], card["id"], m.lower()) for card in cards for m in card.get("modalities", [])}
    cards = [json.loads(path.read_text()) for path in ROOT.glob("tasks/*/*.card.json")]
    return {(card["task"], card["id"], m.lower()) for card in cards for m in card.get("modalities", [])}


def passes(row, result):
    """Whether a recorded result meets a requirement: n, class, and the value, or the interval's upper end of an ECE."""
    if result["n"] < row["n_min"] or result["class"] != row["class"]:
        return False
    if row["direction"] == "report":
        return True
    value, floor = result["value"], row["floor"]
    if row["metric"] == "ECE":  # design.md: the upper end of its interval counts
        value = result["ci95"][1]
    if row["direction"] == ">":
        return value > floor
    return value >= floor if row["direction"] == ">=" else value <= floor


def state(cell, rows, methods, results):
    """(parts done, parts, what is missing) of one cell."""
    modality, task = cell["cell"].split(".")
    missing = [f"method {name}" for name in cell["methods"] if (task, name, modality) not in methods]
    for row in rows:
        recorded_here = results.get(row["id"], [])
        if not recorded_here or not all(passes(row, result) for result in recorded_here):
            best = [str(result["value"]) for result in recorded_here]
            missing.append(f"{row['id']}: {row['metric']} {row['direction']} {row['floor']} [{row['class']}]"
                           + (f" (recorded: {', '.join(best)})" if best else ""))
    parts = len(cell["methods"]) + len(rows)
    return parts - len(missing), parts, missing


def faults(book):
    names = [cell["cell"] for cell in book["cells"]]
    wanted = [f"{m}.{t}" for m in MODALITIES for t in TASKS]
    yield from (f"the cell {name} is missing" for name in set(wanted) - set(names))
    ids = [row["id"] for row in book["requirements"]]
    yield from (f"the requirement {name} is there twice" for name in set(ids) if ids.count(name) > 1)
    for row in book["requirements"]:
        if row["cell"] not in names or not row["id"].startswith(row["cell"] + "."):
            yield f"{row['id']}: no such cell"
    own = {path.parent.name for path in ROOT.glob("models/*/card.json")}
    for requirement, results in recorded().items():
        for result in results:
            # A card may tell more than was asked for, under its own name.
            if requirement not in ids and not str(requirement).startswith((result["id"] + ".", *own)):
                yield f"card {result['id']}: no requirement '{requirement}' in docs/cells.json"


def main():
    book = json.loads((ROOT / "docs" / "cells.json").read_text())
    found = sorted(faults(book))
    if found or "--check" in sys.argv:
        print("\n".join(found) if found else f"cells: {len(book['requirements'])} requirements in {len(book['cells'])} cells")
        return 1 if found else 0
    methods, results, lines = known_methods(), recorded(), []
    print(f"{'':16}" + "".join(f"{m:>9}" for m in MODALITIES))
    for task in TASKS:
        row = f"{task:16}"
        for modality in MODALITIES:
            cell = next(c for c in book["cells"] if c["cell"] == f"{modality}.{task}")
            done, parts, missing = state(cell, [r for r in book["requirements"] if r["cell"] == cell["cell"]], methods, results)
            row += f"{'met' if done == parts else f'{done}/{parts}' if done else '.':>9}"
            lines += [f"{cell['cell']}: {text}" for text in missing if done]
        print(row)
    if "--missing" in sys.argv:
        print("\n" + "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
