#!/usr/bin/env python3
"""Metadata of every file of data/dicom/INDEX.csv as DICOM JSON: ours (program dicom_index, beside PENTA) against pydicom's
to_json_dict, element by element; frame ranges against the frames that pydicom finds; files in explicit little endian
against pydicom's pixels of the original.

usage: dicom_json.py [PENTA] [--data FOLDER] [--only TEXT] [--all]
Needs pydicom, pylibjpeg (-libjpeg, -openjpeg, -rle), pyjpegls, zstandard. Not compared: values that either side leaves to a
BulkDataURI (but for their length), padding, the character set's name, and elements that pydicom takes from UN to the VR of its
dictionary or that it keeps behind the pixel data. A value that pydicom cannot read itself is told and not counted.
Prints a row a file that is not the same, and one line at the end; exit 1 when a file differs or the program crashes.
"""
import base64
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import pydicom
from pydicom.encaps import generate_frames

from dicom_pixels import unpacked
from given import beside, corpus_files, corpus_parser, skip_all

warnings.filterwarnings("ignore")
NUMBERS = {"DS", "IS", "FL", "FD", "SL", "SS", "UL", "US", "SV", "UV"}
BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
PIXELS = {"7FE00008", "7FE00009", "7FE00010"}


def same_number(theirs, ours, vr):
    if theirs is None or ours is None:
        return theirs in (None, "") and ours in (None, "")
    try:
        a, b = float(theirs), float(ours)
    except (TypeError, ValueError):
        return str(theirs).strip() == str(ours).strip()
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or (vr == "FL" and numpy.float32(a) == numpy.float32(b))


def same_text(theirs, ours):
    theirs, ours = ("" if value is None else value for value in (theirs, ours))
    if isinstance(theirs, dict) or isinstance(ours, dict):
        theirs, ours = ({} if value == "" else value for value in (theirs, ours))
        return all(theirs.get(key, "").strip() == ours.get(key, "").strip() for key in ("Alphabetic", "Ideographic", "Phonetic"))
    return str(theirs).strip(" \0") == str(ours).strip(" \0")


def values_differ(vr, theirs, ours):
    a, b = theirs.get("Value", []), ours.get("Value", [])
    while a and a[-1] in (None, "", {}):
        a = a[:-1]
    while b and b[-1] in (None, "", {}):
        b = b[:-1]
    if vr in ("LT", "ST", "UT", "UR"):
        a, b = ["\\".join(map(str, a))], ["\\".join(map(str, b))]
    if len(a) != len(b):
        return f"{len(a)} values, ours {len(b)}"
    for x, y in zip(a, b):
        if not (same_number(x, y, vr) if vr in NUMBERS else same_text(x, y)):
            return f"{x!r}, ours {y!r}"
    return ""


def differences(theirs, ours, path=""):
    """Rows of what is not the same in two DICOM JSON objects."""
    for tag in sorted(set(theirs) | set(ours)):
        where = path + tag
        if tag.endswith("0000") or tag == "00080005" or tag > "7FE00010" or tag in ("7FE00001", "7FE00002"):
            continue
        if tag not in ours or tag not in theirs:
            yield f"{where}: only {'theirs' if tag in theirs else 'ours'}"
            continue
        a, b = theirs[tag], ours[tag]
        if a["vr"] != b["vr"]:
            if b["vr"] == "UN" or tag in PIXELS or {a["vr"], b["vr"]} <= {"US", "SS", "OW", "OB"}:
                continue
            yield f"{where}: VR {a['vr']}, ours {b['vr']}"
        elif b["vr"] == "SQ":
            one, two = a.get("Value", []), b.get("Value", [])
            if len(one) != len(two):
                yield f"{where}: {len(one)} items, ours {len(two)}"
            for index, (x, y) in enumerate(zip(one, two)):
                yield from differences(x, y, f"{where}/{index}/")
        elif "BulkDataURI" in a or "BulkDataURI" in b:
            continue
        elif b["vr"] in BINARY:
            x, y = (base64.b64decode(value.get("InlineBinary", "")) for value in (a, b))
            if x.rstrip(b"\0") != y.rstrip(b"\0"):
                yield f"{where}: {len(x)} bytes, ours {len(y)} others"
        elif wrong := values_differ(b["vr"], a, b):
            yield f"{where} {b['vr']}: {wrong}"


