#!/usr/bin/env python3
"""DICOM series by `penta convert` against NIfTI files of the same series: those that dcm_qa and dcm_qa_nih ship (Ref/),
or those that dcm2niix makes (--dcm2niix FOLDER...).

Both are brought to the same order of axes (nibabel's closest canonical), so that a voxel at one place of the patient is
compared with itself. Prints one line a series and ends with exit 1 where voxels differ or an affine is off by 1e-4.

    tests/peers/dcm_qa.py --penta build/release/penta --data ../shared/data
    tests/peers/dcm_qa.py --penta build/release/penta --dcm2niix ../shared/data/mr/some-series
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy

from given import parser_of, skip_all

PAIRS = [
    ("dcm_qa/In/Orientation/cor", "dcm_qa/Ref/cor_asc_35sl_16.nii"),
    ("dcm_qa/In/Orientation/sag", "dcm_qa/Ref/sag_asc_35sl_22.nii"),
    ("dcm_qa_nih/In/20180918Si/mr_0003", "dcm_qa_nih/Ref/EPI_PE=AP_3.nii"),
    ("dcm_qa_nih/In/20180918Si/mr_0004", "dcm_qa_nih/Ref/EPI_PE=PA_4.nii"),
    ("dcm_qa_nih/In/20180918Si/mr_0005", "dcm_qa_nih/Ref/EPI_PE=RL_5.nii"),
    ("dcm_qa_nih/In/20180918Si/mr_0006", "dcm_qa_nih/Ref/EPI_PE=LR_6.nii"),
]


def difference(mine, theirs):
    """(largest difference of voxels, largest difference of the affines), or a word that says what differs in shape."""
    a, b = nibabel.as_closest_canonical(mine), nibabel.as_closest_canonical(theirs)
    x, y = numpy.squeeze(a.get_fdata()), numpy.squeeze(b.get_fdata())
    if x.shape != y.shape:
        return f"shape {x.shape} and {y.shape}", None
    return float(numpy.abs(x - y).max()), float(numpy.abs(a.affine - b.affine).max())


def convert(penta, folder, out):
    run = subprocess.run([penta, "convert", folder, out], capture_output=True, text=True)
    return "" if run.returncode == 0 else run.stderr.strip().splitlines()[-1]


def against(penta, folder, reference, out):
    error = convert(penta, folder, out)
    if error:
        return f"penta: {error}", False
    voxels, affine = difference(nibabel.load(out), nibabel.load(reference))
    if affine is None:
        return voxels, False
    scale = max(1.0, float(numpy.abs(nibabel.load(reference).get_fdata()).max()))
    good = voxels <= 1e-6 * scale and affine <= 1e-4
    return f"voxels differ by {voxels:.3g}, affine by {affine:.3g}", good


def by_dcm2niix(penta, folder, work):
    """Every series of the folder that dcm2niix makes one NIfTI of."""
    made = Path(work) / "theirs"
    made.mkdir()
    subprocess.run(["dcm2niix", "-b", "y", "-z", "n", "-f", "%s_%d", "-o", made, folder], capture_output=True)
    rows = []
    for reference in sorted(made.glob("*.nii")):
        mine = os.path.join(work, "mine.nii.gz")
        text, good = against(penta, folder, reference, mine)
        rows.append((reference.name, text, good))
    return rows


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--dcm2niix", nargs="*", help="folders of one series each")
    options = parser.parse_args()
    if options.dcm2niix is None and not options.data.is_dir():
        return skip_all(options.data)
    good_ones = bad = 0
    for folder in options.dcm2niix or []:
        with tempfile.TemporaryDirectory() as work:
            for name, text, good in by_dcm2niix(options.penta, folder, work):
                good_ones, bad = good_ones + good, bad + (not good)
                print(f"{'same' if good else 'DIFFERS'}  {folder}  {name}: {text}")
    if options.dcm2niix is None:
        for folder, reference in PAIRS:
            with tempfile.TemporaryDirectory() as work:
                base = Path(options.data) / "dicom"
                text, good = against(options.penta, base / folder, base / reference, os.path.join(work, "mine.nii.gz"))
                good_ones, bad = good_ones + good, bad + (not good)
                print(f"{'same' if good else 'DIFFERS'}  {folder}: {text}")
    print(f"{good_ones} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
