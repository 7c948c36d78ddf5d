"""Simulated sections that are no fetal head: hearts, abdominal organs, cysts, vessels, fetal trunks and bones, and CT
or MR slices, all seen through a sector or a linear field with speckle; and the screen a machine draws around a frame.

Everything is 128 x 128. Echo strength maps are in units of the logarithm of the amplitude."""
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C
import others as O
import ultrasound as U

N = 128
Y, X = np.mgrid[:N, :N].astype(np.float32)


def radius(rng, cx, cy, a, b, tilt, wobble=0.12):
    """(distance from the rim of an irregular ellipse in pixels, < 0 inside; angle). a lies along the tilt."""
    u = (X - cx) * np.cos(tilt) + (Y - cy) * np.sin(tilt)
    v = (Y - cy) * np.cos(tilt) - (X - cx) * np.sin(tilt)
    angle = np.arctan2(v / b, u / a)
    shape = 1 + sum(rng.normal(0, wobble / k) * np.cos(k * angle + rng.uniform(0, 6)) for k in (2, 3, 4))
    return (np.hypot(u / a, v / b) / np.clip(shape, 0.5, 1.5) - 1) * np.sqrt(a * b), angle


def bright(distance, width):
    return np.exp(-(distance / width) ** 2)


def gaps(rng, angle):
    """0..1 weight along a wall: where the beam runs along it, it drops out."""
    w = 1 + rng.uniform(0, 1) * np.cos(2 * angle + rng.uniform(0, 6))
    w = w + rng.uniform(0, 0.7) * np.cos(angle + rng.uniform(0, 6))
    return np.clip(w, 0, 2)


VIEWS = {  # chambers in heart coordinates (along, across, half lengths); along grows from the apex to the base
    "four": [(-0.3, -0.28, 0.55, 0.24), (-0.2, 0.27, 0.48, 0.2), (0.6, -0.25, 0.27, 0.24), (0.6, 0.25, 0.27, 0.24)],
    "two": [(-0.25, 0, 0.6, 0.32), (0.62, 0, 0.3, 0.3)],
    "three": [(-0.25, -0.05, 0.58, 0.3), (0.6, -0.25, 0.28, 0.24), (0.6, 0.27, 0.3, 0.16)],
    "left": [(0, 0, 0.75, 0.35)],
    "short": [(0, 0, 0.42, 0.42), (0, 0.75, 0.45, 0.2)]}


def heart(rng):
    """Two to four dark chambers in soft bright walls, valves, a pericardium; apical, parasternal or short axis."""
    name = rng.choice(list(VIEWS), p=[0.28, 0.25, 0.17, 0.15, 0.15])
    size, tilt = rng.uniform(24, 62), np.pi / 2 + rng.normal(0, 0.35)
    if name == "three" and rng.random() < 0.6 or rng.random() < 0.1:
        tilt = rng.uniform(-0.5, 0.5)
    cx, cy, thin = rng.uniform(40, 88), rng.uniform(40, 84), rng.uniform(0.75, 1.25)
    nearest, edge = np.full((N, N), 99.0, np.float32), np.zeros((N, N), np.float32)
    for along, across, a, b in VIEWS[name]:
        along, across = along + rng.normal(0, 0.04), (across + rng.normal(0, 0.04)) * thin
        x = cx + size * (along * np.cos(tilt) - across * np.sin(tilt))
        y = cy + size * (along * np.sin(tilt) + across * np.cos(tilt))
        d, angle = radius(rng, x, y, size * a * rng.uniform(0.85, 1.1), size * b * thin * rng.uniform(0.8, 1.1),
                          tilt + rng.normal(0, 0.12))
        nearest = np.minimum(nearest, d)
        edge = edge + bright(d, rng.uniform(1, 3.5)) * gaps(rng, angle) * rng.uniform(0, 1)
    thick = size * rng.uniform(0.08, 0.4)
    wall = 1 / (1 + np.exp((nearest - thick) / rng.uniform(0.8, 3)))
    outside = rng.uniform(-3.5, 0.3)
    e = np.where(nearest < 0, -rng.uniform(1.5, 4.5), outside + wall * (rng.uniform(-0.5, 1.2) - outside))
    e = e + edge * (nearest < thick) * rng.uniform(0.3, 2)
    e = e + bright(nearest - thick, rng.uniform(1, 3)) * (O._smooth(rng, N, N, N / 8) > rng.uniform(-0.8, 0.8)) \
        * rng.uniform(0, 2.5)
    for _ in range(rng.integers(0, 4)):                                       # valves, cords, papillary muscles
        t, at = rng.uniform(0, np.pi), (cx + rng.normal(0, size / 3), cy + rng.normal(0, size / 3))
        along = (X - at[0]) * np.cos(t) + (Y - at[1]) * np.sin(t)
        across = (Y - at[1]) * np.cos(t) - (X - at[0]) * np.sin(t) + along ** 2 * rng.normal(0, 0.01)
        e = e + bright(across, rng.uniform(0.7, 3)) * (abs(along) < rng.uniform(3, 16)) * rng.uniform(1, 3.5)
    e = ndimage.gaussian_filter(e, rng.uniform(0.3, 1.5))
    return e + O._smooth(rng, N, N, rng.uniform(2, 9)) * rng.uniform(0.1, 0.7)


