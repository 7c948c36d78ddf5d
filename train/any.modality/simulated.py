"""Simulated slices of nuclear medicine and of MR contrasts: what any.modality is taught where real images may not teach.

Nuclear: an activity map of ellipses, tubes and rings in a body outline, seen as PET (fine blur, reconstruction noise)
or as SPECT (broad blur; camera views with Poisson counts, or slices with coarse noise). Lengths in mm."""
import numpy as np
from scipy import ndimage


def smooth(rng, shape, sigma):
    f = ndimage.gaussian_filter(rng.normal(size=shape), sigma, mode="wrap")
    return f / (f.std() + 1e-9)


def blob(rng, y, x, cy, cx, a, b, wobble=0.15):
    """Signed distance-like map of an irregular ellipse, < 0 inside."""
    t = rng.uniform(0, np.pi)
    u, v = (x - cx) * np.cos(t) + (y - cy) * np.sin(t), (y - cy) * np.cos(t) - (x - cx) * np.sin(t)
    angle = np.arctan2(v / b, u / a)
    rim = 1 + sum(rng.normal(0, wobble / k) * np.cos(k * angle + rng.uniform(0, 6.3)) for k in (2, 3, 4, 5))
    return np.hypot(u / a, v / b) / np.clip(rim, 0.4, 1.6) - 1


def section(rng, field_mm=None):
    """(activity, mm per pixel): a cut through a drawn trunk, head or limb with organs and lesions, 160 x 160."""
    n = 160
    field_mm = field_mm or rng.choice([rng.uniform(120, 250), rng.uniform(250, 650)])
    y, x = (np.mgrid[:n, :n] - n / 2) * (field_mm / n)
    kind, e = rng.choice(["trunk", "trunk", "coronal", "head", "limb"]), np.zeros((n, n))
    bodies = {"trunk": [(0, 0, rng.uniform(90, 150), rng.uniform(130, 200))], "coronal": [(0, 0, rng.uniform(300, 900), rng.uniform(130, 200))],
              "head": [(0, 0, rng.uniform(80, 105), rng.uniform(65, 85))],
              "limb": [(rng.normal(0, 20), s * rng.uniform(60, 110) * (i or rng.integers(2)), rng.uniform(40, 95), rng.uniform(35, 90))
                       for i, s in enumerate((-1, 1))]}[kind]
    body = np.zeros((n, n), bool)
    for cy, cx, a, b in bodies:
        t = blob(rng, y, x, cy, cx, b, a, 0.04) if kind != "coronal" else np.hypot((x - cx) / b, (y - cy) / a) - 1
        body |= t < 0
    e[body] = rng.uniform(0.3, 1)
    e += body * smooth(rng, (n, n), rng.uniform(2, 8)) * e.max() * rng.uniform(0.02, 0.25)
    if kind == "head":
        cortex = blob(rng, y, x, 0, 0, bodies[0][3] * 0.85, bodies[0][2] * 0.85, 0.06)
        folded = smooth(rng, (n, n), rng.uniform(2, 4)) > rng.uniform(-0.6, 0.3)
        e += (cortex < 0) * (rng.uniform(1, 3) + folded * rng.uniform(1, 4) * (cortex > -rng.uniform(0.2, 0.6)))
    half = min(field_mm / 2, 220)
    for _ in range(rng.integers(1, 9)):
        cy, cx = rng.uniform(-half, half, 2) * 0.8
        a = rng.uniform(6, 70)
        d = blob(rng, y, x, cy, cx, a, a * rng.uniform(0.4, 1), 0.25)
        if rng.random() < 0.3:                                       # cold inside: a ring, a necrotic tumour, a heart
            inner = rng.uniform(0.3, 0.8)
            e += body * ((d < 0) & (d > inner - 1)) * rng.uniform(0.5, 8)
        else:
            e += body * (d < 0) * rng.uniform(-0.3, 8) * (1 + 0.2 * smooth(rng, (n, n), 4))
    if rng.random() < 0.4:                                           # bones: dots in a row, ribs
        at, step = rng.uniform(-40, 40), rng.uniform(18, 35)
        e += body * (abs(x - at) < rng.uniform(8, 20)) * (np.cos(y / step * 2 * np.pi) > -0.3) * rng.uniform(0.2, 2)
    return np.clip(e, 0, None), field_mm / n


