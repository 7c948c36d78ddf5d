#!/usr/bin/env python3
"""us.breast: benign, malignant or normal on a breast ultrasound frame. A head on any.image_encoder, cross-fitted; its
attention is taught by the lesions' masks. Letters and callipers are painted over in what is measured."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]
import numpy as np
import torch
from PIL import Image

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


def mask(file):
    m = Image.open(SET / "masks" / (file.stem + ".png")).convert("L").resize((E.SIZE, E.SIZE), Image.NEAREST)
    return (np.asarray(m) > 0).astype(np.float32)


def task():
    files = sorted((SET / "images").glob("*.jpg"))
    return K.Task(NAME, CLASSES, files, np.stack([E.prepared(overlay.masked(U.grey(f))) for f in files]),
                  [CLASSES.index(f.name.split("_")[0]) for f in files], breast, np.stack([mask(f) for f in files]),
                  variants=8, steps=1200)


def hits(t, p):
    """Whether the hottest place of the map of the class that is said lies in the mask, of frames with a lesion."""
    found = np.full(len(t.y), np.nan)
    for i in np.flatnonzero(t.y < 2):
        cam = t.own_cam[i][p[i].argmax()]
        y, x = np.unravel_index(cam.argmax(), cam.shape)
        found[i] = t.masks[i][16 * y + 8, 16 * x + 8] > 0
    return found


def numbers(t, args):
    data, p, y = "us/busi", t.p, t.y
    ids = {"data": f"{data}, letters and callipers masked,", "ece": "us.classification.ece",
           "brier": "us.breast.brier_skill", "accuracy": "us.breast.accuracy"}
    lesion = np.flatnonzero(y < 2)
    auc = lambda q: lambda k: K.auroc((q[:, 1] / (q[:, 0] + q[:, 1]))[lesion[k]], y[lesion[k]] == 1)
    rows = [K.row("us.classification.auc", f"{data} benign against malignant, letters and callipers masked, out of fold",
                  "AUC", auc(p), len(lesion), t.command)] + t.calibration_rows(ids)
    rows.append(K.row("us.breast.macro_auc", f"{data} out of fold", "macro-AUC",
                      lambda k: K.macro_auroc(p[k], y[k]), len(y), t.command))
    found = hits(t, p)[lesion]
    rows.append(K.row("us.classification.heat_map", f"{data} lesions, masked, out of fold",
                      "share of heat maps that hit the lesion", lambda k: found[k].mean(), len(found), t.command))
    plain = np.stack([E.prepared(U.grey(f)) for f in t.files])
    each, _, _ = t.seen(plain, args.work / "features", args.out)
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
                         "and callipers were painted over, and drawn on frames of every class in training.",
        "architecture": "head on any.image_encoder (EfficientNet-Lite0, ImageNet, frozen): votes of 14 x 14 places "
                        "weighted by an attention that lesion masks taught, five nets averaged; the heat map is those "
                        "votes (gradient-free, exact)",
        "training_data": [{"name": "BUSI (10.1016/j.dib.2019.104863)", "licence": "unclear", "n": len(t.y),
                           "use": "training and, out of fold, the numbers"},
                          {"name": "ImageNet-1k, through any.image_encoder", "licence": "weights Apache-2.0",
                           "n": 1281167, "use": "training of the frozen backbone (not ours)"}],
        "weights_licence": "CC-BY-4.0 (paper) or CC0-1.0 (copies), not checked: unclear",
        "intended_use": "Research on B-mode frames of the breast. Research use, not a medical device.",
        "not_for": ["excluding cancer", "axilla", "elastography, Doppler"],
        "known_failures": ["Frames were resized to a square upstream: taller-than-wide, a sign of malignancy, is lost.",
                           "One hospital and machine: other vendors are not measured.",
                           "BUSI has axilla views and duplicates among its frames (Pawlowska 2023)."],
        "gate": {"kinds": ["frames"],
                 "recognised": [{"method": "recognition/us.view", "label": "breast", "probability_min": 0.5}]},
        "results": rows, "network": t.network(None)}


if __name__ == "__main__":
    K.run(NAME, task, numbers, card)