def theirs_of(path):
    """The data set, its JSON, and the tags at the top that pydicom cannot write."""
    ds = pydicom.dcmread(path, force=True)
    out = ds.to_json_dict(bulk_data_threshold=1025, bulk_data_element_handler=lambda element: "x", suppress_invalid_tags=True)
    if "SOPInstanceUID" not in ds:
        raise ValueError("no SOP Instance UID is found")
    return ds, out, {f"{tag:08X}" for tag in ds.keys()} - set(out)


def frames_differ(ds, line, path):
    """Bytes of our ranges against the frames that pydicom finds."""
    if not line["frames"] or "PixelData" not in ds:
        return ""
    data, count = path.read_bytes(), int(ds.get("NumberOfFrames") or 1)
    ours = [b"".join(data[offset:offset + length] for offset, length in frame) for frame in line["frames"]]
    if len(ours) != count:
        return f"{count} frames, ours {len(ours)}"
    if not ds.file_meta.TransferSyntaxUID.is_encapsulated:
        return "" if ds.PixelData.startswith(b"".join(ours)) else "native frames differ"
    offsets = {} if "ExtendedOffsetTable" not in ds else {"extended_offsets": (ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths)}
    theirs = list(generate_frames(ds.PixelData, number_of_frames=count, **offsets))
    return "" if [frame.rstrip(b"\0") for frame in theirs] == [frame.rstrip(b"\0") for frame in ours] else "encapsulated frames differ"


def transcoded_differs(ds, program, path, folder):
    """Pixels of the file in explicit little endian against those of the original."""
    out = folder / "explicit.dcm"
    with out.open("wb") as file:
        done = subprocess.run([program, "--explicit", path], stdout=file, stderr=subprocess.PIPE, text=True)
    if done.returncode not in (0, 3):
        return f"crash ({done.returncode})"
    if done.returncode == 3:
        return ""  # told by dicom_pixels.py
    other = pydicom.dcmread(out)
    if other.file_meta.TransferSyntaxUID != pydicom.uid.ExplicitVRLittleEndian:
        return "not explicit little endian"
    if "PixelData" not in ds:
        return ""
    try:
        theirs = ds.pixel_array
    except Exception:  # what pydicom does not decode is compared with nothing
        return ""
    ours = other.pixel_array
    if ds.PhotometricInterpretation != other.PhotometricInterpretation:
        return "" if ours.shape == theirs.shape else f"shape {theirs.shape}, ours {ours.shape}"
    lossy = ds.file_meta.TransferSyntaxUID in ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
    if ours.shape != theirs.shape:
        return f"shape {theirs.shape}, ours {ours.shape}"
    off = numpy.abs(ours.astype(numpy.float64) - theirs).max() if ours.size else 0
    return "" if off <= (3 if lossy else 0) else f"transcoded pixels differ by {off:g}"


def verdict_of(path, program, folder):
    """("same", "") or ("differs", rows) or ("refused", our sentence) or ("theirs fails", theirs)."""
    done = subprocess.run([program, path], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return f"crash ({done.returncode})", done.stderr[-200:]
    line = json.loads(done.stdout)
    if "error" in line:
        return "refused", line["error"]
    ours = json.loads(line["metadata"])
    try:
        ds, theirs, lost = theirs_of(path)
    except Exception as error:  # whatever pydicom says: then there is nothing to compare with
        return "theirs fails", str(error)[:100]
    rows = list(differences(theirs, {tag: value for tag, value in ours.items() if tag not in lost}))
    try:
        rows += [row for row in [frames_differ(ds, line, path)] if row]
    except (ValueError, KeyError, AttributeError):  # pydicom finds no frames
        pass
    rows += [row for row in [transcoded_differs(ds, program, path, folder)] if row]
    return ("differs", "; ".join(rows[:6])) if rows else ("same", "")


def main():
    args = corpus_parser(__doc__).parse_args()
    if not args.data.is_dir():
        return skip_all(args.data)
    program, data = beside(args.penta, "dicom_index"), args.data / "dicom"
    counts, rows = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for file in corpus_files(data, args.only):
            verdict, note = verdict_of(unpacked(data / file, folder), program, folder)
            counts[verdict.split(" (")[0]] = counts.get(verdict.split(" (")[0], 0) + 1
            rows += 1
            if args.all or verdict != "same":
                print(f"{verdict:12} {file}  {note}", flush=True)
    bad = counts.get("differs", 0) + counts.get("crash", 0)
    print(f"dicom json: {rows} files: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    print(f"{rows - bad} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
