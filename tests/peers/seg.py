#!/usr/bin/env python3
"""Segmentations through the command line against pydicom and highdicom, voxel by voxel.

usage: seg.py PENTA [--data FOLDER] [--only TEXT]
Needs pydicom (pylibjpeg, -openjpeg, -rle, pyjpegls), highdicom 0.28, nibabel, zstandard.
Reading: every segmentation under FOLDER: `penta convert FILE x.nii.gz`, where each frame that pydicom decodes must be
found at its place in the patient (or at its source's frame), and nothing else may be labelled. Tiles of slide
microscopy must be refused by name. A file that pydicom cannot decode must equal the one that it was made of.
Writing: labels of random values go to seg.dcm as BINARY and as LABELMAP; highdicom must read the same voxels.
Prints a row a file that is not the same, and one line at the end; exit 1 when a file differs.
"""
import gzip
import pathlib
import subprocess
import sys
import tempfile
import warnings

import highdicom
import nibabel
import numpy
import pydicom
import zstandard

from given import parser_of

warnings.filterwarnings("ignore")
CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
# What pydicom does not decode, and the file that holds the same pixels.
SAME_AS = {"liver_deflate.dcm": "liver.dcm", "liver_rle.dcm": "liver.dcm",
           "liver_nonbyte_aligned_deflate.dcm": "liver_nonbyte_aligned.dcm",
           "liver_nonbyte_aligned_rle.dcm": "liver_nonbyte_aligned.dcm"}


def unpacked(path, folder):
    if path.suffix == ".gz":
        data = gzip.decompress(path.read_bytes())
    elif path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    else:
        return path
    copy = folder / (path.stem if path.stem.endswith(".dcm") else path.stem + ".dcm")
    copy.write_bytes(data)
    return copy


def segmentations(data):
    """Every file whose name or folder says that it may be one; the class decides later."""
    places = [data / "dicom" / name for name in ("highdicom", "pydicom", "pydicom-data", "dicom-test-files/dcmqi")]
    found = [path for place in places for path in sorted(place.rglob("*")) if path.is_file()]
    found += sorted((data / "mr/breast-dce-ucsf").glob("seg*")) + [data / "pet/qin-headneck/seg.dcm"]
    return [path for path in found if path.exists() and path.suffix in (".dcm", ".zst", ".gz")]


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)


def layers_of(path):
    """Our labels, one array [x, y, z] a layer, and the affine in LPS."""
    layers, image = [], nibabel.load(path)
    affine = numpy.diag([-1, -1, 1, 1]) @ image.affine
    layers.append(numpy.asarray(image.dataobj))
    for layer in range(1, 256):
        more = path.with_name(path.name.replace(".nii.gz", f".{layer}.nii.gz"))
        if not more.exists():
            break
        layers.append(numpy.asarray(nibabel.load(more).dataobj))
    return [a.reshape(a.shape[:2] + (-1,)) for a in layers], affine


def groups_of(ds, frame, name):
    for groups in (ds.PerFrameFunctionalGroupsSequence[frame], ds.SharedFunctionalGroupsSequence[0]):
        if groups.get(name):
            return groups.get(name)[0]
    return None


def place_of(ds, frame, affine, order):
    """Our slice of a frame; our axes must be the frame's rows and columns, or their opposites."""
    position = groups_of(ds, frame, "PlanePositionSequence")
    if position is None or "ImagePositionPatient" not in position:
        source = groups_of(ds, frame, "DerivationImageSequence").SourceImageSequence[0]
        number = source.get("ReferencedFrameNumber")
        slot = order.setdefault(source.ReferencedSOPInstanceUID, len(order))
        return (int(number) - 1 if number else slot), (0, 1), (1, 1)
    row = numpy.array(groups_of(ds, frame, "PlaneOrientationSequence").ImageOrientationPatient, float)
    spacing = numpy.array(groups_of(ds, frame, "PixelMeasuresSequence").PixelSpacing, float)
    there = numpy.linalg.inv(affine)
    corner = numpy.array(list(position.ImagePositionPatient) + [1], float)
    start = there @ corner
    along = [there[:3, :3] @ (row[:3] * spacing[1]), there[:3, :3] @ (row[3:] * spacing[0])]
    for step in along:
        if abs(abs(step).max() - 1) > 0.01 or numpy.sort(abs(step))[1] > 0.01:
            raise ValueError("our axes are not the frame's")
    axes = tuple(int(abs(step).argmax()) for step in along)
    normal = 3 - sum(axes)
    if abs(start[normal] - round(start[normal])) > 0.06:
        raise ValueError(f"a frame lies between our slices: {start}")
    return int(round(start[normal])), axes, tuple(int(numpy.sign(step[a])) for step, a in zip(along, axes))


def plane_of(layer, at, axes, signs):
    """Our slice as [row, column] of the frame."""
    plane = numpy.moveaxis(layer, (axes[1], axes[0], 3 - sum(axes)), (0, 1, 2))[..., at]
    return plane[::signs[1], ::signs[0]]


