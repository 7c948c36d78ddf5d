"""Letters and callipers on ultrasound frames: found and painted over, or drawn (so that no class owns them)."""
import numpy as np
from scipy import ndimage

import torch


def masked(a):
    """Frame 0..255 with letters and callipers (small, nearly white, far above their surroundings) replaced by the
    median of what surrounds them."""
    a = np.asarray(a, np.float32)
    around = ndimage.median_filter(a, 13)
    label, _ = ndimage.label((a >= 150) & (a - around >= 70), np.ones((3, 3)))
    found = np.zeros(a.shape, bool)
    for k, box in enumerate(ndimage.find_objects(label), 1):
        if max(s.stop - s.start for s in box) <= 40 and (label[box] == k).sum() >= 3:
            found[box] |= label[box] == k
    return np.where(ndimage.binary_dilation(found, np.ones((5, 5))), around, a)


def drawn(rng, frame):
    """Frame 0..1 (224 x 224) with one to three pairs of crosses and dotted lines, or a word-like row of strokes."""
    f, size = frame.copy(), frame.shape[0]
    white = rng.uniform(0.75, 1)
    if rng.random() < 0.75:
        for _ in range(rng.integers(1, 3)):
            p = rng.uniform(0.15, 0.85, 2) * size
            t, length = rng.uniform(0, np.pi), rng.uniform(15, 90)
            q = np.clip(p + length * np.array([np.sin(t), np.cos(t)]), 6, size - 7)
            for c in (p, q):
                y, x = int(c[0]), int(c[1])
                f[y - 4:y + 5, x] = white
                f[y, x - 4:x + 5] = white
            for s in np.arange(0, 1, 3 / max(length, 3)):
                y, x = (p + s * (q - p)).astype(int)
                f[y, x] = max(f[y, x], white * 0.8)
    if rng.random() < 0.4:
        y, x = int(rng.uniform(0.75, 0.95) * size), int(rng.uniform(0.05, 0.6) * size)
        for k in range(rng.integers(3, 10)):
            glyph = rng.random((7, 4)) < 0.5
            part = f[y:y + 7, x + 5 * k:x + 5 * k + 4]
            part[glyph[:part.shape[0], :part.shape[1]]] = white
    return f


def drawn_on_some(x, share=0.35):
    """drawn() on a share of the frames [n, 1, 224, 224]."""
    rng = np.random.default_rng(np.random.randint(1 << 30))
    return torch.stack([torch.from_numpy(drawn(rng, f[0].numpy()))[None] if rng.random() < share else f for f in x])
