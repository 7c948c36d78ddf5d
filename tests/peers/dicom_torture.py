#!/usr/bin/env python3
"""The torture set (io/dicom/torture_test.h) as other programs see it, and what we write as dciodvfy does.

usage: dicom_torture.py [PENTA] [--out FOLDER] [--all]     (runs io_tests beside PENTA)
IO_TESTS (beside PENTA) makes the files (PENTA_TORTURE_OUT). Then: pydicom must find every voxel where truth.csv has it, which checks
the generator; dcm2niix is asked the same of its NIfTI (a row says where it differs; that is not our failure); and
dciodvfy must find no error in what we wrote, but (0008,001C), which is younger than it. Needs pydicom, nibabel, numpy.
Prints a row a set that is not plainly right (all with --all); what dcm2niix lacks is no failure. The last line is
'N passed, N failed, N skipped'; exit 1 on a failure.
"""
import csv
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import nibabel
import numpy
import pydicom

from given import beside, parser_of

YOUNGER = "(0x0008,0x001c)"


def truth_of(folder):
    with open(folder / "truth.csv") as rows:
        return {int(row["value"]): numpy.array([float(row[k]) for k in ("x_mm", "y_mm", "z_mm")]) for row in csv.DictReader(rows)}


def planes(dataset):
    """Stored frame, slope, intercept, position, orientation and spacing of every frame."""
    pixels = dataset.pixel_array
    pixels = pixels if pixels.ndim == 3 else pixels[None]
    nm = dataset.Modality == "NM"
    for at, frame in enumerate(pixels):
        if "PerFrameFunctionalGroupsSequence" in dataset:
            own, shared = dataset.PerFrameFunctionalGroupsSequence[at], dataset.SharedFunctionalGroupsSequence[0]
            values, measures = shared.PixelValueTransformationSequence[0], shared.PixelMeasuresSequence[0]
            place = own.PlanePositionSequence[0].ImagePositionPatient
            axes = shared.PlaneOrientationSequence[0].ImageOrientationPatient
        else:
            values = measures = dataset
            detector = dataset.DetectorInformationSequence[0] if nm else dataset
            place, axes = detector.ImagePositionPatient, detector.ImageOrientationPatient
        place, row, column = (numpy.array(v, float) for v in (place, axes[:3], axes[3:]))
        if nm:
            place = place + at * float(dataset.SpacingBetweenSlices) * numpy.cross(row, column)
        yield (frame * float(getattr(values, "RescaleSlope", 1)) + float(getattr(values, "RescaleIntercept", 0)), place, row, column,
               [float(v) for v in measures.PixelSpacing])


def by_pydicom(folder, truth):
    """Voxels that are not where the truth has them, and those found."""
    wrong, seen = 0, set()
    for file in sorted((folder / "dicom").iterdir()):
        for frame, place, row, column, (dy, dx) in planes(pydicom.dcmread(file)):
            for (y, x), value in numpy.ndenumerate(frame):
                at = truth.get(int(value))
                if at is None:
                    continue  # a localiser
                seen.add(int(value))
                wrong += bool(numpy.abs(place + x * dx * row + y * dy * column - at).max() > 1e-5)
    return wrong + len(truth) - len(seen)


def by_dcm2niix(folder, truth):
    """Share of voxels within 0.01 mm of the truth in what dcm2niix makes of it."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(["dcm2niix", "-b", "n", "-z", "n", "-f", "%p_%s_%t_%r", "-o", out, folder / "dicom"], capture_output=True, timeout=60)
        right = set()
        for file in sorted(pathlib.Path(out).glob("*.nii")):
            image = nibabel.load(file)
            data = numpy.asanyarray(image.dataobj)
            for index, value in numpy.ndenumerate(data):
                at = truth.get(int(round(float(value))))
                if at is None:
                    continue
                lps = (image.affine @ [*index[:3], 1])[:3] * [-1, -1, 1]
                if numpy.abs(lps - at).max() < 0.01:
                    right.add(int(round(float(value))))
    return len(right) / len(truth)


def faults_of(file):
    found = subprocess.run(["dciodvfy", file], capture_output=True, text=True).stderr
    return [line for line in found.splitlines() if line.startswith("Error") and YOUNGER not in line]


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--all", action="store_true")
    wanted = parser.parse_args()
    out = wanted.out or pathlib.Path(tempfile.mkdtemp())
    programs = {name: bool(shutil.which(name)) for name in ("dcm2niix", "dciodvfy")}
    subprocess.run([beside(wanted.penta, "io_tests"), "--gtest_brief=1", "--gtest_filter=*TortureSets*:DerivedImage*:SecondaryCapture*"],
                   env={**os.environ, "PENTA_TORTURE_OUT": str(out)}, check=True, stdout=subprocess.DEVNULL)
    sets = bad = same = 0
    for folder in sorted(p for p in out.iterdir() if (p / "truth.csv").is_file()):
        truth = truth_of(folder)
        wrong, share = by_pydicom(folder, truth), by_dcm2niix(folder, truth) if programs["dcm2niix"] else 0
        sets, bad, same = sets + 1, bad + bool(wrong), same + (share == 1)
        if wanted.all or wrong or (share < 1 and programs["dcm2niix"]):
            print(f"{folder.name}: pydicom {wrong} voxels off, dcm2niix {share:.3f} right")
    written = faulty = 0
    for file in sorted((out / "derived").rglob("*.dcm")):
        faults = faults_of(file) if programs["dciodvfy"] else []
        written, faulty = written + 1, faulty + bool(faults)
        if faults:
            print(f"{file.relative_to(out)}: {len(faults)} errors, first: {faults[0]}")
    print(f"{sets} sets, {bad} wrong by pydicom, {same} right by dcm2niix; {written} files written, {faulty} with dciodvfy errors")
    skipped = [name for name, there in programs.items() if not there]
    if skipped:
        print("not installed: " + ", ".join(skipped))
    checked = written if programs["dciodvfy"] else 0
    print(f"{sets - bad + checked - faulty} passed, {bad + faulty + (not sets or not written)} failed, {len(skipped)} skipped")
    return 1 if bad or faulty or not sets or not written else 0


if __name__ == "__main__":
    sys.exit(main())
