#!/usr/bin/env python3
"""Pixels of every file of data/dicom/INDEX.csv: ours (`penta convert FILE x.nrrd`) against pydicom's.

usage: dicom_pixels.py [PENTA] [--data FOLDER] [--only TEXT] [--all]
Needs pydicom, pylibjpeg (-libjpeg, -openjpeg, -rle), pyjpegls, zstandard. Files with an ending of a packer (.gz, .zst)
are unpacked first. What pydicom gives is taken to values as we define them: modality LUT or rescale (per frame where
the header says so), dose grid scaling, palette and YBR to 8-bit RGB, MONOCHROME1 turned where values have no unit.
Slices may stand in any order, and a mosaic may be taken apart; one slice without a thickness is written by
--geometry=resample, and it is said. Segmentations are compared frame by frame through
the program dicom_frames (build target, beside PENTA), since a label map holds them sorted by segment and place.
Prints a row a file that is not plainly the same (all of them with --all), and one line at the end. Exit 1 when a file
differs, crashes, takes more than 10 s or more than 1 GiB, or when more than 5 are refused.
"""
import gzip
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import warnings

import numpy
import pydicom
import zstandard
from pydicom.pixels import get_decoder, pixel_array
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from given import beside, corpus_files, corpus_parser, skip_all

warnings.filterwarnings("ignore")
LIMIT_S, LIMIT_KIB, REFUSALS = 10, 1 << 20, 5
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"}


def unpacked(path, folder):
    """The path itself, or that of its unpacked copy."""
    if path.suffix == ".gz":
        data = gzip.decompress(path.read_bytes())
    elif path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
    else:
        return path
    copy = folder / path.stem
    copy.write_bytes(data)
    return copy


# --- theirs ----------------------------------------------------------------------------------------------------------

def rgb_of_ybr(ybr):
    """PS3.3 C.7.6.3.1.2, YBR_FULL, rounded to the nearest."""
    y, cb, cr = (ybr[..., c].astype(numpy.float64) for c in range(3))
    rgb = numpy.stack([y + 1.402 * (cr - 128), y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128),
                       y + 1.772 * (cb - 128)], axis=-1)
    return numpy.clip(rgb + 0.5, 0, 255).astype(numpy.uint8)


def rescale_of(ds, frame):
    """Slope and intercept of one frame: per frame, shared, or of the data set."""
    for groups in (ds.get("PerFrameFunctionalGroupsSequence"), ds.get("SharedFunctionalGroupsSequence")):
        if groups:
            item = groups[min(frame, len(groups) - 1)].get("PixelValueTransformationSequence")
            if item:
                return float(item[0].RescaleSlope), float(item[0].RescaleIntercept)
    if "DoseGridScaling" in ds:
        return float(ds.DoseGridScaling), 0.0
    return float(ds.get("RescaleSlope") or 1), float(ds.get("RescaleIntercept") or 0)


def colour_of(ds, array):
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        array = apply_color_lut(array, ds)
        if array.dtype == numpy.uint16:
            array = (array >> 8).astype(numpy.uint8)
        return array
    bits = ds.BitsStored
    if array.dtype.itemsize > 1:
        array = (array >> (bits - 8)).astype(numpy.uint8)
    return array


