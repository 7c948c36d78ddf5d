#!/usr/bin/env python3
"""NRRD, MetaImage, TIFF and NumPy by `penta convert` against SimpleITK, tifffile and numpy, in both directions: a file
that a peer wrote is converted, and the peer reads what came out. Voxels must be the same bit for bit, and origin,
spacing and direction within 1e-9. The last line counts.

    tests/peers/rasters.py --penta build/release/penta --data ../shared/data
"""
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import SimpleITK
import tifffile

from given import parser_of

COUNT = {"passed": 0, "failed": 0, "skipped": 0}
# Direction cosines of a slanted grid; the columns are the axes.
ANGLE = numpy.deg2rad(20)
SLANTED = (numpy.cos(ANGLE), -numpy.sin(ANGLE), 0, numpy.sin(ANGLE), numpy.cos(ANGLE), 0, 0, 0, 1)
# What goes in, and the voxel type that design.md's rule makes of it where the values fit.
TYPES = {"uint8": "uint8", "int16": "int16", "uint16": "uint16", "int32": "int32", "float32": "float32", "int8": "int16",
         "uint32": "int32", "int64": "int32", "float64": "float32"}


def count(name, fault):
    COUNT["failed" if fault else "passed"] += 1
    if fault:
        print(f"FAILED {name}: {fault}")


def convert(penta, source, target):
    run = subprocess.run([penta, "convert", source, target], capture_output=True, text=True)
    return "" if run.returncode == 0 else (run.stderr.strip().splitlines() or ["no message"])[-1]


