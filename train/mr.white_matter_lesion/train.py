"""mr.white_matter_lesion: bright lesions of the white matter on FLAIR (small 3-D net on 2 mm cells, lesions at 1 mm).

    python train/mr.white_matter_lesion/train.py --work DIR [--minutes M]
Three short trainings of the same recipe: without patient 19, without patient 26 (leave one out), and with both (kept).
"""
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn as nn
import torch.nn.functional as F
from scipy import ndimage

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
import common as C
import material as M

NAME = "mr.white_matter_lesion"
PATCH, THRESHOLD, SMALLEST = 64, 0.5, 14          # voxels; probability; voxels of the smallest finding (3 mm across)
COMMAND = "python train/mr.white_matter_lesion/train.py --evaluate-only"


class Net(nn.Module):
    """[n, 1, z, y, x] (even sizes) to one logit a voxel."""

    def __init__(self, width=32, dilations=(1, 2, 4, 8, 4, 2, 1)):
        super().__init__()
        self.first = nn.Conv3d(1, width, 4, 2, 1)
        self.body = nn.ModuleList(nn.Conv3d(width, width, 3, padding=d, dilation=d) for d in dilations)
        self.last = nn.ConvTranspose3d(2 * width, 1, 2, 2)
        nn.init.constant_(self.last.bias, -3)

    def forward(self, x):
        low = h = F.elu(self.first(x))
        for conv in self.body:
            h = h + F.elu(conv(h))
        return self.last(torch.cat([low, h], 1))


def bases(work, patients, rng):
    """[(normalised image, lesions, where lesions may be put)]: real heads, simulated ones; with and without a skull."""
    made = []
    for p in patients:
        image, lesions, white, brain = M.real(p, work)
        made += [(image, lesions, white, brain)] * 2
    for name in [n for n in M.T1 if n == "mni" or int(n[2:]) in patients]:
        t1, label = M.structures(M.T1[name], work)
        image, brain = M.flair_like(t1, label, rng, strip=True)
        made += [(image, np.zeros(image.shape, bool), ndimage.binary_erosion(label == M.WHITE), brain)] * 2
    out = []
    for k, (image, lesions, white, brain) in enumerate(made):
        if k % 2:                                           # every second one in invented surroundings
            pad = [(10, 10)] * 3
            image, lesions, white, brain = (np.pad(a, pad) for a in (image, lesions, white, brain))
            around = M.D.surroundings(torch.from_numpy(brain.astype(np.float32))).numpy()
            image = np.where(brain, image, around).astype(np.float32)
        flat = M.normalise(image)
        scale, shift = np.polyfit(image[brain][::50], flat[brain][::50], 1)
        out.append((image, lesions, white, float(scale), float(shift)))
    return out


