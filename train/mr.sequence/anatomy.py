"""Tissues in a plane: heads around real brains (shares of white, grey, liquor from T1), trunks and limbs (from the
drawn CT slices of ct.region), spines, and blobs of any tissue. A plane is (labels [rows, columns] of contrasts.TISSUES,
shares [white, grey, liquor] or None)."""
import importlib.util
from pathlib import Path

import numpy as np
from scipy import ndimage

from contrasts import AT

MM = 1.45                    # of a pixel of a head

spec = importlib.util.spec_from_file_location("ct_region_simulated", Path(__file__).resolve().parent.parent / "ct.region/simulated.py")
DRAWN = importlib.util.module_from_spec(spec)
spec.loader.exec_module(DRAWN)


def smooth(rng, shape, sigma):
    """A smooth random field of unit variance: coarse noise, spline between."""
    n = [max(3, int(np.ceil(s / max(sigma, 1))) + 3) for s in shape]
    f = rng.normal(size=n)
    f = ndimage.zoom(f, [(s + 1) / k for s, k in zip(shape, n)], order=3 if sigma > 3 else 1)[:shape[0], :shape[1]]
    f = np.pad(f, [(0, s - k) for s, k in zip(shape, f.shape)], mode="edge")
    return f / (f.std() + 1e-9)


def shares_of(t1):
    """Shares (white, grey, liquor) of a T1 volume without skull, by three means of its values."""
    inside = ndimage.binary_fill_holes(t1 > 0)
    v = t1[t1 > 0][::97]
    m = np.percentile(v, [10, 45, 85]).astype(float)
    for _ in range(15):
        nearest = abs(v[:, None] - m[None]).argmin(1)
        m = np.array([v[nearest == k].mean() if (nearest == k).any() else m[k] for k in range(3)])
    liquor, grey, white = np.sort(m)
    w = np.clip((t1 - grey) / (white - grey), 0, 1)
    q = np.clip((grey - t1) / (grey - liquor), 0, 1)
    return np.stack([w * inside, (1 - w - q).clip(0) * inside, q * inside]).astype(np.float32)


def warped(rng, planes, bend):
    """Planes [k, rows, columns] turned, stretched and bent together."""
    shape = planes[0].shape
    yy, xx = (np.mgrid[:shape[0], :shape[1]] - np.array(shape).reshape(2, 1, 1) / 2).astype(np.float32)
    a, sy, sx, shear = rng.normal(0, 0.15), np.exp(rng.normal(0, 0.1)), np.exp(rng.normal(0, 0.1)), rng.normal(0, 0.05)
    y, x = (np.cos(a) * yy + np.sin(a) * xx) * sy, (np.cos(a) * xx - np.sin(a) * yy) * sx + shear * yy
    at = [y + shape[0] / 2 + smooth(rng, shape, 15) * bend, x + shape[1] / 2 + smooth(rng, shape, 15) * bend]
    return np.stack([ndimage.map_coordinates(p, at, order=1) for p in planes])


def layers(rng, far):
    """Liquor, skull with marrow, muscle, fat and skin by the distance from the brain in mm."""
    u, shape = rng.uniform, far.shape
    far = far + smooth(rng, shape, 10) * u(0, 1.5)
    edges = np.cumsum([u(0.3, 5), u(0.8, 2), u(0.5, 5), u(0.8, 2), u(0, 4), u(1.5, 8), u(1, 2.5)])
    label = np.zeros(shape, np.int64)
    for edge, name in reversed(list(zip(edges, ["liquor", "cortex", "marrow", "cortex", "muscle", "fat", "skin"]))):
        label[(far < edge) & (far > 0)] = AT[name]
    label[(label == AT["muscle"]) & (smooth(rng, shape, 17) > u(-0.5, 1))] = AT["fat"]
    return label, edges[-1]


def flesh(rng, shape):
    """A face or a neck, as far as a contrast goes: patches of everything that is there."""
    u = rng.uniform
    a, b, c = smooth(rng, shape, u(4, 10)), smooth(rng, shape, u(3, 6)), smooth(rng, shape, u(2, 5.5))
    label = np.full(shape, AT["muscle"])
    label[a > u(-0.2, 0.8)] = AT["fat"]
    label[(b > u(0.9, 1.6))] = AT["mucosa"]
    label[(c > u(0.9, 1.8))] = AT["air"]
    label[(b < -u(1.0, 1.8))] = AT["marrow"]
    label[abs(b + u(1.0, 1.8)) < 0.12] = AT["cortex"]
    label[(c < -u(1.5, 2.2))] = AT["fluid"]
    label[(a < -u(1.6, 2.2))] = AT["organ"]
    return label