def theirs_of(path, codec=""):
    """Frames as pydicom gives them, as values; None where there is no pixel data. Throws what pydicom throws."""
    ds = pydicom.dcmread(path, force=True)
    if not any(key in ds for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return None, ds
    if "file_meta" not in ds.__dict__ or not ds.file_meta.get("TransferSyntaxUID"):
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian if ds.original_encoding[0] else (
            pydicom.uid.ExplicitVRLittleEndian if ds.original_encoding[1] else pydicom.uid.ExplicitVRBigEndian)
    array = pixel_array(ds, raw=True, decoding_plugin=codec)
    colour = ds.SamplesPerPixel == 3
    frames = int(ds.get("NumberOfFrames") or 1)
    if array.ndim == (3 if colour else 2):
        array = array[None]
    assert array.shape[0] == frames, array.shape
    if colour:
        shown = getattr(ds, "PhotometricInterpretation")
        ybr = shown in ("YBR_FULL", "YBR_FULL_422") and not is_rgb_already(ds)
        return [rgb_of_ybr(f) if ybr else colour_of(ds, f) for f in array], ds
    if ds.PhotometricInterpretation == "PALETTE COLOR" and ds.get("Modality") != "SEG":
        return [colour_of(ds, f) for f in array], ds
    return [value_of(ds, frame, index) for index, frame in enumerate(array)], ds


def is_rgb_already(ds):
    """RLE keeps YBR; JPEG-LS keeps it too; only JPEG 2000's own transform is undone."""
    return ds.file_meta.TransferSyntaxUID in ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")


def value_of(ds, frame, index):
    if ds.get("Modality") == "SEG":
        return frame
    if "ModalityLUTSequence" in ds and ds.ModalityLUTSequence:
        return apply_modality_lut(frame, ds)
    slope, intercept = rescale_of(ds, index)
    has_unit = ds.get("Modality") in ("CT", "PT", "NM") or "DoseGridScaling" in ds
    if ds.PhotometricInterpretation == "MONOCHROME1" and not has_unit and frame.dtype.kind != "f":
        frame = (-1 - frame.astype(numpy.int64)) if ds.PixelRepresentation else 2 ** ds.BitsStored - 1 - frame.astype(numpy.int64)
    if (slope, intercept) == (1, 0):
        return frame
    return frame * slope + intercept


# --- ours ------------------------------------------------------------------------------------------------------------

def nrrd_frames(path):
    """Two-dimensional slices (or colour pictures) of a NRRD that penta wrote: every slice of every volume."""
    data = path.read_bytes()
    head, _, body = data.partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines()[1:] if ": " in line)
    sizes = [int(s) for s in fields["sizes"].split()]
    types = {"uint8": "u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4", "float": "<f4"}
    voxels = numpy.frombuffer(gzip.decompress(body), types[fields["type"]])
    colour = "RGB-color" in fields["kinds"]
    if colour:
        return list(voxels.reshape(-1, sizes[2], sizes[1], 3))
    return list(voxels.reshape(-1, sizes[1], sizes[0]))


def raw_frames(path):
    """What dicom_frames wrote: a line 'columns rows frames samples type', then the samples."""
    data = path.read_bytes()
    line, _, body = data.partition(b"\n")
    columns, rows, frames, samples, kind = line.decode().split()
    array = numpy.frombuffer(body, kind).reshape(int(frames), int(rows), int(columns), int(samples))
    return list(array[..., 0] if samples == "1" else array)


class Run:
    """One run of a program under the limits."""

    def __init__(self, words):
        start = time.monotonic()
        with tempfile.TemporaryFile() as err:
            child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=err, env=dict(os.environ, TBB_NUM_THREADS="2"))
            timer = threading.Timer(LIMIT_S, child.kill)
            timer.start()
            _, status, usage = os.wait4(child.pid, 0)
            timer.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            err.seek(0)
            self.text = err.read().decode(errors="replace")
        self.seconds, self.kib, self.code = time.monotonic() - start, usage.ru_maxrss, child.returncode

    def fault(self):
        if self.code == -9 and self.seconds >= LIMIT_S:
            return "hang"
        if self.code < 0 or self.code == 70:
            return f"crash ({self.code})"
        return "memory" if self.kib > LIMIT_KIB else ""


def tiles_of(frame, side):
    return [frame[y:y + side[0], x:x + side[1]] for y in range(0, frame.shape[0], side[0]) for x in range(0, frame.shape[1], side[1])]


def key_of(frame):
    return (frame.shape, numpy.ascontiguousarray(frame, dtype=numpy.float32).tobytes())


def difference(theirs, ours):
    """0 when the same slices, in any order; else the largest difference; None when the shapes cannot be compared."""
    if ours and theirs and ours[0].shape != theirs[0].shape and len(ours[0].shape) == 2 and len(theirs) == 1:
        theirs = tiles_of(theirs[0], ours[0].shape)[:len(ours)]  # a mosaic: the tiles behind the last slice are empty
    if len(theirs) != len(ours) or any(a.shape != b.shape for a, b in zip(theirs, ours)):
        return None
    if sorted(map(hash, map(key_of, theirs))) == sorted(map(hash, map(key_of, ours))):
        return 0.0
    straight = max(numpy.abs(a.astype(numpy.float64) - b).max() for a, b in zip(theirs, ours))
    turned = max(numpy.abs(a.astype(numpy.float64) - b).max() for a, b in zip(theirs[::-1], ours))
    return float(min(straight, turned))


