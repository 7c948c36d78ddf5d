"""mr.brain (for mr.brain_structures, mr.brain_tissue, mr.brain_mask): one backbone, three heads, taught by distil.py.

    python train/mr.brain/distil.py --work DIR
    python train/mr.brain/train.py --work DIR [--minutes M] [--out models/mr.brain]
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
import distil as D
import net as N

HELD = 2                        # the last variants only watch
PATCH = 32                      # voxels of 2 mm


WHITE, GREY = (1, 5, 13), (2, 6, 7, 8, 9, 10, 14, 15, 16, 17)     # structures by tissue, as the tissue teacher has them


def tissue_of(d):
    """The tissue teacher's labels where it has found the white matter, else what the structures say of tissues: it
    loses the brain on strong bias fields and unusual contrasts, which nobody needs to learn."""
    white = np.isin(d["structures"], WHITE)
    if C.dice(d["tissue"] == 1, white) > 0.8:
        return d["tissue"]
    return (white + 2 * np.isin(d["structures"], GREY)).astype(np.uint8)


def load(file, trunk):
    """(features on the even voxels, image 0..1 [1, z, y, x], {head: labels}) of a variant, sizes made even."""
    d = dict(np.load(file))
    d["tissue"] = tissue_of(d)
    if (d["mask"] == 255).any():                # not asked: what the structures enclose
        d["mask"] = ndimage.binary_fill_holes(ndimage.binary_closing(d["structures"] > 0, iterations=4)).astype(np.uint8)
    pad = [(0, n % 2) for n in d["image"].shape]
    image = D.minmax(np.pad(d["image"], pad))[None]
    labels = {k: torch.from_numpy(np.pad(d[k], pad, constant_values=0)) for k in N.HEADS}
    with torch.no_grad():
        f = C.forward_bf16(trunk, image[None].to(memory_format=torch.channels_last_3d))[0]
    return f.bfloat16(), image, labels


def cut(case, size, rng):
    """A patch about a voxel of a random structure (or anywhere in the head)."""
    features, image, labels = case
    s = labels["structures"]
    kind = rng.integers(0, 20)
    at = None
    if kind < 18:
        for _ in range(4000):
            p = [int(rng.integers(0, n)) for n in s.shape]
            if s[tuple(p)] == kind:
                at = p
                break
    at = at or [int(rng.integers(0, n)) for n in s.shape]
    box = []
    for p, n in zip(at, features.shape[1:]):
        start = int(np.clip(p // 2 - size // 2 + rng.integers(-8, 9), 0, max(0, n - size)))
        box.append(slice(start, start + size))
    fine = tuple(slice(2 * b.start, 2 * b.stop) for b in box)
    return (features[(slice(None), *box)], image[(slice(None), *fine)], {k: v[fine] for k, v in labels.items()})


def start_heads(decoder, cases, cells=6000, seed=0):
    """Tissue and mask begin as the ridge regression of their labels on the hidden features of random cells."""
    rng, rows, targets = np.random.default_rng(seed), [], {"tissue": [], "mask": []}
    for features, image, labels in cases:
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            h = F.elu(decoder.mix(features[None]) + decoder.fine(image[None]))[0]
        at = [torch.from_numpy(rng.integers(0, n, 4 * cells)) for n in h.shape[1:]]
        near = F.max_pool3d(labels["structures"][None, None].float(), 2)[0, 0][at[0], at[1], at[2]] > 0
        keep = torch.cat([torch.nonzero(near)[:3 * cells // 4], torch.nonzero(~near)[:cells // 4]])[:, 0]   # mostly brain
        z, y, x = (a[keep] for a in at)
        rows.append(h[:, z, y, x].T.float())
        for k, v in targets.items():
            v.append(torch.stack([labels[k][2 * z + p // 4, 2 * y + p // 2 % 2, 2 * x + p % 2] for p in range(8)], 1))
    h = torch.cat(rows).double()
    mean = h.mean(0)
    gram = (h - mean).T @ (h - mean) + 1e-2 * len(h) * torch.eye(240)
    for k, v in targets.items():
        head, label = decoder.heads[k], torch.cat(v).long()
        bias = 0
        for p in range(8):
            t = F.one_hot(label[:, p].clamp(max=head.weight.shape[1] - 1), head.weight.shape[1]).double() * 8
            w = torch.linalg.solve(gram, (h - mean).T @ (t - t.mean(0)))
            head.weight.data[:, :, p // 4, p // 2 % 2, p % 2] = w.float()
            bias = bias + (t.mean(0) - mean @ w).float() / 8
        head.bias.data.copy_(bias)


def loss_of(outputs, labels):
    total = 0
    for (name, y) in zip(N.HEADS, outputs):
        t = labels[name].long()
        if name == "mask":
            total = total + 0.5 * F.cross_entropy(y.float(), t, ignore_index=255) if (t != 255).any() else total
        elif name == "tissue":
            total = total + 0.5 * C.dice_ce(y, t)
        else:
            total = total + C.dice_ce(y, t)
    return total


def dice_row(predicted, label, classes):
    """Dice of each class but the background; nan where neither has it."""
    return [C.dice(predicted == c, label == c) if ((label == c).any() or (predicted == c).any()) else np.nan
            for c in range(1, classes)]


def validate_one(net, case):
    """Mean Dice of structures, tissue and mask of one variant."""
    f, x, labels = case
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        y = net(f[None], x[None])
    return [round(float(np.nanmean(dice_row(y[k][0].float().argmax(0).numpy(), labels[h].numpy(), len(N.HEADS[h])))), 4)
            for k, h in enumerate(N.HEADS)]


def main():
    args = C.arguments("mr.brain", steps=4000, minutes=10)
    files = sorted(args.work.glob("brain_*.npz"), key=lambda f: int(f.stem[6:]))
    trunk = N.Trunk().to(memory_format=torch.channels_last_3d).eval()
    decoder = N.Decoder().to(memory_format=torch.channels_last_3d)
    if not args.evaluate_only:
        cases = [load(f, trunk) for f in files]
        print("variants", len(cases), flush=True)
        taught, watched = cases[:-HELD], cases[-HELD:]
        rng = np.random.default_rng(args.seed)
        if not args.resume:
            start_heads(decoder, taught)
        print("at first", [validate_one(decoder, c) for c in watched], flush=True)

        def batch_loss(net):
            made = [cut(taught[rng.integers(len(taught))], PATCH, rng) for _ in range(1)]
            size = [min(m[0].shape[i] for m in made) for i in (1, 2, 3)]
            small, fine = [slice(0, n) for n in size], [slice(0, 2 * n) for n in size]
            f = torch.stack([m[0][(slice(None), *small)] for m in made]).to(memory_format=torch.channels_last_3d)
            x = torch.stack([m[1][(slice(None), *fine)] for m in made])
            labels = {k: torch.stack([m[2][k][tuple(fine)] for m in made]) for k in N.HEADS}
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return loss_of(net(f, x), labels)

        def validate(net):
            return np.mean([validate_one(net, c) for c in watched], 0).round(4)

        decoder = C.trained(decoder, batch_loss, args, "brain", lr=1e-3, every=200, validate=validate)
    import cards
    cards.write(trunk, decoder.float(), args.out, args.work, len(files), args.evaluate_only)


if __name__ == "__main__":
    main()