def pixels(e, mm, want):
    """Area means on pixels of about `want` mm."""
    z = max(mm / want, 24 / len(e))
    return ndimage.zoom(ndimage.gaussian_filter(e, max(0, 0.5 / z - 0.5)), z, order=1)


def pet(rng):
    """A PET slice: 4.5 to 8.5 mm resolution, pixels of 2 to 5.5 mm (of another length along one axis), noise that follows
    the activity, as fine as the resolution or finer, from hardly seen to drowning."""
    e, mm = section(rng, rng.choice([rng.uniform(100, 250), rng.uniform(250, 650)]))
    px, fwhm = rng.uniform(2, 5.5), rng.uniform(4.5, 8.5)
    e = pixels(ndimage.gaussian_filter(e, fwhm / 2.355 / mm), mm, px)
    grain = rng.uniform(2.5, 7) / 2.355 / px
    level = 10 ** rng.uniform(-1.7, 0.2)
    noise = smooth(rng, e.shape, grain) * np.sqrt(np.clip(e, 0, None) * e.mean() + rng.uniform(0.02, 0.3) * e.mean() ** 2)
    out = np.clip(e + noise * level, 0, None)
    if rng.random() < 0.5:                                           # an axis of other spacing: coronal, sagittal
        out = ndimage.zoom(out, (rng.uniform(0.6, 1.7), 1), order=0 if rng.random() < 0.3 else 1)
    return out.astype(np.float32)


def pet_crop(rng):
    """A part of a limb or trunk about one tumour (blob, ring, patches) in noisy tissue, as few pixels as such crops have."""
    n, px = 160, rng.uniform(3.2, 5.5)
    field = rng.uniform(110, 260)
    mm = field / n
    y, x = (np.mgrid[:n, :n] - n / 2) * mm
    e = np.full((n, n), rng.uniform(0.2, 1))
    if rng.random() < 0.75:
        a = rng.uniform(40, 120)
        e *= blob(rng, y, x, rng.uniform(-60, 60), rng.uniform(-60, 60), a, a * rng.uniform(0.6, 1.5), 0.05) < 0
    for _ in range(rng.integers(1, 4)):
        r = rng.uniform(8, 55)
        d = blob(rng, y, x, *rng.normal(0, 15, 2), r, r * rng.uniform(0.5, 1), 0.3)
        ring = d > -rng.uniform(0.15, 0.7) if rng.random() < 0.5 else True
        patchy = 1 + rng.uniform(0, 0.6) * smooth(rng, (n, n), 6 / mm)
        e = e + (d < 0) * ring * patchy * 10 ** rng.uniform(-0.5, 1)
    e = np.clip(e, 0, None)
    e = pixels(ndimage.gaussian_filter(e, rng.uniform(5, 8) / 2.355 / mm), mm, px)
    noise = smooth(rng, e.shape, rng.uniform(2.5, 6.5) / 2.355 / px) * np.sqrt(e * e.mean() + rng.uniform(0.02, 0.3) * e.mean() ** 2)
    out = np.clip(e + noise * 10 ** rng.uniform(-1.5, 0.2), 0, None)
    if rng.random() < 0.65:
        out = ndimage.zoom(out, (rng.uniform(0.6, 1.7), 1), order=0 if rng.random() < 0.3 else 1)
    return out.astype(np.float32)


