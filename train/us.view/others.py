"""Frames that are no fetal head: the readers of other sets, near-duplicate clusters, and a small simulator of
B-mode frames (layers, blobs, chambers, shadows; linear, sector or curved field; text, callipers, scales)."""
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C
import ultrasound as U


def clusters(files, near=0.93):
    """[[files of one near-duplicate cluster]]: 16 x 16 thumbnails that correlate above `near` are joined."""
    t = np.stack([U.area_resize(U.grey(f), 16, 16).ravel() for f in files])
    t = (t - t.mean(1, keepdims=True)) / (t.std(1, keepdims=True) + 1e-6)
    alike, root = t @ t.T / t.shape[1] > near, list(range(len(files)))
    for i, j in np.argwhere(np.triu(alike, 1)):
        a, b = root[i], root[j]
        if a != b:
            root = [a if r == b else r for r in root]
    return [[files[i] for i in range(len(files)) if root[i] == r] for r in sorted(set(root))]


def dicom_frames(path):
    """Grey frames 0..255 of a DICOM file (palette, YBR and RGB to grey)."""
    import pydicom
    from pydicom.pixels import apply_color_lut
    d = pydicom.dcmread(path)
    a = d.pixel_array                       # pydicom 3 has turned YBR into RGB here
    if "PALETTE" in d.PhotometricInterpretation:
        a = apply_color_lut(a, d)
        a = a / 257 if a.dtype == np.uint16 else a
    a = a[None] if a.ndim == 3 and a.shape[-1] == 3 or a.ndim == 2 else a
    return [np.asarray(Image.fromarray(np.uint8(f)).convert("L"), np.float32) for f in a]


# ---------------------------------------------------------------- simulator