def values(dtype, shape):
    kind = numpy.dtype(dtype)
    grid = numpy.arange(numpy.prod(shape)).reshape(shape)
    if kind.kind == "f":
        return (grid / 4 - 3).astype(kind)
    low, high = max(numpy.iinfo(kind).min, -2**31), min(numpy.iinfo(kind).max, 2**31 - 1)
    return (low + grid * ((high - low) // grid.size)).astype(kind)


def difference(mine, theirs):
    """What differs between two images of SimpleITK, or nothing."""
    a, b = SimpleITK.GetArrayFromImage(mine), SimpleITK.GetArrayFromImage(theirs)
    if theirs.GetDimension() == 2:  # one slice: penta has three axes of space
        b = b[None]
    if a.shape != b.shape:
        return f"shape {a.shape} of {b.shape}"
    if not numpy.array_equal(a, b):
        return f"voxels differ by up to {numpy.abs(a.astype(float) - b.astype(float)).max()}"
    n = theirs.GetDimension()
    direction = numpy.array(mine.GetDirection()).reshape(mine.GetDimension(), -1)[:n, :n].ravel()
    for what, x, y in (("origin", mine.GetOrigin()[:n], theirs.GetOrigin()), ("spacing", mine.GetSpacing()[:n], theirs.GetSpacing()),
                       ("direction", direction, theirs.GetDirection())):
        if not numpy.allclose(x, y, rtol=0, atol=1e-9):
            return f"{what} {x} of {y}"
    return ""


def medical(penta, work):
    for dtype, target, packed in itertools.product(TYPES, (".nrrd", ".mha"), (False, True)):
        image = SimpleITK.GetImageFromArray(values(dtype, (4, 3, 5)))
        image.SetSpacing((0.7, 1.25, 3))
        image.SetOrigin((-10.5, 20.25, 1 / 3))
        image.SetDirection(SLANTED)
        for ending in (".mha", ".mhd", ".nrrd", ".nhdr"):
            source, out = work / f"a{ending}", work / f"b{target}"
            SimpleITK.WriteImage(image, str(source), packed)
            fault = convert(penta, source, out)
            again = None if fault else SimpleITK.ReadImage(str(out))
            fault = fault or difference(again, image)
            if not fault and SimpleITK.GetArrayFromImage(again).dtype != TYPES[dtype]:
                fault = f"type {SimpleITK.GetArrayFromImage(again).dtype}"
            count(f"{dtype} {ending} to {target}{' packed' if packed else ''}", fault)


def colour_and_complex(penta, work):
    colour = SimpleITK.GetImageFromArray(values("uint8", (2, 3, 4, 3)), isVector=True)
    complex_ = SimpleITK.GetImageFromArray(values("float32", (2, 3, 4)) + 1j * values("float32", (2, 3, 4))[::-1])
    for name, image in (("colour", colour), ("complex", SimpleITK.Cast(complex_, SimpleITK.sitkComplexFloat32))):
        for ending, target in (("mha", "nrrd"), ("nrrd", "mha"), ("mhd", "mha"), ("nhdr", "nrrd")):
            SimpleITK.WriteImage(image, str(work / f"a.{ending}"))
            fault = convert(penta, work / f"a.{ending}", work / f"b.{target}")
            if not fault:
                again = SimpleITK.ReadImage(str(work / f"b.{target}"))
                if name == "complex" and again.GetNumberOfComponentsPerPixel() == 2:
                    parts = SimpleITK.GetArrayFromImage(again)
                    same = numpy.array_equal(parts[..., 0] + 1j * parts[..., 1], SimpleITK.GetArrayFromImage(image))
                    fault = "" if same else "voxels differ"
                else:
                    fault = difference(again, image)
            count(f"{name} .{ending} to .{target}", fault)


def slices(penta, work):
    """The voxels of one volume in several files: LIST and numbered names, as MetaIO and teem write them by hand."""
    voxels = values("int16", (3, 2, 4))
    for i, part in enumerate(voxels):
        part.tofile(work / f"s{i + 7:02d}.raw")
    names = "\n".join(f"s{i:02d}.raw" for i in (7, 8, 9))
    meta = ("ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n"
            "Offset = 1 2 3\nElementSpacing = 1 2 3\nDimSize = 4 2 3\nElementType = MET_SHORT\nElementDataFile = ")
    nrrd = ("NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 2 3\nspace directions: (1,0,0) (0,2,0) (0,0,3)\n"
            "space origin: (1,2,3)\nendian: little\nencoding: raw\ndata file: ")
    for name, text in (("list.mhd", meta + "LIST\n" + names + "\n"), ("numbered.mhd", meta + "s%02d.raw 7 9 1"),
                       ("list.nhdr", nrrd + "LIST\n" + names + "\n"), ("numbered.nhdr", nrrd + "s%02d.raw 7 9 1\n")):
        (work / name).write_text(text)
        fault = convert(penta, work / name, work / "b.nrrd")
        count(name, fault or difference(SimpleITK.ReadImage(str(work / "b.nrrd")), SimpleITK.ReadImage(str(work / name))))


def pictures(penta, work):
    """TIFF and NumPy through penta to TIFF, read by tifffile."""
    def check(name, source, wanted):
        fault = convert(penta, source, work / "b.tif")
        if not fault:
            got = tifffile.imread(work / "b.tif")
            if got.dtype != wanted.dtype or not numpy.array_equal(numpy.squeeze(got), numpy.squeeze(wanted)):
                fault = f"{got.dtype} {got.shape} of {wanted.dtype} {wanted.shape}, or other values"
        count(name, fault)

    keeps = {"uint8": "uint8", "uint16": "uint16", "float32": "float32", "int16": "float32", "int8": "float32"}
    for dtype, order, pages in itertools.product(keeps, "<>", (1, 3)):
        voxels = values(dtype, (pages, 33, 17))
        for options in ({}, {"compression": "zlib"}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}, {"rowsperstrip": 5}):
            if options.get("predictor") and dtype == "float32":
                continue
            tifffile.imwrite(work / "a.tif", voxels, byteorder=order, photometric="minisblack", **options)
            check(f"tiff {dtype}{order} {pages} pages {options}", work / "a.tif", voxels.astype(keeps[dtype]))
    for planar in ("contig", "separate"):
        colour = values("uint8", (33, 17, 3))
        stored = colour if planar == "contig" else numpy.moveaxis(colour, -1, 0)
        for options in ({}, {"tile": (16, 16)}, {"bigtiff": True}):
            tifffile.imwrite(work / "a.tif", stored, photometric="rgb", planarconfig=planar, **options)
            check(f"tiff rgb {planar} {options}", work / "a.tif", colour)
    for dtype, order, fortran in itertools.product(["bool", *TYPES], "<>", (False, True)):
        voxels = values("uint8" if dtype == "bool" else dtype, (3, 5, 4))
        voxels = voxels % 2 == 0 if dtype == "bool" else voxels
        wanted = voxels.astype("uint8" if dtype == "bool" else dtype if dtype in ("uint8", "uint16") else "float32")
        stored = voxels.astype(voxels.dtype.newbyteorder(order))
        numpy.save(work / "a.npy", numpy.asfortranarray(stored) if fortran else stored)
        check(f"npy {dtype}{order} fortran {fortran}", work / "a.npy", wanted)
        numpy.savez_compressed(work / "a.npz", stored)
        check(f"npz {dtype}{order}", work / "a.npz", wanted)


def examples(penta, data, work):
    folder = data / "mr" / "itk-examples"
    files = sorted(f for ending in ("mhd", "mha", "nhdr") for f in folder.glob(f"*.{ending}"))
    if not files:
        COUNT["skipped"] += 1
        print(f"skipped: data not here: {folder}")
    for file in files:
        try:
            theirs = SimpleITK.ReadImage(str(file))
        except RuntimeError:  # its data file is not in the folder: then penta must say so
            count(file.name, "" if convert(penta, file, work / "b.nrrd") else "read, and SimpleITK cannot")
            continue
        if theirs.GetNumberOfComponentsPerPixel() == 2:
            theirs = SimpleITK.RealAndImaginaryToComplex(SimpleITK.VectorIndexSelectionCast(theirs, 0), SimpleITK.VectorIndexSelectionCast(theirs, 1))
        fault = convert(penta, file, work / "b.nrrd")
        # A matrix of seven digits is made exactly orthonormal by penta: 1e-9 does not hold for it.
        count(file.name, fault or ("" if numpy.array_equal(numpy.squeeze(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(work / "b.nrrd")))),
                                                           numpy.squeeze(SimpleITK.GetArrayFromImage(theirs))) else "voxels differ"))


def main():
    options = parser_of(__doc__).parse_args()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        medical(options.penta, work)
        colour_and_complex(options.penta, work)
        slices(options.penta, work)
        pictures(options.penta, work)
        examples(options.penta, options.data, work)
    print(f"{COUNT['passed']} passed, {COUNT['failed']} failed, {COUNT['skipped']} skipped")
    return 1 if COUNT["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