def trunk(rng):
    """A fetal abdomen or thorax: a round soft section in fluid, no skull; a bubble, ribs, a spine with its shadow."""
    size, at = rng.uniform(18, 52), rng.uniform(45, 83, 2)
    d, angle = radius(rng, *at, size * rng.uniform(1, 1.3), size, rng.uniform(0, np.pi))
    e = O.tissue(rng, N, N) * 0.5
    if rng.random() < 0.6:
        e = np.where(radius(rng, *(at + rng.normal(0, 5, 2)), size * 1.5, size * 1.3, 0, 0.3)[0] < 0, -3.0, e)
    inner = rng.uniform(-0.8, 0.8) + O._smooth(rng, N, N, rng.uniform(2, 6)) * rng.uniform(0.2, 0.7)
    if rng.random() < 0.35:                                                   # the chest: a heart among lungs
        inner = ndimage.shift(heart(rng), (at[::-1] - 64) + rng.normal(0, 5, 2), order=1, mode="nearest")
    e = np.where(d < 0, inner, e)
    if rng.random() < 0.4:                                                    # a soft thick wall
        e = e + bright(d + 2, rng.uniform(3, 8)) * gaps(rng, angle) * rng.uniform(0.3, 1.6)
    for _ in range(rng.integers(0, 5)):
        p, r = at + rng.normal(0, size / 2.5, 2), size * rng.uniform(0.08, 0.3)
        hole, _ = radius(rng, *p, r, r * rng.uniform(0.5, 1), rng.uniform(0, 3), 0.3)
        e = np.where((hole < 0) & (d < 0), -rng.uniform(1, 3.5), e)
    skin = np.clip(np.cos(angle * 2 + rng.uniform(0, 6)), 0, 1)
    e = e + bright(d + 2, rng.uniform(1.5, 4)) * skin * rng.uniform(0, 1)
    for t in rng.uniform(0, 6.3, rng.integers(0, 5)):                         # ribs: short bright arcs on the rim
        e = e + bright(d + rng.uniform(1, 6), 2) * (np.cos(angle - t) > rng.uniform(0.9, 0.99)) * rng.uniform(1, 3)
    t = rng.uniform(0, 6.3)                                                   # spine
    sx, sy = at[0] + size * 0.7 * np.cos(t), at[1] + size * 0.7 * np.sin(t)
    e = e + bright(np.hypot(X - sx, Y - sy), size * 0.15) * rng.uniform(0, 3)
    shadow = (abs(X - sx) < size * 0.14) & (Y > sy)
    return ndimage.gaussian_filter(e - shadow * rng.uniform(0, 2), 0.6)


def bones(rng):
    """Soft tissue and fluid with bright bars or curved lines and their shadows (femur, spine, ribs, diaphragm)."""
    e = O.tissue(rng, N, N) * 0.6
    if rng.random() < 0.5:
        e = np.where(radius(rng, *rng.uniform(30, 98, 2), rng.uniform(20, 60), rng.uniform(10, 35), rng.uniform(0, 3),
                            0.4)[0] < 0, -3.0, e)
    for _ in range(rng.integers(1, 5)):
        r, t, half = rng.uniform(25, 200), rng.uniform(0, 6.3), rng.uniform(0.15, 0.5)
        at = rng.uniform(30, 98, 2) - r * np.array([np.cos(t), np.sin(t)])
        ring, where = np.hypot(X - at[0], Y - at[1]) - r, np.arctan2(Y - at[1], X - at[0])
        part = np.cos(where - t) > np.cos(half * min(1, 60 / r))
        line = bright(ring, rng.uniform(0.8, 3)) * part
        e = e + line * rng.uniform(1.5, 4) - (np.cumsum(line > 0.3, 0) > 0) * (line < 0.3) * rng.uniform(0, 2.5)
    return e


