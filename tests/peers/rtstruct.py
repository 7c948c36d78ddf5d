#!/usr/bin/env python3
"""RTSTRUCT against pydicom with a plain point-in-polygon, rt-utils, masks made by others, and dciodvfy.

usage: rtstruct.py [PENTA] [--data FOLDER]      (runs dicom_objects, a build target, beside PENTA)
Needs pydicom, numpy, nibabel, rt-utils; dciodvfy (Debian dicom3tools).
Read: the masks of the structure sets of data/ must be those of the plain program, and of the NIfTI beside them.
Written: labels made up on each series go out as contours and must come back bit-identical through us and through the
plain program; dciodvfy must find 0 errors; rt-utils must find the same regions (it draws borders too: its Dice is
printed). The last line is 'N passed, N failed, N skipped'.
"""
import pathlib
import subprocess
import sys
import tempfile
import warnings

import nibabel
import numpy
import pydicom

from given import beside, parser_of

warnings.filterwarnings("ignore")
READ = [("pet/sts-raw-dicom/STS_001", "pet/sts-raw-dicom/STS_001"), ("multi/sts-dicom/STS_002/PET", "multi/sts-dicom/STS_002/PET")]
WRITTEN = ["pet/sts-raw-dicom/STS_001", "multi/sts-dicom/STS_002/PET", "dicom/rt-utils/mock_data"]
passed = failed = skipped = 0


def check(name, fault):
    global passed, failed
    if fault:
        failed += 1
        print(f"FAILED {name}: {fault}")
    else:
        passed += 1


def skip(why):
    global skipped
    skipped += 1
    print(f"skipped: {why}")


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300)


def our_masks(path):
    """{name: mask[z, y, x]} of what dicom_objects wrote."""
    data = path.read_bytes()
    head, data = data.split(b"\n", 1)
    nx, ny, nz, count = map(int, head.split())
    names = []
    for _ in range(count):
        name, data = data.split(b"\n", 1)
        names.append(name.decode())
    masks = numpy.frombuffer(data, numpy.uint8).reshape(count, nz, ny, nx)
    return dict(zip(names, masks))


class Series:
    """Image slices of one folder, sorted along their normal."""

    def __init__(self, folder):
        headers = [pydicom.dcmread(p, stop_before_pixels=True, force=True) for p in sorted(folder.rglob("*.dcm"))]
        self.slices = [h for h in headers if h.get("Modality") != "RTSTRUCT" and "ImagePositionPatient" in h]
        first = self.slices[0]
        axes = numpy.array(first.ImageOrientationPatient, float)
        self.row, self.column = axes[:3], axes[3:]
        self.normal = numpy.cross(self.row, self.column)
        self.slices.sort(key=lambda h: numpy.dot(self.normal, numpy.array(h.ImagePositionPatient, float)))
        self.origin = numpy.array(self.slices[0].ImagePositionPatient, float)
        self.dy, self.dx = map(float, first.PixelSpacing)
        at = [numpy.dot(self.normal, numpy.array(h.ImagePositionPatient, float)) for h in self.slices]
        self.dz = (at[-1] - at[0]) / (len(at) - 1) if len(at) > 1 else 1.0
        self.shape = (len(at), int(first.Rows), int(first.Columns))

    def to_index(self, points):
        from_origin = numpy.asarray(points, float).reshape(-1, 3) - self.origin
        return numpy.stack([from_origin @ self.row / self.dx, from_origin @ self.column / self.dy, from_origin @ self.normal / self.dz], 1)


def flip_inside(mask, polygon):
    """Even-odd by a ray to the left, edges half open; vertices on a lattice of 2^-20 pixels as ours."""
    polygon = numpy.round(polygon * 2**20) / 2**20
    (x0, y0), (x1, y1) = numpy.floor(polygon.min(0)).astype(int), numpy.ceil(polygon.max(0)).astype(int) + 1
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, mask.shape[1]), min(y1, mask.shape[0])
    y, x = numpy.mgrid[y0:y1, x0:x1].astype(float)
    part = numpy.zeros(y.shape, bool)
    for (ax, ay), (bx, by) in zip(polygon, numpy.roll(polygon, -1, 0)):
        if ay == by:
            continue
        if ay > by:
            ax, ay, bx, by = bx, by, ax, ay
        part ^= (ay <= y) & (y < by) & ((x - ax) * (by - ay) >= (bx - ax) * (y - ay))
    mask[y0:y1, x0:x1] ^= part


def plain_masks(path, series):
    structure = pydicom.dcmread(path, force=True)
    names = {int(roi.ROINumber): roi.ROIName for roi in structure.StructureSetROISequence}
    masks = {name: numpy.zeros(series.shape, bool) for name in names.values()}
    for roi in structure.ROIContourSequence:
        for contour in roi.get("ContourSequence", []):
            if not contour.ContourGeometricType.startswith("CLOSED"):
                continue
            index = series.to_index([float(v) for v in contour.ContourData])
            z = int(numpy.floor(index[:, 2].mean() + 0.5))
            if 0 <= z < series.shape[0]:
                flip_inside(masks[names[int(roi.ReferencedROINumber)]][z], index[:, :2])
    return masks


