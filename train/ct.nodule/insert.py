"""Draws nodules into a chest CT. Arrays are [z, y, x] in HU, spacing (z, y, x) in mm."""
import numpy as np
from scipy import ndimage

KINDS = ("smooth", "lobulated", "spiculated", "part-solid")
PLACES = ("free", "vessel", "wall")


def _coverage(diameter, kind, spacing, offset, rng, fine=3):
    """(share of each voxel that is nodule, share that is solid core) in a box about the centre (offset in voxels)."""
    radius = diameter / 2
    half = [int(np.ceil(2.2 * radius / s)) + 2 for s in spacing]
    axes = [(np.arange(-h * fine - fine // 2, h * fine + fine // 2 + 1) / fine - o) * s for h, s, o in zip(half, spacing, offset)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    stretch = np.exp(rng.uniform(-0.18, 0.18, 3))
    stretch /= stretch.prod() ** (1 / 3)
    q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    p = np.stack([z, y, x], -1) @ q / stretch
    d = np.sqrt((p ** 2).sum(-1)) + 1e-9
    u = p / d[..., None]
    bump = {"smooth": 0.03, "part-solid": 0.06, "lobulated": 0.16, "spiculated": 0.1}[kind]
    edge = np.ones(d.shape)
    for _ in range(6):
        v = rng.normal(size=3)
        edge += bump * rng.normal() * np.cos(rng.uniform(2, 4) * (u @ (v / np.linalg.norm(v))) + rng.uniform(0, 6.28))
    inside = d <= radius * edge
    if kind == "spiculated":
        for _ in range(rng.integers(8, 18)):
            v = rng.normal(size=3)
            along = p @ (v / np.linalg.norm(v))
            across = np.sqrt(np.maximum(d ** 2 - along ** 2, 0))
            length = radius * rng.uniform(1.3, 1.9)
            inside |= (along > 0) & (along < length) & (across < np.maximum(0.25, 0.12 * radius) * (1 - along / length) + 0.15)
    core = (d <= radius * edge * rng.uniform(0.5, 0.75)) if kind == "part-solid" else inside

    def shrink(a):
        a = a.astype(np.float32)
        for axis in range(3):
            n = a.shape[axis] // fine
            a = a.reshape(a.shape[:axis] + (n, fine) + a.shape[axis + 1:]).mean(axis + 1)
        return a
    return shrink(inside), shrink(core), half


def draw(hu, spacing, centre, diameter, kind, rng):
    """Changes hu in place."""
    at = np.floor(np.array(centre) + 0.5).astype(int)
    share, core, half = _coverage(diameter, kind, spacing, np.array(centre) - at, rng)
    blur = [0.5 * np.hypot(0.7, 0.35 * s) / s for s in spacing]
    share, core = (np.clip(ndimage.gaussian_filter(a, blur), 0, 1) for a in (share, core))
    low = [a - h for a, h in zip(at, half)]
    cut = [slice(max(0, -lo), min(2 * h + 1, n - lo)) for lo, h, n in zip(low, half, hu.shape)]
    box = tuple(slice(lo + c.start, lo + c.stop) for lo, c in zip(low, cut))
    share, core, old = share[tuple(cut)], core[tuple(cut)], hu[box]
    solid = rng.uniform(-40, 90)
    glass = rng.uniform(-600, -420)
    value = core * solid + (share - core).clip(0) * glass if kind == "part-solid" else share * solid
    texture = ndimage.gaussian_filter(rng.normal(size=old.shape), 0.7) * rng.uniform(15, 45)
    new = old * (1 - share) + value + share * texture
    hu[box] = np.where(old > -250, np.maximum(old, np.where(share > 0.5, new, old)), new)


def place(hu, lungs, depth, spacing, diameter, where, rng, taken):
    """A centre (voxels) for a nodule; depth: mm to the nearest voxel outside the lungs. None if there is no room."""
    r = diameter / 2
    if where == "free":
        good = (depth >= r + 1.5) & (hu < -650)
    elif where == "vessel":
        good = (depth >= r + 4) & (hu > -450)
    else:
        good = (depth >= max(1.0, 0.25 * r)) & (depth <= 0.85 * r)
    where_to = np.flatnonzero(good & (lungs > 0))
    for k in rng.permutation(where_to)[:60]:
        c = np.array(np.unravel_index(k, hu.shape)) + rng.uniform(-0.5, 0.5, 3)
        if where == "vessel":
            v = rng.normal(size=3)
            c = c + v / np.linalg.norm(v) * rng.uniform(0.4, 0.9) * r / spacing
        if all(np.linalg.norm((c - t) * spacing) > r + d / 2 + 8 for t, d in taken) and np.all(c > 2) and np.all(c < np.array(hu.shape) - 3):
            return c
    return None


def insert(hu, lungs, spacing, count, rng):
    """(changed copy, [{centre (z, y, x voxels), diameter, kind, place}])."""
    hu, spacing = hu.astype(np.float32).copy(), np.array(spacing, float)
    depth = ndimage.distance_transform_edt(np.pad(lungs > 0, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    out, taken = [], []
    for _ in range(count):
        diameter = float(np.exp(rng.uniform(np.log(4), np.log(20))))
        kind, where = KINDS[rng.integers(len(KINDS))], PLACES[rng.integers(len(PLACES))]
        c = place(hu, lungs, depth, spacing, diameter, where, rng, taken)
        if c is None:
            continue
        draw(hu, spacing, c, diameter, kind, rng)
        taken.append((c, diameter))
        out.append({"centre": c.tolist(), "diameter": diameter, "kind": kind, "place": where})
    return hu, out
