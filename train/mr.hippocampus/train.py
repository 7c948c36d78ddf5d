"""mr.hippocampus: anterior and posterior hippocampus in a T1 crop of about 35 x 51 x 35 mm (3-D U-Net).

Input: RAS-oriented crop, 1 mm, tensor axes z, y, x; percentile 0.5..99.5 clip and z-score over the crop, then
edge padding at the high end of each axis to a multiple of 8. Logits are averaged with those of the x-mirrored crop.
The manual parts meet in a coronal plane in every teaching volume (labels 1 and 2 share 0.2 slices on average), so ours do.
    python train/mr.hippocampus/train.py [--out models/mr.hippocampus] [--work DIR] [--minutes M]
    python train/mr.hippocampus/train.py --further train --steps 392 --seed 1
    python train/mr.hippocampus/train.py --further all --steps 481 --seed 2
The shipped weights are those of the third run (each went on from the one before; the clock ended the last two, after
these numbers of steps, and between them the weights were kept in float32, not in float16 as --further reads them).
"""
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C

NAME = "mr.hippocampus"
RATES = {None: 4e-3, "train": 1.5e-3, "all": 1e-3}
ROOT = C.DATA / "mr" / "msd-hippocampus"
PATCH = (40, 56, 40)
WIDTHS = (16, 32, 64, 96)


def normalise(a):
    """Clip to percentiles 0.5 and 99.5 of the crop (linear interpolation), then mean 0 and deviation 1."""
    lo, hi = np.percentile(a, [0.5, 99.5])
    a = np.clip(a.astype(np.float64), lo, hi)
    return ((a - a.mean()) / max(a.std(), 1e-6)).astype(np.float32)


def ras(path):
    """A NIfTI volume as an array with axes z, y, x of its RAS orientation."""
    return np.asarray(nib.as_closest_canonical(nib.load(path)).dataobj).transpose(2, 1, 0)


def load(i):
    image = ras(ROOT / "images" / f"hippocampus_{i}.nii.gz").astype(np.float32)
    label = ras(ROOT / "labels" / f"hippocampus_{i}.nii.gz").astype(np.int64)
    return normalise(image), label


def padded(a, multiple=8):
    return np.pad(a, [(0, -n % multiple) for n in a.shape], mode="edge")


def predict(net, image):
    """Mean logits of the normalised crop and of its mirror image, on the crop's grid."""
    x = torch.from_numpy(padded(image))[None, None]
    with torch.no_grad():
        y = (net(x) + net(x.flip(-1).contiguous()).flip(-1))[0] / 2
    return y[:, :image.shape[0], :image.shape[1], :image.shape[2]].numpy()


def labelled(net, image):
    """Labels 0, 1, 2 of a normalised crop: the largest face-connected component of what is likelier hippocampus than not,
    cut by the coronal plane that agrees best with the probabilities of its two parts."""
    y = predict(net, image).astype(np.float64)
    inside = np.logaddexp(y[1], y[2]) > y[0]
    parts, n = ndimage.label(inside)
    if n > 1:
        inside = parts == 1 + np.argmax(ndimage.sum_labels(inside, parts, range(1, n + 1)))
    p = np.exp(y - y.max(0))
    front = ((p[1] - p[2]) / p.sum(0)).sum((0, 2))              # of each coronal slice; y grows to the front
    first = int(np.argmin(np.concatenate([[0], np.cumsum(front)])))
    return np.where(inside, np.where(np.arange(len(front))[:, None] >= first, 1, 2), 0)


