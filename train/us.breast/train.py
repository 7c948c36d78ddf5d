#!/usr/bin/env python3
"""us.breast: benign, malignant or normal on a breast ultrasound frame. A head on any.image_encoder, cross-fitted; its
attention is taught by the lesions' masks. Letters and callipers are painted over in what is measured.

Where the masks of us/busi are all empty (as in the copy of November 2026), PENTA_BUSI_PAIRS names the dataset/ folder of
the repository and commit that us/busi/SOURCE.md names for its masks ('benign (1).png', 'benign (1)_mask.png', ...)."""
import os
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]
import numpy as np
import torch

import classification as K
import common as C
import encoder as E
import overlay
import strangers as S
import ultrasound as U

NAME, SET = "us.breast", C.DATA / "us" / "busi"
CLASSES = ("benign", "malignant", "normal")
FIRST = ("Trained on BUSI, whose licence is unclear (PENTA_OPEN_LICENCES_ONLY=1 leaves this model out); real frames "
         "without patient ids, one hospital, one machine. ")


def breast(x):
    """Change of a frame: mirrored, moved, scaled, other gain and speckle, letters and callipers on some."""
    grid = C.warp_grid(len(x), 2, (E.SIZE, E.SIZE), 0.15, 0.2, 0.1, 0.02, flip=(0,))

    def shade(x):
        share = (torch.rand(len(x), 1, 1, 1) < 0.6).float()
        return overlay.drawn_on_some((U.disturbed(x) * share + x * (1 - share)).clamp(0, 1))
    return grid, shade


def thumbnail(grey):
    t = U.area_resize(grey, 28, 28).ravel()
    return (t - t.mean()) / (np.linalg.norm(t - t.mean()) + 1e-6)


def small(mask):
    return (U.area_resize(np.float32(mask > 0), E.SIZE, E.SIZE) > 0.5).astype(np.float32)


def pairs():
    """[(class, frame, mask)] of PENTA_BUSI_PAIRS: lesions with a mask of the frame's size."""
    found, root = [], os.environ.get("PENTA_BUSI_PAIRS")
    for kind in CLASSES[:2] if root else ():
        for f in sorted((Path(root) / kind).glob("*).png")):
            a, ms = U.grey(f), [U.grey(m) for m in sorted(f.parent.glob(f.stem + "_mask*.png"))]
            if ms and all(m.shape == a.shape for m in ms) and max(m.max() for m in ms) > 0:
                found.append((kind, a, np.max(ms, axis=0)))
    return found


def masks_of(files, thumbs):
    """(masks, whether each is known, lesions of the pairs that are not among the files)."""
    masks = np.stack([small(U.grey(SET / "masks" / (f.stem + ".png"))) for f in files])
    known, extra = np.array([f.name.startswith("normal") for f in files]) | masks.any((1, 2)), []
    for kind, a, m in pairs():
        alike = thumbs @ thumbnail(a)
        best = int(alike.argmax())
        if alike[best] > 0.98 and files[best].name.startswith(kind):
            masks[best], known[best] = small(m), True
        else:
            extra.append((a, small(m), best))
    return masks, known, extra


def task():
    files = sorted((SET / "images").glob("*.jpg"))
    greys = [U.grey(f) for f in files]
    masks, known, extra = masks_of(files, np.stack([thumbnail(a) for a in greys]))
    t = K.Task(NAME, CLASSES, files, np.stack([E.prepared(overlay.masked(a)) for a in greys]),
               [CLASSES.index(f.name.split("_")[0]) for f in files], breast, masks, known, variants=4, steps=450, both=True)
    t.extra, t.untouched = extra, np.stack([E.prepared(a) for a in greys])
    print("masks known of", int((known & (t.y < 2)).sum()), "lesions, and of", len(extra), "frames that are not taught")
    return t


def hits(t, p, args):
    """Whether the hottest place of the map of the class that is said lies in the mask: of every lesion with a mask by
    the net that had not seen it; of frames outside us/busi by the net that had not seen the frame most like it."""
    def hit(cam, mask):
        y, x = np.unravel_index(cam.argmax(), cam.shape)
        return float(mask[16 * y + 8, 16 * x + 8] > 0)
    found = [hit(t.own_cam[i][p[i].argmax()], t.masks[i]) for i in np.flatnonzero((t.y < 2) & t.known)]
    if t.extra:
        frames = np.stack([E.prepared(overlay.masked(a)) for a, _, _ in t.extra])
        each, _, cams = t.seen(frames, args.work / "features", args.out)
        for i, (_, m, like) in enumerate(t.extra):
            found.append(hit(cams[i, t.fold[like]][each[i, t.fold[like]].argmax()], m))
    return np.array(found)


