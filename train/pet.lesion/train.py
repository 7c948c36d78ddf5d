"""pet.lesion: one lesion in FDG-PET (SUV of body weight) about a box that says roughly where it is (3-D U-Net).

Input [1, 2, z, y, x] on a grid of 5 mm whose sides are multiples of 8, 24 at least (outer face on the region's low face, values held
at the edge): SUV, and the signed distance in mm to the box (negative inside: the largest over the axes of
|p - centre| - half side). The region is the box and 25 mm around it. Output: a logit, the mean of four networks; the
second output has the four. They are the folds of a cross-validation by patient: the number is that of each patient
with the one network that never saw him; STS_001 was taught to none (it is the whole-body test).
The weights here: networks 0 to 2 from 12 minutes of all four folds, then 13 more with --resume, network 3 anew with
--folds 3 --minutes 9 --seed 1; one thread of a machine that had much else to do (300 to 700 steps a turn and network).
    python train/pet.lesion/train.py [--out models/pet.lesion] [--work DIR] [--minutes M] [--folds 0,1,2,3]
"""
import copy
import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C

NAME = "pet.lesion"
ROOT = C.DATA / "multi" / "sts"
SMALLEST = 24  # voxels a side: below, the lowest level has too few for its norm
FOLDS, TEST = 4, "STS_001"
WIDTHS = (12, 24, 40, 56)
CROP_MM, MARGIN_MM, SPACING_MM, MULTIPLE = 50.0, 25.0, 5.0, 8  # the set's crops; what is seen about the box
RULES = (0.2, 0.25, 0.3, 0.41)


class Net(C.UNet):
    """SUV and distance in; the logarithm, the share of the highest SUV in the box and the distance are what is seen."""

    def __init__(self):
        super().__init__(3, WIDTHS, 1, inputs=3)

    def forward(self, x):
        suv, far = x[:, :1].relu(), x[:, 1:2]
        top = (suv * (far < 0).to(suv.dtype)).amax((2, 3, 4), True)
        seen = [(1 + suv).log() - 1, (suv / (top + 0.1)).clamp(0, 2), (far / 25).clamp(-2, 2)]
        return super().forward(torch.cat(seen, 1))


class Ensemble(torch.nn.Module):
    def __init__(self, nets):
        super().__init__()
        self.nets = torch.nn.ModuleList(nets)

    def forward(self, x):
        folds = torch.cat([net(x) for net in self.nets], 1)
        return folds.mean(1, True), folds


class Case:
    """A crop: SUV and mask [z, y, x], spacing; positions in mm from the low outer face, axes z, y, x."""

    def __init__(self, name):
        image, mask = (nib.load(ROOT / name / f"PET_{k}.nii.gz") for k in ("image", "mask"))
        self.name = name
        self.suv = np.asarray(image.dataobj).astype(np.float32).transpose(2, 1, 0)
        self.mask = np.asarray(mask.dataobj).transpose(2, 1, 0) > 0
        self.spacing = np.array(image.header.get_zooms()[:3][::-1], float)

    def extent(self):
        return np.array(self.suv.shape) * self.spacing

    def crop_box(self):
        """The crop less its margin: what is known of a lesion about which an image was cut out."""
        return np.array([np.full(3, CROP_MM), self.extent() - CROP_MM])

    def rule(self, part):
        """The component at or above a part of the lesion's maximum about its hottest voxel (the seed is known)."""
        seed = np.unravel_index(np.argmax(np.where(self.mask, self.suv, -1)), self.suv.shape)
        parts, _ = ndimage.label(self.suv >= part * self.suv[seed], np.ones((3, 3, 3)))
        return parts == parts[seed]

    def rule_in_box(self, part):
        """The same within the box, of the box's maximum: what a rule can do with all that the network is told."""
        box, at = self.crop_box(), np.indices(self.suv.shape).reshape(3, -1).T * self.spacing + self.spacing / 2
        inside = ((at >= box[0]) & (at <= box[1])).all(1).reshape(self.suv.shape)
        parts, n = ndimage.label(inside & (self.suv >= part * self.suv[inside].max()), np.ones((3, 3, 3)))
        return parts == 1 + np.argmax(ndimage.sum_labels(parts > 0, parts, range(1, n + 1)))


