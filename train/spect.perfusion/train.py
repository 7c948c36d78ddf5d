"""spect.perfusion (last step): 22 regions at rest and stress to the probability of an abnormal perfusion study.

Logistic regression with a strong L2 penalty on 44 counts and 16 summaries of them; the penalty and the calibration (a
line on the logit) are chosen inside the training part. The number: ten times tenfold cross-validation, nested. The
coefficients go into tasks/classification/spect_perfusion.card.json (member `model`); there is no network.
    python train/spect.perfusion/train.py [--evaluate-only]
"""
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C

ROOT = C.DATA / "spect" / "spectf-features"
CARD = Path(__file__).resolve().parents[2] / "tasks" / "classification" / "spect_perfusion.card.json"
PENALTIES = (0.001, 0.003, 0.01, 0.03)
REPEATS = 10


def rows():
    data = np.vstack([np.loadtxt(ROOT / f, delimiter=",") for f in ("SPECTF.train", "SPECTS.valid")])
    return data[:, 1:], data[:, 0].astype(int)


def features(x):
    """[n, 44] as F1R, F1S ... F22S -> [n, 60]: them, then of rest, stress and rest - stress each the smallest, the mean of
    the five smallest, the first quartile (linear), mean and standard deviation (population); mean |rest - stress|."""
    rest, stress = x[:, 0::2], x[:, 1::2]

    def summary(v):
        s = np.sort(v, 1)
        return np.c_[s[:, 0], s[:, :5].mean(1), np.percentile(v, 25, axis=1), v.mean(1), v.std(1)]
    return np.c_[x, summary(rest), summary(stress), summary(rest - stress), np.abs(rest - stress).mean(1)]


class Model:
    def fit(self, x, y, penalty):
        self.mean, self.scale = x.mean(0), x.std(0)
        lr = LogisticRegression(C=penalty, max_iter=1000).fit((x - self.mean) / self.scale, y)
        self.weights, self.bias = lr.coef_[0], lr.intercept_[0]
        return self

    def logit(self, x):
        return (x - self.mean) / self.scale @ self.weights + self.bias


def inner(x, y, penalty, seed):
    out = np.zeros(len(y))
    for a, b in StratifiedKFold(5, shuffle=True, random_state=seed).split(x, y):
        out[b] = Model().fit(x[a], y[a], penalty).logit(x[b])
    return out


def fitted(x, y, seed):
    """The penalty with the best inner AUC; slope and offset of the calibration from the inner out-of-fold logits."""
    logits = {p: inner(x, y, p, seed) for p in PENALTIES}
    best = max(PENALTIES, key=lambda p: roc_auc_score(y, logits[p]))
    line = LogisticRegression(C=10.0, max_iter=1000).fit(logits[best][:, None], y)
    model = Model().fit(x, y, best)
    model.slope, model.offset, model.penalty = line.coef_[0, 0], line.intercept_[0], best
    return model


def probability(model, x):
    return 1 / (1 + np.exp(-(model.slope * model.logit(x) + model.offset)))


def ece(y, p, bins=15):
    """15 bins of equal mass."""
    order = np.argsort(p, kind="stable")
    return sum(len(b) / len(y) * abs(y[b].mean() - p[b].mean()) for b in np.array_split(order, bins))


def main():
    x, y = rows()
    f, out = features(x), np.zeros((REPEATS, len(y)))
    for r in range(REPEATS):
        for a, b in StratifiedKFold(10, shuffle=True, random_state=r).split(f, y):
            out[r, b] = probability(fitted(f[a], y[a], r), f[b])
    rng, n = np.random.default_rng(0), len(y)
    picks = [i for i in (rng.integers(0, n, n) for _ in range(500)) if 0 < y[i].sum() < n]
    command, data = "python train/spect.perfusion/train.py --evaluate-only", "spect/spectf-features, 80 patients, ten times tenfold nested"

    def row(requirement, metric, statistic):
        boot = [np.mean([statistic(y[i], p[i]) for p in out]) for i in picks]
        return {"requirement": requirement, "data": data, "n": n, "metric": metric,
                "value": round(float(np.mean([statistic(y, p) for p in out])), 4),
                "ci95": [round(float(q), 4) for q in np.percentile(boot, [2.5, 97.5])], "class": "Q", "command": command}
    prior = y.mean() * (1 - y.mean())
    results = [row("spect.classification.spectf_auc", "AUC", roc_auc_score),
               row("spect.perfusion.ece", "ECE", ece),
               row("spect.perfusion.brier_skill", "Brier skill", lambda t, p: 1 - np.mean((t - p) ** 2) / prior)]
    for r in results:
        print(json.dumps(r))
    if "--evaluate-only" in sys.argv:
        return
    model = fitted(f, y, 0)
    z = (f - model.mean) / model.scale
    numbers = {k: [float(f"{v:.6g}") for v in getattr(model, k)] for k in ("mean", "scale", "weights")}
    check = [[*map(int, x[i]), round(float(probability(model, f[i:i + 1])[0]), 6)] for i in (0, 79)]
    card = json.loads(CARD.read_text())
    card["model"] = {**numbers, "bias": float(f"{model.bias:.6g}"), "slope": float(f"{model.slope:.6g}"),
                     "offset": float(f"{model.offset:.6g}"), "penalty": model.penalty,
                     "strange_above": float(f"{1.5 * (z ** 2).mean(1).max():.3g}"), "check": check}
    card["results"] = results
    text = json.dumps(card, indent=2)
    CARD.write_text(text + "\n")
    print("penalty", model.penalty, "training AUC", roc_auc_score(y, probability(model, f)))


if __name__ == "__main__":
    main()