def face(rng, label, far, inside, rim):
    """Below or in front of the brain; eyes now and then."""
    shape, u = label.shape, rng.uniform
    yy, xx = np.mgrid[:shape[0], :shape[1]] * MM
    rows = np.nonzero(inside)[0] * MM
    turn = rng.normal(0, 0.5)
    middle = np.nonzero(inside)[1].mean() * MM
    depth = yy + (xx - middle) * turn - (rows.max() - u(-8, 45))
    area = (depth > 0) & (far > u(0.5, 6)) & (far < u(20, 80)) & (abs(xx - middle) < u(35, 85))
    if not area.any():
        return label
    label = np.where(area, flesh(rng, shape), label)
    near = ndimage.distance_transform_edt(area | (label > 0) | inside) * MM
    label[(near < 1 + rim * 0.15) & area] = AT["skin"]
    label[(near >= 1 + rim * 0.15) & (near < rim * 0.6) & area] = AT["fat"]
    if rng.random() < 0.35:
        for side in (-1, 1):
            cy, cx, r = rows.max() - u(-15, 20), middle + side * u(22, 34), u(9, 13)
            d = np.hypot(yy - cy, xx - cx)
            label[(d < r * 1.7) & ~inside & (label > 0)] = AT["fat"]
            label[(d < r) & ~inside] = AT["fluid"]
    return label


def spots(rng, label, where, name, count, sizes):
    """`count` round parts of a tissue somewhere in `where`."""
    at = np.argwhere(where)
    for _ in range(count if len(at) else 0):
        y, x = at[rng.integers(len(at))]
        a, b, t = rng.uniform(*sizes), rng.uniform(*sizes), rng.uniform(0, 3.2)
        yy, xx = np.mgrid[:label.shape[0], :label.shape[1]]
        dy, dx = yy - y, xx - x
        d = np.hypot((dx * np.cos(t) + dy * np.sin(t)) / a, (dy * np.cos(t) - dx * np.sin(t)) / b)
        label = np.where((d < 1) & where, AT[name], label)
    return label


def ill(rng, label, inside, shares):
    """Lesions, strokes, tumours with oedema, vessels. Where a label of the brain is not 0 it replaces the shares."""
    white = shares[0] > 0.4
    if rng.random() < 0.35:
        label = spots(rng, label, white, "lesion", rng.integers(1, 10), (0.8, 4))
    if rng.random() < 0.12:
        label = spots(rng, label, inside, "stroke", rng.integers(1, 3), (3, 16))
    if rng.random() < 0.2:
        core = spots(rng, np.zeros_like(label), inside, "tumour", 1, (4, 17))
        near = ndimage.distance_transform_edt(core == 0)
        label[(near < rng.uniform(0, 10)) & white] = AT["lesion"]
        label[core > 0] = AT["tumour"]
        if rng.random() < 0.5:
            label[ndimage.distance_transform_edt(core > 0) > rng.uniform(1.5, 4)] = AT["necrosis"]
    return spots(rng, label, inside & (shares[2] > 0.3), "vessel", rng.integers(0, 10), (0.6, 1.6))


def head(rng, shares, reals=None):
    """(labels, shares, {sequence: real brain}) of a head: a slice of shares [3, rows, columns], and real pictures of it."""
    pad, names = int(rng.integers(12, 32)), list(reals or {})
    planes = np.pad(np.concatenate([shares, *(reals[k][None] for k in names)]), [(0, 0), (pad, pad), (pad, pad)])
    planes = warped(rng, planes, rng.uniform(0, 1.8))
    shares = planes[:3]
    inside = ndimage.binary_fill_holes(shares.sum(0) > 0.5)
    label = np.zeros(inside.shape, np.int64)
    if rng.random() < 0.75:
        hull = ndimage.distance_transform_edt(ndimage.distance_transform_edt(~inside) < 8) > 8
        far = ndimage.distance_transform_edt(~(inside | hull)) * MM
        label, rim = layers(rng, far)
        label[hull & ~inside] = AT["liquor"]
        if rng.random() < 0.55:
            label = face(rng, label, far, inside, rim)
    label[inside] = 0
    label = ill(rng, label, inside, shares)
    return label, shares * inside, {k: p * inside for k, p in zip(names, planes[3:])}


