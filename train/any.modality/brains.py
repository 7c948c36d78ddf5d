"""Brain slices of other contrasts made from real T1 slices without skull: T1, T2, FLAIR, diffusion (trace, b about 1000),
with an invented rim of liquor, skull, scalp, and the looks of each sequence (echo planar: coarse, bent, no scalp)."""
import numpy as np
from scipy import ndimage

import recognition as R

SEQUENCES = ["T1", "T2", "FLAIR", "diffusion"]


def smooth(rng, shape, sigma):
    f = ndimage.gaussian_filter(rng.normal(size=shape), sigma, mode="wrap")
    return f / (f.std() + 1e-9)


def tissues(t1):
    """Shares (white, grey, liquid) of a T1 volume without skull, by three means of its values."""
    inside = t1 > 0
    inside = ndimage.binary_fill_holes(inside)
    v = t1[t1 > 0][::97]
    m = np.percentile(v, [10, 45, 85]).astype(float)
    for _ in range(15):
        nearest = abs(v[:, None] - m[None]).argmin(1)
        m = np.array([v[nearest == k].mean() if (nearest == k).any() else m[k] for k in range(3)])
    liquid, grey, white = np.sort(m)
    w = np.clip((t1 - grey) / (white - grey), 0, 1)
    q = np.clip((grey - t1) / (grey - liquid), 0, 1)
    return np.stack([w * inside, (1 - w - q).clip(0) * inside, q * inside])


def brain(rng, t, t1, kind):
    """Values of tissue shares [white, grey, liquid] by contrast."""
    u = rng.uniform
    if kind == "T1" and rng.random() < 0.4:
        return (t1 / np.percentile(t1[t1 > 0], 95)).clip(0, 1.6) ** u(0.6, 1.5)
    w, g, q = {"T1": (1, u(0.5, 0.95), u(0.05, 0.45)), "T2": (u(0.2, 0.5), u(0.45, 0.75), u(0.9, 2.2)),
               "FLAIR": (u(0.55, 0.9), 1, u(0, 0.35)), "diffusion": (u(0.55, 1), u(0.6, 0.9), u(0, 0.25))}[kind]
    v = w * t[0] + g * t[1] + q * t[2]
    if kind == "diffusion":                                  # tracts: white matter varies by direction
        v = v + t[0] * smooth(rng, v.shape, u(2, 8)) * u(0, 0.35)
    return v


def lesions(rng, v, t, kind):
    for _ in range(rng.integers(0, 6)):
        y, x = rng.integers(0, v.shape[0]), rng.integers(0, v.shape[1])
        yy, xx = np.mgrid[:v.shape[0], :v.shape[1]]
        spot = np.exp(-(((yy - y) / rng.uniform(2, 9)) ** 2 + ((xx - x) / rng.uniform(2, 9)) ** 2)) * (t[0] + t[1])
        v = v + spot * {"T1": rng.uniform(-0.4, 0.5), "T2": rng.uniform(0, 1), "FLAIR": rng.uniform(0, 1), "diffusion": rng.uniform(-0.2, 1.5)}[kind]
    return v


def surroundings(rng, v, inside, kind):
    far = ndimage.distance_transform_edt(~inside) + smooth(rng, v.shape, 12) * rng.uniform(0, 2)
    a, b, d = np.cumsum([rng.uniform(0.5, 6), rng.uniform(3, 9), rng.uniform(3, 14)])
    rim = {"T1": rng.uniform(0.05, 0.4), "T2": rng.uniform(0.9, 2.2), "FLAIR": rng.uniform(0, 0.3), "diffusion": rng.uniform(0, 0.1)}[kind]
    skin = {"T1": rng.uniform(0.8, 2.2), "T2": rng.uniform(0.3, 1.2), "FLAIR": rng.uniform(0.2, 1.2), "diffusion": rng.uniform(0, 0.12)}[kind]
    shell = np.where(far < a, rim, np.where(far < b, rng.uniform(0, 0.25), skin)) * (1 + 0.15 * smooth(rng, v.shape, 6))
    out = np.where((far < d) & (far > 0), shell, 0)
    if rng.random() < 0.5 and kind != "diffusion":           # face, neck on one side
        y0 = np.nonzero(inside)[0].max() + rng.uniform(-25, 10)
        below = np.mgrid[:v.shape[0], :v.shape[1]][0] > y0
        flesh = (rng.uniform(0.2, 0.8) + 0.35 * smooth(rng, v.shape, 5) + 0.3 * smooth(rng, v.shape, 2)).clip(0, 2)
        out = np.where(below & (far < rng.uniform(30, 70)) & (out == 0), flesh, out)
    return np.where(inside, v, out)


