"""MR pictures made from tissues in a plane (anatomy.py) and the signal equations (contrasts.py): partial volume, shading,
ghosts, noise, and the looks of echo planar imaging (coarse, bent, signal lost and piled up)."""
import numpy as np
from scipy import ndimage

import anatomy as A
import contrasts as K

SEQUENCES = K.SEQUENCES


def painted(rng, label, shares, real, sequence, s, b):
    """Values of the plane; of heads the brain by its shares, or a real brain of this sequence at the brain's level."""
    v = s[label]
    v = v * (1 + rng.uniform(0, 0.12) * A.smooth(rng, v.shape, rng.uniform(1.5, 6)) * (v > 0.02 * s.max()))
    if shares is None:
        return v
    w, g, q = (s[K.AT[n]] for n in ("white", "grey", "liquor"))
    deep = 1 + rng.uniform(0, 0.1) * A.smooth(rng, v.shape, rng.uniform(8, 25))
    brain = (w * shares[0] + g * shares[1]) * deep + q * shares[2]
    if b and rng.random() < 0.3:                             # one direction: tracts along it are dark, across bright
        adc = rng.uniform(0.05, 0.35) * A.smooth(rng, v.shape, rng.uniform(2, 9)).clip(-1.5, 1.5)
        brain = brain + w * shares[0] * (np.exp(-b * adc) - 1)
    elif b:
        brain = brain * (1 + rng.uniform(0, 0.12) * A.smooth(rng, v.shape, rng.uniform(2, 6)))
    if real is not None and (shares.sum(0) > 0.5).any():
        brain = real / max(np.percentile(real[shares.sum(0) > 0.5], 75), 1e-6) * max(w, g)
    return np.where((shares.sum(0) > 0.05) & (label == 0), brain, v)


def flow(rng, v, label, shares, level):
    """Liquor that was not suppressed everywhere (it flows into the slice)."""
    liquor = label == K.AT["liquor"]
    share = liquor + (shares[2] if shares is not None else 0)
    where = A.smooth(rng, v.shape, rng.uniform(10, 30)) > rng.uniform(0.8, 2)
    return v + share * where * level * rng.uniform(0.2, 1.2)


def planar(rng, v):
    """Bent along one axis, lost and piled up about air, coarse."""
    axis, bend = rng.integers(2), A.smooth(rng, v.shape, rng.uniform(18, 40)) * rng.uniform(0, 4)
    at = np.mgrid[:v.shape[0], :v.shape[1]].astype(float)
    at[axis] += bend
    stretch = 1 + np.gradient(bend, axis=axis)
    v = ndimage.map_coordinates(v, at, order=1) * stretch.clip(0.2, 3)
    if rng.random() < 0.6:
        v = v * np.clip(1.2 - abs(A.smooth(rng, v.shape, 25)) * rng.uniform(0, 0.4), 0.1, 1.2)
    if rng.random() < 0.3:                                   # ghosts half a field away
        v = v + np.roll(v, v.shape[axis] // 2, axis) * rng.uniform(0, 0.08)
    return coarse(rng, v, rng.uniform(0.35, 0.9))


def coarse(rng, v, zoom):
    v = ndimage.gaussian_filter(v, 0.42 / zoom)
    v = ndimage.zoom(v, zoom, order=1)
    return np.clip(ndimage.zoom(v, 1 / zoom, order=3), 0, None) if rng.random() < 0.3 else v


def slice_of(rng, plane, sequence):
    """One picture of a plane (labels, shares or None, {sequence: real brain}) in a sequence."""
    label, shares, real = plane
    s, b, is_planar = K.signals(rng, sequence)
    real = (real or {}).get(sequence)
    v = painted(rng, label, shares, real if rng.random() < 0.6 else None, sequence, s, b)
    if sequence == "FLAIR" and rng.random() < 0.4:
        v = flow(rng, v, label, shares, s[K.AT["grey"]])
    v = v * np.exp(A.smooth(rng, v.shape, max(v.shape) / rng.uniform(1.5, 4)) * rng.uniform(0, 0.3))
    if is_planar:
        v = planar(rng, v)
    elif rng.random() < 0.6:
        v = coarse(rng, v, rng.uniform(0.45, 1))
    else:
        v = ndimage.gaussian_filter(v, rng.uniform(0.3, 0.8))
    top = np.percentile(v[v > 0.02 * v.max()], 80) if v.max() > 0 else 1
    level = top * (rng.uniform(0.02, 0.22) if sequence == "diffusion" else rng.uniform(0, 0.07))
    v = np.hypot(v + rng.normal(size=v.shape) * level, rng.normal(size=v.shape) * level)
    return np.where(v <= rng.uniform(0, 2) * level, 0, v).astype(np.float32) if rng.random() < 0.2 else v.astype(np.float32)
