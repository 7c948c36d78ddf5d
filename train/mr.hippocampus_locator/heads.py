"""Endless varied heads for the locator: taught T1 brains, warped, given new contrasts and an invented skull, face and
neck, at 8 mm. T1-like contrasts keep their hippocampus labels; every other contrast (T2, FLAIR, CT-like, noise) is all
background, so that the net itself is the gate for T1-weighted images."""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C
from teach import HIPPOCAMPUS, MS, ras

CUBE = 128                      # heads are read at 2 mm, 256 mm wide, kept at 4 mm
STEP, WHOLE = 8, 32             # mm and voxels of the samples
CSF, WHITE = [3, 4, 11, 12], [1, 5]
IMAGE, FLAIR, BRAIN, FAR, LEFT, RIGHT, WM, LIQUID = range(8)


def halved_cube(a):
    """2 x 2 x 2 means of a 1 mm volume (axes z, y, x), centred in the cube."""
    a = np.pad(a, [(0, n % 2) for n in a.shape])
    a = a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2, a.shape[2] // 2, 2).mean((1, 3, 5))
    before = [(CUBE - n) // 2 for n in a.shape]
    return np.pad(a, [(b, CUBE - n - b) for b, n in zip(before, a.shape)])


def head(file):
    """Channels [8, 64, 64, 64] of one taught head (names above; FAR is the distance from the brain in mm), smooth
    enough to be sampled at 8 mm."""
    d = np.load(file)
    label, image = d["label"].transpose(2, 1, 0), d["image"].transpose(2, 1, 0).astype(np.float32)
    brain = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(label > 0, 4), iterations=4))[4:-4, 4:-4, 4:-4]
    image = image / np.percentile(image[np.isin(label, WHITE)], 75) * brain
    flair_file = MS / f"patient{file.stem[2:]}" / "FLAIR.nii.gz"
    flair = image * 0
    if flair_file.exists():
        flair = ras(flair_file)[0].transpose(2, 1, 0)
        flair = flair / np.percentile(flair[brain], 75) * brain
    hippo, middle = label == HIPPOCAMPUS, np.argwhere(label > 0)[:, 2].mean()
    x = np.arange(label.shape[2])[None, None]                 # RAS: x grows towards the patient's right
    cubes = [halved_cube(c.astype(np.float32)) for c in
             (image, flair, brain, brain, hippo & (x < middle), hippo & (x >= middle),
              np.isin(label, WHITE), brain & (np.isin(label, CSF) | (label == 0)))]
    for side in (LEFT, RIGHT):                                # 2 mm wider all round: more to learn from
        cubes[side] = ndimage.grey_dilation(cubes[side], size=3)
    cubes[FAR] = ndimage.distance_transform_edt(cubes[BRAIN] < 0.5) * 2
    cube = F.avg_pool3d(torch.from_numpy(np.stack(cubes).astype(np.float32))[None], 2)
    return (cube + F.avg_pool3d(cube, 3, 1, 1))[0] / 2


def mirrored(c):
    return c.flip(-1)[[IMAGE, FLAIR, BRAIN, FAR, RIGHT, LEFT, WM, LIQUID]].contiguous()


def noise(size, points):
    """Smooth random field, about standard normal."""
    f = F.interpolate(torch.randn(1, 1, points, points, points), size=size, mode="trilinear", align_corners=True)
    return f[0, 0] / f.std()


def uniform(lo, hi):
    return float(np.random.uniform(lo, hi))


def contrast(c, kind):
    """Brain intensities (white matter near 1 for T1) of warped channels, by kind of contrast."""
    white, liquid = c[WM].clamp(0, 1), c[LIQUID].clamp(0, 1)
    grey = (c[BRAIN] - white - liquid).clamp(0, 1)
    if kind == "t1" and np.random.rand() < 0.6:
        return c[IMAGE].clamp(0, 1.6) ** uniform(0.6, 1.6)
    if kind == "flair" and c[FLAIR].max() > 0 and np.random.rand() < 0.65:
        return c[FLAIR].clamp(0, 2) ** uniform(0.6, 1.5)
    if kind == "t2" and np.random.rand() < 0.4:
        return c[BRAIN] * (1.25 - c[IMAGE].clamp(0, 1.25)) ** uniform(0.6, 1.5)
    w, g, q = {"t1": (1, uniform(0.55, 0.88), uniform(0.05, 0.4)), "flair": (uniform(0.55, 0.92), 1, uniform(0, 0.35)),
               "t2": (uniform(0.15, 0.5), uniform(0.55, 0.75), uniform(0.9, 2)),
               "ct": (0.5, uniform(0.5, 0.56), uniform(0.35, 0.48))}[kind]
    return w * white + g * grey + q * liquid