def compare(ours, theirs):
    if set(ours) != set(theirs):
        return f"regions {sorted(ours)} are not {sorted(theirs)}"
    return "; ".join(f"{name}: {int((ours[name].astype(bool) != theirs[name]).sum())} voxels differ"
                     for name in ours if (ours[name].astype(bool) != theirs[name]).any())


def compare_nifti(mask, path, series):
    """The part of a NIfTI mask (RAS) that lies on the slices of a series."""
    image = nibabel.load(path)
    voxels, inverse = numpy.asarray(image.dataobj), numpy.linalg.inv(image.affine)
    z, y, x = numpy.nonzero(mask)
    points = series.origin + numpy.outer(x * series.dx, series.row) + numpy.outer(y * series.dy, series.column) + numpy.outer(z * series.dz, series.normal)
    points[:, :2] *= -1
    index = numpy.round(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    hit = int(voxels[tuple(index.T)].astype(bool).sum())
    dice = 2 * hit / (len(index) + int(voxels.astype(bool).sum()))
    print(f"  {path.name}: {len(index)} voxels, Dice {dice:.6f}")
    return "" if dice == 1 else f"Dice {dice}"


def dciodvfy(path):
    text = run("dciodvfy", path).stderr
    return "; ".join(line for line in text.splitlines() if line.startswith("Error"))[:300]


def compare_rt_utils(folder, path, ours):
    from rt_utils import RTStructBuilder
    from rt_utils import image_helper
    structure = RTStructBuilder.create_from(dicom_series_path=str(folder), rt_struct_path=str(path))
    if sorted(structure.get_roi_names()) != sorted(ours):
        return f"regions {structure.get_roi_names()}"
    order = [numpy.dot(numpy.cross(*numpy.array(s.ImageOrientationPatient, float).reshape(2, 3)), numpy.array(s.ImagePositionPatient, float)) for s in structure.series_data]
    for name in ours:
        if ours[name].shape[1] != ours[name].shape[2]:
            print("  rt-utils: its masks of slices that are not square have rows and columns swapped, not compared")
            return ""
        theirs = structure.get_roi_mask_by_name(name).transpose(2, 0, 1)[numpy.argsort(order)]
        mine = ours[name].astype(bool)
        print(f"  rt-utils {name}: Dice {2 * (mine & theirs).sum() / max(mine.sum() + theirs.sum(), 1):.4f}")
        if (mine & ~theirs).sum() > 0.02 * mine.sum():
            return f"{name}: rt-utils misses {(mine & ~theirs).sum()} of {mine.sum()} voxels"
    return ""


def main():
    words = parser_of(__doc__).parse_args()
    words.tool = beside(words.penta, "dicom_objects")
    with tempfile.TemporaryDirectory() as name:
        for structures, images in READ:
            check_read(words, structures, images, pathlib.Path(name))
        for images in WRITTEN:
            check_written(words, images, pathlib.Path(name))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


def check_read(words, structures, images, folder):
    if not (words.data / images).is_dir():
        return skip(f"data not here: {images}")
    series = Series(words.data / images)
    for path in sorted((words.data / structures).rglob("*.dcm")):
        if pydicom.dcmread(path, stop_before_pixels=True, force=True).get("Modality") != "RTSTRUCT":
            continue
        out = folder / "masks"
        answer = run(words.tool, "rt-masks", path, words.data / images, out)
        print(f"{path.relative_to(words.data)}: {answer.stderr.strip()}")
        check(f"{images} read", answer.stderr if answer.returncode else "")
        if answer.returncode:
            continue
        ours = our_masks(out)
        check(f"{images} plain program", compare(ours, plain_masks(path, series)))
        for region, mask in ours.items():
            nifti = words.data / "pet/sts-raw-dicom" / f"STS_001_{region}.nii.gz"
            if "STS_001" in images and nifti.is_file():
                check(f"{images} {region} NIfTI", compare_nifti(mask, nifti, series))
    return None


def check_written(words, images, folder):
    if not (words.data / images).is_dir():
        return skip(f"data not here: {images}")
    rtstruct, out = folder / "rtstruct.dcm", folder / "masks"
    answer = run(words.tool, "rt-made", words.data / images, rtstruct, out)
    check(f"{images} mask to mask", f"exit {answer.returncode} {answer.stderr}" if answer.returncode else "")
    if answer.returncode not in (0, 1):
        return None
    ours, only_images = our_masks(out), folder / images.replace("/", "-")
    print(f"{images}: {rtstruct.stat().st_size} bytes")
    check(f"{images} dciodvfy", dciodvfy(rtstruct))
    check(f"{images} plain program on what we wrote", compare(ours, plain_masks(rtstruct, Series(words.data / images))))
    only_images.mkdir()
    for path in (words.data / images).rglob("*.dcm"):
        if pydicom.dcmread(path, stop_before_pixels=True, force=True).get("Modality") != "RTSTRUCT":
            (only_images / path.name).write_bytes(path.read_bytes())
    try:
        check(f"{images} rt-utils", compare_rt_utils(only_images, rtstruct, ours))
    except ImportError:
        skip("rt-utils is not installed")
    except Exception as fault:  # a peer that cannot read the file is a finding, not a crash
        check(f"{images} rt-utils", f"{type(fault).__name__}: {fault}")
    return None


if __name__ == "__main__":
    sys.exit(main())