def organ(rng):
    """Bladder, cyst, vessel, kidney, sac: a few dark or banded shapes in tissue, with enhancement behind fluid."""
    e = O.tissue(rng, N, N) * rng.uniform(0.2, 0.8)
    for _ in range(rng.integers(1, 5)):
        kind, at = rng.integers(4), rng.uniform(20, 108, 2)
        a = rng.uniform(8, 45)
        d, angle = radius(rng, *at, a, a * rng.uniform(0.4, 1), rng.uniform(0, np.pi), rng.uniform(0, 0.3))
        if kind == 1:                                                        # tube
            t = rng.uniform(0, np.pi)
            across = (Y - at[1]) * np.cos(t) - (X - at[0]) * np.sin(t) + O._smooth(rng, N, N, 20) * 3
            d = abs(across) - rng.uniform(3, 14)
        if kind == 2:                                                        # kidney
            e = np.where(d < 0, -0.7, e) + bright(d + a * 0.6, a * 0.3) * (d < 0) * rng.uniform(0.5, 2)
            continue
        e = np.where(d < 0, -rng.uniform(1.5, 4), e)
        e = e + bright(d, rng.uniform(0.7, 3)) * gaps(rng, angle) * rng.uniform(0, 1.4)
        e = e + (np.cumsum(d < 0, 0) > 4) * (d > 0) * rng.uniform(0, 0.8)
    return e


def slice_echo(rng, pictures):
    """A CT or MR slice (0..1) as echo strength, at any turn and place, sometimes inverted."""
    a = pictures[rng.integers(len(pictures))]
    a = np.rot90(a, rng.integers(4))
    s, t = rng.uniform(0.6, 1.6), rng.uniform(-0.4, 0.4)
    m = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) * s * np.array([1, rng.uniform(0.75, 1.3)])
    a = ndimage.affine_transform(a, m, np.array([64, 64]) - m @ rng.uniform(44, 84, 2), order=1)
    a = 1 - a if rng.random() < 0.25 else a
    return a ** rng.uniform(0.5, 1.5) * rng.uniform(2, 5)


def slices():
    """CT and MR slices that may teach (elastix-ct, open-ms-lesion, sts), 0..1, 128 x 128."""
    import nibabel as nib
    made, fit = [], lambda a: U.area_resize(np.clip(a, 0, 1), N, N)
    root = C.DATA / "ct" / "elastix-ct"
    def mha(path, shape):
        raw = path.read_bytes().split(b"ElementDataFile = LOCAL\n", 1)[1]
        if b"CompressedData = True" in path.read_bytes()[:1000]:
            import zlib
            raw = zlib.decompress(raw)
        return np.frombuffer(raw, "<i2", count=int(np.prod(shape))).reshape(shape).astype(np.float32)
    for name in ("CT_2D_head_fixed", "CT_2D_head_moving"):
        a = mha(root / "itkelastix" / f"{name}.mha", (256, 256))
        made += [fit(a / np.percentile(a, 99.5))] * 4
    lung = mha(root / "Baselines" / "3DCT_lung.mha", (129, 157, 115))
    made += [fit((lung[k] + 1000) / 1300) for k in range(10, 120, 10)]
    files = [*(C.DATA / "mr" / "open-ms-lesion" / "derived-uint8").glob("*/[TF]*.nii.gz"),
             *sorted((C.DATA / "multi" / "sts").glob("*/CT_image.nii.gz"))[:6],
             *sorted((C.DATA / "multi" / "sts").glob("*/MR_T1_image.nii.gz"))[:6]]
    for f in files:
        a = np.asarray(nib.load(f).dataobj).astype(np.float32)
        a = (a + 300) / 700 if f.name.startswith("CT") else a / np.percentile(a, 99.5)
        made += [fit(a[:, :, k]) for k in np.linspace(a.shape[2] * 0.15, a.shape[2] * 0.85, 8).astype(int)]
    return made


