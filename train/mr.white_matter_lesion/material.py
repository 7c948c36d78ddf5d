"""FLAIR heads for mr.white_matter_lesion: two real ones with consensus lesions (open-ms-lesion 19, 26), FLAIR-like ones
simulated from T1 heads and their structures (models/mr.brain), and lesions inserted into white matter.

Simulated means: a mean a structure (liquor dark, grey matter brighter than white), the T1's fine texture, what is
outside of the brain as the T1 has it or invented (train/mr.brain/distil.py). Inserted lesions are ellipsoids with
noisy borders, 1.25 to 1.9 times as bright as the white matter there, blurred at the edge.
"""
import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from scipy import ndimage

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "mr.brain")]
sys.path[:0] = [str(HERE.parent)]
import cards
import common as C
import distil as D

MS = C.DATA / "mr" / "open-ms-lesion" / "derived-uint8"
T1 = {"mni": D.HEADS["mni"], "ms19": D.HEADS["ms19"], "ms26": D.HEADS["ms26"]}
TEST = {"colin27": Path("/usr/share/mricron/templates/ch2.nii.gz"),
        "brainchop t1_crop": C.DATA / "mr" / "brainchop-t1" / "t1_crop.nii.gz"}
WHITE, LIQUID = 1, (3, 4, 11, 12)


def structures(path, work):
    """Structures of a T1 head [z, y, x] by models/mr.brain, and the image; cached in work by the model's hash."""
    model = C.MODELS / "mr.brain" / "model.onnx"
    file = work / f"structures_{Path(path).parent.name}_{Path(path).name.split('.')[0]}_{C.sha256(model)[:8]}.npz"
    image = D.ras(path)[0].transpose(2, 1, 0)
    if not file.exists():
        np.savez_compressed(file, label=cards.ours(onnxruntime.InferenceSession(str(model)), image)["structures"])
    return image, np.load(file)["label"]


def flair_like(t1, label, rng, strip):
    """A simulated FLAIR with white matter near 1, and the brain."""
    brain = ndimage.binary_fill_holes(ndimage.binary_closing(label > 0, iterations=4))
    white = np.percentile(t1[label == WHITE], 60)
    t1 = t1 / white
    mean = rng.uniform(1.1, 1.45, 18)                       # grey matter is brighter than white
    mean[[1, 5]] = 1, rng.uniform(0.9, 1.05)
    mean[[7, 10, 13, 17]] = rng.uniform(0.9, 1.2, 4)
    mean[list(LIQUID)] = rng.uniform(0.05, 0.35)
    mean[0] = rng.uniform(0.1, 0.4)                         # liquor in the furrows
    inside = ndimage.gaussian_filter(mean[label].astype(np.float32), rng.uniform(0.5, 0.9))
    inside *= 1 + rng.uniform(0.1, 0.4) * (t1 - ndimage.gaussian_filter(t1, 1.5))
    outside = t1 * rng.uniform(0.5, 1.6) * (0 if strip else 1)
    soft = np.clip(ndimage.gaussian_filter(brain.astype(np.float32), 0.7) * 1.5 - 0.25, 0, 1)
    return (inside * soft + outside * (1 - soft)).astype(np.float32), brain


def blob(radius, rng):
    """A lesion's shape in a cube: an ellipsoid of about this radius (mm) with a noisy border."""
    n = int(np.ceil(radius * 1.7)) + 2
    z, y, x = np.mgrid[-n:n + 1, -n:n + 1, -n:n + 1].astype(np.float32)
    a, b, c = radius * rng.uniform(0.7, 1.4, 3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    p = np.tensordot(turn, np.stack([z, y, x]), 1)
    field = (p[0] / a) ** 2 + (p[1] / b) ** 2 + (p[2] / c) ** 2
    rough = ndimage.gaussian_filter(rng.normal(size=field.shape), max(1.0, radius / 3))
    return field + rng.uniform(0.1, 0.5) * rough / (rough.std() + 1e-6) < 1


def inserted(image, where, lesions, rng, count, radii=(1.3, 8)):
    """Puts up to `count` lesions at voxels of `where`; returns the masks of the new ones, adds to `lesions`."""
    spots, made = np.argwhere(where), []
    for _ in range(count if len(spots) else 0):
        at = spots[rng.integers(len(spots))]
        shape = blob(np.exp(rng.uniform(*np.log(radii))), rng)
        lo = at - np.array(shape.shape) // 2
        if (lo < 0).any() or (lo + shape.shape > image.shape).any():
            continue
        box = tuple(slice(a, a + n) for a, n in zip(lo, shape.shape))
        near = ndimage.binary_dilation(shape, iterations=2)
        if (lesions[box] & near).any() or shape.sum() < 8:
            continue
        level = np.median(image[box][shape]) * 0.5 + 0.5
        soft = ndimage.gaussian_filter(shape.astype(np.float32), rng.uniform(0.4, 0.9))
        bright = level * rng.uniform(1.3, 1.9) * (1 + 0.06 * ndimage.gaussian_filter(rng.normal(size=shape.shape), 1) / 0.1)
        image[box] = image[box] * (1 - soft) + np.maximum(bright, image[box]) * soft
        lesions[box] |= shape
        mask = np.zeros(image.shape, bool)
        mask[box] = shape
        made.append(mask)
    return made


def real(patient, work):
    """(FLAIR with white matter near 1, consensus lesions, white matter without lesions, brain)"""
    folder = MS / f"patient{patient}"
    flair, lesions = (D.ras(folder / f"{n}.nii.gz")[0].transpose(2, 1, 0) for n in ("FLAIR", "lesions"))
    _, label = structures(T1[f"ms{patient}"], work)
    lesions = lesions > 0
    white = (label == WHITE) & ~ndimage.binary_dilation(lesions, iterations=3)
    return (flair / np.median(flair[white])).astype(np.float32), lesions, ndimage.binary_erosion(white), flair > 4


def normalise(a):
    """As the card says: clip to percentiles 0.5 and 99.5, then 0..1."""
    lo, hi = np.percentile(a, [0.5, 99.5])
    return ((np.clip(a, lo, hi) - lo) / (hi - lo)).astype(np.float32)
