#!/usr/bin/env python3
"""Numbers of the PET and SPECT methods that need real images, through penta. Wants numpy, SimpleITK and pydicom.

usage: nuclear.py hot_spots | lesion | spect_study [PENTA]        data by PENTA_DATA
exit code 1 where a figure misses its floor
"""
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import SimpleITK as sitk

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("PENTA_DATA", ROOT.parent / "shared" / "data"))
PENTA = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / "build" / "release" / "penta")
QIN, STS = DATA / "pet" / "qin-headneck", DATA / "pet" / "sts-raw-dicom"
FAILED = []


def penta(verb, method, *words):
    """(result.json, folder) of one run."""
    out = pathlib.Path(tempfile.mkdtemp(prefix="penta-nuclear-"))
    done = subprocess.run([PENTA, verb, method, *map(str, words), "-o", str(out / "o"), "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"penta {verb} {method} {words}: {done.stderr.strip()}")
    return json.loads((out / "o" / "result.json").read_text()), out / "o"


def floor(name, value, good, text):
    print(f"{name}: {text}{'' if good else '   BELOW ITS FLOOR'}")
    if not good:
        FAILED.append(name)
    return value


def labels_at(findings, mask):
    return [int(mask[mask.TransformPhysicalPointToIndex([float(v) for v in f["centre_mm"]])]) for f in findings]


def hot_spots():
    """A lesion is found when a finding of its own lies in it."""
    suv = ("--set", "modality=PET", "--set", "assume_suv=true")
    result, _ = penta("detect", "pet.hot_spots", QIN / "suv_crop.nii.gz", *suv)
    hits = labels_at(result["findings"], sitk.ReadImage(str(QIN / "lesions_crop.nii.gz")))
    found, false = len(set(hits) - {0}), hits.count(0)
    floor("qin-headneck", found, found >= 10 and false <= 3, f"{found} of 11 lesions, {false} false positives")
    result, _ = penta("detect", "pet.hot_spots", STS / "STS_001_wholebody_suv.nii.gz", *suv)
    hits = labels_at(result["findings"], sitk.ReadImage(str(STS / "STS_001_GTV_Mass.nii.gz")))
    rank = hits.index(1) + 1 if 1 in hits else 0
    floor("STS_001 whole body", rank, rank == 1, f"the tumour ranks {rank}; {hits.count(0)} of {len(hits)} lie elsewhere")


def lesion():
    """Whole body: overlap of the largest region with the GTV, and how many others there are."""
    result, out = penta("segment", "pet.lesion", STS / "STS_001_wholebody_suv.nii.gz", "--set", "modality=PET", "--set",
                        "assume_suv=true", "--set", "method=learned")
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "labels.nii.gz")))
    gtv = sitk.GetArrayFromImage(sitk.ReadImage(str(STS / "STS_001_GTV_Mass.nii.gz"))) > 0
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = labels == sizes.argmax()
    overlap, dice = (largest & gtv).sum() / gtv.sum(), 2 * (largest & gtv).sum() / (largest.sum() + gtv.sum())
    others = int((sizes > 0).sum()) - 1
    floor("overlap", overlap, overlap >= 0.5, f"{overlap:.3f} of the GTV lies in the largest region (Dice {dice:.3f})")
    floor("others", others, others <= 5, f"{others} other regions")


def nm_corpus():
    """What each NM file here is, by its own header as pydicom reads it."""
    import pydicom
    right = count = 0
    for folder in ("spect/dicom-nm-wholebody-bone", "spect/dicom-nm-planar", "spect/mpi-gated-kuwait", "dicom/pydicom/test_files",
                   "dicom/dicom-test-files/WG04"):
        for path in sorted(p for p in (DATA / folder).rglob("*") if p.is_file()):
            try:
                head = pydicom.dcmread(path, stop_before_pixels=True)
            except Exception:  # noqa: BLE001 (not DICOM)
                continue
            if head.get("Modality") != "NM":
                continue
            kind = head.ImageType[2]
            want = {{"WHOLE BODY": "whole body", "STATIC": "planar", "GATED TOMO": "tomographic projections"}[kind]}
            want |= {"gated"} if "GATED" in kind else set()
            want |= {"Tc-99m"} if "RadiopharmaceuticalInformationSequence" in head and head.RadiopharmaceuticalInformationSequence and kind != "WHOLE BODY" else set()
            want |= {"stress"} if "SGATE" in head.get("SeriesDescription", "") else set()
            if path.name == "JPEG2000-embedded-sequence-delimiter.dcm":
                continue  # its codestream is broken on purpose: no decoder reads it
            count += 1
            try:
                labels = {s["label"] for s in penta("recognize", "spect.study", path)[0]["scores"]}
            except SystemExit as fault:
                labels = {str(fault)}
            right += labels == want
            if labels != want:
                print(f"{path.name}: {labels}, not {want}")
    floor("NM corpus", right, right == count and count >= 15, f"{right} of {count} files")


