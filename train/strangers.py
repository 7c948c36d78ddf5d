"""Pictures of other organs and modalities: what a classifier must say nothing about."""
import numpy as np

import common as C
import ultrasound as U


def some(files, n, seed=0):
    files = sorted(files)
    return [files[i] for i in sorted(np.random.default_rng(seed).permutation(len(files))[:n])]


def slices(path, lower, upper, places=20):
    """Axial slices of a NIfTI volume as pictures 0..255 (rows to the back, columns to the patient's left)."""
    import nibabel
    image = nibabel.as_closest_canonical(nibabel.load(path))
    v = np.asarray(image.dataobj, np.float32)
    lower, upper = (np.percentile(v, p) for p in (1, 99.5)) if lower is None else (lower, upper)
    v = np.clip((v - lower) / (upper - lower), 0, 1) * 255
    keep = np.linspace(0.05, 0.95, places) * v.shape[2]
    return [np.ascontiguousarray(v[::-1, ::-1, int(k)].T) for k in keep]


def pictures(which, n=60):
    """{name: [grey frames 0..255]}"""
    d = C.DATA
    made = {
        "us/busi (breast ultrasound)": lambda: [U.grey(f) for f in some((d / "us/busi/images").glob("*.jpg"), n)],
        "us/hc18 (fetal heads)": lambda: [U.grey(f) for f in some((d / "us/hc18/images").glob("*.jpg"), n)],
        "us/usgra-seg (nerves and vessels)": lambda: [U.grey(f) for f in some((d / "us/usgra-seg").glob("**/*.jpg"), n)],
        "ct/head-ct-hemorrhage (head CT)":
            lambda: [U.grey(f) for f in some((d / "ct/head-ct-hemorrhage/derived256").glob("*.png"), n)],
        "mr/brain-tumor-classification (brain MR)":
            lambda: [U.grey(f) for f in some((d / "mr/brain-tumor-classification/Training").glob("[gmp]*/*.jpg"), n)],
        "ct/totalsegmentator-examples (abdomen, brain window)":
            lambda: slices(d / "ct/totalsegmentator-examples/example_ct.nii.gz", 0, 80),
        "ct/totalsegmentator-examples (abdomen, soft-tissue window)":
            lambda: slices(d / "ct/totalsegmentator-examples/example_ct.nii.gz", -160, 240),
        "ct/covid-ct-2d (chest CT)": lambda: [U.grey(f) for f in some((d / "ct/covid-ct-2d").glob("**/*.jpg"), n)],
    }
    return {name: load() for name, load in made.items() if any(name.startswith(w) for w in which)}
