#!/usr/bin/env python3
"""Makes docs/guide/pictures anew from build/samples: python3 tests/browser/pictures.py, after tools/build.sh release penta and
tools/setup.sh browser. The drawn PET and CT are of one patient and one frame of reference, so they are stored as one study for
the picture of a fusion."""
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1])]

from browser.run import NODE, Server, files_below, fill
from tally import ROOT

STUDY_UID = b"\x20\x00\x0d\x00UI"


def study_uid_at(data):
    """Where the Study Instance UID's length stands, and its value."""
    at = data.index(STUDY_UID) + len(STUDY_UID)
    return at, data[at + 2:at + 2 + int.from_bytes(data[at:at + 2], "little")]


def into_study(data, uid):
    at, old = study_uid_at(data)
    return data[:at] + len(uid).to_bytes(2, "little") + uid + data[at + 2 + len(old):]


def join_studies(samples, folder):
    """The PET's files as files of the CT's study."""
    ct = next(file for file in files_below(samples / "ct-simulated") if file.suffix == ".dcm")
    uid = study_uid_at(ct.read_bytes())[1]
    folder.mkdir()
    for file in files_below(samples / "pet-simulated"):
        (folder / file.name).write_bytes(into_study(file.read_bytes(), uid))


def main():
    samples = ROOT / "build" / "samples"
    with tempfile.TemporaryDirectory(prefix="penta-pictures-") as name:
        folder = pathlib.Path(name)
        server = Server(folder / "data")
        try:
            fill(server, samples)
            subprocess.run([NODE, ROOT / "tests/browser/pictures.mjs", server.address], check=True)
            # An instance is of one study only, so the PET leaves its own first.
            pet = next(study["study_uid"] for study in server.ask("/api/studies?modality=PT")["studies"])
            urllib.request.urlopen(urllib.request.Request(f"{server.address}/api/studies/{pet}", method="DELETE"), timeout=60).close()
            join_studies(samples, folder / "pet-of-ct")
            fill(server, folder / "pet-of-ct")
            subprocess.run([NODE, ROOT / "tests/browser/pictures.mjs", server.address, "fusion"], check=True)
        finally:
            server.close()


if __name__ == "__main__":
    main()
