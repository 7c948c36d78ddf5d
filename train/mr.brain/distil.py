"""Teaching material of mr.brain: varied T1 heads with what brainchop's MeshNets (MIT) say about them.

Permitted heads: the MNI template and open-ms-lesion's T1 (all skull-stripped). Never brainchop-t1 nor Colin27: those
are the acceptance heads. Every variant is a warped head with other intensities and, mostly, invented surroundings
(liquor rim, skull, scalp, face, neck); the teachers then answer on that very picture, so what is distilled is the
function, not three label maps.
    python train/mr.brain/distil.py --work DIR [--variants N] [--first K] [--minutes M]      writes DIR/brain_<k>.npz
    python train/mr.brain/distil.py --work DIR --dress N                                 writes DIR/dressed_<k>.npz
"""
import argparse
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from scipy import ndimage

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "mr.hippocampus_locator"), str(HERE.parent)]
import common as C
from heads import noise, uniform
from teach import HEADS, ras

WEIGHTS = C.DATA.parent / "weights" / "brainchop-meshnet"
SUBCORTICAL = (1, 2, 4, 8, 16, 8, 4, 2, 1)        # dilations; then a 1 x 1 x 1 layer
MINDGRAB = (16, 8, 4, 2, 1) * 5
MUCH = (1, 0.1, 0.3, 0.1)                          # how far the variants stray, in turn


def weights(name):
    """[(kernel, bias or None)] of a teacher, kernels turned from its LIA axes to tensor axes z, y, x of RAS.

    LIA index (l, i, a) is RAS (x = -l, z = -i, y = a): so kernel[z, y, x] = theirs[-x, -z, y]."""
    graph = onnx.load(str(WEIGHTS / f"{name}.onnx")).graph
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()).float() for t in graph.initializer}
    layers = []
    for node in graph.node:
        if node.op_type == "Conv":
            w = values[node.input[1]].flip(2, 3).permute(0, 1, 3, 4, 2).contiguous()
            layers.append((w, values[node.input[2]] if len(node.input) > 2 else None))
    return layers


def meshnet(layers, dilations, activation, x):
    """A MeshNet on x [1, 1, z, y, x]."""
    x = x.to(memory_format=torch.channels_last_3d)
    for (w, b), d in zip(layers, dilations):
        x = activation(F.conv3d(x, w, b, padding=d, dilation=d))
    return F.conv3d(x, *layers[-1])


def minmax(a, span=None):
    a = torch.as_tensor(np.asarray(a, np.float32))
    low, high = span or (a.min(), a.max())
    return (a - low) / (high - low)


def structures(image, span=None):
    """18 structures of a 1 mm RAS head [z, y, x] (of a part of it, whose least and largest values are `span`); zero
    padding of 12 as for the locator's teacher."""
    with torch.no_grad():
        x = F.pad(minmax(image, span), [12] * 6)[None, None]
        y = meshnet(weights("subcortical"), SUBCORTICAL, F.elu, x)[0].argmax(0)
    return y[12:-12, 12:-12, 12:-12].numpy().astype(np.uint8)


def tissue(image, span=None):
    """0 other, 1 white, 2 grey matter."""
    with torch.no_grad():
        x = F.pad(minmax(image, span), [12] * 6)[None, None]
        y = meshnet(weights("tissue_fast"), SUBCORTICAL, F.relu, x)[0].argmax(0)
    return y[12:-12, 12:-12, 12:-12].numpy().astype(np.uint8)


