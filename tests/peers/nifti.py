#!/usr/bin/env python3
"""NIfTI by `penta convert` against nibabel: every file below the data folder, and files that nibabel makes here, of each
type, byte order, orientation, pair and ANALYZE; and what penta writes is read back by SimpleITK too.

Voxels must be equal (float32 of nibabel's float64 where a scale or float64 leaves no other type), affines within 1e-6 of
their size. Prints what differs, and last 'N passed, N failed, N skipped'.

    tests/peers/nifti.py --penta build/release/penta --data ../shared/data
"""
import gzip
import itertools
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import nibabel
import numpy
import SimpleITK

from given import parser_of

warnings.simplefilter("ignore")
ENDINGS = (".nii", ".nii.gz", ".hdr", ".hdr.gz")
TYPES = ("u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "c8", "c16")


def convert(penta, source, target):
    run = subprocess.run([penta, "convert", source, target, "--quiet"], capture_output=True, text=True)
    return "" if run.returncode == 0 else (run.stderr.strip() or f"exit {run.returncode}").splitlines()[-1]


def squeezed(array):
    """Without the axes of one voxel at the end, which a file may have or not."""
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    return array


def difference(mine, theirs, placed):
    """What differs, or an empty text."""
    a, b = squeezed(numpy.asanyarray(mine.dataobj)), squeezed(numpy.asanyarray(theirs.dataobj))
    if a.shape != b.shape:
        return f"shape {a.shape} and {b.shape}"
    if a.dtype.names is None:
        if a.dtype == numpy.float32 or a.dtype == numpy.complex64:
            b = b.astype(a.dtype)
        if not numpy.array_equal(a, b, equal_nan=True):
            return f"voxels differ by up to {numpy.nanmax(numpy.abs(a.astype('c16') - b.astype('c16'))):.3g} ({theirs.get_data_dtype()} as {a.dtype})"
    elif a.tobytes() != b.tobytes():
        return "colours differ"
    off = numpy.abs(mine.affine - theirs.affine).max() if placed else 0
    return f"affine differs by {off:.3g}" if off > 1e-6 * max(1.0, numpy.abs(theirs.affine).max()) else ""


def orthogonal(affine):
    axes = affine[:3, :3] / numpy.linalg.norm(affine[:3, :3], axis=0)
    return numpy.abs(axes.T @ axes - numpy.eye(3)).max() < 1e-3


class Tally:
    passed = failed = skipped = 0

    def add(self, name, fault):
        if fault:
            print(f"{name}: {fault}", flush=True)
        self.failed += bool(fault)
        self.passed += not fault

    def skip(self, name, why):
        print(f"skipped {name}: {why}", flush=True)
        self.skipped += 1


def one(tally, penta, name, source, work, target="out.nii.gz", placed=True):
    theirs = nibabel.load(source)
    out = Path(work) / target
    if isinstance(theirs, nibabel.Nifti1Pair) and not orthogonal(theirs.affine):
        return tally.skip(name, "the affine is sheared: penta keeps slices, not a volume")
    codes = [int(theirs.header[k]) for k in ("qform_code", "sform_code")] if isinstance(theirs, nibabel.Nifti1Pair) else [0, 0]
    fault = convert(penta, source, out)
    if not fault:
        fault = difference(nibabel.load(out), theirs, placed and max(codes) > 0)
        out.unlink()
    tally.add(name, fault)


def by_itk(penta, source, work):
    """What penta writes, as SimpleITK reads it, against SimpleITK's look at the source."""
    out = Path(work) / "itk.nii.gz"
    fault = convert(penta, source, out)
    if fault:
        return fault
    a, b = SimpleITK.ReadImage(str(out)), SimpleITK.ReadImage(str(source))
    same = numpy.array_equal(SimpleITK.GetArrayViewFromImage(a), SimpleITK.GetArrayViewFromImage(b))
    near = numpy.allclose(a.GetOrigin(), b.GetOrigin(), atol=1e-4) and numpy.allclose(a.GetDirection(), b.GetDirection(), atol=1e-5)
    return "" if same and near and numpy.allclose(a.GetSpacing(), b.GetSpacing(), rtol=1e-6) else "SimpleITK reads it otherwise"


def voxels_of(kind, shape):
    random = numpy.random.default_rng(7)
    if kind[0] == "c":
        return (random.integers(-99, 99, shape) + 1j * random.integers(-99, 99, shape)).astype(kind)
    if kind[0] == "f":
        return random.normal(size=shape).astype("f4").astype(kind)
    info = numpy.iinfo(kind)
    return random.integers(max(info.min, -2**31), min(info.max, 2**31 - 1), shape, endpoint=True).astype(kind)


def orientations():
    for order in itertools.permutations(range(3)):
        for sign in (1, -1):
            affine = numpy.zeros((4, 4))
            for column, row in enumerate(order):
                affine[row, column] = (0.5, 1.25, 3)[column] * (sign if column == 1 else 1)
            affine[:, 3] = (-31.5, 12.25, 100.125, 1)
            yield affine


def made_here(work):
    """(name, path, whether it has a place)."""
    work = Path(work) / "made"
    work.mkdir()
    affine = next(orientations())
    for kind, order, maker, ending in itertools.product(TYPES, "<>", (nibabel.Nifti1Image, nibabel.Nifti2Image), (".nii", ".nii.gz")):
        path = work / f"{kind}{'be' if order == '>' else 'le'}_{maker.__name__}{ending}"
        header = maker.header_class(endianness=order)
        image = maker(voxels_of(kind, (5, 4, 3)), affine, header, dtype=kind)
        nibabel.save(image, path)
        yield path.name, path, True
    for n, place in enumerate(orientations()):
        for shape in ((5, 4), (5, 4, 3), (5, 4, 3, 2)):
            path = work / f"orientation{n}_{len(shape)}d.nii.gz"
            nibabel.save(nibabel.Nifti1Image(voxels_of("i2", shape), place), path)
            yield path.name, path, True
    for ending in (".hdr", ".hdr.gz"):
        for maker in (nibabel.Nifti1Pair, nibabel.Nifti2Pair, nibabel.AnalyzeImage):
            path = work / f"pair_{maker.__name__}{ending}"
            nibabel.save(maker(voxels_of("i2", (5, 4, 3)), affine), path)
            yield path.name, path, maker is not nibabel.AnalyzeImage
    image = nibabel.Nifti1Image(voxels_of("i2", (5, 4, 3)), affine)
    for name, slope, inter in (("whole", 2, -1024), ("fraction", 0.37, 1.5)):
        image.header.set_slope_inter(slope, inter)
        image = nibabel.Nifti1Image(voxels_of("f4", (5, 4, 3)) * 100, affine, image.header)
        image.set_data_dtype("i2")
        nibabel.save(image, work / f"scaled_{name}.nii")
        yield f"scaled_{name}", work / f"scaled_{name}.nii", True
    data = (work / "orientation0_3d.nii.gz").read_bytes()
    plain = gzip.decompress(data)
    (work / "members.nii.gz").write_bytes(gzip.compress(plain[:400]) + gzip.compress(plain[400:]) + bytes(512))
    yield "members.nii.gz", work / "members.nii.gz", True


def main():
    options = parser_of(__doc__).parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as work:
        for name, path, placed in made_here(work):
            one(tally, options.penta, name, path, work, placed=placed)
            if "orientation" in name and "_3d" in name:
                tally.add(name + " through SimpleITK", by_itk(options.penta, path, work))
        for path in sorted(p for p in Path(options.data).rglob("*") if p.name.endswith(ENDINGS)):
            name = str(path.relative_to(options.data))
            try:
                nibabel.load(path)
            except nibabel.filebasedimages.ImageFileError:
                tally.skip(name, "nibabel does not read it")
                continue
            one(tally, options.penta, name, path, work)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return tally.failed > 0


if __name__ == "__main__":
    sys.exit(main())
