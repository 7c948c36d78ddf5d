"""Small hand-made inputs that the fuzzers start from: a DICOM slice, a NIfTI, NRRD, MetaImage, TIFF, NumPy,
Interfile, PNG, a model card."""
import gzip
import io
import json
import pathlib
import struct
import zipfile
import zlib


def element(group, number, vr, value):
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH2s", group, number, vr.encode())
    long = vr in ("OB", "OW", "SQ", "UN", "UT")
    return head + (struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value))) + value


def dicom(modality=b"CT", columns=4, rows=4, pixels=True):
    """A part-10 file, explicit little endian: one 16-bit slice."""
    meta = element(2, 2, "UI", b"1.2.840.10008.5.1.4.1.1.2") + element(2, 3, "UI", b"2.25.1")
    meta += element(2, 0x10, "UI", b"1.2.840.10008.1.2.1")
    meta = element(2, 0, "UL", struct.pack("<I", len(meta))) + meta
    body = element(8, 0x16, "UI", b"1.2.840.10008.5.1.4.1.1.2") + element(8, 0x18, "UI", b"2.25.1")
    body += element(8, 0x60, "CS", modality) + element(0x20, 0xD, "UI", b"2.25.2") + element(0x20, 0xE, "UI", b"2.25.3")
    body += element(0x20, 0x32, "DS", b"0\\0\\0") + element(0x20, 0x37, "DS", b"1\\0\\0\\0\\1\\0")
    body += element(0x28, 2, "US", struct.pack("<H", 1)) + element(0x28, 4, "CS", b"MONOCHROME2")
    body += element(0x28, 0x10, "US", struct.pack("<H", rows)) + element(0x28, 0x11, "US", struct.pack("<H", columns))
    body += element(0x28, 0x30, "DS", b"1\\1") + element(0x28, 0x100, "US", struct.pack("<H", 16))
    body += element(0x28, 0x101, "US", struct.pack("<H", 16)) + element(0x28, 0x102, "US", struct.pack("<H", 15))
    body += element(0x28, 0x103, "US", struct.pack("<H", 1)) + element(0x28, 0x1052, "DS", b"-1024") + element(0x28, 0x1053, "DS", b"1")
    if pixels:
        body += element(0x7FE0, 0x10, "OW", struct.pack(f"<{rows * columns}h", *range(rows * columns)))
    return b"\0" * 128 + b"DICM" + meta + body


def nifti(size=(4, 3, 2), spacing=(1.0, 1.0, 1.0), datatype=4, offset=352.0):
    """A NIfTI-1 file with an sform; int16 voxels."""
    head = bytearray(348)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *size, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, datatype, 16)
    struct.pack_into("<8f", head, 76, 1, *spacing, 1, 1, 1, 1)
    struct.pack_into("<3f", head, 108, offset, 1.0, 0.0)
    head[123] = 2
    struct.pack_into("<2h", head, 252, 0, 1)
    for row in range(3):
        struct.pack_into("<4f", head, 280 + 16 * row, *[spacing[row] if column == row else 0.0 for column in range(4)])
    head[344:348] = b"n+1\0"
    count = size[0] * size[1] * size[2]
    return bytes(head) + bytes(4) + struct.pack(f"<{count}h", *range(count))


def nrrd(packed=False):
    """A 2 x 2 x 2 NRRD of uint16 in RAS with every field that places it."""
    head = ("NRRD0004\n# seed\ntype: uint16\ndimension: 4\nspace: RAS\nsizes: 2 2 2 1\n"
            "space directions: (1,0,0) (0,2,0) (0,0,3) none\nspace origin: (4,5,6)\nspace units: \"mm\" \"mm\" \"mm\"\n"
            f"kinds: domain domain domain list\nendian: big\nbyte skip: 0\nencoding: {'gzip' if packed else 'raw'}\n\n")
    return head.encode() + (gzip.compress(bytes(range(16)), mtime=0) if packed else bytes(range(16)))


def metaimage(packed=False):
    """A 2 x 2 x 2 MetaImage of uint16 in one file."""
    head = (f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = True\nCompressedData = {packed}\n"
            "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 4 5 6\nElementSpacing = 1 2 3\nDimSize = 2 2 2\n"
            "ElementType = MET_USHORT\nElementDataFile = LOCAL\n")
    return head.encode() + (zlib.compress(bytes(range(16))) if packed else bytes(range(16)))


