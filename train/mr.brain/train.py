"""mr.brain (for mr.brain_structures, mr.brain_tissue, mr.brain_mask): one backbone, three outputs, taught from nothing by
what the teachers of distil.py say of varied heads (their labels; none of their weights).

    python train/mr.brain/distil.py --work DIR
    python train/mr.brain/train.py --work DIR [--minutes M] [--resume] [--out models/mr.brain] [--evaluate-only]
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
WHITE, GREY = (1, 5, 13), (2, 6, 7, 8, 9, 10, 14, 15, 16, 17)     # structures by tissue, as the tissue teacher has them


def tissue_of(d):
    """The tissue teacher's labels where it has found the white matter, else what the structures say of tissues: it
    loses the brain on strong bias fields and unusual contrasts, which nobody needs to learn."""
    white = np.isin(d["structures"], WHITE)
    if C.dice(d["tissue"] == 1, white) > 0.8:
        return d["tissue"]
    return (white + 2 * np.isin(d["structures"], GREY)).astype(np.uint8)


def load(file):
    """(image 0..1 [z, y, x], {head: labels}) of a variant, at least a patch large."""
    d = dict(np.load(file))
    d["tissue"] = tissue_of(d)
    if (d["mask"] == 255).any():                # not asked: what the structures enclose
        d["mask"] = ndimage.binary_fill_holes(ndimage.binary_closing(d["structures"] > 0, iterations=4)).astype(np.uint8)
    pad = [(0, max(0, N.PATCH - n)) for n in d["image"].shape]
    image = D.minmax(np.pad(d["image"], pad)).half()
    return image, {k: torch.from_numpy(np.pad(d[k], pad)) for k in N.HEADS}


def cut(case, rng):
    """A patch about a voxel of a random structure, mirrored left to right by chance, with other grey values."""
    image, labels = case
    kind, s = rng.integers(1, 18), labels["structures"]
    at = [int(rng.integers(0, n)) for n in s.shape]
    for _ in range(2000):
        p = tuple(int(rng.integers(0, n)) for n in s.shape)
        if s[p] == kind:
            at = p
            break
    starts = [int(np.clip(p - N.PATCH // 2 + rng.integers(-24, 25), 0, n - N.PATCH)) for p, n in zip(at, s.shape)]
    box = tuple(slice(a, a + N.PATCH) for a in starts)
    x, y = image[box].float(), {k: v[box] for k, v in labels.items()}
    if rng.random() < 0.5:
        x, y = x.flip(2), {k: v.flip(2) for k, v in y.items()}
    return changed(x, rng), y


def changed(x, rng):
    """Gamma, gain, a bias field, noise, and now and then blur."""
    x = x.clamp(0, 1) ** float(np.exp(rng.normal(0, 0.25))) * float(np.exp(rng.normal(0, 0.15)))
    field = torch.from_numpy(rng.normal(0, 0.12, (1, 1, 3, 3, 3)).astype(np.float32))
    x = x * torch.exp(F.interpolate(field, size=x.shape, mode="trilinear", align_corners=True)[0, 0])
    if rng.random() < 0.2:
        x = F.avg_pool3d(x[None, None], 3, 1, 1)[0, 0]
    return x + torch.randn_like(x) * float(rng.uniform(0, 0.04))


def loss_of(outputs, labels):
    target = {k: v[None].long() for k, v in labels.items()}
    by_head = dict(zip(N.HEADS, outputs))
    return (C.dice_ce(by_head["structures"], target["structures"]) + 0.5 * C.dice_ce(by_head["tissue"], target["tissue"]) +
            0.25 * C.dice_ce(by_head["mask"], target["mask"]))


def watch(net, case):
    """Mean Dice of every head on the middle patch of a variant."""
    image, labels = case
    box = tuple(slice((n - N.PATCH) // 2, (n - N.PATCH) // 2 + N.PATCH) for n in image.shape)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(image[box].float()[None, None])
    return [round(float(np.mean([C.dice((y[0].float().argmax(0) == c).numpy(), (labels[k][box] == c).numpy())
                                 for c in range(1, len(N.HEADS[k])) if (labels[k][box] == c).any()])), 4)
            for k, y in zip(N.HEADS, out)]


def main():
    args = C.arguments("mr.brain", steps=4000, minutes=22)
    files = sorted(args.work.glob("brain_*.npz"), key=lambda f: int(f.stem[6:]))
    if not args.evaluate_only:
        cases = [load(f) for f in files]
        taught, watched = cases[:-HELD], cases[-HELD:]
        print("variants", len(taught), "watched", len(watched), flush=True)
        rng = np.random.default_rng(args.seed)

        def batch_loss(net):
            x, y = cut(taught[rng.integers(0, len(taught))], rng)
            return loss_of(C.forward_bf16(net, x[None, None]), y)

        net = C.trained(N.Brain(), batch_loss, args, "mr.brain.student", lr=2e-3,
                        validate=lambda ema: [watch(ema, c) for c in watched], every=100)
        cards.export(net, args.out)
    C.write_card(args.out, cards.card(cards.accept(args.out, args.work), len(files)))


if __name__ == "__main__":
    main()
