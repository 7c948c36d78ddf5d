"""Whole head to two labelled hippocampi, exactly as the engine does it, on the two ONNX files.

1. Reorient to RAS; area-average to 4 mm; percentile 0.5..99.5 clip and z-score; pad (edge, high end) to a multiple
   of 8; softmax. A side is found when its argmax component with the largest summed probability holds at least
   `minimum_ml` and its highest probability is at least `threshold`; its centre is the probability-weighted mean.
2. Linear resampling to 1 mm (nothing to do at 1 mm); box of 40 x 56 x 40 mm whose voxel centres are nearest to that
   centre (edge voxels repeated outside the image); then mr.hippocampus on the box.
"""
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C

STEP, BOX = 4.0, (40, 56, 40)          # mm; box x, y, z
THRESHOLD, MINIMUM_ML = 0.8, 0.6


def normalise(a):
    lo, hi = np.percentile(a, [0.5, 99.5])
    a = np.clip(a.astype(np.float64), lo, hi)
    return ((a - a.mean()) / max(a.std(), 1e-6)).astype(np.float32)


def shares(n, spacing, step):
    """Row j: weight of each voxel in output voxel [j step, (j + 1) step) mm from the outer face of the first voxel."""
    m = int(np.ceil(n * spacing / step - 1e-6))
    i, j = np.arange(n)[None] * spacing, np.arange(m)[:, None] * step
    w = np.clip(np.minimum(j + step, i + spacing) - np.maximum(j, i), 0, None)
    return w / w.sum(1, keepdims=True)


def area_resample(a, spacing, step=STEP):
    """a [x, y, z] to step mm isotropic by exact area means on each axis."""
    for axis in range(3):
        a = np.moveaxis(np.tensordot(shares(a.shape[axis], spacing[axis], step), a, (1, axis)), 0, axis)
    return a


def run(net, x, multiple=8):
    """x [z, y, x] -> logits [c, z, y, x], edge-padded at the high ends and cut back."""
    p = np.pad(x, [(0, -n % multiple) for n in x.shape], mode="edge")
    y = net.run(None, {"image": p[None, None]})[0][0]
    return y[:, :x.shape[0], :x.shape[1], :x.shape[2]]


def softmax(y):
    e = np.exp(y - y.max(0))
    return e / e.sum(0)


def locate(net, a, spacing):
    """{1: left, 2: right} -> (centre in voxels x, y, z of a, highest probability, ml) or None, whatever the gate."""
    p = softmax(run(net, normalise(area_resample(a, spacing)).transpose(2, 1, 0)))
    found, best = {}, p.argmax(0)
    for side in (1, 2):
        parts, n = ndimage.label(best == side)
        found[side] = None
        if n:
            mass = ndimage.sum_labels(p[side], parts, range(1, n + 1))
            where = parts == 1 + np.argmax(mass)
            z, y, x = (np.nonzero(where) * p[side][where]).sum(1) / p[side][where].sum()
            mm = (np.array([x, y, z]) + 0.5) * STEP
            found[side] = (mm / spacing - 0.5, float(p[side][where].max()), where.sum() * STEP ** 3 / 1000)
    return found


def passes(hit):
    return hit is not None and hit[1] >= THRESHOLD and hit[2] >= MINIMUM_ML


def box_at(a, centre):
    """40 x 56 x 40 voxels of a 1 mm volume [x, y, z] about a centre; (crop, start index)."""
    start = np.floor(np.asarray(centre) + 1).astype(int) - np.array(BOX) // 2
    index = [np.clip(np.arange(s, s + n), 0, m - 1) for s, n, m in zip(start, BOX, a.shape)]
    return a[np.ix_(*index)], start


def labelled(net, crop):
    """Labels 0, 1, 2 of a 1 mm crop [x, y, z], with mirrored averaging; the largest component is kept."""
    x = normalise(crop).transpose(2, 1, 0)
    y = run(net, x) + run(net, np.ascontiguousarray(x[:, :, ::-1]))[..., ::-1]
    label = y.argmax(0)
    parts, n = ndimage.label(label > 0)
    if n > 1:
        label = label * (parts == 1 + np.argmax(ndimage.sum_labels(label > 0, parts, range(1, n + 1))))
    return label.transpose(2, 1, 0)


def session(model, folder=None):
    return onnxruntime.InferenceSession(str((folder or C.MODELS / model) / "model.onnx"))