def epi(rng, v):
    """Coarse, bent along one axis, signal lost and piled up near the front, blurred."""
    yy, xx = np.mgrid[:v.shape[0], :v.shape[1]].astype(float)
    bend = smooth(rng, v.shape, rng.uniform(12, 30)) * rng.uniform(0, 5)
    v = ndimage.map_coordinates(v, [yy + bend, xx], order=1)
    v = v * np.clip(1 + smooth(rng, v.shape, 20) * rng.uniform(0, 0.25), 0.2, 2)
    z = rng.uniform(0.3, 0.75)
    v = ndimage.zoom(ndimage.gaussian_filter(v, 0.5 / z), z, order=1)
    return v


def slice_of(rng, t, t1, kind):
    """One slice; t [3, rows, columns] and t1 [rows, columns] of the same T1 slice without skull."""
    pad = [(28, 28), (28, 28)]
    t, t1 = np.pad(t, [(0, 0)] + pad), np.pad(t1, pad)
    if rng.random() < 0.5:
        yy, xx = np.mgrid[:t1.shape[0], :t1.shape[1]].astype(float)
        by, bx = (smooth(rng, t1.shape, 14) * rng.uniform(0, 5) for _ in range(2))
        t1 = ndimage.map_coordinates(t1, [yy + by, xx + bx], order=1)
        t = np.stack([ndimage.map_coordinates(c, [yy + by, xx + bx], order=1) for c in t])
    inside = ndimage.binary_fill_holes(t.sum(0) > 0.5)
    v = lesions(rng, brain(rng, t, t1, kind), t, kind) * inside
    if rng.random() < 0.7:
        v = surroundings(rng, v, inside, kind)
    v = v * np.exp(smooth(rng, v.shape, max(v.shape) / 4) * rng.uniform(0, 0.25))
    if kind == "diffusion" or rng.random() < 0.05:
        v = epi(rng, v)
    level = rng.uniform(0, 0.05) * (3 if kind == "diffusion" else 1) * np.percentile(v, 99)
    v = np.hypot(v + rng.normal(size=v.shape) * level, rng.normal(size=v.shape) * level)
    return v.astype(np.float32)


MADE = 220                       # slices of each contrast


def changed(rng, s):
    """Another look of a made slice."""
    if rng.random() < 0.5:
        s = R.cropped(rng, s, 0.6)
    if rng.random() < 0.6:
        s = R.scaled(rng, s, 48, 256)
    s = s[:, ::-1] if rng.random() < 0.5 else s
    s = np.rot90(s, rng.integers(4))
    g = R.grey(s, rng.uniform(0, 2), rng.uniform(98.5, 100)) / 255
    g = (g ** np.exp(rng.normal(0, 0.2))).astype(np.float32) * 255
    return R.framed(rng, np.ascontiguousarray(g))


def parts(label):
    """Parts of a bank (parted() of recognition.py): slices of open-ms-lesion's T1 brains in each contrast, all called `label`."""
    brains = []

    def contrasts(rng, kind):
        if not brains:
            folder = R.C.DATA / "mr/open-ms-lesion"
            brains.extend((b, tissues(b)) for b in (R.nifti(f) for f in sorted(folder.glob("derived-uint8/*/T1.nii.gz"))))
        for _ in range(MADE):
            b, t = brains[rng.integers(len(brains))]
            axis = rng.choice([2, 2, 1, 0])
            k = int(b.shape[axis] * rng.uniform(0.2, 0.8))
            cut, shares = np.take(b, k, axis), np.take(t, k, axis + 1)
            if (cut > 0).mean() > 0.15:
                yield label, slice_of(rng, shares, cut, kind)
    return {f"made {kind}": lambda rng, kind=kind: contrasts(rng, kind) for kind in SEQUENCES}