def numbers(t, args):
    data, p, y = "us/busi", t.p, t.y
    t.command = t.command if t.masks.any() and not t.extra else "PENTA_BUSI_PAIRS=DIR " + t.command
    ids = {"data": f"{data}, letters and callipers masked,", "ece": "us.classification.ece",
           "brier": "us.breast.brier_skill", "accuracy": "us.breast.accuracy"}
    lesion = np.flatnonzero(y < 2)
    auc = lambda q: lambda k: K.auroc((q[:, 1] / (q[:, 0] + q[:, 1]))[lesion[k]], y[lesion[k]] == 1)
    rows = [K.row("us.classification.auc", f"{data} benign against malignant, letters and callipers masked, out of fold",
                  "AUC", auc(p), len(lesion), t.command)] + t.calibration_rows(ids)
    rows.append(K.row("us.breast.macro_auc", f"{data} out of fold", "macro-AUC",
                      lambda k: K.macro_auroc(p[k], y[k]), len(y), t.command))
    found = hits(t, p, args)
    rows.append(K.row("us.classification.heat_map", f"{data} and its named origin, lesions with a mask, letters and callipers masked, out of fold",
                      "share of heat maps that hit the lesion", lambda k: found[k].mean(), len(found), t.command))
    each, _, _ = t.seen(t.untouched, args.work / "features", args.out)
    q = K.softmax(each[np.arange(len(y)), t.fold] / t.temperature)
    rows.append(K.row("us.breast.auc_untouched", f"{data} benign against malignant, frames as they are, out of fold",
                      "AUC", auc(q), len(lesion), t.command))
    rows.append(K.row("us.breast.ece_untouched", f"{data} frames as they are, out of fold", "ECE",
                      lambda k: K.ece(q[k].max(1), q[k].argmax(1) == y[k]), len(y), t.command))
    sets = S.pictures(("us/hc18", "us/usgra", "mr/", "ct/"))
    rows += t.others_abstained(args, {n: [E.prepared(f) for f in v] for n, v in sets.items()}, "us.breast.abstains")
    return rows + t.shortcut_rows("us.breast.shortcut_net", data)


def card(t, rows):
    return {
        "id": NAME, "task": "classification", "modalities": ["US"],
        "title": "Benign, malignant or normal on a breast ultrasound frame, with a calibrated probability and a heat map.",
        "licence_switch": True,
        "evidence_note": FIRST + "Near-duplicate clusters were kept together in five folds; every number is out of "
                         "fold (of the one of five nets that had not seen the frame; shipped is their mean). Letters "
                         "and callipers were painted over, and drawn on frames of every class in training. The data folder's copy "
                         "of the masks is empty: some lesions have one from the origin that it names. The form of the "
                         "small nets was chosen among three on these same folds, so the AUC is slightly optimistic (linear: 0.915).",
        "architecture": "head on any.image_encoder (EfficientNet-Lite0, ImageNet, frozen): votes of 14 x 14 places "
                        "weighted by an attention that lesion masks taught, averaged with small nets on the pooled "
                        "features; five of these averaged; the heat map is those votes (gradient-free, exact)",
        "training_data": [{"name": "BUSI (10.1016/j.dib.2019.104863)", "licence": "unclear", "n": len(t.y),
                           "use": "training and, out of fold, the numbers"},
                          {"name": "ImageNet-1k, through any.image_encoder", "licence": "weights Apache-2.0",
                           "n": 1281167, "use": "training of the frozen backbone (not ours)"}],
        "weights_licence": "CC-BY-4.0 (paper) or CC0-1.0 (copies), not checked: unclear",
        "intended_use": "Research on B-mode frames of the breast. Research use, not a medical device.",
        "not_for": ["excluding cancer", "axilla", "elastography, Doppler"],
        "known_failures": ["Frames were resized to a square upstream: taller-than-wide, a sign of malignancy, is lost.",
                           "One hospital and machine: other vendors are not measured.",
                           "BUSI has axilla views and duplicates among its frames (Pawlowska 2023).",
                           K.shortcut_text(rows)],
        "gate": {"kinds": ["frames"],
                 "recognised": [{"method": "us.view", "label": "breast", "probability_min": 0.9}]},
        "results": rows, "network": t.network(None)}


if __name__ == "__main__":
    K.run(NAME, task, numbers, card)
