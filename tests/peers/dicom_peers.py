"""Programs that speak DICOM, started for tests/peers/dimse.py and bench/dimse.py."""
import json
import pathlib
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(port, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


class Server:
    """A process with a DICOM port; use with 'with'."""

    def __init__(self, command, port, ae_title, log):
        self.port, self.ae_title = port, ae_title
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=open(log, "w"), text=True)

    def __enter__(self):
        if self.port:
            wait_for(self.port)
        else:
            self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(20)


def ours(folder, peers=(), limit="release"):
    """dimse_server on a folder; peers are (AE title, port)."""
    folder.mkdir(parents=True, exist_ok=True)
    rest = [str(x) for title, port in peers for x in (title, "127.0.0.1", port)]
    return Server([ROOT / "build" / limit / "dimse_server", folder, *rest], 0, "PENTA", folder / "log")


def storescp(folder):
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    return Server(["storescp", "+xa", "-od", folder, str(port)], port, "STORESCP", folder.parent / "storescp.log")


class Orthanc(Server):
    """Debian's Orthanc with its defaults, which sync each file to the disk; peers are (AE title, port), extra are settings."""

    def __init__(self, folder, peers=(), port=None, extra=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.http = free_port()
        port = port or free_port()
        settings = {"Name": "peer", "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
                    "HttpPort": self.http, "DicomPort": port, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
                    "AuthenticationEnabled": False, "DicomCheckCalledAet": False, "DicomAlwaysAllowMove": True,
                    "DicomAlwaysAllowGet": True, "DicomAlwaysAllowFind": True, "SyncStorageArea": True,
                    "OverwriteInstances": True,
                    "DicomModalities": {title: [title, "127.0.0.1", number] for title, number in peers},
                    **(extra or {})}
        (folder / "orthanc.json").write_text(json.dumps(settings))
        super().__init__(["Orthanc", folder / "orthanc.json"], port, "ORTHANC", folder / "log")

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", data=data, timeout=120) as answer:
            return json.load(answer)


def make_ct(folder, count, size=512):
    """CT slices of random pixels, one series."""
    import numpy
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
    folder.mkdir(parents=True, exist_ok=True)
    root = "1.2.826.0.1.3680043.10.1337"
    random = numpy.random.default_rng(0)
    for i in range(count):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"{root}.1.1.{i + 1}"
        data.StudyInstanceUID, data.SeriesInstanceUID = f"{root}.1", f"{root}.1.1"
        data.PatientName, data.PatientID, data.Modality = "Speed^Test", "SPEED", "CT"
        data.StudyDate, data.StudyTime, data.AccessionNumber, data.StudyID = "20200101", "120000", "A1", "1"
        data.SeriesNumber, data.InstanceNumber, data.SpecificCharacterSet = 1, i + 1, "ISO_IR 192"
        data.Rows = data.Columns = size
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelSpacing = 1, "MONOCHROME2", [1, 1]
        data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, i], [1, 0, 0, 0, 1, 0]
        data.PixelData = random.integers(0, 4096, (size, size), dtype=numpy.uint16).tobytes()
        data["PixelData"].VR = "OW"
        data.save_as(folder / f"{i:04d}.dcm", enforce_file_format=True)
    return sorted(folder.glob("*.dcm"))