def _smooth(rng, h, w, sigma):
    """Smooth random field of unit variance; wide ones are made on a coarse grid."""
    if np.isscalar(sigma) and sigma >= 4 and min(h, w) >= 32:
        k = int(sigma / 2)
        f = ndimage.gaussian_filter(rng.normal(size=(-(-h // k) + 1, -(-w // k) + 1)), sigma / k, mode="wrap")
        f = ndimage.zoom(f, (h / f.shape[0], w / f.shape[1]), order=1)
    else:
        f = ndimage.gaussian_filter(rng.normal(size=(h, w)), sigma, mode="wrap")
    return f / f.std()


def _blob(rng, h, w, size):
    """(signed distance-like map, < 1 inside) of an irregular closed shape."""
    y, x = np.mgrid[:h, :w]
    cy, cx, t = rng.uniform(0.1, 0.9) * h, rng.uniform(0.1, 0.9) * w, rng.uniform(0, np.pi)
    dy, dx = y - cy, x - cx
    a, b = size * rng.uniform(0.5, 1.3) * h, size * rng.uniform(0.4, 1.3) * w
    u, v = dx * np.cos(t) + dy * np.sin(t), dy * np.cos(t) - dx * np.sin(t)
    angle = np.arctan2(v / a, u / b)
    wobble = sum(rng.normal(0, 0.25 / k) * np.cos(k * angle + rng.uniform(0, 6)) for k in (2, 3, 4, 5))
    return np.hypot(u / b, v / a) / (1 + np.clip(wobble, -0.5, 0.5)), angle


def tissue(rng, h, w):
    """Log echo strength: wavy layers, cyst- and vessel-like blobs, chambers with broken walls, reflectors."""
    y = np.mgrid[:h, :w][0] + _smooth(rng, h, w, w / 5) * rng.uniform(0, 10)
    bands = np.interp(y, np.sort(rng.uniform(0, h, 12)), rng.normal(0, rng.uniform(0.1, 0.9), 12))
    e = bands + _smooth(rng, h, w, rng.uniform(2, 12)) * rng.uniform(0.1, 0.6)
    for _ in range(rng.integers(0, 7)):
        d, angle = _blob(rng, h, w, rng.uniform(0.05, 0.35))
        e = np.where(d < 1, e * 0.4 + rng.choice([-3, -1.5, 0.8]) * rng.uniform(0.4, 1), e)
        if rng.random() < 0.5:
            wall = np.exp(-((d - 1) / rng.uniform(0.03, 0.12)) ** 2)
            e = e + wall * rng.uniform(0.5, 2) * (np.cos(angle - rng.uniform(0, 6)) > rng.uniform(-0.3, 0.8))
    for _ in range(rng.integers(0, 14)):
        line = np.exp(-((y - rng.uniform(0, h)) / rng.uniform(0.5, 2)) ** 2)
        e = e + line * (_smooth(rng, h, w, w / 12) > 0.4) * rng.uniform(0.5, 2.5)
    if rng.random() < 0.5:
        e = e + np.minimum(0, _smooth(rng, 1, w, (0, w / 15)) + rng.uniform(0, 1)) * y / h * 2
    return e - y / h * rng.uniform(0, 1.5)


def field(rng, h, w):
    """Mask of a linear (whole), trapezoid, sector or curved field of view."""
    y, x = np.mgrid[:h, :w]
    kind, x = rng.integers(4), (x - w * rng.uniform(0.45, 0.55)) / (w / 2)
    if kind == 0:
        return np.ones((h, w), bool)
    if kind == 1:
        return np.abs(x) < rng.uniform(0.4, 0.9) + y / h * rng.uniform(0, 0.5)
    top = -rng.uniform(0, 0.9) if kind == 3 else rng.uniform(0, 0.08)
    y = y / h - top
    r = np.hypot(x * rng.uniform(0.8, 1.1), y)
    return (np.abs(np.arctan2(x, y)) < rng.uniform(0.4, 0.9)) & (r < (1 - top) * rng.uniform(0.85, 1.05)) & \
        (r > (-top if kind == 3 else 0))


def overlay(rng, frame):
    """Text, callipers, a grey scale, boxes: what machines draw."""
    picture = Image.fromarray(np.uint8(frame))
    draw, (w, h) = ImageDraw.Draw(picture), picture.size
    for _ in range(rng.integers(0, 7)):
        at, tone = (rng.uniform(0, w), rng.uniform(0, h)), int(rng.integers(120, 256))
        kind = rng.integers(5)
        if kind == 0:
            draw.text(at, "".join(rng.choice(list("ABCDEFGHKLMT0123456789 ./"), rng.integers(2, 12))), fill=tone)
        elif kind == 1:
            draw.text(at, "+", fill=tone)
        elif kind == 2:
            draw.rectangle([at[0] * 0.5, at[1] * 0.5, at[0] * 0.5 + rng.uniform(5, w / 2),
                            at[1] * 0.5 + rng.uniform(5, h / 2)], outline=tone)
        elif kind == 3:
            for k in range(int(rng.integers(4, 12))):
                draw.line([w - 4, k * h / 12, w - 1, k * h / 12], fill=tone)
        else:
            draw.line([at, (rng.uniform(0, w), rng.uniform(0, h))], fill=tone)
    return np.asarray(picture, np.float32)


def simulated(rng, n=128):
    """One frame n x n, 0..255."""
    wave = rng.normal(size=(2, n, n)) * np.exp(tissue(rng, n, n))[None]
    psf = (0, rng.uniform(0.4, 1.1), rng.uniform(0.6, 2.5))
    b = np.log(np.hypot(*ndimage.gaussian_filter(wave, psf)) + 1e-4)
    low, high = np.percentile(b, [rng.uniform(1, 25), rng.uniform(98, 99.9)])
    frame = np.clip((b - low) / (high - low), 0, 1) * 255 * rng.uniform(0.6, 1)
    frame = frame * field(rng, n, n)
    return overlay(rng, frame) if rng.random() < 0.7 else frame.astype(np.float32)
