#!/usr/bin/env python3
"""Runs ct.lungs, ct.body and ct.tissue through penta on real scans and prints the numbers of their cards.

usage: ct.py lungs | body | bone [PENTA]        data by PENTA_DATA; needs numpy and nibabel
body: against tests/ct_body/bodies.json (ours, looked at). bone: recall of the vertebrae, ribs, sternum, humeri, scapulae,
clavicles, femurs, hips and skull of TotalSegmentator's labels (its costal cartilages are no bone).
exit code 1 where a figure misses its floor
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import nibabel
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("PENTA_DATA", ROOT.parent / "shared" / "data"))
PENTA = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / "build" / "release" / "penta")
BONES = [*range(25, 51), *range(69, 79), 91, *range(92, 117)]


def lps(path):
    """[x, y, z] with axes to the left, to the back and to the head."""
    return np.asarray(nibabel.as_closest_canonical(nibabel.load(path)).dataobj)[::-1, ::-1]


def labels(method, scan, out):
    words = [] if (DATA / scan).is_dir() else ["--set", "modality=CT"]
    subprocess.run([PENTA, "segment", method, str(DATA / scan), *words, "-o", out, "--quiet"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return pathlib.Path(out) / "labels.nii.gz"


def body(out):
    doc = json.loads((ROOT / "tests" / "ct_body" / "bodies.json").read_text())
    for k, (scan, truth) in enumerate(doc["scans"].items()):
        found = lps(labels("ct.body", scan, f"{out}/{k}")) > 0
        both = total = 0
        for z, runs in truth["slices"].items():
            mask = np.zeros(truth["size"][:2], bool)
            for y, first, end in runs:
                mask[first:end, y] = True
            slice_ = found[:, :, int(z)]
            both += 2 * (mask & slice_).sum()
            total += mask.sum() + slice_.sum()
        yield f"{scan}, {len(truth['slices'])} slices", "Dice", both / total, 0.98


def bone(out):
    folder = "ct/totalsegmentator-examples/"
    for k, (scan, truth) in enumerate([("example_ct_sm.nii.gz", "example_seg.nii.gz"), ("example_ct_dicom", "example_seg_dicom.nii.gz")]):
        found = lps(labels("ct.tissue", folder + scan, f"{out}/{k}")) == 5
        teacher = lps(DATA / folder / truth)
        true = np.isin(teacher, BONES)
        yield folder + scan, "recall", (found & true).sum() / true.sum(), 0.90
        yield folder + scan, "precision", (found & true).sum() / found.sum(), 0


def lungs(out):
    scan = "ct/elastix-ct/Baselines/3DCT_lung.mha"
    file = labels("ct.lungs", scan, out)
    answer = subprocess.run([PENTA, "compare", str(file), str(DATA / "ct/elastix-ct/Data/3DCT_lung_baseline_mask.mha"), "--metric", "dice",
                             "--json"], check=True, capture_output=True, text=True).stdout
    yield scan, "Dice", json.loads(answer)["metrics"][0]["value"], 0.96


good = True
with tempfile.TemporaryDirectory() as folder:
    for what, metric, value, floor in {"body": body, "bone": bone, "lungs": lungs}[sys.argv[1]](folder):
        print(f"{what}: {metric} {value:.4f} (floor {floor})", flush=True)
        good = good and value >= floor
sys.exit(0 if good else 1)
