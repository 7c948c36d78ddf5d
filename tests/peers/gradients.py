#!/usr/bin/env python3
"""Gradient directions (.bvec) of `penta convert` against dcm2niix and against the truth.

usage: gradients.py [PENTA]
Makes diffusion series with pydicom (Siemens and Philips private elements; axial, oblique and sagittal slices), converts
each by both programs, and turns their .bval and .bvec into patient space by the FSL convention (x turned round where the
affine is right-handed). Directions must agree within 1e-5. Needs pydicom, nibabel, numpy and dcm2niix.
The last line is 'N passed, N failed, N skipped'; exit 1 on a failure.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import nibabel
import numpy
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from given import parser_of

MANUFACTURERS = {"Siemens": "SIEMENS", "Philips": "Philips Medical Systems"}


def turned(a, b, c):
    """Turns about z, y and x, in radians."""
    z = [[numpy.cos(a), -numpy.sin(a), 0], [numpy.sin(a), numpy.cos(a), 0], [0, 0, 1]]
    y = [[numpy.cos(b), 0, numpy.sin(b)], [0, 1, 0], [-numpy.sin(b), 0, numpy.cos(b)]]
    x = [[1, 0, 0], [0, numpy.cos(c), -numpy.sin(c)], [0, numpy.sin(c), numpy.cos(c)]]
    return numpy.array(z) @ numpy.array(y) @ numpy.array(x)


def put_gradient(data, vendor, b, direction):
    if vendor == "Siemens":
        block = data.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        block.add_new(0x0C, "IS", str(int(b)))
        if b:
            block.add_new(0x0E, "FD", [float(x) for x in direction])
        return
    block = data.private_block(0x2001, "Philips Imaging DD 001", create=True)
    block.add_new(0x03, "FL", float(b))
    block.add_new(0x04, "CS", "S" if b else "N")
    block = data.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    for element, x in zip((0xB0, 0xB1, 0xB2), direction):
        block.add_new(element, "FL", float(x) if b else 0.0)


def slice_of(vendor, axes, volume, z, number, uids):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = uids
    data.SeriesNumber, data.InstanceNumber, data.Modality = 5, number, "MR"
    data.AcquisitionNumber = volume + 1 if vendor == "Siemens" else 1
    data.Manufacturer, data.ImageType = MANUFACTURERS[vendor], ["ORIGINAL", "PRIMARY", "M", "ND"]
    data.PatientName = data.PatientID = "made"
    data.StudyDate, data.StudyTime, data.AcquisitionTime = "20200101", "100000", f"10{volume:02d}{z:02d}"
    data.ScanningSequence, data.EchoTime, data.RepetitionTime = "EP", "80", "5000"
    data.ImageOrientationPatient = [f"{x:.8f}" for x in [*axes[:, 0], *axes[:, 1]]]
    data.ImagePositionPatient = [f"{x:.6f}" for x in axes @ numpy.array([-20, -30, 3.0 * z])]
    data.PixelSpacing, data.SliceThickness, data.SpacingBetweenSlices = ["2", "2"], "3", "3"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 12, 10, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.InPlanePhaseEncodingDirection = "COL"
    data.PixelData = numpy.full((12, 10), 100 * volume + z, numpy.uint16).tobytes()
    return data


def make(folder, vendor, axes, directions, b_values):
    folder.mkdir()
    uids = (generate_uid(), generate_uid())
    number = 0
    for volume, (direction, b) in enumerate(zip(directions, b_values)):
        for z in range(4):
            number += 1
            data = slice_of(vendor, axes, volume, z, number, uids)
            put_gradient(data, vendor, b, direction)
            data.save_as(folder / f"{number:03d}.dcm", enforce_file_format=True)


def in_patient(base):
    """b-values, and directions in RAS as rows, of BASE.nii, BASE.bval and BASE.bvec."""
    affine = nibabel.load(f"{base}.nii").affine[:3, :3]
    vectors = numpy.loadtxt(f"{base}.bvec")
    if numpy.linalg.det(affine) > 0:
        vectors[0] *= -1
    return numpy.loadtxt(f"{base}.bval"), ((affine / numpy.linalg.norm(affine, axis=0)) @ vectors).T


def main():
    arguments = parser_of(__doc__).parse_args()
    peer = shutil.which("dcm2niix")
    if peer is None or not arguments.penta.exists():
        print(f"not here: dcm2niix or {arguments.penta}\n0 passed, 0 failed, 1 skipped")
        return 0
    random = numpy.random.default_rng(4)
    sagittal = numpy.array([[0.0, 0, -1], [1, 0, 0], [0, -1, 0]])
    sets = [("Siemens", numpy.eye(3)), ("Siemens", turned(0.2, 0.3, -0.4)), ("Philips", turned(-0.1, 0.25, 0.3)),
            ("Siemens", sagittal @ turned(0.1, 0.1, 0.05))]
    failed = 0
    with tempfile.TemporaryDirectory() as room:
        for at, (vendor, axes) in enumerate(sets):
            folder, base = pathlib.Path(room, f"in{at}"), pathlib.Path(room, f"ours{at}")
            directions = random.normal(size=(7, 3))
            directions /= numpy.linalg.norm(directions, axis=1)[:, None]
            make(folder, vendor, axes, directions, [0] + [1000] * 6)
            subprocess.run([arguments.penta, "convert", folder, f"{base}.nii"], check=True, capture_output=True)
            subprocess.run([peer, "-o", room, "-f", f"theirs{at}", folder], check=True, capture_output=True)
            b_ours, ours = in_patient(base)
            b_theirs, theirs = in_patient(pathlib.Path(room, f"theirs{at}"))
            truth = directions * [-1, -1, 1]
            truth[0] = 0
            off = [abs(ours - truth).max(), abs(ours - theirs).max()]
            right = max(off) < 1e-5 and numpy.array_equal(b_ours, b_theirs)
            failed += not right
            print(f"{vendor}, set {at}: {'right' if right else 'WRONG'}, off the truth by {off[0]:.2g}, dcm2niix by {off[1]:.2g}")
    print(f"{len(sets) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