def as_mr(rng, hu):
    """A drawn CT slice in HU as MR: air and cortical bone dark, fat bright or suppressed, soft tissue and fluid spread wide."""
    u = rng.uniform
    fat, muscle, brain, fluid = u(0.5, 1.2) if rng.random() < 0.75 else u(0.02, 0.15), u(0.15, 0.6), u(0.3, 0.9), u(0.02, 1.3)
    v = np.interp(ndimage.gaussian_filter(hu, 0.6), [-900, -300, -120, -70, 0, 12, 28, 36, 55, 75, 160, 320, 600], 
                  [0, 0.03, fat, fat * 0.8, fluid, fluid, brain, brain * u(0.6, 1.4), muscle, muscle * u(0.7, 1.5), u(0.1, 0.7), u(0.02, 0.3), 0.02])
    v = v * (1 + u(0, 0.25) * smooth(rng, v.shape, u(2, 6))) * np.exp(smooth(rng, v.shape, max(v.shape) / 5) * u(0, 0.4))
    level = u(0, 0.06)
    return np.hypot(v + rng.normal(size=v.shape) * level, rng.normal(size=v.shape) * level).astype(np.float32)


def spect(rng):
    """A SPECT slice: 10 to 20 mm resolution, pixels of 2 to 9 mm, noise as coarse as the filter; sometimes streaks."""
    e, mm = section(rng)
    px, fwhm = rng.choice([rng.uniform(2, 4), rng.uniform(4, 7)]), rng.uniform(10, 20)
    if rng.random() < 0.6:                                           # little background, as of a bound tracer
        e = e ** rng.uniform(1.2, 3)
    e = pixels(ndimage.gaussian_filter(e, fwhm / 2.355 / mm), mm, px)
    grain = max(1.4, rng.uniform(9, 18) / 2.355 / px)
    grain = (grain, grain * rng.uniform(0.5, 2.5)) if rng.random() < 0.4 else grain
    level = 10 ** rng.uniform(-1.5, -0.1)
    noise = smooth(rng, e.shape, grain) * (e * rng.uniform(0.1, 0.5) + e.mean() * rng.uniform(0.05, 0.6))
    return np.clip(e + noise * level * 2, 0, None).astype(np.float32)


def planar(rng):
    """A camera view: organs or a drawn skeleton, blurred 6 to 16 mm, Poisson counts."""
    if rng.random() < 0.35:
        e, mm = skeleton(rng)
    else:
        e, mm = section(rng)
        e = ndimage.gaussian_filter(e, rng.uniform(4, 14) / mm)      # depth mixes what lies behind
        e = e ** rng.uniform(0.8, 2)
    px = rng.choice([rng.uniform(2, 3.5), rng.uniform(4, 8)])
    e = pixels(ndimage.gaussian_filter(e, rng.uniform(6, 16) / 2.355 / mm), mm, px)
    counts = 10 ** rng.uniform(-0.3, 2.8)                            # of the mean pixel
    view = rng.poisson(e / (e.mean() + 1e-9) * counts + rng.uniform(0, 0.3) * counts * (rng.random() < 0.6)).astype(np.float32)
    if rng.random() < 0.5:                                           # summed gates, a filter
        view = ndimage.gaussian_filter(view, rng.uniform(0.5, 1.6))
    return view


