#!/usr/bin/env python3
"""Runs mr.hippocampus through penta on the two acceptance heads, which taught nothing: Colin27 (Debian mricron-data) and
brainchop's T1. Counts the heads in which both sides are found, each of 2 to 5 ml.

usage: heads.py [PENTA]        data by PENTA_DATA
exit code 1 where a head fails
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("PENTA_DATA", ROOT.parent / "shared" / "data"))
PENTA = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build" / "release" / "penta")
HEADS = {"Colin27": pathlib.Path("/usr/share/mricron/templates/ch2.nii.gz"),
         "brainchop-t1": DATA / "mr" / "brainchop-t1" / "t1_crop.nii.gz"}


def sides(image, out):
    """{side: ml of the whole hippocampus}."""
    subprocess.run([PENTA, "segment", "mr.hippocampus", image, "--set", "modality=MR", "-o", out, "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    measured = json.loads((out / "result.json").read_text())["measurements"]
    return {m["side"]: m["value"] for m in measured if m["region"] == "hippocampus" and m["unit"] == "mL"}


def main():
    good = 0
    with tempfile.TemporaryDirectory() as out:
        for name, image in HEADS.items():
            if not image.exists():
                raise SystemExit(f"data not here: {image}")
            ml = sides(image, pathlib.Path(out) / name)
            fine = set(ml) == {"left", "right"} and all(2 <= v <= 5 for v in ml.values())
            good += fine
            print(f"{name}: " + ", ".join(f"{side} {v:.2f} ml" for side, v in ml.items()) + ("" if fine else " MISSED"))
    print(f"mr.hippocampus: heads with both sides of 2-5 ml {good} n = {len(HEADS)}")
    return 0 if good == len(HEADS) else 1


if __name__ == "__main__":
    sys.exit(main())