def mask(image, cube=(192, 216, 192)):
    """mindgrab's brain mask; its instance norm sees the head in a box (256^3 conformed there; here less air)."""
    a = np.asarray(image, np.float32)
    pad = [((c - n) // 2, c - n - (c - n) // 2) if n < c else (0, 0) for n, c in zip(a.shape, cube)]
    a = np.pad(a, pad)
    lo, hi = np.percentile(a, [2, 98]).astype(np.float32)
    x = torch.from_numpy(np.clip((a - lo) / (hi - lo), 0, 1))[None, None]
    act = lambda v: F.gelu(F.instance_norm(v))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        y = meshnet(weights("mindgrab"), MINDGRAB, act, x)[0].argmax(0).numpy().astype(np.uint8)
    return y[tuple(slice(p, p + n) for (p, _), n in zip(pad, image.shape))]


def box_of(inside, margin):
    at = np.argwhere(inside)
    return tuple(slice(max(0, a - margin), b + 1 + margin) for a, b in zip(at.min(0), at.max(0)))


def head(name):
    """(image with white matter near 1, brain) of a teaching head, axes z, y, x, centred in 192 x 224 x 192 mm."""
    a = ras(HEADS[name])[0].transpose(2, 1, 0)
    brain = ndimage.binary_fill_holes(ndimage.binary_opening(a > 0.04 * a.max(), iterations=2))
    a = a / np.percentile(a[brain], 90)
    keep = box_of(brain, 2)
    a, brain = a[keep], brain[keep]
    pad = [((c - n) // 2, c - n - (c - n) // 2) for n, c in zip(a.shape, (192, 224, 192))]
    return torch.from_numpy(np.stack([np.pad(a, pad), np.pad(brain, pad)]).astype(np.float32))


def meat(size, brightest):
    """Muscle with streaks of fat and holes of bone or air."""
    if np.random.rand() < 0.3:
        return (uniform(0.3, 0.8) + 0.3 * noise(size, 10) + 0.3 * noise(size, 28) + 0.15 * noise(size, 60)).clamp(0, 2)
    n = noise(size, np.random.randint(8, 16)) + uniform(0.2, 0.8) * noise(size, np.random.randint(25, 45))
    fat, dark = torch.tensor(uniform(0.8, brightest)), torch.tensor(uniform(0, 0.3))
    out = torch.where(n > uniform(0.4, 1.2), fat, torch.where(n < -uniform(0.6, 1.2), dark, uniform(0.4, 0.9)))
    return F.avg_pool3d(out[None, None], 3, 1, 1)[0, 0] * (1 + 0.12 * noise(size, 60))


def surroundings(brain, brightest):
    """Invented liquor rim, skull with marrow, scalp (up to `brightest` white matters), face, neck and air around a brain,
    at 1 mm."""
    size = list(brain.shape)
    half = F.max_pool3d(brain[None, None], 2)[0, 0]
    far = torch.from_numpy(ndimage.distance_transform_edt(half.numpy() < 0.5).astype(np.float32) * 2)
    far = F.interpolate(far[None, None], size=size, mode="trilinear")[0, 0] + noise(size, 8) * uniform(0, 1.5)
    a, b, d = np.cumsum([uniform(0.5, 4), uniform(3, 9), uniform(3, 14)])
    rim, bone, skin = uniform(0, 0.45), uniform(0, 0.35), uniform(0.3, brightest)
    z, y, x = torch.meshgrid(*[torch.arange(n, dtype=torch.float32) for n in size], indexing="ij")
    at = torch.nonzero(brain > 0.5).float().mean(0)
    neck = ((z - at[0] + uniform(60, 110)) / uniform(60, 110)) ** 2 \
        + ((y - at[1] - uniform(-10, 50)) / uniform(50, 110)) ** 2 + ((x - at[2]) / uniform(45, 80)) ** 2 < 1
    inner = far < b + (d - b) * (uniform(0, 0.6) + 0.4 * noise(size, 5))                    # muscle under the fat
    scalp = torch.where(inner, uniform(0.3, 0.9), skin) * (1 + 0.2 * noise(size, 16))
    shell = torch.where(far < a, rim, torch.where(far < b, bone, scalp))
    if np.random.rand() < 0.5:
        shell = torch.where((far > a + 1.5) & (far < b - 1.5), uniform(0.3, 1), shell)
    flesh = meat(size, brightest)
    out = torch.where(far < d, shell * (1 + 0.1 * noise(size, 50)), torch.where(neck, flesh, torch.zeros(())))
    if np.random.rand() < 0.4:                                                              # defaced
        out = torch.where((y - at[1] - uniform(30, 70)) - (z - at[0] + uniform(0, 60)) * uniform(0.3, 1.2) > 0, 0.0, out)
    return out.clamp(min=0) * (1 - brain)


def variant(heads, much):
    """One varied head [z, y, x] as uint8, and its brain; much 1: wild, 0.1: close to what the teachers are used to."""
    c = heads[np.random.randint(len(heads))]
    size, wild = list(c.shape[1:]), much >= 1
    if np.random.rand() < 0.5:
        c = c.flip(-1)
    bend = 0.4 + 0.6 * much
    grid = C.warp_grid(1, 3, size, 0.2 * bend, 0.14 * bend, 0.05 * bend, 0.012 * bend)
    image, brain = F.grid_sample(c[None], grid, align_corners=False)[0]
    image = (image.clamp(min=0) ** np.exp(much * uniform(-0.36, 0.36))).clamp(0, 2)
    if np.random.rand() < (0.75 if wild else 0.95):      # the tissue teacher wants a skull
        around = surroundings((brain > 0.5).float(), 1.2 + 0.7 * much)
        image = torch.where(brain > 0.5, image, around)
    image = image * torch.exp(much * uniform(0, 0.3) * noise(size, 3))
    if wild and np.random.rand() < 0.35:                                                             # thick slices
        small, k = list(size), np.random.randint(3)
        small[k] = int(small[k] / uniform(1, 2))
        image = F.interpolate(F.interpolate(image[None, None], size=small, mode="trilinear"), size=size,
                              mode="trilinear")[0, 0]
    if wild and np.random.rand() < 0.3:
        image = image + uniform(0, 0.8) * (image - F.avg_pool3d(image[None, None], 3, 1, 1)[0, 0])   # sharper
    s = much * uniform(0, 0.05)
    image = ((image + torch.randn(size) * s) ** 2 + (torch.randn(size) * s) ** 2).sqrt()             # Rician
    top = float(np.percentile(image.numpy(), uniform(99.7, 100)))
    image = (image / top).clamp(0, 1) * 255
    keep = box_of(brain.numpy() > 0.5, np.random.randint(4, 15))
    return image[keep].numpy().astype(np.uint8), (brain[keep] > 0.5).numpy().astype(np.uint8)


def dressed(d):
    """A variant in new surroundings, much wider than the box in which its teachers were asked. They are asked again (its
    brain is darker beside brighter fat) about the brain's box; all that is outside of the brain is background."""
    brain = d["mask"] == 1 if (d["mask"] < 255).all() else ndimage.binary_closing(np.pad(d["structures"] > 0, 4),
                                                                                   iterations=4)[4:-4, 4:-4, 4:-4]
    brain = ndimage.binary_fill_holes(brain | (d["structures"] > 0))
    pad = [(np.random.randint(12, high), np.random.randint(12, 32)) for high in (80, 40, 32)]
    a = np.pad(d["image"] / np.percentile(d["image"][brain], 90), pad).astype(np.float32)
    inside = torch.from_numpy(np.pad(brain, pad).astype(np.float32))
    around = surroundings(inside, uniform(1.2, 1.9)) * torch.exp(uniform(0, 0.3) * noise(list(a.shape), 3))
    a = np.where(inside > 0.5, a, (around + 0.02 * torch.randn(a.shape)).clamp(min=0).numpy())
    a = ((a / np.percentile(a, uniform(99.5, 100))).clip(0, 1) * 255).astype(np.uint8)
    inside, span = inside.numpy() > 0.5, (float(a.min()), float(a.max()))
    box = box_of(inside, 12)
    doc = {"image": a, "mask": inside.astype(np.uint8)}
    for name, ask in (("structures", structures), ("tissue", tissue)):
        doc[name] = np.zeros(a.shape, np.uint8)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            doc[name][box] = ask(a[box], span) * inside[box]
    return doc


def dress(work, count, first):
    files = sorted(work.glob("brain_*.npz"))
    for k in range(first, first + count):
        np.random.seed(k)
        torch.manual_seed(k)
        doc = dressed(dict(np.load(files[k % len(files)])))
        np.savez_compressed(work / f"dressed_{k}.npz", **doc, of=files[k % len(files)].stem)
        print("dressed", k, files[k % len(files)].name, doc["image"].shape, flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--work", type=Path, default=Path("/tmp/penta-train"))
    p.add_argument("--variants", type=int, default=24)
    p.add_argument("--first", type=int, default=0)
    p.add_argument("--minutes", type=float, default=20, help="no new variant after that")
    p.add_argument("--dress", type=int, default=0, help="that many of the variants in new surroundings")
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    if args.dress:
        return dress(args.work, args.dress, args.first)
    heads = [head(n) for n in HEADS]
    begun = time.time()
    for k in range(args.first, args.first + args.variants):
        if time.time() - begun > 60 * args.minutes:
            break
        np.random.seed(k)
        torch.manual_seed(k)
        t = time.time()
        image, brain = variant(heads, MUCH[k % len(MUCH)])
        with torch.autocast("cpu", dtype=torch.bfloat16):        # 99.6 % of the labels as in float32
            doc = {"image": image, "structures": structures(image), "tissue": tissue(image)}
        doc["mask"] = brain                          # the heads' own masks; mindgrab judges it on other heads
        np.savez_compressed(args.work / f"brain_{k}.npz", **doc)
        print(k, image.shape, f"{time.time() - t:.0f} s; ml: brain {(doc['mask'] == 1).sum() / 1000:.0f} structures",
              (doc["structures"] > 0).sum() / 1000, "white", (doc["tissue"] == 1).sum() / 1000, flush=True)


if __name__ == "__main__":
    main()
