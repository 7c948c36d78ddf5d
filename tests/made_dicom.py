"""Small DICOM instances written with the standard library only, for tests of the server."""
import struct
import zlib

LONG = ("OB", "OW", "SQ", "UN", "UT")
EXPLICIT, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
CT = "1.2.840.10008.5.1.4.1.1.2"
ROOT = "2.25.77"


def element(tag, vr, value):
    """One element in Explicit VR Little Endian; texts are padded, numbers are US."""
    if vr == "US":
        data = struct.pack("<H", value)
    elif isinstance(value, str):
        data = value.encode()
        data += (b"\0" if vr == "UI" else b" ") * (len(data) % 2)
    else:
        data = value + b"\0" * (len(value) % 2)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    return head + (struct.pack("<xxI", len(data)) if vr in LONG else struct.pack("<H", len(data))) + data


def image_elements(rows, columns):
    return [(0x00280002, "US", 1), (0x00280004, "CS", "MONOCHROME2"), (0x00280010, "US", rows), (0x00280011, "US", columns),
            (0x00280030, "DS", "1\\1"), (0x00280100, "US", 16), (0x00280101, "US", 16), (0x00280102, "US", 15),
            (0x00280103, "US", 0), (0x00281050, "DS", "128"), (0x00281051, "DS", "256")]


def file_of(data_set, sop_uid, syntax=EXPLICIT, sop_class=CT):
    """A file of the bytes of a data set."""
    meta = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", sop_class) + element(0x00020003, "UI", sop_uid)
    meta += element(0x00020010, "UI", syntax) + element(0x00020012, "UI", ROOT)
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + data_set


def ct_slice(study, series, number, side=64, name="Soak^Made", description="made", pixels=None, syntax=EXPLICIT, **changed):
    """(SOP Instance UID, file) of slice `number` of a CT series; `changed` has elements by name ("x00080050": ("SH", "A"))."""
    study_uid, series_uid = f"{ROOT}.{study}", f"{ROOT}.{study}.{series}"
    sop_uid = f"{series_uid}.{number}"
    elements = [(0x00080005, "CS", "ISO_IR 192"), (0x00080016, "UI", CT), (0x00080018, "UI", sop_uid), (0x00080020, "DA", "20260101"),
                (0x00080030, "TM", "120000"), (0x00080050, "SH", f"A{study}"), (0x00080060, "CS", "CT"), (0x00081030, "LO", description),
                (0x00100010, "PN", name), (0x00100020, "LO", f"P{study}"), (0x0020000D, "UI", study_uid), (0x0020000E, "UI", series_uid),
                (0x00200010, "SH", "1"), (0x00200011, "IS", "1"), (0x00200013, "IS", str(number)), (0x00200032, "DS", f"0\\0\\{number}"),
                (0x00200037, "DS", "1\\0\\0\\0\\1\\0"), *image_elements(side, side)]
    named = {tag: (vr, value) for tag, vr, value in elements}
    named.update({int(key[1:], 16): value for key, value in changed.items()})
    data = b"".join(element(tag, *named[tag]) for tag in sorted(named))
    data += element(0x7FE00010, "OW", bytes(range(256)) * (side * side // 128) if pixels is None else pixels)
    return sop_uid, file_of(zlib.compress(data, 9, -15) if syntax == DEFLATED else data, sop_uid, syntax)