def bounds(mask, spacing):
    """Low and high faces in mm of what is set."""
    at = np.argwhere(mask)
    return np.array([at.min(0) * spacing, (at.max(0) + 1) * spacing])


def grid_size(extent):
    return [max(SMALLEST, int(np.ceil(round(e / SPACING_MM / MULTIPLE, 6))) * MULTIPLE) for e in extent]


def sampled(volume, spacing, low, size, order=1):
    """Values at the centres of a grid of 5 mm from the face `low`; held at the edge."""
    axes = [(low[k] + SPACING_MM * (np.arange(size[k]) + 0.5)) / spacing[k] - 0.5 for k in range(3)]
    return ndimage.map_coordinates(volume, np.meshgrid(*axes, indexing="ij"), order=order, mode="nearest")


def distance(box, low, size):
    axes = [low[k] + SPACING_MM * (np.arange(size[k]) + 0.5) for k in range(3)]
    far = [np.abs(a - box[:, k].mean()) - (box[1, k] - box[0, k]) / 2 for k, a in enumerate(axes)]
    return np.maximum(np.maximum(far[0][:, None, None], far[1][:, None]), far[2]).astype(np.float32)


def region(box, extent):
    return np.array([np.maximum(box[0] - MARGIN_MM, 0), np.minimum(box[1] + MARGIN_MM, extent)])


def predict(net, case, box):
    """The label on the case's own grid: logits interpolated there, above 0, the largest part; outside the region 0."""
    low, high = region(box, case.extent())
    size = grid_size(high - low)
    x = np.stack([sampled(case.suv, case.spacing, low, size), distance(box, low, size)])[None]
    with torch.no_grad():
        logits = net(torch.from_numpy(x.astype(np.float32)))[0, 0].numpy()
    at = [((np.arange(n) + 0.5) * s - a) / SPACING_MM - 0.5 for n, s, a in zip(case.suv.shape, case.spacing, low)]
    full = ndimage.map_coordinates(logits, np.meshgrid(*at, indexing="ij"), order=1, mode="nearest")
    inside = [(p > -0.5) & (p < n - 0.5) for p, n in zip(at, size)]
    label = (full > 0) & inside[0][:, None, None] & inside[1][:, None] & inside[2]
    parts, n = ndimage.label(label)
    return parts == 1 + np.argmax(ndimage.sum_labels(label, parts, range(1, n + 1))) if n else label


# ---------------------------------------------------------------- training

def hot_box(suv, mask, spacing, rng):
    """The box of the part about the lesion's hottest voxel above a share of its maximum, or an SUV: what a search gives."""
    seed = np.unravel_index(np.argmax(np.where(mask, suv, -1)), suv.shape)
    level = suv[seed] * rng.choice([0.25, 0.41]) if rng.random() < 0.6 else min(2.5, 0.6 * suv[seed])
    parts, _ = ndimage.label(suv >= level, np.ones((3, 3, 3)))
    found = bounds(parts == parts[seed], spacing)
    centre = (np.array(seed) + 0.5) * spacing
    return np.array([np.maximum(found[0], centre - 100), np.minimum(found[1], centre + 100)])


