"""us.fetal_head: the fetal head in a B-mode frame of the standard head plane (2-D U-Net).

Input: grey 0..255 divided by 255, area-averaged to 192 x 128 (each axis on its own, aspect not kept). One logit.
Mask: logits interpolated bilinearly (half-pixel centres, clamped at the edge) to the frame's size, > 0.
    python train/us.fetal_head/train.py [--out models/us.fetal_head] [--work DIR] [--minutes M]
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C
import ultrasound as U

NAME = "us.fetal_head"
WIDTH, HEIGHT = 192, 128
WIDTHS = (16, 32, 64, 96, 128)


def load(file):
    """Working image and mask 0..1, mask at the frame's size, name."""
    image = U.grey(file)
    mask = Image.open(U.HC18 / "masks" / (file.stem + ".png"))
    if mask.size != image.shape[::-1]:
        mask = mask.resize(image.shape[::-1], Image.NEAREST)
    mask = np.asarray(mask.convert("L")) > 0
    return U.area_resize(image, WIDTH, HEIGHT) / 255, U.area_resize(mask, WIDTH, HEIGHT), mask, file.stem


def predict(net, image, shape):
    """Mask of a working image on a frame of the given shape."""
    with torch.no_grad():
        y = net(torch.from_numpy(image)[None, None])
        y = F.interpolate(y, size=shape, mode="bilinear", align_corners=False)
    return y[0, 0].numpy() > 0


def largest(mask):
    """The largest 4-connected component with its holes filled."""
    label, n = ndimage.label(mask)
    if n > 1:
        mask = label == 1 + np.argmax(ndimage.sum_labels(mask, label, range(1, n + 1)))
    return ndimage.binary_fill_holes(mask)


def circumference(mask):
    """Ramanujan perimeter, in pixels, of the ellipse with the mask's second moments (pixels as unit squares)."""
    y, x = np.nonzero(mask)
    if len(x) < 3:
        return 0.0
    c = np.cov(np.stack([x, y]), bias=True) + np.eye(2) / 12
    a, b = 2 * np.sqrt(np.linalg.eigvalsh(c)[::-1])
    h = ((a - b) / (a + b)) ** 2
    return float(np.pi * (a + b) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h))))


def inset_of_width(cases):
    """How far the given masks lie outside the table's ellipse, as a share of the frame's width (median): the masks
    hold the drawn outline's width, the table does not. Taken from training frames only."""
    table = U.hc18_table()
    return float(np.median([(circumference(m) - table[n][1] / table[n][0]) / (2 * np.pi) / m.shape[1]
                            for _, _, m, n in cases]))


def augmented(x, t):
    grid = C.warp_grid(len(x), 2, (HEIGHT, WIDTH), 0.5, 0.25, 0.15, 0.03, flip=(0, 1))
    x = F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)
    t = F.grid_sample(t, grid, padding_mode="zeros", align_corners=False)
    return U.disturbed(x), (t[:, 0] > 0.5).long()


def evaluate(net, cases, inset=0.0):
    """Rows of [Dice at the frame's size, predicted circumference, the table's (mm), predicted less the inset]."""
    table, rows = U.hc18_table(), []
    for image, _, mask, name in cases:
        p = largest(predict(net, image, mask.shape))
        mm, true = table[name]
        rim = 2 * np.pi * inset * mask.shape[1]
        rows.append([C.dice(p, mask), circumference(p) * mm, true, (circumference(p) - rim) * mm])
    return np.array(rows)


