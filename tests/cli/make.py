#!/usr/bin/env python3
"""make.py KIND PATH: small hand-made files for the command line tests."""
import functools
import gzip
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from fuzz.seeds import dicom, element, nifti, png  # noqa: E402

SPACING_MM = (2.0, 1.5, 3.0)


@functools.cache
def disc_of(columns, rows):
    """Stored values of a disc of water in air (slope 1, intercept -1024)."""
    return [1024 if (2 * (x - columns / 2)) ** 2 + (1.5 * (y - rows / 2)) ** 2 < (0.6 * columns) ** 2 else 24
            for y in range(rows) for x in range(columns)]


def slice_of(number, columns, rows, study_uid=b"2.25.2", place_mm=None):
    """One CT slice of a water cylinder (0 HU) in air, at z = 3 mm x number; the patient is Whittleberry^Jane, PID-4711."""
    place_mm = place_mm or (-10, -20, 3 * number)
    head = element(8, 0x16, "UI", b"1.2.840.10008.5.1.4.1.1.2") + element(8, 0x18, "UI", study_uid + b".9.%d" % number)
    head += element(8, 0x20, "DA", b"20240101") + element(8, 0x60, "CS", b"CT") + element(8, 0x103E, "LO", b"cylinder")
    head += element(0x10, 0x10, "PN", b"Whittleberry^Jane") + element(0x10, 0x20, "LO", b"PID-4711") + element(0x10, 0x30, "DA", b"19700102")
    head += element(0x18, 0x50, "DS", b"3") + element(0x18, 0x60, "DS", b"120")
    head += element(0x20, 0xD, "UI", study_uid) + element(0x20, 0xE, "UI", study_uid + b".3") + element(0x20, 0x13, "IS", b"%d" % number)
    head += element(0x20, 0x32, "DS", ("%g\\%g\\%g" % place_mm).encode()) + element(0x20, 0x37, "DS", b"1\\0\\0\\0\\1\\0")
    head += element(0x20, 0x52, "UI", b"2.25.4")
    head += element(0x28, 2, "US", struct.pack("<H", 1)) + element(0x28, 4, "CS", b"MONOCHROME2")
    head += element(0x28, 0x10, "US", struct.pack("<H", rows)) + element(0x28, 0x11, "US", struct.pack("<H", columns))
    head += element(0x28, 0x30, "DS", b"1.5\\2")
    for tag, value in ((0x100, 16), (0x101, 16), (0x102, 15), (0x103, 1)):
        head += element(0x28, tag, "US", struct.pack("<H", value))
    head += element(0x28, 0x1052, "DS", b"-1024") + element(0x28, 0x1053, "DS", b"1")
    disc = disc_of(columns, rows)
    meta = element(2, 2, "UI", b"1.2.840.10008.5.1.4.1.1.2") + element(2, 3, "UI", study_uid + b".9.%d" % number)
    meta += element(2, 0x10, "UI", b"1.2.840.10008.1.2.1")
    meta = element(2, 0, "UL", struct.pack("<I", len(meta))) + meta
    return b"\0" * 128 + b"DICM" + meta + head + element(0x7FE0, 0x10, "OW", struct.pack(f"<{len(disc)}h", *disc))


def study(folder, columns=40, rows=48, slices=6, study_uid=b"2.25.2", place_mm=lambda number: None):
    folder.mkdir(parents=True)
    for number in range(slices):
        (folder / f"{number}.dcm").write_bytes(slice_of(number, columns, rows, study_uid, place_mm(number)))


def check_geometry(path):
    """The NIfTI of `study` must have its size and spacing, and its affine must be right in RAS."""
    head = gzip.decompress(path.read_bytes())[:348]
    size, spacing = struct.unpack_from("<3h", head, 42), struct.unpack_from("<3f", head, 80)
    rows = [struct.unpack_from("<4f", head, 280 + 16 * row) for row in range(3)]
    # LPS (-10, -20, 0) is RAS (10, 20, 0); x runs to the left, so RAS falls.
    expected = [(-2, 0, 0, 10), (0, -1.5, 0, 20), (0, 0, 3, 0)]
    assert size == (40, 48, 6) and spacing == SPACING_MM, (size, spacing)
    assert all(abs(a - b) < 1e-4 for got, want in zip(rows, expected) for a, b in zip(got, want)), rows


def main():
    kind, path = sys.argv[1], pathlib.Path(sys.argv[2])
    files = {"dicom": lambda: dicom(columns=32, rows=32), "dicom_without_pixels": lambda: dicom(pixels=False),
             "nifti": lambda: nifti((12, 10, 8)), "nifti_thick": lambda: nifti(spacing=(1.0, 1.0, 40.0)), "nifti_zero_spacing": lambda: nifti(spacing=(1.0, 0.0, 1.0)),
             "nifti_bad_type": lambda: nifti(datatype=4096), "png": lambda: png(64, 64)}
    if kind in files:
        path.write_bytes(files[kind]())
    elif kind == "study":
        study(path)
    elif kind == "other_study":
        study(path, study_uid=b"2.25.77")
    elif kind == "tilted_study":
        study(path, place_mm=lambda number: (-10, -20 + 1.5 * number, 3 * number))
    elif kind == "uneven_study":
        study(path, place_mm=lambda number: (-10, -20, 3 * number + (3 if number > 3 else 0)))
    elif kind == "big_study":
        study(path, 512, 512, 60)
    elif kind == "check_geometry":
        check_geometry(path)
    else:
        sys.exit(f"make.py: unknown kind '{kind}'")


if __name__ == "__main__":
    main()
