"""A simulated chest CT, 400 slices of 512 x 512, as DICOM three times (uncompressed, JPEG-LS, JPEG 2000) and as NIfTI.
Made once in a folder of its own and kept there; needs the environment of tools/peers.sh."""
import multiprocessing

import numpy

SLICES, SIDE, NOISE_HU = 400, 512, 12
KINDS = {"raw": "1.2.840.10008.1.2.1", "jls": "1.2.840.10008.1.2.4.80", "j2k": "1.2.840.10008.1.2.4.90"}


def blurred(values, times):
    """A mean over 3 x 3 neighbours (the picture closes upon itself), so many times."""
    for _ in range(times):
        values = (values + numpy.roll(values, 1, 0) + numpy.roll(values, -1, 0)) / 3
        values = (values + numpy.roll(values, 1, 1) + numpy.roll(values, -1, 1)) / 3
    return values


def picture(z):
    """Slice z in HU: body, fat, lungs with vessels, spine, and noise as a soft kernel leaves it."""
    random = numpy.random.default_rng(z)
    y, x = numpy.mgrid[-1:1:SIDE * 1j, -1:1:SIDE * 1j]
    hu = numpy.full((SIDE, SIDE), -1000.0)
    hu[(x / .85) ** 2 + (y / .6) ** 2 < 1] = -90
    hu[(x / .8) ** 2 + (y / .55) ** 2 < 1] = 45
    size = .75 + .25 * numpy.sin(numpy.pi * z / SLICES)
    lungs = (((abs(x) - .4) / .3) ** 2 + (y / .42) ** 2) < size
    tissue = blurred(numpy.random.default_rng(z // 4).standard_normal((SIDE, SIDE)), 6)
    hu[lungs] = numpy.clip(-860 + 1500 * tissue, -950, 50)[lungs]
    hu[x ** 2 / .01 + (y - .42) ** 2 / .01 < 1] = 350
    noise = blurred(random.standard_normal((SIDE, SIDE)), 1)
    return numpy.clip(numpy.round(hu + NOISE_HU / noise.std() * noise), -1024, 3071).astype("<i2")


def data_set(z, hu):
    from pydicom.dataset import FileDataset, FileMetaDataset
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = KINDS["raw"]
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"2.25.4.{z + 1}"
    d = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    d.SOPClassUID, d.SOPInstanceUID, d.Modality = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, "CT"
    d.StudyInstanceUID, d.SeriesInstanceUID, d.FrameOfReferenceUID = "2.25.1", "2.25.2", "2.25.3"
    d.PatientName, d.PatientID, d.PatientBirthDate, d.PatientSex = "Bench^Made", "BENCH1", "19700101", "O"
    d.StudyDate = d.SeriesDate = d.AcquisitionDate = d.ContentDate = "20260101"
    d.StudyTime = d.SeriesTime = d.AcquisitionTime = d.ContentTime = "120000"
    d.StudyID, d.AccessionNumber, d.SeriesNumber, d.InstanceNumber, d.SeriesDescription = "1", "A1", 2, z + 1, "bench"
    d.Manufacturer, d.ImageType, d.KVP, d.PatientPosition = "bench", ["DERIVED", "PRIMARY", "AXIAL"], "120", "HFS"
    d.PixelSpacing, d.SliceThickness, d.ImageOrientationPatient = [.7, .7], "0.8", [1, 0, 0, 0, 1, 0]
    d.ImagePositionPatient = [-180, -180, round(.8 * z, 4)]
    d.RescaleIntercept, d.RescaleSlope, d.RescaleType = "-1024", "1", "HU"
    d.SamplesPerPixel, d.PhotometricInterpretation, d.PixelRepresentation = 1, "MONOCHROME2", 1
    d.Rows, d.Columns, d.BitsAllocated, d.BitsStored, d.HighBit = SIDE, SIDE, 16, 16, 15
    d.PixelData = (hu + 1024).astype("<i2").tobytes()
    return d


def write_slice(job):
    folder, z = job
    hu = picture(z)
    for kind, syntax in KINDS.items():
        d = data_set(z, hu)
        if kind != "raw":
            d.compress(syntax, generate_instance_uid=False)
        d.save_as(folder / kind / f"{z * 7919 % SLICES:04}.dcm", enforce_file_format=True)  # not in slice order
    return hu


def make(folder):
    """Fills the folder unless it is complete: raw/ jls/ j2k/ truth.npy volume.nii.gz (256^3, int16)."""
    if (folder / "complete").is_file():
        return
    import nibabel
    for kind in KINDS:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    with multiprocessing.Pool(2) as pool:
        truth = numpy.stack(pool.map(write_slice, [(folder, z) for z in range(SLICES)], chunksize=8))
    numpy.save(folder / "truth.npy", truth)
    part = truth[72:328, ::2, ::2]
    nibabel.save(nibabel.Nifti1Image(numpy.ascontiguousarray(part.T), numpy.diag([1.4, 1.4, .8, 1])), folder / "volume.nii.gz")
    (folder / "complete").touch()
