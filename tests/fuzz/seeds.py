"""Small hand-made inputs that the fuzzers start from: a DICOM slice, a NIfTI, NRRD, MetaImage, PNG, a model card."""
import gzip
import json
import struct
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


def card():
    return json.dumps({"id": "mr.example", "task": "segmentation", "title": "t", "modalities": ["MR"], "weights_sha256": "0" * 64,
                       "network": {"file": "model.onnx", "input": {"dims": 3, "axes": "zyx", "spacing_mm": [1, 1, 1]},
                                   "output": {"kind": "logits", "classes": ["background", "a"]}}, "results": []}).encode()


def make(target, folder):
    """Writes the seeds of one target into `folder`; kinds are told by the target's name."""
    kinds = {"dicom": [dicom(), dicom(b"US", pixels=False)], "nifti": [nifti(), gzip.compress(nifti(), mtime=0)],
             "nrrd": [nrrd(), nrrd(packed=True)], "metaimage": [metaimage(), metaimage(packed=True)],
             "png": [png()], "bundle": [card()], "card": [card()], "json": [card()]}
    files = next((files for word, files in kinds.items() if word in target), [b"\0"])
    for number, data in enumerate(files):
        (folder / f"seed-{number}").write_bytes(data)
