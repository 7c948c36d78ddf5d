#!/usr/bin/env python3
"""The DICOM server against the clients and servers of others: DCMTK's tools, pynetdicom, Orthanc.

usage: dimse.py PENTA
Needs Debian's dcmtk and orthanc, pydicom and pynetdicom. One line a check, and one at the end.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import pydicom
from pynetdicom import AE, StoragePresentationContexts, build_role, evt
from pynetdicom.sop_class import (CTImageStorage, PatientRootQueryRetrieveInformationModelFind,
                                  StudyRootQueryRetrieveInformationModelFind, StudyRootQueryRetrieveInformationModelGet,
                                  StudyRootQueryRetrieveInformationModelMove, Verification)

import dicom_peers

passed, failed = 0, 0
STUDY = "1.2.826.0.1.3680043.10.1337.1"


def check(name, good, why=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    print(f"{'ok' if good else 'FAILED'}: {name}{'' if good else ': ' + str(why)}", flush=True)


def tool(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def same_data(sent, got):
    """True where two files hold the same bytes behind the meta header."""
    def data(path):
        raw = path.read_bytes()
        return raw[132 + 12 + int.from_bytes(raw[140:144], "little"):]
    return data(sent) == data(got)


def study(level="STUDY", **keys):
    data = pydicom.Dataset()
    data.QueryRetrieveLevel = level
    data.StudyInstanceUID = STUDY
    for key, value in keys.items():
        setattr(data, key, value)
    return data


def dcmtk(server, files, out):
    port = server.port
    code, text = tool("echoscu", "127.0.0.1", port)
    check("echoscu", code == 0, text)
    code, text = tool("storescu", "127.0.0.1", port, *files)
    check("storescu", code == 0, text)
    code, text = tool("storescu", "127.0.0.1", port, *files)
    check("storescu, the same again", code == 0, text)
    for level, count in (("STUDY", 1), ("SERIES", 1), ("IMAGE", len(files))):
        code, text = tool("findscu", "-S", "-k", f"QueryRetrieveLevel={level}", "-k", f"StudyInstanceUID={STUDY}", "-k",
                          "SeriesInstanceUID", "-k", "SOPInstanceUID", "127.0.0.1", port)
        check(f"findscu {level}", text.count("Find Response: ") == count, text[-2000:])
    code, text = tool("findscu", "-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=SPEED", "-k", "PatientName",
                      "127.0.0.1", port)
    check("findscu PATIENT", text.count("Find Response: ") == 1 and "Speed^Test" in text, text[-2000:])
    out.mkdir()
    code, text = tool("getscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY}", "-od", out,
                      "127.0.0.1", port)
    got = sorted(out.iterdir())
    check("getscu", len(got) == len(files), text)
    check("getscu gives pixels back", sorted(pydicom.dcmread(f).PixelData for f in got) ==
          sorted(pydicom.dcmread(f).PixelData for f in files))


def dcmtk_move(files, folder):
    with dicom_peers.storescp(folder / "moved") as far:
        with dicom_peers.ours(folder / "mover", [(far.ae_title, far.port)]) as server:
            tool("storescu", "127.0.0.1", server.port, *files)
            code, text = tool("movescu", "-S", "-aem", far.ae_title, "-k", "QueryRetrieveLevel=STUDY", "-k",
                              f"StudyInstanceUID={STUDY}", "127.0.0.1", server.port)
            got = sorted((folder / "moved").iterdir())
            check("movescu to storescp", code == 0 and len(got) == len(files), text)
            check("storescp holds the same data sets", len(got) == len(files) and
                  all(same_data(a, b) for a, b in zip(files, sorted(got, key=lambda f: pydicom.dcmread(f).InstanceNumber))))
            code, text = tool("movescu", "-S", "-aem", "NOBODY", "-k", "QueryRetrieveLevel=STUDY", "-k",
                              f"StudyInstanceUID={STUDY}", "127.0.0.1", server.port)
            check("movescu to an unknown AE title fails", code != 0 or "0xa801" in text.lower(), text)


def pynetdicom_client(server, files):
    ae = AE("PYNET")
    for context in StoragePresentationContexts[:100]:
        ae.add_requested_context(context.abstract_syntax)
    ae.requested_contexts = [c for c in ae.requested_contexts if c.abstract_syntax == CTImageStorage]
    ae.add_requested_context(Verification)
    for model in (StudyRootQueryRetrieveInformationModelFind, PatientRootQueryRetrieveInformationModelFind,
                  StudyRootQueryRetrieveInformationModelGet, StudyRootQueryRetrieveInformationModelMove):
        ae.add_requested_context(model)
    got = []

    def on_store(event):
        got.append(event.dataset.SOPInstanceUID)
        return 0

    role = build_role(CTImageStorage, scu_role=True, scp_role=True)
    association = ae.associate("127.0.0.1", server.port, ext_neg=[role], evt_handlers=[(evt.EVT_C_STORE, on_store)])
    check("pynetdicom associates", association.is_established)
    check("pynetdicom echo", association.send_c_echo().Status == 0)
    for file in files[:5]:
        status = association.send_c_store(pydicom.dcmread(file))
        check("pynetdicom store", status.Status in (0, 0xC000), status)  # the same instance in another encoding is refused
    other = pydicom.dcmread(files[0])
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.10.1337.9"
    other.PatientName = "<img src=x onerror=alert(1)>"
    check("pynetdicom store, a name that is a script", association.send_c_store(other).Status == 0)
    answers = list(association.send_c_find(study("IMAGE", SOPInstanceUID=""), StudyRootQueryRetrieveInformationModelFind))
    check("pynetdicom find", len(answers) == len(files) + 2 and answers[-1][0].Status == 0, len(answers))
    without = study()
    del without.QueryRetrieveLevel
    answers = list(association.send_c_find(without, StudyRootQueryRetrieveInformationModelFind))
    check("pynetdicom find without a level is refused", answers[-1][0].Status == 0xA900, answers)
    answers = list(association.send_c_get(study(), StudyRootQueryRetrieveInformationModelGet))
    check("pynetdicom get", len(got) == len(files) + 1 and answers[-1][0].Status == 0, (len(got), answers[-1][0]))
    association.abort()
    time.sleep(0.2)
    again = ae.associate("127.0.0.1", server.port)
    check("pynetdicom after an abort", again.is_established and again.send_c_echo().Status == 0)
    again.release()


def corpora(server, data):
    """Every instance of the corpora is sent: what storescu can send is taken or refused, and the server lives."""
    code, text = tool("dcmsend", "-ll", "info", "+sd", "+r", "--no-halt", "127.0.0.1", server.port, data / "dicom")
    sent = [line for line in text.splitlines() if "Status Summary" in line or "* with status" in line]
    print("   " + " ".join(s.strip() for s in sent))
    check("dcmsend of the corpora", "with status SUCCESS" in text, text[-1500:])
    check("the server lives", tool("echoscu", "127.0.0.1", server.port)[0] == 0)


def orthanc(files, folder):
    port = dicom_peers.free_port()
    with dicom_peers.ours(folder / "store", [("ORTHANC", port)]) as server:
        with dicom_peers.Orthanc(folder / "orthanc", [("PENTA", server.port)], port) as far:
            code, text = tool("storescu", "127.0.0.1", far.port, *files)
            check("Orthanc has the slices", code == 0 and len(far.ask("/instances")) == len(files), text)
            orthanc_study = far.ask("/studies")[0]
            far.ask("/modalities/PENTA/store", orthanc_study)
            count = tool("findscu", "-S", "-k", "QueryRetrieveLevel=IMAGE", "-k", f"StudyInstanceUID={STUDY}", "-k",
                         "SOPInstanceUID", "127.0.0.1", server.port)[1].count("Find Response: ")
            check("Orthanc sends to us", count == len(files), count)
            check("Orthanc echoes us", far.ask("/modalities/PENTA/echo", {}) == {})
            found = far.ask("/modalities/PENTA/query", {"Level": "Study", "Query": {"PatientID": "SPEED"}})
            answers = far.ask(found["Path"] + "/answers")
            check("Orthanc finds our study", len(answers) == 1, answers)
            request = urllib_delete(far, f"/studies/{orthanc_study}")
            check("Orthanc forgot it", request and not far.ask("/instances"))
            far.ask(found["Path"] + "/retrieve", {"TargetAet": "ORTHANC"})
            check("Orthanc retrieves by C-MOVE", len(far.ask("/instances")) == len(files), len(far.ask("/instances")))
            code, text = tool("movescu", "-S", "-aec", "ORTHANC", "-aem", "PENTA", "-k", "QueryRetrieveLevel=STUDY", "-k",
                              f"StudyInstanceUID={STUDY}", "127.0.0.1", far.port)
            check("C-MOVE from Orthanc to us", code == 0, text)


def urllib_delete(far, path):
    import urllib.request
    request = urllib.request.Request(f"http://127.0.0.1:{far.http}{path}", method="DELETE")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status == 200


def main():
    for program in ("storescu", "Orthanc"):
        if not shutil.which(program):
            print(f"{program} is not on this machine (install dcmtk, orthanc)\n0 passed, 0 failed, 1 skipped")
            return 0
    import os
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = dicom_peers.make_ct(folder / "ct", 20, 128)
        with dicom_peers.ours(folder / "store") as server:
            dcmtk(server, files, folder / "got")
            pynetdicom_client(server, files)
            data = pathlib.Path(os.environ.get("PENTA_DATA", "../shared/data"))
            if (data / "dicom").is_dir():
                corpora(server, data)
        dcmtk_move(files, folder)
        orthanc(files, folder / "pacs")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
