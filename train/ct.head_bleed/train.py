#!/usr/bin/env python3
"""ct.head_bleed: whether a slice of a head CT shows a haemorrhage. A head on any.image_encoder, cross-fitted."""
import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import numpy as np

import classification as K
import common as C
import encoder as E
import strangers as S
import ultrasound as U

NAME, SET = "ct.head_bleed", C.DATA / "ct" / "head-ct-hemorrhage"
CROP = {"kind": "content_box", "level": 20, "share": 0.05}
FIRST = ("Trained on head-ct-hemorrhage, whose licence is unclear (PENTA_OPEN_LICENCES_ONLY=1 leaves this model out); "
         "real slices without patient ids, collected from the web. ")


def prepared(grey):
    return E.prepared(K.content_box(grey, CROP["level"], CROP["share"]))


def task():
    with open(SET / "labels.csv", newline="") as f:
        bleeds = {int(r[0]): int(r[1]) for r in list(csv.reader(f))[1:]}
    files = sorted((SET / "derived256").glob("*.png"))
    return K.Task(NAME, ("bleed", "normal"), files, np.stack([prepared(U.grey(f)) for f in files]),
                  [1 - bleeds[int(f.stem)] for f in files], K.head_slice, variants=1, steps=250)


def numbers(t, args):
    data = "ct/head-ct-hemorrhage"
    ids = {"data": data, "ece": "ct.classification.bleed_ece", "brier": "ct.head_bleed.brier_skill",
           "accuracy": "ct.head_bleed.accuracy"}
    rows = [K.row("ct.classification.bleed_auc", f"{data} out of fold", "AUC",
                  lambda k: K.auroc(t.p[k, 0], t.y[k] == 0), len(t.y), t.command)] + t.calibration_rows(ids)
    sets = S.pictures(("us/", "mr/", "ct/total", "ct/covid"))
    rows += t.others_abstained(args, {n: [prepared(f) for f in v] for n, v in sets.items()}, "ct.head_bleed.abstains")
    return rows + t.shortcut_rows("ct.head_bleed.shortcut_net", data)


def card(t, rows):
    return {
        "id": NAME, "task": "classification", "modalities": ["CT"],
        "title": "Whether a slice of a head CT shows a haemorrhage, with a calibrated probability and a heat map.",
        "licence_switch": True,
        "evidence_note": FIRST + "Near-duplicate clusters were kept together in five folds; every number is out of "
                         "fold (of the one of five nets that had not seen the slice; shipped is their mean).",
        "architecture": "head on any.image_encoder (EfficientNet-Lite0, ImageNet, frozen): attention-weighted votes of "
                        "14 x 14 places, five nets averaged; the heat map is those votes (gradient-free, exact)",
        "training_data": [{"name": "head-ct-hemorrhage (Kaggle felipekitamura/head-ct-hemorrhage)", "licence": "unclear",
                           "n": len(t.y), "use": "training and, out of fold, the numbers"},
                          {"name": "ImageNet-1k, through any.image_encoder", "licence": "weights Apache-2.0",
                           "n": 1281167, "use": "training of the frozen backbone (not ours)"}],
        "weights_licence": "CC0-1.0 as remembered of the Kaggle page, not checked: unclear",
        "intended_use": "Pointing at slices worth a second look. Research use, not a medical device.",
        "not_for": ["excluding a bleed", "naming its kind or age", "a scan's probability: slices were taught and measured"],
        "known_failures": ["Slices were picked for a web collection: large bleeds dominate, thin subdurals are few.",
                           "Calcified choroid plexus, falx or basal ganglia can look like blood.",
                           "Contrast-enhanced vessels, metal and bone windows were not taught.",
                           K.shortcut_text(rows)],
        "gate": {"kinds": ["volume", "frames"],
                 "recognised": [{"method": "ct.region", "label": "head", "probability_min": 0.5}]},
        "results": rows, "network": {**t.network(CROP), "used_by": ["classification/ct.head_bleed"]}}


if __name__ == "__main__":
    K.run(NAME, task, numbers, card)
