"""mr.brain (for mr.brain_structures, mr.brain_tissue, mr.brain_mask): one backbone, three outputs, taught from nothing by
what the teachers of distil.py say of varied heads (their labels; none of their weights).

    python train/mr.brain/distil.py --work DIR && python train/mr.brain/distil.py --work DIR --dress 80
    python train/mr.brain/train.py --work DIR [--minutes M] [--resume] [--out models/mr.brain] [--evaluate-only]
"""
import sys
import time
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

HELD = 2                        # the last variants whose tissues are believed only watch
COARSE = 0.3                    # share of the time in which only the coarse answer is taught
WIDE = 0.7                      # share of the patches from dressed variants
FINE = 64                       # voxels along an axis of the box in which the fine answer is taught: it is dear
WHITE, GREY = (1, 5, 13), (2, 6, 7, 8, 9, 10, 14, 15, 16, 17)     # structures by tissue, as the tissue teacher has them
AGREE = (0.8, 0.7)              # Dice of white and grey matter of the two teachers, from which tissue is believed
TISSUE = list(N.HEADS).index("tissue")


def agree(d):
    """Whether the tissue teacher was itself on a variant: it loses the brain on strong bias fields and unusual contrasts,
    which nobody needs to learn."""
    return all(C.dice(d["tissue"] == k + 1, np.isin(d["structures"], kinds)) > AGREE[k]
               for k, kinds in enumerate((WHITE, GREY)))


def load(file):
    """(image 0..1 [z, y, x], labels [head, z, y, x] with 255 throughout where a teacher is not believed, voxels of every
    structure) of a variant, at least a patch large."""
    d = dict(np.load(file))
    if not agree(d):
        d["tissue"][:] = 255
    if (d["mask"] == 255).any():                # not asked: what the structures enclose
        d["mask"] = ndimage.binary_fill_holes(ndimage.binary_closing(d["structures"] > 0, iterations=4)).astype(np.uint8)
    pad = [(0, max(0, N.PATCH - n)) for n in d["image"].shape]
    image = D.minmax(np.pad(d["image"], pad)).half()
    labels = {k: np.pad(d[k], pad, constant_values=255 if d[k].flat[0] == 255 else 0) for k in N.HEADS}
    flat = labels["structures"].ravel()
    order = np.argsort(flat, kind="stable").astype(np.int32)
    ends = np.searchsorted(flat[order], range(len(N.STRUCTURES) + 1))
    places = [order[a:b] for a, b in zip(ends, ends[1:]) if b > a][1:]
    return image, torch.from_numpy(np.stack(list(labels.values()))), places


def cut(case, rng):
    """A patch about a voxel of a random structure, mirrored left to right and bent by chance, with other grey values."""
    image, labels, places = case
    kind = places[rng.integers(0, len(places))]
    at = np.unravel_index(kind[rng.integers(0, len(kind))], image.shape)
    if rng.random() < 0.25:                     # anywhere: what is no brain must be known too
        at = [rng.integers(0, n) for n in image.shape]
    starts = [int(np.clip(p - N.PATCH // 2 + rng.integers(-24, 25), 0, n - N.PATCH)) for p, n in zip(at, image.shape)]
    box = tuple(slice(a, a + N.PATCH) for a in starts)
    x, y = image[box].float(), labels[(slice(None), *box)]
    if rng.random() < 0.5:
        x, y = x.flip(2), y.flip(3)
    if rng.random() < 0.5:
        grid = C.warp_grid(1, 3, list(x.shape), 0.12, 0.12, 0.05, 0.02, rng=rng)
        x = F.grid_sample(x[None, None], grid, padding_mode="border", align_corners=False)[0, 0]
        y = F.grid_sample(y[None].float(), grid, mode="nearest", padding_mode="border",
                          align_corners=False)[0]
    return changed(x, rng), y.long()


def changed(x, rng):
    """Gamma, gain, a bias field, noise, and now and then blur: little, since the teachers' borders follow the values."""
    x = x.clamp(0, 1) ** float(np.exp(rng.normal(0, 0.12))) * float(np.exp(rng.normal(0, 0.1)))
    field = torch.from_numpy(rng.normal(0, 0.06, (1, 1, 3, 3, 3)).astype(np.float32))
    x = x * torch.exp(F.interpolate(field, size=x.shape, mode="trilinear", align_corners=True)[0, 0])
    if rng.random() < 0.1:
        x = F.avg_pool3d(x[None, None], 3, 1, 1)[0, 0]
    return x + torch.randn_like(x) * float(rng.uniform(0, 0.03))


def loss_of(outputs, labels):
    """Dice and cross-entropy of structures, tissue (where it is believed) and mask; labels [head, z, y, x]."""
    return sum(w * C.dice_ce(y, t[None]) for w, y, t in zip((1, 0.5, 0.25), outputs, labels) if not (t == 255).all())


def lesson(net, x, y, rng, fine):
    """The coarse answer to every cell, against one of its voxels (the same corner in all); the fine one to a box."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cells = net.cells(x[None, None])
        a, b, c = rng.integers(0, 2, 3)
        loss = loss_of(net.coarse(cells), y[:, a::2, b::2, c::2])
        if not fine:
            return loss
        at = [int(v) for v in rng.integers(0, (N.PATCH - FINE) // 2, 3)]
        small = tuple(slice(v, v + FINE // 2) for v in at)
        box = tuple(slice(2 * v, 2 * v + FINE) for v in at)
        return loss + loss_of(net.fine(cells[(..., *small)], x[box][None, None]), y[(slice(None), *box)])


def watch(net, case):
    """Mean Dice of every head on the middle patch of a variant."""
    image, labels, _ = case
    box = tuple(slice((n - N.PATCH) // 2, (n - N.PATCH) // 2 + N.PATCH) for n in image.shape)
    labels = dict(zip(N.HEADS, labels[(slice(None), *box)]))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(image[box].float()[None, None])
    return [round(float(np.mean([C.dice((y[0].float().argmax(0) == c).numpy(), (labels[k] == c).numpy())
                                 for c in range(1, len(N.HEADS[k])) if (labels[k] == c).any()])), 4)
            for k, y in zip(N.HEADS, out)]


def main():
    args = C.arguments("mr.brain", steps=100000, minutes=75)
    files = sorted(args.work.glob("brain_*.npz"), key=lambda f: int(f.stem[6:]))
    dressed = sorted(args.work.glob("dressed_*.npz"))
    if not args.evaluate_only:
        cases = [load(f) for f in files]
        believed = [k for k, (_, labels, _) in enumerate(cases) if not (labels[TISSUE] == 255).all()]
        watched = [cases.pop(k) for k in believed[:-HELD - 1:-1]]
        away = {files[k].stem for k in believed[-HELD:]}
        wide = [load(f) for f in dressed if str(np.load(f)["of"]) not in away]
        print("variants", len(cases), "dressed", len(wide), "watched", len(watched), "believed", len(believed), flush=True)
        rng, begun = np.random.default_rng(args.seed), time.time()

        def batch_loss(net):
            some = wide if wide and rng.random() < WIDE else cases
            x, y = cut(some[rng.integers(0, len(some))], rng)
            fine = args.resume or time.time() - begun > 60 * args.minutes * COARSE
            return lesson(net, x, y, rng, fine)

        net = C.trained(N.Brain(), batch_loss, args, "mr.brain.student", lr=2e-3,
                        validate=lambda ema: [watch(ema, c) for c in watched], every=100)
        cards.export(net, args.out)
    C.write_card(args.out, cards.card(cards.accept(args.out, args.work), len(files) + len(dressed)))


if __name__ == "__main__":
    main()
