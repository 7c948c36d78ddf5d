"""mr.brain (for mr.brain_structures, mr.brain_tissue, mr.brain_mask): one net, three outputs (net.py).

Structures and tissue are the teachers' own layers on cells of 2 mm: nothing is fitted. The mask is a ridge regression on
the hidden features of the varied heads of distil.py. (Fitting a further decoder for ten minutes of CPU was tried: on the
two watched variants it lost, 0.933 after 363 steps against 0.948 before the first, so it was left out.)
    python train/mr.brain/distil.py --work DIR
    python train/mr.brain/train.py --work DIR [--out models/mr.brain] [--evaluate-only]
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
import common as C
import cards
import distil as D
import net as N

HELD = 2                        # the last variants only watch


def load(file):
    """(image 0..1 [1, 1, z, y, x], {head: labels}) of a variant, sizes made even."""
    d = dict(np.load(file))
    if (d["mask"] == 255).any():                # not asked: what the structures enclose
        d["mask"] = ndimage.binary_fill_holes(ndimage.binary_closing(d["structures"] > 0, iterations=4)).astype(np.uint8)
    pad = [(0, n % 2) for n in d["image"].shape]
    return D.minmax(np.pad(d["image"], pad))[None, None], {k: torch.from_numpy(np.pad(d[k], pad)) for k in N.HEADS}


def hidden(net, image):
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        return net.structures.hidden(image.to(memory_format=torch.channels_last_3d))[0]


def fit_mask(net, files, cells=6000, seed=0):
    """The mask's head: ridge regression of the eight voxels of a cell on its hidden features, at random cells."""
    rng, rows, targets = np.random.default_rng(seed), [], []
    for file in files:
        image, labels = load(file)
        h, mask = hidden(net, image), labels["mask"]
        near = F.max_pool3d(mask[None, None].float(), 13, 1, 6)[0, 0][::2, ::2, ::2] > 0    # the brain and 6 mm around
        at = torch.from_numpy(rng.integers(0, near.numel(), 20 * cells))
        inside = near.flatten()[at]
        at = torch.cat([at[inside][:3 * cells // 4], at[~inside][:cells // 4]])
        z, y, x = np.unravel_index(at.numpy(), near.shape)
        rows.append(h[:, z, y, x].T.double())
        targets.append(torch.stack([mask[2 * z + p // 4, 2 * y + p // 2 % 2, 2 * x + p % 2] for p in range(8)], 1))
    h, label = torch.cat(rows), torch.cat(targets).double() * 2 - 1
    mean = h.mean(0)
    gram = (h - mean).T @ (h - mean) + 1e-3 * len(h) * torch.eye(240)
    w = torch.linalg.solve(gram, (h - mean).T @ (label - label.mean(0)))                    # [240, 8]
    net.mask.weight.data.zero_()
    for p in range(8):
        net.mask.weight.data[:, 1, p // 4, p // 2 % 2, p % 2] = 4 * w[:, p].float()
    net.mask.bias.data.copy_(torch.tensor([0, 4 * float((label.mean(0) - mean @ w).mean())]))


def watch(net, file):
    """Mean Dice of every head on a variant."""
    image, labels = load(file)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(image.to(memory_format=torch.channels_last_3d))
    return [round(float(np.mean([C.dice((y[0].float().argmax(0) == c).numpy(), (labels[k] == c).numpy())
                                 for c in range(1, len(N.HEADS[k]))])), 4) for k, y in zip(N.HEADS, out)]


def main():
    args = C.arguments("mr.brain", steps=1, minutes=1)
    files = sorted(args.work.glob("brain_*.npz"), key=lambda f: int(f.stem[6:]))
    if not args.evaluate_only:
        net = N.Whole().to(memory_format=torch.channels_last_3d).eval()
        fit_mask(net, files[:-HELD])
        for file in files[-HELD:]:
            print(file.name, dict(zip(N.HEADS, watch(net, file))), flush=True)
        cards.export(net.to(memory_format=torch.contiguous_format), args.out)
    C.write_card(args.out, cards.card(cards.accept(args.out, args.work), len(files)))


if __name__ == "__main__":
    main()
