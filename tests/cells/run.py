"""Every method of a cell that this build has runs on the small real image of docs/cells.json (generation: from a seed)."""
import json
import pathlib
import subprocess
import tempfile
import time

from tally import DATA, NOT_HERE, PENTA, ROOT

LIMIT_S = 15  # three times the 5 s of an idle machine
VERBS = {"processing": "process", "segmentation": "segment", "recognition": "recognize", "detection": "detect",
         "generation": "generate", "classification": "classify", "annotation": "annotate", "synthesis": "synthesize",
         "analysis": "analyze", "retrieval": "retrieve"}


def here():
    """(task, id, modality) of every method that the program lists."""
    done = subprocess.run([PENTA, "methods", "--json"], capture_output=True, text=True, check=True)
    return {(card["task"], card["id"], m.lower()) for card in json.loads(done.stdout)["methods"] for m in card["modalities"]}


def run_one(tally, cell, task, method, small):
    name = f"cell {cell}: {method}"
    inputs = []
    for text in small.get("inputs", []):
        role, _, path = text.rpartition("=")
        if not (DATA / path).exists():
            return tally.skip(name, f"{NOT_HERE}: {path}")
        inputs.append(f"{role}={DATA / path}" if role else DATA / path)
    with tempfile.TemporaryDirectory(prefix="penta-cell-") as folder:
        out = pathlib.Path(folder) / "out"
        command = [PENTA, VERBS[task], method, *inputs, "-o", out, "--quiet"]
        for key, value in small.get("settings", {}).items():
            command += ["--set", f"{key}={value}"]
        command += ["--seed", str(small["seed"])] if "seed" in small else []
        begin = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        seconds, fault = time.monotonic() - begin, None
        if done.returncode != 0:
            fault = f"exit code {done.returncode}\n$ {' '.join(map(str, command))}\n{done.stdout[-1500:]}"
        elif seconds > LIMIT_S:
            fault = f"{seconds:.1f} s, at most {LIMIT_S} s are allowed"
        elif not any(json.loads((out / "result.json").read_text()).get(k) for k in ("artifacts", "scores", "findings", "measurements", "ranking")):
            fault = "result.json holds nothing"
        tally.add(name, fault, seconds)


def run(tally):
    tally.section("cells")
    known = here()
    for cell in json.loads((ROOT / "docs" / "cells.json").read_text())["cells"]:
        modality, task = cell["cell"].split(".")
        for method, small in cell["small"].items():
            if (task, method, modality) in known:
                run_one(tally, cell["cell"], task, method, small)
