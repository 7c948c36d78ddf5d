"""mr.hippocampus_locator: where the left and the right hippocampus are in a whole T1-weighted head (3-D U-Net).

Taught by brainchop's subcortical MeshNet on three T1 brains (teach.py), with invented surroundings and contrasts
(heads.py). Contrasts that are not T1-like are all background: the net is its own gate. pipeline.py is the run time.
    python train/mr.hippocampus_locator/teach.py --work DIR
    python train/mr.hippocampus_locator/train.py --work DIR [--out models/mr.hippocampus_locator] [--minutes M]
"""
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C
import heads as H
import pipeline as P
from accept import acceptance
from teach import HEADS

NAME = "mr.hippocampus_locator"
WIDTHS = (16, 32, 64)


class Net(nn.Module):
    """What is exported: 4 mm in, 2 x 2 x 2 means, the U-Net trained at 8 mm, logits interpolated back to 4 mm."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return F.interpolate(self.body(F.avg_pool3d(x, 2)), scale_factor=2, mode="trilinear", align_corners=False)


def validation(net, cases):
    """Share of T1-like samples with every visible side right (>= 0.6 ml both), share of others with nothing found."""
    good, quiet = [], []
    for image, label in cases:
        with torch.no_grad():
            p = net(image)[0].softmax(0).numpy()
        label, best = label[0].numpy(), p.argmax(0)
        for side in (1, 2):
            if (label > 0).sum() == 0:
                quiet.append((best == side).sum() * 0.512 < P.MINIMUM_ML or p[side].max() < P.THRESHOLD)
            elif (label == side).sum() * 0.512 > 1:
                near = np.argwhere(best == side)
                gap = np.linalg.norm(near.mean(0) - np.argwhere(label == side).mean(0)) * 8 if len(near) else 99
                good.append(gap < 8)
    return round(float(np.mean(good)), 3), round(float(np.mean(quiet)), 3)


def card(rows):
    return {
        "id": NAME, "task": "segmentation", "modalities": ["MR"],
        "title": "Coarse place of the left and right hippocampus in a whole T1-weighted head, for cutting crops.",
        "evidence_note": "Taught on three real brains by another network, with simulated surroundings and contrasts; "
                         "checked on two real heads (n = 2: an acceptance check, not a study). Earlier weights "
                         "found hippocampi on FLAIR; this was seen on the FLAIR heads of the check, which are "
                         "therefore not blind.",
        "architecture": f"2 x 2 x 2 mean, 3-D U-Net at 8 mm with widths {list(WIDTHS)} (instance norm, leaky ReLU, "
                        "max pool, transposed conv), trilinear logits back to 4 mm",
        "training_data": [
            {"name": "ICBM MNI152 2009a T1 template (nilearn)", "licence": "ICBM notice (free use with notice)",
             "n": 1, "use": "training, labels by brainchop MeshNet subcortical (MIT)"},
            {"name": "Ljubljana 3D MR MS lesion database (open-ms-lesion) T1 and FLAIR", "licence": "CC-BY",
             "n": 2, "use": "training, labels by brainchop MeshNet subcortical (MIT); FLAIR as background; patient12 "
                            "only tests"}],
        "weights_licence": "CC-BY-4.0",
        "intended_use": "Cutting crops for mr.hippocampus from whole adult heads, T1-weighted. Not a medical device.",
        "not_for": ["volumetry (4 mm)", "T2, FLAIR, CT: trained to find nothing there, not proven in general",
                    "children", "heads rotated by more than about 20 degrees from RAS"],
        "known_failures": ["Left and right follow the file's orientation; a wrongly labelled file gives wrong sides.",
                           "The gate against FLAIR was checked on one patient only (two visits); where the sequence is "
                           "known, use it too.",
                           "Strong atrophy, tumours and resections were not in the teaching set."],
        "results": rows,
        "network": {"file": "model.onnx", "used_by": ["segmentation/mr.hippocampus"],
                    "input": {"dims": 3, "axes": "zyx", "orientation": "RAS", "spacing_mm": [4, 4, 4],
                              "resample": "area", "size": None, "pad_multiple": 8, "pad": "edge",
                              "normalise": {"kind": "percentile_zscore", "lower": 0.5, "upper": 99.5}},
                    "output": {"kind": "logits", "classes": ["background", "left", "right"]},
                    "mirror": [], "threshold": P.THRESHOLD, "minimum_ml": P.MINIMUM_ML, "temperature": None,
                    "crop_mm": list(P.BOX)}}


def main():
    args = C.arguments(NAME, steps=6000, minutes=35)
    C.write_split(Path(__file__).with_name("split.json"), {"train": list(HEADS), "held_out": []}, lambda i: [HEADS[i]],
                  "acceptance heads (never taught): mr/brainchop-t1/t1_crop, M2265_T2w, Debian mricron-data ch2")
    stored = [H.head(args.work / f"{n}.npz") for n in HEADS]
    stored += [H.mirrored(c) for c in stored]
    fixed = [H.batch(stored, 1) for _ in range(24)]

    begun, weight = time.time(), torch.tensor([1.0, 40.0, 40.0])

    def batch_loss(net):                          # the first sixth without other contrasts: place first, then gate
        early = time.time() - begun < 10 * args.minutes and not args.resume
        image, label = H.batch(stored, 6, 0.0 if early else 0.4)
        return C.dice_ce(C.forward_bf16(net, image), label, weight)

    net = C.trained(C.UNet(3, WIDTHS, 3), batch_loss, args, "locator", lr=4e-3, every=100,
                    validate=lambda e: validation(e, fixed))
    net = net if args.evaluate_only else Net(net)
    print("onnx", C.export(net, (1, 1, 16, 16, 16), args.out / "model.onnx"))
    C.write_card(args.out, card(acceptance(args.out, args.work)))


if __name__ == "__main__":
    main()