def sample(base, rng):
    """A patch [1, s, s, s] and its lesions: cut out, lesions inserted, varied."""
    image, lesions, white, scale, shift = base
    kind = rng.random()
    spots = lesions if kind < 0.45 and lesions.any() else white if kind < 0.8 else None
    if spots is None:
        at = [int(rng.integers(0, n)) for n in image.shape]
    else:
        flat = np.flatnonzero(spots)
        at = np.unravel_index(flat[rng.integers(len(flat))], image.shape)
    box = tuple(slice(int(s), int(s) + PATCH) for s in
                (np.clip(a - PATCH // 2 + rng.integers(-16, 17), 0, n - PATCH) for a, n in zip(at, image.shape)))
    x, t, w = image[box].copy(), lesions[box].copy(), white[box]
    if rng.random() < 0.6:
        M.inserted(x, w, t, rng, int(rng.integers(1, 6)))
    for axis in range(3):
        if rng.random() < (0.5 if axis == 2 else 0.15):
            x, t = np.flip(x, axis), np.flip(t, axis)
    x = torch.from_numpy(np.ascontiguousarray(x)).clamp(min=0)
    x = x ** rng.uniform(0.8, 1.25) * torch.exp(rng.uniform(0, 0.2) * M.D.noise([PATCH] * 3, 3))
    if rng.random() < 0.35:                                 # thick slices
        small = [PATCH] * 3
        small[int(rng.integers(3))] = int(PATCH / rng.uniform(1, 3))
        x = F.interpolate(F.interpolate(x[None, None], size=small, mode="trilinear"), size=[PATCH] * 3, mode="trilinear")[0, 0]
    x = x + torch.randn(x.shape) * rng.uniform(0, 0.08)
    x = (x * scale + shift) * rng.uniform(0.8, 1.25) + rng.uniform(-0.3, 0.3)
    return x[None], torch.from_numpy(np.ascontiguousarray(t)).long()


def probability(net, image):
    """Of a whole head (numpy, any scale), through the normalisation of the card."""
    x = M.normalise(image)
    p = np.pad(x, [(0, n % 2) for n in x.shape], mode="edge")
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=not isinstance(net, C.OnnxNet)):
        y = net(torch.from_numpy(p)[None, None])[0, 0].float().sigmoid().numpy()
    return y[tuple(slice(0, n) for n in x.shape)]


def found(p, threshold=THRESHOLD):
    """Components (26 neighbours) of at least SMALLEST voxels."""
    parts, n = ndimage.label(p >= threshold, np.ones((3, 3, 3)))
    sizes = ndimage.sum_labels(p >= threshold, parts, range(1, n + 1))
    return np.where(np.isin(parts, 1 + np.flatnonzero(sizes >= SMALLEST)), parts, 0)


def across(voxels):
    """Diameter in mm of the ball of that volume."""
    return 2 * (3 * voxels / (4 * np.pi)) ** (1 / 3)


def counts(parts, lesions, least_mm=5):
    """(hit, missed lesions of at least least_mm; findings that touch no lesion at all)"""
    each, n = ndimage.label(lesions, np.ones((3, 3, 3)))
    big = [k for k in range(1, n + 1) if across((each == k).sum()) >= least_mm]
    hit = sum(bool((parts[each == k] > 0).any()) for k in big)
    labels = [k for k in np.unique(parts) if k]
    touched = {int(k) for k in np.unique(parts[lesions]) if k}
    return hit, len(big) - hit, len(labels) - len(touched)


def inserted_heads(net, work, draws, seed=7000):
    """[(hit, missed, false)] of lesions put into FLAIR simulated from heads that taught nothing."""
    rows = []
    for name, path in M.TEST.items():
        t1, label = M.structures(path, work)
        box = M.D.box_of(t1 > 0.1 * np.percentile(t1, 99), 4)
        t1, label = t1[box], label[box]
        for k in range(draws):
            rng = np.random.default_rng(seed + k)
            image, _ = M.flair_like(t1, label, rng, strip=False)
            lesions = np.zeros(image.shape, bool)
            M.inserted(image, ndimage.binary_erosion(label == M.WHITE, iterations=2), lesions, rng, 8, (2.2, 8))
            image = image + rng.normal(size=image.shape).astype(np.float32) * rng.uniform(0.01, 0.05)
            p = probability(net, image)
            rows.append(counts(found(p), lesions))
            print("inserted", name, k, rows[-1], flush=True)
            if k == 0:
                np.savez_compressed(work / f"inserted_{name.split()[0]}.npz", image=image, lesions=lesions, p=p.astype(np.float16))
    return rows


def f1(rows):
    hit, missed, wrong = np.sum(rows, 0)
    return 2 * hit / max(1, 2 * hit + missed + wrong)


def patient(net, p, work):
    """Dice, F1 of all lesions over 3 mm, ml found and true, of a real patient."""
    image, lesions, _, _ = M.real(p, work)
    prob = probability(net, image)
    parts = found(prob)
    np.savez_compressed(work / f"patient{p}.npz", image=image, lesions=lesions, p=prob.astype(np.float16))
    row = dict(dice=C.dice(parts > 0, lesions), f1=f1([counts(parts, lesions, 3)]), ml=(parts > 0).sum() / 1000,
               true_ml=lesions.sum() / 1000, counts=counts(parts, lesions, 3))
    print("patient", p, row, flush=True)
    return row


def fitted(args, patients, name, minutes):
    rng = np.random.default_rng(args.seed)
    args.minutes = minutes
    if args.evaluate_only:
        net = Net()
        net.load_state_dict(torch.load(args.work / f"{name}.pt"))
        return net.eval()
    heads = bases(args.work, patients, rng)

    def batch_loss(net):
        made = [sample(heads[rng.integers(len(heads))], rng) for _ in range(2)]
        x, t = torch.stack([m[0] for m in made]), torch.stack([m[1] for m in made])
        y = C.forward_bf16(net, x.to(memory_format=torch.channels_last_3d)).float()
        return C.dice_ce(torch.cat([torch.zeros_like(y), y], 1), t)

    return C.trained(Net().to(memory_format=torch.channels_last_3d), batch_loss, args, name, lr=3e-3, every=100)


def card(rows, loo):
    data = "lesions inserted into FLAIR simulated from Colin27 and brainchop-t1/t1_crop (taught nothing)"
    results = [{"requirement": "mr.detection.inserted_f1", "data": data + ", >= 5 mm", "n": int(np.sum(rows, 0)[:2].sum()),
                "metric": "F1", "value": round(float(f1(rows)), 4), "ci95": C.bootstrap(np.array(rows), f1), "class": "Q",
                "command": COMMAND}]
    for p, r in loo.items():
        results.append({"requirement": "mr.detection.real_f1", "data": f"mr/open-ms-lesion patient {p}, not taught (leave one "
                        f"out); Dice {r['dice']:.3f}, {r['ml']:.1f} ml for {r['true_ml']:.1f} ml", "n": 1,
                        "metric": "F1 of lesions >= 3 mm", "value": round(float(r["f1"]), 4), "class": "Q", "command": COMMAND})
    return {
        "id": NAME, "task": "segmentation", "modalities": ["MR"],
        "title": "Bright lesions of the white matter on FLAIR.",
        "evidence_note": "Simulated in part: the number with a floor is on simulated FLAIR heads with inserted lesions; on real "
                         "patients only two, each judged by a net that had not seen it (leave one out; the net kept saw both).",
        "architecture": "4^3 convolution with stride 2 (32), seven residual layers of 32 with dilations 1 2 4 8 4 2 1 at 2 mm, "
                        "transposed 2^3 convolution to 1 mm",
        "training_data": [{"name": "Ljubljana 3D MR MS lesion database (open-ms-lesion) FLAIR and T1", "licence": "CC-BY", "n": 2,
                           "use": "training (cite Lesjak et al. 2017, 2016)"},
                          {"name": "ICBM MNI152 2009a T1 template (nilearn)", "licence": "ICBM notice", "n": 1,
                           "use": "simulated FLAIR"}],
        "weights_licence": "CC-BY-4.0",
        "intended_use": "Research volumetry of white matter lesions on FLAIR, adults. Not a medical device.",
        "not_for": ["T1, T2 without fluid attenuation", "stroke, tumours", "diagnosis"],
        "known_failures": ["Two real patients from one scanner taught it.", "Lesions below 3 mm are not reported.",
                           "Bright cortex, vessels and artefacts at the skull base may be taken for lesions."],
        "results": results,
        "network": {"file": "model.onnx",
                    "used_by": ["segmentation/mr.white_matter_lesion"],
                    "input": {"dims": 3, "axes": "zyx", "orientation": "RAS", "spacing_mm": [1, 1, 1], "size": None,
                              "resample": "linear", "pad_multiple": 2, "pad": "edge",
                              "normalise": {"kind": "percentile_zscore", "lower": 0.5, "upper": 99.5}},
                    "output": {"kind": "logits", "classes": ["lesion"]},
                    "mirror": [], "threshold": THRESHOLD, "smallest_ml": SMALLEST / 1000, "temperature": None}}


def main():
    args = C.arguments(NAME, steps=100000, minutes=12)
    total = args.minutes
    first = fitted(args, [19, 26], "lesion", total * 0.45)
    print("onnx", C.export(first.float(), (1, 1, 16, 16, 16), args.out / "model.onnx") if not args.evaluate_only else "")
    rows = inserted_heads(first, args.work, 4)
    loo = {19: patient(fitted(args, [26], "lesion_without19", total * 0.25), 19, args.work)}
    loo[26] = patient(fitted(args, [19], "lesion_without26", total * 0.25), 26, args.work)
    C.write_card(args.out, card(rows, loo))


if __name__ == "__main__":
    main()