def scanned(rng, e):
    """Frame 0..255 of an echo map: complex speckle in beam coordinates, dropout, clutter, log compression, sector."""
    linear = rng.random() < 0.25
    half, apex = (1.0, 0.0) if linear else (rng.uniform(0.35, 0.85), rng.uniform(-6, 8) - rng.choice([0, 25, 50]))
    cx, first, last = 64 + rng.normal(0, 4), max(0.0, -apex), N * rng.uniform(0.9, 1.05) - apex
    if linear:
        beam, depth = X / N, Y / N
        bx, by = np.meshgrid(np.linspace(0, N - 1, 128), np.linspace(0, N - 1, 160))
    else:
        angle, r = np.arctan2(X - cx, Y - apex), np.hypot(X - cx, Y - apex)
        beam, depth = (angle / half + 1) / 2, (r - first) / (last - first)
        t, rr = np.meshgrid(np.linspace(-half, half, 128), np.linspace(first, last, 160))
        bx, by = cx + rr * np.sin(t), apex + rr * np.cos(t)
    polar = ndimage.map_coordinates(e, [by, bx], order=1, mode="nearest")
    down = np.linspace(0, 1, 160)[:, None]
    polar = polar - down * rng.uniform(-0.5, 1.5)
    if rng.random() < 0.6:                                                   # dropout by beams
        polar = polar + np.minimum(0, O._smooth(rng, 1, 128, (0, rng.uniform(3, 20))) + rng.uniform(-0.3, 1.5)) * 2
    if rng.random() < 0.5:                                                   # near-field clutter
        polar = np.logaddexp(polar, rng.uniform(-1, 2) - down * rng.uniform(5, 25))
    wave = rng.normal(size=(2, 160, 128)) * np.exp(polar)[None]
    grain = rng.uniform(0.4, 1.6)
    b = np.hypot(*ndimage.gaussian_filter(wave, (0, grain, grain * rng.uniform(0.7, 3)))) + 10 ** rng.uniform(-4, -1.5)
    if rng.random() < 0.4:
        b = ndimage.gaussian_filter(b, rng.uniform(0.5, 2))                  # compounding, persistence
    b = np.log(b)
    low, high = np.percentile(b, [rng.uniform(1, 60), rng.uniform(98, 99.95)])
    b = np.clip((b - low) / (high - low + 1e-6), 0, 1) ** rng.uniform(0.7, 1.8)
    frame = ndimage.map_coordinates(b, [depth * 159, beam * 127], order=1, mode="constant")
    seen = (beam >= 0) & (beam <= 1) & (depth >= 0) & (depth <= 1)
    return (frame * seen * 255 * rng.uniform(0.35, 1)).astype(np.float32)


def section(rng, pictures, kind=None):
    kind = kind or rng.choice(["heart", "trunk", "organ", "bones", "slice"], p=[0.42, 0.18, 0.18, 0.1, 0.12])
    e = slice_echo(rng, pictures) if kind == "slice" else {"heart": heart, "trunk": trunk, "organ": organ,
                                                           "bones": bones}[kind](rng)
    return scanned(rng, e)


def blank(rng):
    """A screen without tissue: flat or graded fields, boxes, noise, text."""
    f = np.full((N, N), rng.choice([0, 30, 128, 230, 255]), np.float32)
    f = f + (X * rng.normal() + Y * rng.normal()) * rng.choice([0, 0, 1])
    f = f + rng.normal(size=(N, N)) * rng.choice([0, 2, 20])
    for _ in range(rng.integers(0, 6)):
        y, x = rng.integers(0, N, 2)
        f[y:y + rng.integers(3, 80), x:x + rng.integers(3, 80)] = rng.uniform(0, 255)
    if rng.random() < 0.5:
        f = f * O.field(rng, N, N)
    return O.overlay(rng, np.clip(f, 0, 255))


def screen(rng, frame):
    """The frame (any class) smaller on a machine's screen: margins, a sector's dark corners, bars, an ECG, text."""
    h, w = (int(N * rng.uniform(0.45, 1)) for _ in range(2))
    at = rng.integers(0, N - h + 1), rng.integers(0, N - w + 1)
    out = np.full((N, N), rng.choice([0, 0, 0, 8, 25]), np.float32)
    out[at[0]:at[0] + h, at[1]:at[1] + w] = U.area_resize(frame, w, h)
    for _ in range(rng.integers(0, 4)):
        y, x, tone = rng.integers(0, N), rng.integers(0, N), rng.uniform(20, 200)
        kind = rng.integers(4)
        if kind == 0:
            out[y:y + rng.integers(2, 14), :] = tone * 0.4
        elif kind == 1:
            out[y:y + rng.integers(20, 70), min(x, 120):min(x, 120) + 3] = np.linspace(tone, 0, N)[:1]
        elif kind == 2:
            trace = np.clip(y + O._smooth(rng, 1, N, (0, 2))[0] * 2, 0, N - 1).astype(int)
            out[trace, np.arange(N)] = tone
        else:
            out[y:y + rng.integers(5, 25), x:x + rng.integers(5, 40)] = 0
    return O.overlay(rng, out)
