"""What the ultrasound recipes share: reading grey frames, the area resize, hc18 grouped by fetus, speckle changes."""
import csv

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import common as C

HC18 = C.DATA / "us" / "hc18"


def grey(path):
    """Grey image as float32 0..255, rows first (colour: ITU-R 601 luma)."""
    return np.asarray(Image.open(path).convert("L"), dtype=np.float32)


def area_matrix(n_in, n_out):
    """Row j holds the share of each input pixel in output pixel j: overlap of [i, i+1] and [j s, (j+1) s], over s."""
    s = n_in / n_out
    lo, hi = np.arange(n_out)[:, None] * s, (np.arange(n_out)[:, None] + 1) * s
    i = np.arange(n_in)[None]
    return np.clip(np.minimum(hi, i + 1) - np.maximum(lo, i), 0, None) / s


def area_resize(a, width, height):
    """Exact area average to width x height, each axis on its own (aspect is not kept)."""
    rows, columns = area_matrix(a.shape[0], height), area_matrix(a.shape[1], width)
    return (rows @ a.astype(np.float64) @ columns.T).astype(np.float32)


def hc18_split():
    """{part: fetus numbers}, seeded; both ultrasound recipes use the same one."""
    fetuses = {f.name[:3] for f in (HC18 / "images").glob("*.jpg")}
    return C.split_ids(fetuses, {"train": 0.68, "validation": 0.12, "held_out": 0.2}, seed=18)


def hc18_files(fetus):
    return sorted((HC18 / "images").glob(f"{fetus}_*.jpg"))


def hc18_table():
    """{name without extension: (pixel size in mm of the halved image, head circumference in mm)}"""
    with open(HC18 / "pixel_size_and_HC.csv", newline="") as f:
        rows = list(csv.reader(f))[1:]
    return {r[0].split(".")[0]: (2 * float(r[1]), float(r[2])) for r in rows}


def disturbed(x):
    """Gain, gamma, shadows, speckle and blur on frames [n, 1, h, w] scaled 0..1."""
    n, size, u = len(x), x.shape[2:], lambda lo, hi: torch.empty(len(x), 1, 1, 1).uniform_(lo, hi)
    x = x.clamp(0, 1) ** torch.exp(u(-0.5, 0.5)) * torch.exp(u(-0.4, 0.3))
    field = F.interpolate(torch.randn(n, 1, 4, 4) * 0.25, size=size, mode="bicubic")
    x = x * torch.exp(field) * (1 + torch.randn_like(x) * u(0, 0.25)) + torch.randn_like(x) * u(0, 0.03)
    if np.random.rand() < 0.3:
        x = x + u(0, 1) * (F.avg_pool2d(x, 3, 1, 1, count_include_pad=False) - x)
    return x.clamp(0, 1)
