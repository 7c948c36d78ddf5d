#!/usr/bin/env python3
"""Structured reports against highdicom and dciodvfy.

usage: sr.py [PENTA] [--data FOLDER]      (runs dicom_objects, a build target, beside PENTA)
Needs highdicom, pydicom, zstandard; dciodvfy (Debian dicom3tools).
Each report that we make, and each TID 1500 report of data/dicom written again, must pass dciodvfy with 0 errors, and
highdicom must read the same groups, tracking ids, values, units, codes and graphic data as we do. Every other report
of data/dicom is read or refused with a sentence. The last line is 'N passed, N failed, N skipped'.
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import highdicom
import pydicom
import zstandard

from given import beside, parser_of

warnings.filterwarnings("ignore")
SHAPES = ["POINT", "MULTIPOINT", "POLYLINE", "CIRCLE", "ELLIPSE"]
passed = failed = skipped = 0


def check(name, fault):
    global passed, failed
    if fault:
        failed += 1
        print(f"FAILED {name}: {fault}")
    else:
        passed += 1


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=60)


def dciodvfy(path):
    try:
        text = run("dciodvfy", path).stderr
    except FileNotFoundError:
        return "dciodvfy is not installed"
    return "; ".join(line for line in text.splitlines() if line.startswith("Error"))[:300]


def same_code(ours, theirs):
    return theirs is not None and ours[1] == theirs.value and ours[0] == theirs.scheme_designator and ours[2] == theirs.meaning


def number_of(item):
    measured = item[0].MeasuredValueSequence[0]
    return float(measured.get("FloatingPointValue", measured.NumericValue))


def compare_quantity(ours, theirs):
    if float.fromhex(ours["value"]) != number_of(theirs):
        return f"value {float.fromhex(ours['value'])} is not {number_of(theirs)}"
    if not same_code(ours["name"], theirs.name):
        return f"name {ours['name']} is not {theirs.name}"
    if not same_code(ours["unit"], theirs.unit):
        return f"unit {ours['unit']} is not {theirs.unit}"
    return ""


def compare_group(ours, theirs):
    if ours["tracking_id"] != (theirs.tracking_identifier or ""):
        return f"tracking id {ours['tracking_id']} is not {theirs.tracking_identifier}"
    if ours["tracking_uid"] != str(theirs.tracking_uid or ""):
        return "tracking uid"
    if theirs.finding_type is not None and not same_code(ours["finding"], theirs.finding_type):
        return f"finding {ours['finding']} is not {theirs.finding_type}"
    numbers = [q for q in ours["quantities"] if q["value"] != "none"]
    measured = theirs.get_measurements()
    if len(numbers) != len(measured):
        return f"{len(numbers)} numbers, not {len(measured)}"
    faults = [compare_quantity(a, b) for a, b in zip(numbers, measured)]
    return next((fault for fault in faults if fault), "") or compare_planar(ours, theirs)


def compare_planar(ours, theirs):
    if not ours["planar"]:
        return ""
    region = theirs.roi if hasattr(theirs, "roi") else None
    if region is None:
        return "highdicom sees no region"
    mine = ours["planar"][0]
    points = [float.fromhex(p) for p in mine["points"]]
    if region.graphic_type.value != SHAPES[mine["shape"]] or points != [float(v) for v in region.value.flatten()]:
        return f"region {SHAPES[mine['shape']]} {points} is not {region.graphic_type} {region.value.tolist()}"
    image = region.ContentSequence[0].ReferencedSOPSequence[0]
    frame = image.get("ReferencedFrameNumber", 0)
    return "" if (mine["image"], mine["frame"]) == (image.ReferencedSOPInstanceUID, int(frame or 0)) else "region's image"


def compare_highdicom(tool, path):
    answer = run(tool, "sr", path)
    if answer.returncode:
        return answer.stderr
    ours = json.loads(answer.stdout)
    try:
        content = highdicom.sr.srread(path).content
        theirs = {"1410": content.get_planar_roi_measurement_groups(), "1411": content.get_volumetric_roi_measurement_groups(),
                  "1501": content.get_image_measurement_groups()}
    except Exception as fault:  # a peer that cannot read the file is a finding, not a crash
        return f"highdicom: {type(fault).__name__}: {fault}"
    for template, groups in theirs.items():
        mine = [g for g in ours["groups"] if g["template"] == template]
        if len(mine) != len(groups):
            return f"{len(mine)} groups of TID {template}, not {len(groups)}"
        for a, b in zip(mine, groups):
            if fault := compare_group(a, b):
                return f"{a['tracking_id']}: {fault}"
    return ""


def reports_of(data, folder):
    for row in csv.DictReader(open(data / "dicom/INDEX.csv")):
        path = data / "dicom" / row["file"]
        if path.suffix == ".zst" and "sr" in path.name:
            plain = folder / path.stem
            plain.write_bytes(zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read())
            yield plain
        elif row["modality"] == "SR":
            yield path


def main():
    global skipped
    words = parser_of(__doc__).parse_args()
    words.tool = beside(words.penta, "dicom_objects")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        made = run(words.tool, "sr-made", folder)
        check("reports of our making", made.stderr if made.returncode else "")
        for path in sorted(folder.glob("*.dcm")):
            check(f"{path.name} dciodvfy", dciodvfy(path))
            check(f"{path.name} highdicom", compare_highdicom(words.tool, path))
        if not (words.data / "dicom/INDEX.csv").is_file():
            skipped += 1
            print(f"data not here: {words.data}/dicom")
        else:
            for path in reports_of(words.data, folder):
                check_report(words.tool, path, folder)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def check_report(tool, path, folder):
    answer = run(tool, "sr", path)
    if answer.returncode:
        check(path.name, "" if answer.returncode == 3 and answer.stderr else f"exit {answer.returncode}: {answer.stderr}")
        return print(f"refused {path.name}: {answer.stderr.strip()}")
    report = json.loads(answer.stdout)
    check(path.name, "")
    print(f"read {path.name}: {len(report['groups'])} groups; {'; '.join(report['remarks'])}")
    if report["template"] != "1500" and not any(g["template"] for g in report["groups"]):
        return None
    check(f"{path.name} highdicom", compare_highdicom(tool, path))
    again = folder / ("again-" + path.name)
    written = run(tool, "sr-again", path, again)
    check(f"{path.name} written", written.stderr)
    if written.returncode:
        return None
    check(f"{path.name} again dciodvfy", dciodvfy(again))
    check(f"{path.name} again highdicom", compare_highdicom(tool, again))
    second = json.loads(run(tool, "sr", again).stdout)
    check(f"{path.name} same groups", "" if numbers_of(second) == numbers_of(report) else "values or codes differ")


def numbers_of(report):
    return [(g["tracking_id"], g["finding"], g["category"], g["site"], g["quantities"], g["planar"], g["evaluations"]) for g in report["groups"]]


if __name__ == "__main__":
    sys.exit(main())
