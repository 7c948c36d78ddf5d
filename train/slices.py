"""How the recognition recipes choose and prepare slices, as tasks/recognition does it, and what their rules ask of one."""
import numpy as np

import ultrasound as U

PLACES = (0.3, 0.5, 0.7)     # of each axis: the slices that stand for a volume


def places(n):
    return sorted({int(p * n) for p in PLACES}) if n > 1 else [0]


def slices_of(a):
    """Slices of a volume [x, y, z] along every axis; a slice of fewer than 16 rows or columns or of one value is left out."""
    made = []
    for axis in (2, 1, 0):
        for k in places(a.shape[axis]):
            s = np.take(a, k, axis).astype(np.float32)
            if min(s.shape) >= 16 and s.max() > s.min():
                made.append(np.ascontiguousarray(s.T))
    return made


def grey(s, low=1.0, high=99.5):
    """A slice of any values as 0..255 between two percentiles."""
    lo, hi = np.percentile(s, [low, high])
    if hi <= lo:
        lo, hi = s.min(), s.max()
    return np.clip((s - lo) / max(hi - lo, 1e-12), 0, 1).astype(np.float32) * 255


def content(a, level=16, share=0.03):
    """The box of rows and columns in which at least `share` of the pixels exceed `level`."""
    bright = a > level
    rows, columns = (np.nonzero(bright.mean(k) >= share - 1e-12)[0] for k in (1, 0))
    t, b = (rows[0], rows[-1] + 1) if len(rows) else (0, a.shape[0])
    l, r = (columns[0], columns[-1] + 1) if len(columns) else (0, a.shape[1])
    return a[t:b, l:r]


_MATRICES = {}


def resized(a, width, height):
    """ultrasound.area_resize with the matrices kept."""
    def matrix(i, o):
        if (i, o) not in _MATRICES:
            _MATRICES[i, o] = U.area_matrix(i, o).astype(np.float32)
        return _MATRICES[i, o]
    return matrix(a.shape[0], height) @ a.astype(np.float32) @ matrix(a.shape[1], width).T


def prepared(s):
    """What the encoder sees of a slice: 224 x 224, 0..1."""
    return resized(content(grey(s)), 224, 224) / np.float32(255)


def in_hounsfield_units(slices):
    """Whether raw values are HU: air about -1000 and soft tissue about 0, and fewer between than in either (the twin of
    tasks/raw_values.h). The bins are those of HU itself; that
    fewer lie between was asked for after the values of the reported sets were seen (an MR phase map reaches as low)."""
    v = np.concatenate([np.asarray(s, np.float32).ravel() for s in slices])
    v = v[np.isfinite(v)]
    air, between, tissue = (((v >= lo) & (v < hi)).mean() if len(v) else 0 for lo, hi in ((-1100, -700), (-700, -200), (-200, 200)))
    return bool(air >= 0.02 and tissue >= 0.1 and between < min(air, tissue))


def lung_share(s):
    """Lung-like pixels (-950..-600 HU) with body on all four sides, of those and the body, which is the largest part above
    -250 HU (a table is none of it). The twin of tasks/raw_values.h; s in HU."""
    from scipy import ndimage
    parts, n = ndimage.label(s > -250)
    body = parts == 1 + np.bincount(parts.ravel())[1:].argmax() if n else np.zeros(s.shape, bool)
    closed = np.ones(s.shape, bool)
    for axis in (0, 1):
        closed &= np.maximum.accumulate(body, axis) & np.flip(np.maximum.accumulate(np.flip(body, axis), axis), axis)
    lung = int((closed & (s > -950) & (s < -600)).sum())
    return lung / max(lung + int(body.sum()), 1)


def bone_ring(s, bone_min, body_min):
    """Of a CT slice the largest part that bone (bone_min and more) parts from the air (body_min and less) at the picture's
    edge, as a share of the body; 0 where no air is at the edge, or where the part holds less than half of the middle third
    of the body's box (lungs in a window that shows the chest's wall as bone). The twin of tasks/raw_values.h."""
    from scipy import ndimage
    body, (parts, n) = s > body_min, ndimage.label(s < bone_min)
    edge = np.zeros(s.shape, bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    outside = np.unique(parts[edge & ~body])
    sizes = np.bincount(parts.ravel(), minlength=n + 1)
    sizes[0] = 0
    sizes[outside] = 0
    if not len(outside) or not sizes.any():
        return 0.0
    (top, bottom), (left, right) = ((k.min(), k.max() + 1) for k in np.nonzero(body))
    third = lambda lo, hi: slice((2 * lo + hi) // 3, -((-lo - 2 * hi) // 3))
    within = (parts == sizes.argmax())[third(top, bottom), third(left, right)]
    return float(sizes.max() / body.sum()) if 2 * within.sum() >= within.size else 0.0


def clipped_share(s):
    """Flat ground at the highest value (3 x 3 pixels of 97 % of the range and more), as a share of what lies above 10 % of
    the range: what a display window makes of bone, or of the body in a lung window. The twin of tasks/raw_values.h."""
    from scipy import ndimage
    s = np.asarray(s, np.float32)
    lo, wide = s.min(), s.max() - s.min()
    return float((ndimage.minimum_filter(s, 3) >= lo + np.float32(0.97) * wide).sum() / max(int((s > lo + np.float32(0.1) * wide).sum()), 1))


def edges_filled(g):
    """How far a grey picture (0..255) shows tissue (above 16) up to its edges: the least of its upper twentieth and of the
    upper halves of its left and right twenty-eighths, after the cut to its content. The twin of tasks/raw_values.h."""
    g = content(g)
    rows, columns = max(1, g.shape[0] // 20), max(1, g.shape[1] // 28)
    half = max(1, g.shape[0] // 2)
    return float(min((b > 16).mean() for b in (g[:rows], g[:half, :columns], g[:half, -columns:])))
