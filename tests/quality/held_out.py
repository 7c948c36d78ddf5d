#!/usr/bin/env python3
"""Runs a method through penta on the held-out cases of its network and prints mean and 95 % interval (bootstrap by case).

usage: held_out.py mr.hippocampus | mr.volumetry | us.fetal_biometry [PENTA]        data by PENTA_DATA
exit code 1 where a figure misses its floor
"""
import csv
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("PENTA_DATA", ROOT.parent / "shared" / "data"))
PENTA = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / "build" / "release" / "penta")


def mean(rows):
    return sum(r[0] for r in rows) / len(rows)


def bias_percent(rows):
    return 100 * (sum(r[0] for r in rows) / sum(r[1] for r in rows) - 1)


def icc(rows):
    """ICC(2,1): two-way random effects, absolute agreement, single measurement (Shrout and Fleiss 1979)."""
    n, k = len(rows), 2
    all_mean = sum(map(sum, rows)) / (n * k)
    by_case, by_rater = [sum(r) / k for r in rows], [sum(r[j] for r in rows) / n for j in range(k)]
    cases = k * sum((m - all_mean) ** 2 for m in by_case) / (n - 1)
    raters = n * sum((m - all_mean) ** 2 for m in by_rater) / (k - 1)
    rest = sum((r[j] - by_case[i] - by_rater[j] + all_mean) ** 2 for i, r in enumerate(rows) for j in range(k))
    rest /= (n - 1) * (k - 1)
    return (cases - rest) / (cases + (k - 1) * rest + k * (raters - rest) / n)


def interval(rows, statistic):
    draw = random.Random(0)
    values = sorted(statistic([draw.choice(rows) for _ in rows]) for _ in range(2000))
    return values[50], values[1949]


def penta(*words):
    done = subprocess.run([PENTA, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"penta {' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout


def held_out(model):
    parts = json.loads((ROOT / "train" / model / "split.json").read_text())["parts"]
    return parts["held_out"]


def crops(out):
    """(image, reference labels) of each held-out crop, segmented into out/ID."""
    for number in held_out("mr.hippocampus"):
        folder = DATA / "mr" / "msd-hippocampus"
        image, labels = (folder / kind / f"hippocampus_{number}.nii.gz" for kind in ("images", "labels"))
        penta("segment", "mr.hippocampus", image, "-o", out / number, "--quiet")
        yield out / number, labels


def hippocampus(out):
    figures = {"anterior": [], "posterior": []}
    for folder, labels in crops(out):
        rows = json.loads(penta("compare", folder / "labels.nii.gz", labels, "--metric", "dice", "--json"))["metrics"]
        for row, part in zip(rows, figures):
            figures[part].append((row["value"],))
    return [("anterior Dice", figures["anterior"], mean, lambda v: v >= 0.89),
            ("posterior Dice", figures["posterior"], mean, lambda v: v >= 0.875)]


def volumetry(out):
    rows = []
    for folder, labels in crops(out):
        volume = {}
        for name, source in (("mine", folder / "labels.nii.gz"), ("true", labels)):
            penta("analyze", "mr.volumetry", f"labels={source}", f"image={source}", "--set", "modality=MR",
                  "-o", folder / name, "--quiet")
            measured = json.loads((folder / name / "result.json").read_text())["measurements"]
            volume[name] = next(m["value"] for m in measured if m["region"] == "all segments")
        rows.append((volume["mine"], volume["true"]))
    return [("volume bias %", rows, bias_percent, lambda v: abs(v) <= 3), ("ICC", rows, icc, lambda v: True)]


def biometry(out):
    with open(DATA / "us" / "hc18" / "pixel_size_and_HC.csv", newline="") as file:
        table = {r[0].split(".")[0]: (2 * float(r[1]), float(r[2])) for r in list(csv.reader(file))[1:]}
    errors, signed = [], []
    for files in held_out("us.fetal_head").values():
        for name, _ in files:
            mm, true = table[name.split(".")[0]]
            penta("analyze", "us.fetal_biometry", DATA / "us" / "hc18" / "images" / name, "--set", f"pixel_mm={mm}",
                  "-o", out / name, "--quiet")
            measured = json.loads((out / name / "result.json").read_text())["measurements"]
            value = next(m["value"] for m in measured if m["name"] == "head circumference")
            errors.append((abs(value - true),))
            signed.append((value - true,))
    return [("head circumference, mean absolute error mm", errors, mean, lambda v: v <= 3.5),
            ("head circumference, mean difference mm", signed, mean, lambda v: True)]


def main():
    methods = {"mr.hippocampus": hippocampus, "mr.volumetry": volumetry, "us.fetal_biometry": biometry}
    with tempfile.TemporaryDirectory() as out:
        missed = 0
        for name, rows, statistic, good in methods[sys.argv[1]](pathlib.Path(out)):
            low, high = interval(rows, statistic)
            value = statistic(rows)
            missed += not good(value)
            print(f"{sys.argv[1]}: {name} {value:.4f} [{low:.4f}, {high:.4f}] n = {len(rows)}{'' if good(value) else ' MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