def surroundings(c, kind, size):
    """Invented liquor rim, skull, scalp, face and neck around the brain."""
    far = c[FAR] + noise(size, 6) * uniform(0, 2)
    a, b, d = np.cumsum([uniform(0.5, 5), uniform(3, 10), uniform(3, 14)])
    rim, bone, skin = uniform(0, 0.4), uniform(0, 0.35), uniform(0.2, 1.8)
    if kind == "t2":
        rim = uniform(0.8, 2)
    if kind == "ct":
        bone, skin = uniform(1, 3), uniform(0.3, 0.5)
    z, y, x = torch.meshgrid(*[torch.arange(n, dtype=torch.float32) * STEP for n in size], indexing="ij")
    inside = c[BRAIN] > 0.5
    cz, cy, cx = [float(v[inside].mean()) if inside.any() else 128.0 for v in (z, y, x)]
    neck = ((z - cz + uniform(60, 110)) / uniform(60, 110)) ** 2 \
        + ((y - cy - uniform(-10, 50)) / uniform(50, 110)) ** 2 + ((x - cx) / uniform(45, 80)) ** 2 < 1
    flesh = (uniform(0.3, 0.8) + 0.35 * noise(size, 8) + 0.35 * noise(size, 20)).clamp(0, 2)
    shell = torch.where(far < a, rim, torch.where(far < b, bone, skin)) * (1 + 0.15 * noise(size, 12))
    if np.random.rand() < 0.4:
        shell = torch.where((far > a + 1.5) & (far < b - 1.5), uniform(0.3, 1), shell)     # marrow
    out = torch.where(far < d, shell, torch.where(neck, flesh, 0.0))
    if np.random.rand() < 0.3:                                                             # defaced
        out = torch.where((y - cy - uniform(30, 70)) - (z - cz + uniform(0, 60)) * uniform(0.3, 1.2) > 0, 0.0, out)
    return out * (1 - c[BRAIN].clamp(0, 1))


def finished(image, size):
    """Bias field, blur along one axis (thick slices), noise, clip and z-score as at run time."""
    image = image * torch.exp(uniform(0, 0.35) * noise(size, 3))
    if np.random.rand() < 0.3:
        small = list(size)
        k = np.random.randint(3)
        small[k] = max(8, int(small[k] / uniform(1, 1.6)))
        image = F.interpolate(F.interpolate(image[None, None], size=small, mode="trilinear"), size=size,
                              mode="trilinear")[0, 0]
    image = (image + torch.randn(size) * uniform(0, 0.05) * image.max()).abs()
    low, high = np.percentile(image.numpy(), [0.5, 99.5])
    image = image.clamp(float(low), float(high))
    return (image - image.mean()) / (image.std() + 1e-6)


def sample(heads, box, size, others):
    """One image (8 mm, axes z, y, x), the part `box` of a 256 mm cube, and its labels 0, 1 left, 2 right."""
    c = heads[np.random.randint(len(heads))]
    grid = C.warp_grid(1, 3, (WHOLE,) * 3, 0.3, 0.18, 0.12, 0.012)[:, box[0], box[1], box[2]]
    c = F.grid_sample(c[None], grid, padding_mode="border", align_corners=False)[0]
    kind = np.random.choice(["t1", "t2", "flair", "ct"], p=[1 - others, 0.35 * others, 0.45 * others, 0.2 * others])
    image = contrast(c, kind)
    if np.random.rand() < 0.75:
        image = image + surroundings(c, kind, size)
    label = torch.where(c[LEFT] > 0.4, 1, torch.where(c[RIGHT] > 0.4, 2, 0))
    if kind != "t1":
        label = label * 0
    return finished(image, size), label


def batch(heads, n, others=0.34):
    """n samples on one random field of view, a multiple of 4 voxels an axis; others: the share that is not T1-like."""
    size = [int(np.random.choice([20, 24, 28, 32], p=[0.3, 0.35, 0.2, 0.15])) for _ in range(3)]
    made = []
    for _ in range(n):
        at = [np.random.randint(0, WHOLE + 1 - s) if np.random.rand() < 0.3 else (WHOLE - s) // 2 for s in size]
        made.append(sample(heads, [slice(a, a + s) for a, s in zip(at, size)], size, others))
    return torch.stack([m[0] for m in made])[:, None], torch.stack([m[1] for m in made])