def card(rows, parts, inset):
    command, data = "python train/us.fetal_head/train.py --evaluate-only", \
        "us/hc18 held-out fetuses of train/us.fetal_head/split.json (halved frames)"
    results = [C.result("us.segmentation.fetal_head_dice", data, "dice at input resolution", rows[:, 0], command),
               C.result("us.fetal_head.hc", data, "head circumference, mean absolute error mm (moment ellipse)",
                        np.abs(rows[:, 1] - rows[:, 2]), command),
               C.result("us.fetal_head.hc_inset", data, "the same with semi-axes less ellipse_inset_of_width, mm",
                        np.abs(rows[:, 3] - rows[:, 2]), command),
               C.result("us.fetal_head.hc_bias", data, "head circumference with inset, mean difference mm",
                        rows[:, 3] - rows[:, 2], command)]
    count = lambda k: sum(len(U.hc18_files(i)) for i in parts[k])
    return {
        "id": NAME, "task": "segmentation", "modalities": ["US"],
        "gate": {"kinds": ["frames"],
                 "recognised": [{"method": "us.view", "label": "fetal head", "probability_min": 0.9}]},
        "title": "The fetal head (skull ellipse, filled) in a B-mode frame of the standard head plane.",
        "evidence_note": "Real ultrasound frames of one centre (HC18), held out by fetus number.",
        "architecture": f"2-D U-Net, widths {list(WIDTHS)}, instance norm, leaky ReLU, max pool, transposed conv",
        "training_data": [{"name": "HC18 (van den Heuvel et al. 2018, 10.5281/zenodo.1322001)", "licence": "CC-BY-4.0",
                           "n": count("train"), "use": "training"},
                          {"name": "HC18", "licence": "CC-BY-4.0", "n": count("validation"), "use": "validation"}],
        "weights_licence": "CC-BY-4.0",
        "intended_use": "Research biometry: fit an ellipse to the mask's largest component. Not a medical device.",
        "not_for": ["frames without a fetal head (ask us.view first)", "other fetal planes", "dating or diagnosis"],
        "known_failures": ["Heads cut by the frame's edge or by deep shadows are underestimated.",
                           "One centre, two machine types; other vendors were not tried."],
        "results": results,
        "network": {"file": "model.onnx",
                    "input": {"dims": 2, "axes": "yx", "orientation": None, "spacing_mm": None,
                              "size": [WIDTH, HEIGHT], "resize": "area", "pad_multiple": 16, "pad": "edge",
                              "normalise": {"kind": "unit", "scale": 255}},
                    "output": {"kind": "logits", "classes": ["head"], "resize": "bilinear"},
                    "mirror": [], "threshold": 0.5, "temperature": None, "keep": "largest_component_filled",
                    "ellipse_inset_of_width": round(inset, 6)}}


def main():
    args = C.arguments(NAME, steps=2500, minutes=12)
    parts = U.hc18_split()
    C.write_split(Path(__file__).with_name("split.json"), parts, U.hc18_files, "ids are fetus numbers")
    cases = {k: [load(f) for i in v for f in U.hc18_files(i)] for k, v in parts.items()}
    x = torch.from_numpy(np.stack([c[0] for c in cases["train"]]))[:, None]
    t = torch.from_numpy(np.stack([c[1] for c in cases["train"]]))[:, None]
    print(NAME, {k: len(v) for k, v in cases.items()}, flush=True)

    def batch_loss(net):
        pick = torch.randint(0, len(x), (12,))
        image, target = augmented(x[pick], t[pick])
        y = C.forward_bf16(net, image).float()
        return C.dice_ce(torch.cat([torch.zeros_like(y), y], 1), target)

    def validate(net):
        rows = evaluate(net, cases["validation"][::2])
        return rows[:, 0].mean().round(4), np.abs(rows[:, 1] - rows[:, 2]).mean().round(2)

    net = C.trained(C.UNet(2, WIDTHS, 1), batch_loss, args, "fetal_head", lr=3e-3, validate=validate)
    print("onnx", C.export(net, (1, 1, HEIGHT, WIDTH), args.out / "model.onnx"))
    inset = inset_of_width(cases["train"])
    C.write_card(args.out, card(evaluate(net, cases["held_out"], inset), parts, inset))


if __name__ == "__main__":
    main()