def sample(case, rng):
    """[2, z, y, x] and the mask: warped, flipped, values scaled, with a box as a user, a crop or a search gives it."""
    size = grid_size(case.extent())
    suv, mask = case.fine
    suv, mask = torch.from_numpy(suv)[None, None], torch.from_numpy(mask)[None, None]
    grid = C.warp_grid(1, 3, tuple(suv.shape[2:]), 0.2, 0.15, 0.0, 0.015, flip=(0, 1, 2), rng=rng)
    suv = F.grid_sample(suv, grid, padding_mode="border", align_corners=False)[0, 0].numpy()
    mask = F.grid_sample(mask, grid, padding_mode="zeros", align_corners=False)[0, 0].numpy() > 0.5
    if not mask.any():
        return sample(case, rng)
    suv = suv * np.exp(rng.uniform(-0.4, 0.4)) + rng.normal(0, 0.03, suv.shape) * rng.random() * (1 + suv)
    if rng.random() < 0.3:
        suv = ndimage.gaussian_filter(suv, rng.uniform(0, 0.7))
    kind = rng.random()
    true = bounds(mask, SPACING_MM)
    if kind < 0.6:
        box = true + rng.normal(0, 3, (2, 3))
        if rng.random() < 0.2:  # the scan ended there, so the crop has less than its margin and the box too is short
            side = rng.integers(2)
            box[side, 0] += (1 - 2 * side) * rng.uniform(0, 0.4) * (box[1, 0] - box[0, 0])
    elif kind < 0.85:
        box = hot_box(suv, mask, SPACING_MM, rng)
    else:
        box = true + rng.normal(0, 15, (2, 3))
    box = np.array([np.minimum(box[0], box.mean(0) - 5), np.maximum(box[1], box.mean(0) + 5)])
    low, high = region(box, np.array(size) * SPACING_MM)
    first = np.round(low / SPACING_MM).astype(int)
    first = np.maximum(0, np.minimum(first, np.array(size) - SMALLEST))
    last = np.minimum(first + [min(72, n) for n in grid_size(high - low)], size)
    low = first * SPACING_MM
    cut = tuple(slice(a, a + (b - a) // MULTIPLE * MULTIPLE) for a, b in zip(first, last))
    suv, mask = suv[cut], mask[cut]
    return np.stack([suv, distance(box, low, suv.shape)]).astype(np.float32), mask.astype(np.float32)


def loss_of(logit, mask):
    p = logit.sigmoid()
    dice = (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
    return F.binary_cross_entropy_with_logits(logit, mask) + 1 - dice


def train_fold(k, cases, args):
    fold = copy.copy(args)
    fold.minutes = args.minutes / len(args.chosen)
    rng = np.random.default_rng(100 * args.seed + k)

    def batch_loss(net):
        image, mask = sample(cases[rng.integers(len(cases))], rng)
        return loss_of(C.forward_bf16(net, torch.from_numpy(image)[None])[0, 0].float(), torch.from_numpy(mask))

    net = Net()
    for p in net.parameters():
        p.register_hook(torch.nan_to_num)
    return C.trained(net, batch_loss, fold, f"pet_lesion_{k}", lr=3e-3)


# ---------------------------------------------------------------- numbers

def folds_of(names):
    """Patients in four parts by a seed; the test patient is in none."""
    rest = sorted(n for n in names if n != TEST)
    order = np.random.default_rng(11).permutation(len(rest))
    return {n: int(np.flatnonzero(order == i)[0]) % FOLDS for i, n in enumerate(rest)}


class Fold:
    """One network of the ONNX file (its second output), or their mean."""

    def __init__(self, onnx, k):
        self.session, self.k = onnx.session, k

    def __call__(self, x):
        mean, folds = self.session.run(None, {"image": x.numpy()})
        return torch.from_numpy(mean if self.k is None else folds[:, self.k:self.k + 1])


def evaluate(onnx, cases, fold):
    """{patient: [Dice with the crop's box, Dice with the box of a click, Dice of each rule, and in the box]}"""
    rows = {}
    for case in cases:
        net = Fold(onnx, fold.get(case.name))
        click = bounds(case.rule(0.25), case.spacing)
        seed = (np.array(np.unravel_index(np.argmax(np.where(case.mask, case.suv, -1)), case.suv.shape)) + 0.5) * case.spacing
        click = np.array([np.maximum(click[0], seed - 100), np.minimum(click[1], seed + 100)])
        rows[case.name] = [C.dice(predict(net, case, case.crop_box()), case.mask), C.dice(predict(net, case, click), case.mask)]
        rows[case.name] += [C.dice(f(r), case.mask) for f in (case.rule, case.rule_in_box) for r in RULES]
        print(case.name, np.round(rows[case.name], 3), flush=True)
    return rows


def card(rows):
    values = np.array(list(rows.values()))
    command = "python train/pet.lesion/train.py --evaluate-only"
    data = "multi/sts, 34 patients: each by the network of the fold that did not see him (STS_001: by all four)"
    rules = values[:, 2:]  # the seed known, or the box, whichever helps more
    best = int(np.argmax(np.median(rules, 0)))
    results = [C.result("pet.segmentation.gtv_dice", data, "median Dice", values[:, 0], command, np.median),
               C.result("pet.segmentation.gtv_over_rules", data,
                        f"median Dice less that of the best threshold rule ({RULES[best % 4]:.0%} of the maximum, "
                        f"{'within the same box' if best > 3 else 'the seed known'}: {np.median(rules[:, best]):.2f})",
                        values[:, [0, 2 + best]], command, lambda v: np.median(v[:, 0], -1) - np.median(v[:, 1], -1)),
               C.result("pet.lesion.one_click", data, "median Dice, box from 25 % of the maximum at a known seed", values[:, 1],
                        command, np.median)]
    return {
        "id": NAME, "task": "segmentation", "modalities": ["PET"],
        "title": "One FDG-avid lesion about a box that says roughly where it is.",
        "evidence_note": "Real FDG-PET of 34 patients with soft-tissue sarcoma (TCIA, cut out 5 cm about the tumour), four-fold "
                         "cross-validation by patient; the box is the crop less its margin of 50 mm, so it holds the tumour's "
                         "bounding box. The masks are tumour volumes drawn on MR: they do not follow uptake alone.",
        "architecture": f"four 3-D U-Nets, widths {list(WIDTHS)}, instance norm, 5 mm; mean of the logits",
        "training_data": [{"name": "TCIA Soft-tissue-Sarcoma (Vallieres 2015, 10.7937/K9/TCIA.2015.7GO2GSKS; IBSI crops)",
                           "licence": "CC-BY-3.0", "n": len(values) - 1, "use": "training, in four folds"}],
        "weights_licence": "CC-BY-3.0",
        "intended_use": "Research outlines of one lesion that a reader or a search has pointed at. Not a medical device.",
        "not_for": ["diagnosis", "finding lesions: it always expects one in the box", "tracers other than FDG"],
        "known_failures": ["Tumours whose mask does not follow uptake (oedema, necrosis, fat): Dice below 0.5 in some.",
                           "Only sarcomas of the extremities and trunk were taught."],
        "results": results,
        "network": {"file": "model.onnx", "used_by": ["segmentation/pet.lesion"],
                    "input": {"dims": 3, "axes": "zyx", "orientation": None, "spacing_mm": [SPACING_MM] * 3,
                              "pad_multiple": MULTIPLE, "pad": "edge", "normalise": {"kind": "none"}},
                    "output": {"kind": "logits", "classes": ["lesion"]},
                    "mirror": [], "threshold": 0.5, "temperature": None, "margin_mm": MARGIN_MM}}


def main():
    at = sys.argv.index("--folds") if "--folds" in sys.argv else None
    chosen = [int(k) for k in sys.argv[at + 1].split(",")] if at else list(range(FOLDS))
    if at:
        del sys.argv[at:at + 2]
    args = C.arguments(NAME, steps=6000, minutes=14)
    args.chosen = chosen
    names = sorted(p.name for p in ROOT.glob("STS_*"))
    fold = folds_of(names)
    C.write_split(Path(__file__).with_name("split.json"),
                  {"test": [TEST], **{f"fold {k}": [n for n in fold if fold[n] == k] for k in range(FOLDS)}},
                  lambda n: [ROOT / n / "PET_image.nii.gz"], "patients; network k was taught on the folds but k")
    cases = [Case(n) for n in names]
    if not args.evaluate_only:
        for c in cases:
            size = grid_size(c.extent())
            c.fine = (sampled(c.suv, c.spacing, np.zeros(3), size),
                      sampled(c.mask.astype(np.float32), c.spacing, np.zeros(3), size))
        for k in chosen:
            train_fold(k, [c for c in cases if c.name != TEST and fold[c.name] != k], args)
        nets = [Net() for _ in range(FOLDS)]
        for k, net in enumerate(nets):
            net.load_state_dict(torch.load(args.work / f"pet_lesion_{k}.pt"))
        print("onnx", C.export(Ensemble(nets), (1, 2, 16, 24, 16), args.out / "model.onnx", outputs=("logits", "folds")))
    rows = evaluate(C.OnnxNet(args.out / "model.onnx"), cases, fold)
    print("medians", np.round(np.median(np.array(list(rows.values())), 0), 3))
    C.write_card(args.out, card(rows))


if __name__ == "__main__":
    main()
