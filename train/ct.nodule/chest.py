"""Draws a chest CT with vessel trees, to teach what is no nodule. Arrays are [z, y, x] in HU."""
import numpy as np
from scipy import ndimage


def _tube(hu, spacing, a, b, ra, rb, value):
    """A cone from a to b (mm), radii in mm, mixed in by the share of each voxel that it fills (about)."""
    r = max(ra, rb)
    low = np.maximum(np.floor((np.minimum(a, b) - r) / spacing).astype(int) - 1, 0)
    high = np.minimum(np.ceil((np.maximum(a, b) + r) / spacing).astype(int) + 2, hu.shape)
    if np.any(high <= low):
        return
    g = np.stack(np.meshgrid(*[np.arange(lo, hi) * s for lo, hi, s in zip(low, high, spacing)], indexing="ij"), -1)
    v = b - a
    t = np.clip(((g - a) @ v) / max(1e-6, v @ v), 0, 1)
    d = np.linalg.norm(g - a - t[..., None] * v, axis=-1)
    r = ra + t * (rb - ra)
    voxel = spacing.prod() ** (1 / 3)
    share = np.clip((r - d) / voxel + 0.5, 0, 1) * np.minimum(1, (2 * r / voxel) ** 2)
    box = tuple(slice(lo, hi) for lo, hi in zip(low, high))
    hu[box] = np.maximum(hu[box], hu[box] * (1 - share) + value * share)


def _tree(hu, spacing, lungs, start, towards, radius, rng, level=0):
    at, way = start, towards / np.linalg.norm(towards)
    for _ in range(rng.integers(2, 5)):
        way = way + 0.25 * rng.normal(size=3)
        way /= np.linalg.norm(way)
        to = at + way * rng.uniform(3, 6) * max(1.0, radius)
        i = np.round(to / spacing).astype(int)
        if np.any(i < 0) or np.any(i >= hu.shape) or not lungs[tuple(i)]:
            if level > 0:
                return
            to = at + way * 4
        _tube(hu, spacing, at, to, radius, radius * 0.93, 40)
        at, radius = to, radius * 0.93
    if radius < 0.55 or level > 8:
        return
    for share in (rng.uniform(0.7, 0.9), rng.uniform(0.45, 0.8)):
        side = rng.normal(size=3)
        side -= way * (side @ way)
        _tree(hu, spacing, lungs, at, way + side / np.linalg.norm(side) * rng.uniform(0.4, 1.1), radius * share, rng, level + 1)


def _hilar_trees(hu, spacing, lungs, hilum, side, rng):
    """A few great vessels that branch at once, as at a real hilum, and many thin ones."""
    for radius in [*rng.uniform(4.5, 8.5, rng.integers(2, 4)), *rng.uniform(1.2, 4.0, rng.integers(10, 18))]:
        way = np.array([1.2 * rng.normal(), 0.8 * rng.normal(), side * rng.uniform(0.1, 1.2)])
        _tree(hu, spacing, lungs, hilum + 5 * rng.normal(size=3), way, radius, rng)


def chest(rng, full=False):
    """(HU, body, lungs, spacing). `full`: hila with great vessels, slices of up to 5 mm and voxels of up to 3 mm."""
    spacing = np.array([rng.uniform(1.0, 3.0), *[rng.uniform(0.9, 1.5)] * 2])
    if full:
        spacing = np.array([np.exp(rng.uniform(np.log(1.5), np.log(5.0))), *[np.exp(rng.uniform(np.log(1.0), np.log(3.0)))] * 2])
    size_mm = np.array([rng.uniform(150, 210), 230, 320])
    shape = np.ceil(size_mm / spacing).astype(int)
    z, y, x = np.meshgrid(*[np.arange(n) * s for n, s in zip(shape, spacing)], indexing="ij")
    z, y, x = z - size_mm[0] / 2, y - 115, x - 160
    w, d = rng.uniform(135, 155), rng.uniform(88, 108)
    body = (x / w) ** 2 + (y / d) ** 2 <= 1
    hu = np.where(body, -100.0, -1000.0)
    hu[(x / (w - 14)) ** 2 + (y / (d - 14)) ** 2 <= 1] = 50
    lungs = np.zeros(shape, bool)
    rx, ry, rz = rng.uniform(48, 56), rng.uniform(66, 78), size_mm[0] * rng.uniform(0.5, 0.62)
    for side in (-1, 1):
        lungs |= ((x - side * 62) / rx) ** 2 + ((y - 2) / ry) ** 2 + ((z - 5) / rz) ** 2 <= 1
    heart = ((x - 22) / 55) ** 2 + ((y + 22) / 45) ** 2 + ((z + size_mm[0] * 0.22) / 50) ** 2 <= 1
    domes = np.zeros(shape, bool)
    for side in (-1, 1):
        domes |= ((x - side * 62) / 62) ** 2 + ((y - 5) / 80) ** 2 + ((z + size_mm[0] / 2 - 5) / rng.uniform(25, 50)) ** 2 <= 1
    lungs &= ~heart & ~domes
    hu[np.hypot(x, y - 62) <= 17] = 220
    for z0 in np.arange(-size_mm[0] / 2, size_mm[0] / 2, rng.uniform(26, 34)):
        ring = (x / (w - 19)) ** 2 + (y / (d - 19)) ** 2
        slope = z - z0 + 0.35 * y
        hu[(ring > 0.86) & (ring < 1.0) & (np.abs(slope) < 5)] = rng.uniform(250, 450)
    lungs &= (x / (w - 24)) ** 2 + (y / (d - 24)) ** 2 <= 1
    base = rng.uniform(-900, -820)
    air = base + 50 * (y / 75) + 18 * ndimage.gaussian_filter(rng.normal(size=shape), 4 / spacing) * np.sqrt((4 / spacing).prod()) * 4
    hu = np.where(lungs, air, hu)
    for side in (-1, 1):  # a fissure
        n = np.array([rng.uniform(0.5, 0.9), rng.uniform(0.4, 0.8), 0.1 * rng.normal()])
        plane = np.abs((z * n[0] + y * n[1]) / np.linalg.norm(n) + rng.uniform(-15, 15)) < 0.6 * spacing.max()
        hu[lungs & plane & (np.sign(x) == side)] += rng.uniform(40, 160)
    middle = size_mm / 2
    for side in (-1, 1):
        hilum = middle + [rng.uniform(-10, 15), rng.uniform(0, 15), side * 24]
        if full:
            _hilar_trees(hu, spacing, lungs, hilum, side, rng)
            continue
        for _ in range(rng.integers(9, 15)):
            way = np.array([rng.normal(), 0.9 * rng.normal(), side * rng.uniform(0.1, 1.5)])
            _tree(hu, spacing, lungs, hilum + 4 * rng.normal(size=3), way, rng.uniform(1.8, 4.5), rng)
    psf = [0.5 * np.hypot(0.7, 0.35 * s) / s for s in spacing]
    hu = ndimage.gaussian_filter(hu, psf)
    noise = ndimage.gaussian_filter(rng.normal(size=shape), 0.6)
    hu += rng.uniform(8, 40) * noise / noise.std()
    return hu.astype(np.float32), body, lungs, spacing