def body(rng, region=None):
    """A drawn CT slice as tissues by its HU."""
    region = region or str(rng.choice(["neck", "chest", "abdomen", "pelvis", "limb", "limb"]))
    hu = ndimage.gaussian_filter(DRAWN.slice_of(rng, region), 0.7)
    hu = hu + smooth(rng, hu.shape, 5) * rng.uniform(0, 12)
    cut = rng.uniform(35, 70)
    soft = ["muscle", "muscle", "organ", "gut"] if region == "limb" else ["liver", "organ", "gut", "muscle"]
    label = np.digitize(hu, [-300, -25, 18, cut, 95, 160, 420])
    names = ["air", "fat", "fluid" if rng.random() < 0.5 else "gut", "muscle", str(rng.choice(soft)), "organ", "marrow", "cortex"]
    label = np.array([AT[n] for n in names])[label]
    shell = ndimage.distance_transform_edt(label > 0)
    label[(shell > 0) & (shell < 1.6) & (label > 0)] = np.where(rng.random() < 0.7, AT["skin"], AT["fat"])
    flesh_ = (label == AT["muscle"]) | (label == AT["organ"])
    if rng.random() < 0.4:
        label = spots(rng, label, flesh_, str(rng.choice(["tumour", "fluid", "lesion", "fat", "necrosis"])), rng.integers(1, 4), (3, 18))
    return spots(rng, label, label > 0, "vessel", rng.integers(0, 8), (0.8, 3)), None, None


def spine(rng, n=128):
    """A sagittal spine: bodies and discs in front of a canal with cord, fat and muscle behind."""
    u = rng.uniform
    y, x = np.mgrid[:n, :n].astype(float)
    curve = 60 + u(-10, 10) + u(0, 12) * np.sin(y / n * u(2, 6) + u(0, 6)) + u(-0.2, 0.2) * y
    d = x - curve
    wide, high, gap = u(14, 26), u(14, 24), u(3, 7)
    label = np.where(d < 0, flesh(rng, (n, n)), AT["muscle"])
    label[(smooth(rng, (n, n), 10) > 0.6) & (d > wide)] = AT["fat"]
    column = (d > 0) & (d < wide)
    phase = (y + u(0, high) + 0.1 * d) % (high + gap)
    label[column] = AT["disc"]
    label[column & (phase < high)] = AT["cortex"]
    label[(d > 1.2) & (d < wide - 1.2) & (phase > 1.2) & (phase < high - 1.2)] = AT["marrow"]
    canal, cord = wide + u(10, 17), u(4, 8)
    label[(d > wide) & (d < canal)] = AT["liquor"]
    c = d - (wide + canal) / 2 + u(-2, 2)
    label[(abs(c) < cord / 2) & (y < n * u(0.5, 1.6))] = AT["cord"]
    label[(d > canal) & (d < canal + u(2, 7))] = AT["fat"]
    back = canal + u(25, 45)
    label[d > back] = AT["fat"]
    label[d > back + u(4, 20)] = AT["air"]
    if rng.random() < 0.3:
        label = spots(rng, label, label == AT["marrow"], str(rng.choice(["tumour", "lesion"])), 2, (3, 9))
    return label, None, None


def blobs(rng, n=128):
    """Any tissues in any shapes inside a round outline, or over the whole picture."""
    names = [t for t in AT if t not in ("white", "grey", "cord")]
    label = np.full((n, n), AT["muscle"])
    for _ in range(rng.integers(4, 14)):
        label[smooth(rng, (n, n), rng.uniform(4, 25)) > rng.uniform(0.3, 1.8)] = AT[str(rng.choice(names))]
    if rng.random() < 0.7:
        y, x = (np.mgrid[:n, :n] - n / 2) / (n / 2)
        d = np.hypot(y / rng.uniform(0.5, 1), x / rng.uniform(0.5, 1)) + smooth(rng, (n, n), 20) * 0.06
        label[d > rng.uniform(0.85, 0.95)] = AT["fat"]
        label[d > 1] = AT["air"]
    return label, None, None