def skeleton(rng):
    """(activity, mm per pixel) of a bone scan: skull, spine, ribs, pelvis, limbs, kidneys, bladder, hot places."""
    h, w, mm = 400, 130, 5.0
    y, x = np.mgrid[:h, :w].astype(np.float64)
    cx, e = w / 2, np.zeros((h, w))
    bone = rng.uniform(0.8, 2.5)
    ring = abs(np.hypot((x - cx) / 16, (y - 40) / 21) - 1)
    e += np.exp(-(ring / 0.15) ** 2) * bone + (np.hypot((x - cx) / 16, (y - 40) / 21) < 1) * bone * 0.4
    e += (abs(x - cx) < 4) * (y > 60) * (y < 190) * bone * (1 + 0.5 * np.cos(y * 2 * np.pi / 6))
    for k in range(10):                                              # ribs
        top, r = 75 + 7 * k, 22 + 12 * np.sin(k / 9 * np.pi)
        for s in (-1, 1):
            arc = abs(np.hypot((x - cx - s * r / 2) / (r / 2 + 3), (y - top - 8) / 9) - 1)
            e += np.exp(-(arc / 0.2) ** 2) * (s * (x - cx) > 0) * bone * 0.5
    for s in (-1, 1):
        e += (abs(np.hypot((x - cx - s * 16) / 15, (y - 195) / 16) - 1) < 0.25) * bone
        for y0, y1, x0, x1, t in ((72, 72, 8, 34, 2), (78, 140, 35, 42, 2.5), (142, 200, 42, 48, 2), (205, 290, 22, 16, 3.5), (292, 375, 16, 14, 3)):
            along = np.clip((y - y0) / max(y1 - y0, 1), 0, 1)
            line = cx + s * (x0 + (x1 - x0) * along)
            seen = (abs(y - y0) < 2.5) * (abs(x - cx) < 34) if y0 == y1 else (y >= y0) * (y <= y1)
            e += seen * (abs(x - line) < t if y0 != y1 else 1) * bone * rng.uniform(0.5, 1)
        e += (np.hypot((x - cx - s * 13) / 4, (y - 150) / 7) < 1) * rng.uniform(0, 2) * bone
    e += (np.hypot((x - cx) / 6, (y - 212) / 5) < 1) * rng.uniform(0, 5) * bone
    for _ in range(rng.integers(0, 8)):
        e += (np.hypot(x - cx - rng.normal(0, 20), y - rng.uniform(40, 300)) < rng.uniform(1, 5)) * rng.uniform(1, 5) * bone
    body = ndimage.gaussian_filter((e > 0).astype(float), 8) > 0.12
    e = e + body * rng.uniform(0.1, 0.5)
    if rng.random() < 0.6:                                           # a static view of a part
        t, l = rng.integers(0, h - 110), rng.integers(0, w - 100)
        e = e[t:t + 110, l:l + 100]
    return e, mm


def contrast(rng, s):
    """A slice (any contrast) as an MR slice of an invented contrast: a smooth, not monotonic map of its values, bias, Rician noise."""
    lo, hi = np.percentile(s, [1, 99.5])
    v = np.clip((s - lo) / max(hi - lo, 1e-9), 0, 1)
    knots = np.concatenate([[0], rng.uniform(0.05, 1, 7)])
    v = np.interp(v, np.linspace(0, 1, 8), knots)
    v = v * np.exp(smooth(rng, v.shape, max(v.shape) / 5) * rng.uniform(0, 0.35))
    level = rng.uniform(0, 0.06)
    return np.hypot(v + rng.normal(size=v.shape) * level, rng.normal(size=v.shape) * level).astype(np.float32)


def linear_cut(rng, a):
    """A part of a sector frame (0..255) that is all tissue, as a linear probe shows it: other pixels, gain falling with depth,
    a bright skin; None if not met."""
    for _ in range(40):
        h, w = (int(rng.uniform(0.25, 0.6) * n) for n in a.shape)
        t, l = rng.integers(0, a.shape[0] - h + 1), rng.integers(0, a.shape[1] - w + 1)
        part = a[t:t + h, l:l + w]
        if (ndimage.uniform_filter(part, 9) > 10).mean() > 0.9:
            part = ndimage.zoom(part, (rng.uniform(0.7, 1.4), rng.uniform(1, 2.2)), order=1)
            y = np.linspace(0, 1, len(part))[:, None]
            gain = np.exp(-y * rng.uniform(0, 2.5)) * np.exp(rng.uniform(0, 1) * np.exp(-y * 12))
            return np.clip((np.clip(part, 0, 255) / 255) ** np.exp(rng.normal(0.2, 0.3)) * gain, 0, 1) * 255
    return None
