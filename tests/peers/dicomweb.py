#!/usr/bin/env python3
"""Our DICOMweb against dicomweb-client and pydicom.

usage: dicomweb.py [PENTA] [--data FOLDER] [--at URL]      (starts `penta serve` on a free port, or takes a running one)
Every readable file of data/dicom/pydicom, pydicom-data and dicom-test-files is stored by STOW-RS, found by QIDO-RS at
each level, and comes back by WADO-RS byte for byte; its metadata are those that pydicom writes as JSON; its frames are
the pixels that pydicom decodes, where it can. The last line is 'N passed, N failed, N skipped'.
"""
import contextlib
import io
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

import numpy
import PIL.Image
import pydicom
import requests
from dicomweb_client.api import DICOMwebClient

from given import parser_of, skip_all

warnings.filterwarnings("ignore")
FOLDERS = ["pydicom", "pydicom-data", "dicom-test-files"]
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91",
         "1.2.840.10008.1.2.4.203"}
passed = failed = skipped = 0


def check(name, fault):
    global passed, failed
    if fault:
        failed += 1
        print(f"FAILED {name}: {fault}", flush=True)
    else:
        passed += 1


@contextlib.contextmanager
def server(penta, at):
    """The address of a running server."""
    if at:
        yield at
        return
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([penta, "serve", "--data", folder, "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            yield re.search(r"http://[^/ ]+", process.stdout.readline()).group(0)
        finally:
            process.terminate()
            process.wait(20)


def readable(data):
    """Files with all UIDs that pydicom reads, one for each SOP instance: (path, data set)."""
    seen, out = set(), []
    for folder in FOLDERS:
        for path in sorted((data / "dicom" / folder).rglob("*")):
            try:
                dataset = pydicom.dcmread(path)
                uids = [str(dataset[name].value) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
                syntax = str(dataset.file_meta.TransferSyntaxUID)
            except Exception:
                continue
            if all(re.fullmatch(r"[0-9.]{1,64}", uid) for uid in uids) and uids[2] not in seen and path.read_bytes()[128:132] == b"DICM":
                seen.add(uids[2])
                out.append((path, dataset, uids, syntax))
    return out


def store(address, files):
    """Posts everything in one request; returns the files that were kept."""
    body = b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + path.read_bytes() + b"\r\n" for path, *_ in files) + b"--b--"
    answer = requests.post(f"{address}/dicomweb/studies", data=body, timeout=600,
                           headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'})
    json = answer.json()
    kept = {item["00081155"]["Value"][0] for item in json.get("00081199", {}).get("Value", [])}
    for item in json.get("00081198", {}).get("Value", []):
        sentence = item.get("0040A160", {}).get("Value", [""])[0]
        print(f"refused {item.get('00081155', {}).get('Value', ['?'])[0]}: {sentence}")
        check("a refused instance says why", None if len(sentence) > 10 else repr(sentence))
    check("STOW: 200 or 202", None if answer.status_code in (200, 202) else answer.status_code)
    check("STOW: nearly everything is kept", None if len(kept) >= 0.95 * len(files) else f"{len(kept)} of {len(files)}")
    return [file for file in files if file[2][2] in kept]


def values(rows, tag):
    return {value for row in rows for value in row.get(tag, {}).get("Value", ["none"])}


def check_searches(client, files):
    studies, series = ({file[2][level] for file in files} for level in (0, 1))
    found = values(client.search_for_studies(get_remaining=True), "0020000D")
    check("QIDO studies", None if found == studies else f"{len(found)} of {len(studies)}")
    found = values(client.search_for_series(get_remaining=True), "0020000E")
    check("QIDO series", None if found == series else f"{len(found)} of {len(series)}")
    found = values(client.search_for_instances(get_remaining=True), "00080018")
    check("QIDO instances", None if found == {file[2][2] for file in files} else f"{len(found)} of {len(files)}")
    for study in sorted(studies):
        found = values(client.search_for_instances(study), "00080018")
        check(f"QIDO instances of {study}", None if found == {f[2][2] for f in files if f[2][0] == study} else len(found))
    modality = files[0][1].get("Modality", "OT")
    rows = client.search_for_series(search_filters={"Modality": modality}, fields=["SeriesDescription"])
    check("QIDO by keyword", None if rows and all(row["00080060"]["Value"] == [modality] for row in rows) else rows[:1])


def json_of(dataset):
    """What metadata must say: no pixel data, large values left to bulk data."""
    return {tag: value for tag, value in dataset.to_json_dict(bulk_data_threshold=1 << 40, suppress_invalid_tags=True).items()
            if tag not in ("7FE00010", "7FE00008", "7FE00009", "00080005")}    # JSON is UTF-8, whatever the file is


def stripped(value):
    """Without the spaces at the end, which pad a text."""
    return [(part.rstrip() or None) if isinstance(part, str) else part for part in value or []]


def check_metadata(client, path, dataset, uids):
    rows = client.retrieve_instance_metadata(*uids)
    try:
        wanted = json_of(dataset)
    except Exception as fault:                       # pydicom cannot say every file in JSON
        return f"skipped: {fault}"
    missing = [tag for tag, value in wanted.items() if tag[4:] != "0000" and tag not in rows and value.get("vr") not in ("OB", "OW", "UN")]
    other = [tag for tag, value in wanted.items()
             if tag in rows and rows[tag]["vr"] == value["vr"] and value.get("vr") in ("UI", "CS", "DA", "US", "SH", "AE") and stripped(value.get("Value")) != stripped(rows[tag].get("Value"))]
    check(f"metadata of {path.name}", f"missing {missing[:5]}, other {[(t, wanted[t], rows[t]) for t in other[:2]]}" if missing or other else None)
    return None


def get(client, uids, rest, accept):
    url = f"{client.base_url}/studies/{uids[0]}/series/{uids[1]}/instances/{uids[2]}{rest}"
    return requests.get(url, headers={"Accept": accept}, timeout=120)


def check_files(client, path, uids, syntax):
    same = get(client, uids, "", "application/dicom; transfer-syntax=*")
    check(f"{path.name} as it is stored", None if same.content == path.read_bytes() else f"{same.status_code}, {len(same.content)} bytes")
    answer = get(client, uids, "", "application/dicom")
    if answer.status_code == 200:
        got = str(pydicom.dcmread(io.BytesIO(answer.content)).file_meta.TransferSyntaxUID)
        check(f"{path.name} transcoded", None if got == "1.2.840.10008.1.2.1" else got)
    else:
        check(f"{path.name} transcoded", None if answer.status_code in (406, 422) and answer.json()["detail"] else answer.text[:200])


def check_frames(client, path, dataset, uids, syntax):
    global skipped
    try:
        wanted = pydicom.pixels.pixel_array(path, raw=True, index=0)
    except Exception:
        skipped += 1
        return
    answer = get(client, uids, "/frames/1", "application/octet-stream")
    if answer.status_code != 200:
        check(f"frame of {path.name}", f"{answer.status_code} {answer.text[:200]}")
        return
    if int(dataset.BitsAllocated) in (8, 16, 32) and syntax not in LOSSY:
        got = numpy.frombuffer(answer.content[:wanted.nbytes], wanted.dtype)
        if wanted.ndim == 3 and int(dataset.get("PlanarConfiguration", 0)) == 1 and not syntax.startswith("1.2.840.10008.1.2.4"):
            wanted = wanted.transpose(2, 0, 1)
        check(f"frame of {path.name}", None if got.size == wanted.size and (got == wanted.ravel()).all() else f"{got.size} values of {wanted.size}, or others ({syntax})")
    picture = get(client, uids, "/rendered", "image/png")
    if dataset.get("Modality") == "SEG":
        check(f"labels of {path.name} are no picture", None if picture.status_code == 406 else picture.status_code)
        return
    if picture.status_code != 200:
        check(f"picture of {path.name}", f"{picture.status_code} {picture.text[:200]}")
        return
    size = PIL.Image.open(io.BytesIO(picture.content)).size
    check(f"picture of {path.name}", None if size == (dataset.Columns, dataset.Rows) else size)


def check_refusals(client, address, uids):
    for rest, accept, status in [("/frames/0", "*/*", 400), ("/frames/99999", "*/*", 404), ("/rendered", "text/html", 406),
                                 ("/rendered?window=x", "*/*", 400), ("", "application/zip", 406), ("/nothing", "*/*", 404)]:
        answer = get(client, uids, rest, accept)
        check(f"{rest} {accept}", None if answer.status_code == status and answer.json()["detail"] else answer.status_code)
    foreign = requests.get(f"{address}/dicomweb/studies", headers={"Host": "evil.example"}, timeout=10)
    check("a foreign Host", None if foreign.status_code == 421 else foreign.status_code)
    check("a name in the path", None if requests.get(f"{address}/dicomweb/studies/..%2f..%2fetc/metadata", timeout=10).status_code == 400 else "taken")


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--at", help="address of a running, empty server")
    given = parser.parse_args()
    files = readable(given.data)
    if not files:
        return skip_all(given.data)
    with server(given.penta, given.at) as address:
        client = DICOMwebClient(url=f"{address}/dicomweb")
        kept = store(address, files)
        check_searches(client, kept)
        check_refusals(client, address, kept[0][2])
        for path, dataset, uids, syntax in kept:
            check_metadata(client, path, dataset, uids)
            check_files(client, path, uids, syntax)
            if "PixelData" in dataset:
                check_frames(client, path, dataset, uids, syntax)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