def compare(ds, frames, layers, affine):
    kind = ds.SegmentationType
    frames = frames.reshape((-1, ds.Rows, ds.Columns))
    theirs, order = 0, {}
    for number, pixels in enumerate(frames):
        at, axes, signs = place_of(ds, number, affine, order)
        if kind == "LABELMAP":
            if not numpy.array_equal(plane_of(layers[0], at, axes, signs), pixels):
                return f"frame {number} differs"
            theirs += int((pixels != ds.get("PixelPaddingValue", 0)).sum())
            continue
        segment = groups_of(ds, number, "SegmentIdentificationSequence").ReferencedSegmentNumber
        if kind == "FRACTIONAL":
            pixels = pixels >= (int(ds.MaximumFractionalValue) + 1) // 2
        mine = numpy.zeros(pixels.shape, bool)
        for layer in layers:
            mine |= plane_of(layer, at, axes, signs) == segment
        if not numpy.array_equal(mine, pixels != 0):
            return f"frame {number} differs in {int((mine != (pixels != 0)).sum())} pixels"
        theirs += int((pixels != 0).sum())
    ours = sum(int((layer != 0).sum()) for layer in layers)
    return "" if ours == theirs else f"{ours} voxels are labelled, {theirs} in the file"


def read_one(penta, path, folder):
    """'passed', 'skipped' or what is wrong."""
    plain = unpacked(path, folder)
    try:
        ds = pydicom.dcmread(plain, force=True)
    except Exception:
        return "skipped"
    if ds.get("SOPClassUID") not in CLASSES:
        return "skipped"
    out = folder / "x.nii.gz"
    for old in folder.glob("x.*"):
        old.unlink()
    done = run(penta, "convert", plain, out)
    if "TotalPixelMatrixColumns" in ds:
        tiled = done.returncode == 3 and "tiled" in done.stderr + done.stdout
        return "passed" if tiled else f"tiles were not refused by name: exit {done.returncode}, {done.stderr[-200:]}"
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stderr.strip()[-300:]}"
    layers, affine = layers_of(out)
    same = SAME_AS.get(path.name)
    source = pydicom.dcmread(path.with_name(same)) if same else ds
    return compare(ds, source.pixel_array, layers, affine) or "passed"


def write_one(penta, folder, kind, values, turned):
    """Random labels to seg.dcm and back through highdicom."""
    random = numpy.random.default_rng(len(values))
    labels = random.choice([0] + values, (17, 13, 9)).astype(numpy.uint16)
    c, s = numpy.cos(turned), numpy.sin(turned)
    affine = numpy.array([[0.7 * c, -1.3 * s, 0, 30], [0.7 * s, 1.3 * c, 0, -20], [0, 0, 2.5, 400], [0, 0, 0, 1]])
    source = folder / "labels.nii.gz"
    image = nibabel.Nifti1Image(labels, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    image.header["intent_code"] = 1002
    nibabel.save(image, source)
    picture = folder / "image.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels.astype(numpy.float32), affine), picture)
    target = folder / "seg.dcm"
    target.unlink(missing_ok=True)
    done = run(penta, "convert", source, target, "--as=seg", f"--seg={kind}", f"--source={picture}")
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stderr.strip()[-300:]}"
    seg = highdicom.seg.segread(target)
    if (seg.SegmentationType == "LABELMAP") != (kind == "labelmap"):
        return f"it is {seg.SegmentationType}"
    volume = seg.get_volume(combine_segments=True, allow_missing_positions=True)
    there = numpy.linalg.inv(volume.affine) @ numpy.diag([-1, -1, 1, 1]) @ affine
    index = numpy.stack(numpy.meshgrid(*map(numpy.arange, labels.shape), indexing="ij"), -1).reshape(-1, 3)
    at = numpy.rint(index @ there[:3, :3].T + there[:3, 3]).astype(int)
    inside = ((at >= 0) & (at < volume.array.shape)).all(1)
    mine = numpy.zeros(len(index), int)
    mine[inside] = volume.array[tuple(at[inside].T)]
    numbers = {0: 0} | {v: (v if kind == "labelmap" else k + 1) for k, v in enumerate(sorted(values))}
    expected = numpy.vectorize(numbers.get)(labels.reshape(-1))
    return "passed" if numpy.array_equal(mine, expected) else "highdicom reads other voxels"


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0}

    def count(name, answer):
        counts[answer if answer in counts else "failed"] += 1
        if answer not in ("passed", "skipped"):
            print(f"{name}: {answer}")

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for path in segmentations(options.data):
            if options.only not in str(path):
                continue
            try:
                answer = read_one(options.penta, path, folder)
            except Exception as error:  # a row, not the end
                answer = f"{type(error).__name__}: {error}"
            if answer != "skipped":  # no segmentation
                count(path.relative_to(options.data), answer)
        for kind, values in (("binary", [1, 2, 3]), ("labelmap", [1, 2, 3, 9]), ("labelmap", [4, 300])):
            for turned in (0, 0.4):
                if options.only:
                    continue
                try:
                    answer = write_one(options.penta, folder, kind, values, turned)
                except Exception as error:
                    answer = f"{type(error).__name__}: {error}"
                count(f"written as {kind}, values {values}, turned by {turned}", answer)
    print(", ".join(f"{number} {word}" for word, number in counts.items()))
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