def motion():
    """Shifts of one pixel in the Kuwait projections: all views from one on, or one view alone; along the patient or aside."""
    import pydicom
    data = pydicom.dcmread(DATA / "spect" / "mpi-gated-kuwait" / "gated_tomo_projections_anon.dcm")
    pixels, view = data.pixel_array, np.array(data.AngularViewVector) + 1000 * np.array(data.DetectorVector)
    order = {v: i for i, v in enumerate(sorted(set(view)))}
    place = np.array([order[v] for v in view])
    said = lambda r: [m["text"] for m in r["remarks"] if m["code"] == "patient_motion"]  # noqa: E731
    still = said(penta("recognize", "spect.study", data.filename)[0])
    found = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        for at in range(2, len(order) - 1, 4):
            for step, axis in ((True, 1), (False, 1), (False, 2)):
                for pixels_by in (-1, 1):
                    moved = pixels.copy()
                    chosen = place >= at if step else place == at
                    moved[chosen] = np.roll(pixels[chosen], pixels_by, axis)
                    out = copy.deepcopy(data)
                    out.PixelData = moved.tobytes()
                    out.save_as(pathlib.Path(folder) / "moved.dcm")
                    texts = said(penta("recognize", "spect.study", pathlib.Path(folder) / "moved.dcm")[0])
                    word = "along the patient" if axis == 1 else "to one side"
                    tried += 1
                    found += any(word in t and any(f"view {k} of" in t for k in (at, at + 1, at + 2)) for t in texts)
    floor("motion", found, found >= 0.95 * tried and not still, f"{found} of {tried} shifts of one pixel; {len(still)} in the study as it is")


def negative_spacing():
    """Reconstructed NM made with slices along and against the normal: the hot end must stay where the patient has it."""
    import pydicom
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid
    wrong = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for column, row in (([1, 0, 0], [0, 1, 0]), ([1, 0, 0], [0, 0, -1]), ([0, 1, 0], [0, 0, -1])):
            normal = np.cross(column, row)
            for sign in (1, -1):
                volume = np.zeros((6, 8, 8), np.uint16)
                volume[5, 2, 2] = 1000  # the last slice, near the first row and column
                meta = FileMetaDataset()
                meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = "1.2.840.10008.5.1.4.1.1.20", ExplicitVRLittleEndian
                meta.MediaStorageSOPInstanceUID = generate_uid()
                d = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
                d.SOPClassUID, d.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
                d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = generate_uid(), generate_uid(), generate_uid()
                d.PatientName = d.PatientID = "TEST"
                d.Modality, d.ImageType = "NM", ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]
                d.NumberOfFrames, d.Rows, d.Columns = 6, 8, 8
                d.SamplesPerPixel, d.PhotometricInterpretation, d.PixelRepresentation = 1, "MONOCHROME2", 0
                d.BitsAllocated = d.BitsStored = 16
                d.HighBit, d.PixelSpacing, d.SliceThickness = 15, [4, 4], 5
                d.SpacingBetweenSlices = sign * 5
                d.SliceVector = list(range(1, 7))
                d.NumberOfSlices = 6
                detector = Dataset()
                detector.ImageOrientationPatient, detector.ImagePositionPatient = [*column, *row], [-10, -20, 30]
                d.DetectorInformationSequence = [detector]
                d.PixelData = volume.tobytes()
                path = pathlib.Path(folder) / "nm.dcm"
                d.save_as(path, enforce_file_format=True)
                result, _ = penta("recognize", "spect.study", path)
                done = subprocess.run([PENTA, "convert", str(path), str(path.with_suffix(".nii.gz")), "--quiet"], capture_output=True, text=True)
                if done.returncode:
                    raise SystemExit(done.stderr)
                image = sitk.ReadImage(str(path.with_suffix(".nii.gz")))
                at = np.unravel_index(sitk.GetArrayFromImage(image).argmax(), (image.GetSize()[2], image.GetSize()[1], image.GetSize()[0]))
                have = np.array(image.TransformIndexToPhysicalPoint([int(i) for i in at[::-1]]))
                want = np.array([-10, -20, 30]) + 8 * np.array(column) + 8 * np.array(row) + sign * 25 * normal
                count += 1
                wrong += not np.allclose(have, want, atol=0.01)
                path.with_suffix(".nii.gz").unlink()
                assert [s["label"] for s in result["scores"]] == ["reconstructed"], result["scores"]
    floor("negative spacing", wrong, wrong == 0, f"{wrong} of {count} volumes upside down")


def spect_study():
    nm_corpus()
    motion()
    negative_spacing()


if __name__ == "__main__":
    {"hot_spots": hot_spots, "lesion": lesion, "spect_study": spect_study}[sys.argv[1]]()
    sys.exit(1 if FAILED else 0)