def fit(a, size, fill):
    """Centre-crop or pad (edge, or a value for labels) to a fixed size."""
    for axis, n in enumerate(size):
        d = a.shape[axis] - n
        if d > 0:
            a = a.take(range(d // 2, d // 2 + n), axis)
        elif d < 0:
            pad = [(0, 0)] * a.ndim
            pad[axis] = (-d // 2, -d - (-d // 2))
            a = np.pad(a, pad, mode="edge") if fill is None else np.pad(a, pad, constant_values=fill)
    return a


def coarse_field(n, size, amount, points=3):
    return F.interpolate(torch.randn(n, 1, points, points, points) * amount, size=size, mode="trilinear",
                         align_corners=True)


def intensities(x):
    """Gamma, bias field, blur, thick slices, noise; then the z-score again."""
    n, size, u = len(x), x.shape[2:], lambda lo, hi: torch.empty(len(x), 1, 1, 1, 1).uniform_(lo, hi)
    low, high = x.amin((1, 2, 3, 4), True), x.amax((1, 2, 3, 4), True)
    x = ((x - low) / (high - low + 1e-6)).clamp(0, 1) ** torch.exp(u(-0.5, 0.5))
    x = x * torch.exp(coarse_field(n, size, 0.25))
    x = (x - x.mean((1, 2, 3, 4), True)) / (x.std((1, 2, 3, 4), keepdim=True) + 1e-6)
    if np.random.rand() < 0.3:
        x = x + u(-0.3, 1) * (x - F.avg_pool3d(x, 3, 1, 1, count_include_pad=False)) * -1
    if np.random.rand() < 0.25:
        small = [max(8, int(s / f)) for s, f in zip(size, np.random.uniform(1, 2, 3))]
        x = F.interpolate(F.interpolate(x, size=small, mode="trilinear"), size=size, mode="trilinear")
    x = x + torch.randn_like(x) * u(0, 1) ** 2 * 0.3
    x = torch.maximum(torch.minimum(x, u(1.5, 5)), -u(1.8, 5))
    return (x - x.mean((1, 2, 3, 4), True)) / (x.std((1, 2, 3, 4), keepdim=True) + 1e-6)


def augmented(x, label):
    grid = C.warp_grid(len(x), 3, PATCH, 0.26, 0.17, 0.12, 0.02, flip=(0,))
    hot = F.one_hot(label, 3).movedim(-1, 1).float()
    image = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    warped = F.grid_sample(hot, grid, padding_mode="border", align_corners=False)
    return intensities(image), warped.argmax(1)


def rounds(n, size):
    """Batches of indices without end: all in random order, then anew."""
    while True:
        order = np.random.permutation(n)
        for k in range(0, n - size + 1, size):
            yield order[k:k + size]


def evaluate(net, cases):
    """[anterior, posterior, whole] Dice of each case and predicted and true volumes in ml, through labelled()."""
    rows = []
    for image, label in cases:
        p = labelled(net, image)
        rows.append([C.dice(p == 1, label == 1), C.dice(p == 2, label == 2), C.dice(p > 0, label > 0),
                     (p > 0).sum() / 1000, (label > 0).sum() / 1000])
    return np.array(rows)


def card(rows, parts):
    command = "python train/mr.hippocampus/train.py --evaluate-only"
    data = "mr/msd-hippocampus held-out part of train/mr.hippocampus/split.json"
    results = [C.result("mr.hippocampus." + m.split()[0], data, m, rows[:, k], command)
               for k, m in enumerate(["anterior dice", "posterior dice", "whole dice"])]
    results.append(C.result("mr.hippocampus.volume", data, "volume error ml (absolute, whole)",
                            np.abs(rows[:, 3] - rows[:, 4]), command))
    return {
        "id": NAME, "task": "segmentation", "modalities": ["MR"],
        "title": "Anterior and posterior hippocampus in a T1-weighted crop around one hippocampus.",
        "evidence_note": "Real T1 crops (Medical Segmentation Decathlon), split by volume id. The set names volumes, "
                         "not people; as recalled it holds about two volumes (left and right) a subject, and nothing "
                         "in the files says which belong together, so the interval may be optimistic. The held-out part has "
                         "been looked at three times: the first weights (0.892, 0.874), the same with the parts cut by "
                         "one plane (0.892, 0.874), and these weights; nothing was chosen on it but to go on training.",
        "architecture": f"3-D U-Net, widths {list(WIDTHS)}, instance norm, leaky ReLU, max pool, transposed conv",
        "training_data": [{"name": "Medical Segmentation Decathlon Task04 Hippocampus", "licence": "CC-BY-SA-4.0",
                           "n": len(parts["train"]), "use": "training"},
                          {"name": "Medical Segmentation Decathlon Task04 Hippocampus", "licence": "CC-BY-SA-4.0",
                           "n": len(parts["validation"]), "use": "validation (choosing); training too in the last 481 steps"}],
        "weights_licence": "CC-BY-SA-4.0",
        "intended_use": "Research volumetry of the hippocampus on T1-weighted MR, adults. Not a medical device.",
        "not_for": ["T2, FLAIR or contrast-enhanced images", "diagnosis", "crops without a hippocampus: it always "
                    "expects one; in a whole head run mr.hippocampus_locator first"],
        "known_failures": ["Thick slices, lesions and strong atrophy were not tried.",
                           "The anterior/posterior border follows one group's manual protocol.",
                           "All crops of the set look like one side (see train/README.md); the other side is "
                           "learned from mirrored crops only."],
        "results": results,
        "network": {"file": "model.onnx", "used_by": ["segmentation/mr.hippocampus"],
                    "input": {"dims": 3, "axes": "zyx", "orientation": "RAS", "spacing_mm": [1, 1, 1], "size": None,
                              "pad_multiple": 8, "pad": "edge",
                              "normalise": {"kind": "percentile_zscore", "lower": 0.5, "upper": 99.5}},
                    "output": {"kind": "logits", "classes": ["background", "anterior", "posterior"]},
                    "mirror": ["x"], "threshold": None, "temperature": None, "keep": "largest_component",
                    "split": {"axis": "y", "low": "posterior", "high": "anterior"},
                    "crop_mm": [40, 56, 40]}}


def main():
    args = C.arguments(NAME, steps=4500, minutes=20)
    ids = [f.name[12:15] for f in (ROOT / "images").glob("*.nii.gz")]
    parts = C.split_ids(ids, {"train": 0.72, "validation": 0.08, "held_out": 0.2}, seed=4)
    C.write_split(Path(__file__).with_name("split.json"), parts,
                  lambda i: [ROOT / "images" / f"hippocampus_{i}.nii.gz"], "ids are volume numbers of the MSD set")
    cases = {k: [load(i) for i in v] for k, v in parts.items()}
    teach = cases["train"] + (cases["validation"] if args.further == "all" else [])
    x = torch.from_numpy(np.stack([fit(a, PATCH, None) for a, _ in teach]))[:, None]
    t = torch.from_numpy(np.stack([fit(b, PATCH, 0) for _, b in teach]))
    batches = rounds(len(x), 4)
    print(NAME, {k: len(v) for k, v in parts.items()}, flush=True)

    def batch_loss(net):
        pick = next(batches)
        image, label = augmented(x[pick], t[pick])
        return C.dice_ce(C.forward_bf16(net, image), label)

    net = C.trained(C.UNet(3, WIDTHS, 3), batch_loss, args, "hippocampus", lr=6e-4 if args.resume else RATES[args.further],
                    validate=lambda e: evaluate(e, cases["validation"])[:, :3].mean(0).round(4))
    print("onnx", C.export(net, (1, 1, 16, 16, 16), args.out / "model.onnx"))
    C.write_card(args.out, card(evaluate(net, cases["held_out"]), parts))


if __name__ == "__main__":
    main()