def png(width=4, height=4):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(range(width)) for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def tiff(big=False):
    """Two pixels of 16 bits and two of 8 bits in two pages."""
    order = ">" if big else "<"
    body = (b"MM\0*" if big else b"II*\0") + struct.pack(order + "I", 16) + b"\1\2\3\4\5\6\0\0"
    for page, bits in enumerate((16, 8)):
        tags = [(256, 2), (257, 1), (258, bits), (259, 1), (262, page), (273, 8), (277, 1), (278, 1), (279, bits // 4)]
        following = len(body) + 2 + 12 * len(tags) + 4
        body += struct.pack(order + "H", len(tags)) + b"".join(struct.pack(order + "HHII", tag, 4, 1, value) for tag, value in tags)
        body += struct.pack(order + "I", 0 if page else following)
    return body


def npy(descr="<u2", shape="(2, 3)", data=bytes(range(12)), version=1):
    head = f"{{'descr': '{descr}', 'fortran_order': True, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(head)) + head + data


def npz():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.npy"), npy())
        archive.writestr(zipfile.ZipInfo("b.npy"), npy("<f8", "(1,)", bytes(8)))
    return out.getvalue()


def interfile(kind):
    head = ("!INTERFILE :=\nname of data file := a.s\nimagedata byte order := LITTLEENDIAN\n!number format := float\n"
            "!number of bytes per pixel := 4\npatient orientation := head_in\npatient rotation := supine\n")
    size = "".join(f"!matrix size [{i}] := {n}\nscaling factor (mm/pixel) [{i}] := 2.5\n" for i, n in ((1, 4), (2, 3)))
    if kind == "image":
        return (head + size + "!type of data := PET\n!PET data type := Image\n!matrix size [3] := 2\nscaling factor (mm/pixel) [3] := 3\n"
                "first pixel offset (mm) [1] := -8\nnumber of time frames := 2\nimage scaling factor[1] := 2\ndata offset in bytes[2] := 100\n").encode()
    if kind == "projections":
        return (head + size + "!type of data := Tomographic\n!number of projections := 6\n!extent of rotation := 360\nstart angle := 180\n"
                "!direction of rotation := CW\nprocess status := acquired\nradius := 150\n").encode()
    if kind == "list":
        return (head + "%SMS-MI header name space:=PETLINK bin address\ndata format:=CoincidenceList\n"
                "%LM event and tag words format (bits):=32\n%total listmode word counts:=7\n").encode()
    return (head + "!type of data := PET\n!PET data type := Emission\nnumber of dimensions := 4\nmatrix axis label [4] := segment\n"
            "!matrix size [4] := 2\nmatrix axis label [3] := view\n!matrix size [3] := 3\nmatrix axis label [2] := axial coordinate\n"
            "!matrix size [2] := {2, 1}\nmatrix axis label [1] := tangential coordinate\n!matrix size [1] := 5\n"
            "minimum ring difference per segment := {0, 1}\nmaximum ring difference per segment := {0, 2}\n").encode()


def card():
    return json.dumps({"id": "mr.example", "task": "segmentation", "title": "t", "modalities": ["MR"], "weights_sha256": "0" * 64,
                       "network": {"file": "model.onnx", "input": {"dims": 3, "axes": "zyx", "spacing_mm": [1, 1, 1]},
                                   "output": {"kind": "logits", "classes": ["background", "a"]}}, "results": []}).encode()


def nnunet(name):
    """A checkpoint and its pickle alone, and plans with their dataset parted by a zero, of a folder of tests/nnunet/."""
    source = pathlib.Path(__file__).resolve().parents[1] / "nnunet" / name
    checkpoint = (source / "fold_0" / "checkpoint_final.pth").read_bytes()
    with zipfile.ZipFile(io.BytesIO(checkpoint)) as archive:
        pickle = next(archive.read(member) for member in archive.namelist() if member.endswith("data.pkl"))
    plans, dataset = (json.dumps(json.loads((source / f"{kind}.json").read_text())).encode() for kind in ("plans", "dataset"))
    return {"checkpoint": [checkpoint, pickle], "plans": [plans + b"\0" + dataset]}


def multipart():
    head = b'Multipart/Related; boundary="a b"; type="application/dicom"'
    return head + b"\r\n--a b\r\nContent-Type: application/dicom\r\nContent-Location: x\r\n\r\nDICM\r\n--a b \r\n\r\n\r\n--a b--\r\nend"


HTTP_TEXTS = [b"/studies/1.2%2F3?limit=5&PatientName=A%26B+C&includefield=00081030", b"bytes=0-499", b"[::1]:8042", b"http://localhost:3000",
              b'multipart/related; type="application/dicom"; transfer-syntax=*;q=0.5, image/*, */*;q=0', b'"a", W/"b"']


def make(target, folder):
    """Writes the seeds of one target into `folder`; kinds are told by the target's name."""
    kinds = {"dicom": [dicom(), dicom(b"US", pixels=False)], "nifti": [nifti(), gzip.compress(nifti(), mtime=0)],
             "nrrd": [nrrd(), nrrd(packed=True)], "metaimage": [metaimage(), metaimage(packed=True)],
             "tiff": [tiff(), tiff(big=True)], "numpy": [npy(), npy("|u1", "(1, 2, 3)", bytes(6), 2), npy("<c8", "(1, 1, 1)", bytes(8)), npz()],
             "interfile": [interfile(kind) for kind in ("image", "projections", "list", "sinogram")],
             "png": [png()], "bundle": [card()], "card": [card()], "json": [card()],
             "multipart": [multipart()], "http_text": HTTP_TEXTS,
             **nnunet("tiny_plain")}
    files = next((files for word, files in kinds.items() if word in target), [b"\0"])
    for number, data in enumerate(files):
        (folder / f"seed-{number}").write_bytes(data)