def largest(frames):
    return max(float(numpy.abs(f.astype(numpy.float64)).max()) for f in frames)


def verdict_of(path, args, folder):
    """(verdict, note, run)."""
    try:
        theirs, ds = theirs_of(path)
        failed = ""
    except Exception as error:  # whatever pydicom says: then there is nothing to compare with
        theirs, ds, failed = None, None, str(error).splitlines()[0] if str(error) else type(error).__name__
    out = folder / "out.nrrd"
    out.unlink(missing_ok=True)
    by_frames = args.frames and ds is not None and ds.get("Modality") == "SEG"
    run = Run([args.frames if by_frames else args.penta] + ([] if by_frames else ["convert"]) + [str(path), str(out)])
    policy = ""
    if "one slice without a thickness" in run.text and run.code == 3:
        policy = "by --geometry=resample: one slice without a thickness"
        run = Run([args.penta, "convert", str(path), str(out), "--geometry=resample"])
    if run.fault():
        return run.fault(), run.text.strip()[-160:], run
    said = run.text.strip().splitlines()[-1] if run.text.strip() else ""
    if theirs is None:
        return ("no pixels" if not failed else "theirs fails"), (failed[:80] + " | ours: " + (said[:150] or "read")), run
    if run.code != 0:
        return "refused", said, run
    ours = raw_frames(out) if by_frames else nrrd_frames(out)
    off = difference(theirs, ours)
    if off is None:
        return "differs", f"shapes: theirs {len(theirs)} x {theirs[0].shape}, ours {len(ours)} x {ours[0].shape}", run
    if off == 0:
        return "same", policy, run
    if off <= 1e-6 * largest(theirs):
        return "same", f"but for rounding to 32 bits: {off:g}", run
    if off <= 1.01 * rescale_of(ds, 0)[0] and ds.file_meta.TransferSyntaxUID in LOSSY:
        return "same", f"within {off:g}, one stored value: a lossy DCT", run
    # Codecs of a lossy DCT differ among themselves (rounding, how chroma is enlarged): the nearest of pydicom's counts.
    nearest, codec = min((nearness(path, codec, ours, off), codec) for codec in codecs_of(ds))
    if nearest <= 1.01 * rescale_of(ds, 0)[0]:
        return "same", f"within {nearest:g} of {codec}; of pydicom's first codec {off:g}", run
    return "differs", f"max {off:g}", run


def codecs_of(ds):
    lossy = ds.file_meta.TransferSyntaxUID in LOSSY
    return get_decoder(ds.file_meta.TransferSyntaxUID).available_plugins if lossy else [""]


def nearness(path, codec, ours, otherwise):
    try:
        off = difference(theirs_of(path, codec)[0], ours)
    except Exception:  # this codec does not decode it
        return otherwise
    return otherwise if off is None else off


def main():
    args = corpus_parser(__doc__).parse_args()
    if not args.data.is_dir():
        return skip_all(args.data)
    args.frames, args.data = beside(args.penta, "dicom_frames"), args.data / "dicom"
    counts, slowest, biggest, rows = {}, 0.0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for file in corpus_files(args.data, args.only):
            verdict, note, run = verdict_of(unpacked(args.data / file, folder), args, folder)
            counts[verdict.split(" (")[0]] = counts.get(verdict.split(" (")[0], 0) + 1
            slowest, biggest, rows = max(slowest, run.seconds), max(biggest, run.kib), rows + 1
            if args.all or verdict != "same" or note:
                print(f"{verdict:12} {file}  {run.seconds:.2f} s {run.kib >> 10} MiB  {note}", flush=True)
    bad = sum(counts.get(k, 0) for k in ("differs", "crash", "hang", "memory"))
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    print(f"dicom pixels: {rows} files: {told}; slowest {slowest:.2f} s, largest {biggest >> 10} MiB")
    refused = max(counts.get("refused", 0) - REFUSALS, 0)
    print(f"{rows - bad - refused} passed, {bad + refused} failed, 0 skipped")
    return 1 if bad or counts.get("refused", 0) > REFUSALS else 0


if __name__ == "__main__":
    sys.exit(main())
