"""What the classification recipes share: clusters and folds, augmented backbone maps, calibration, numbers, the run."""
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import rankdata

import common as C
import encoder as E
import heads as H
import ultrasound as U

FOLDS, BINS = 5, 15


# ---------------------------------------------------------------- pictures, clusters, folds

def content_box(a, level=20, share=0.05):
    """The picture without its empty margin; the engine's crop 'content_box'."""
    some = a > level
    rows, columns = (np.flatnonzero(some.mean(k) >= share) for k in (1, 0))
    return a[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] if len(rows) and len(columns) else a


def correlation(v):
    v = v - v.mean(1, keepdims=True)
    v = v / (np.linalg.norm(v, axis=1, keepdims=True) + 1e-6)
    return v @ v.T


def clusters(frames, pooled, near=0.95, alike=0.7):
    """Cluster number of every frame: frames whose 28 x 28 thumbnails correlate above `near`, or whose standardised
    pooled features do above `alike`, are joined (single linkage): near-duplicates and most neighbours of one patient."""
    t = frames.reshape(len(frames), 28, 8, 28, 8).mean((2, 4)).reshape(len(frames), -1)
    z = (pooled - pooled.mean(0)) / (pooled.std(0) + 1e-6)
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    root = np.arange(len(frames))
    for i, j in np.argwhere(np.triu((correlation(t) > near) | (z @ z.T > alike), 1)):
        if root[i] != root[j]:
            root[root == root[j]] = root[i]
    return root


def folds(root, y, seed=0):
    """Fold of every frame: whole clusters, the largest first, each to the fold that has least of its classes."""
    classes, rng = y.max() + 1, np.random.default_rng(seed)
    groups = [np.flatnonzero(root == r) for r in np.unique(root)]
    groups = [groups[i] for i in rng.permutation(len(groups))]
    held, fold = np.zeros((FOLDS, classes)), np.zeros(len(y), int)
    for g in sorted(groups, key=len, reverse=True):
        n = np.bincount(y[g], minlength=classes)
        k = int(np.argmin((held * (n > 0)).sum(1) + 1e-3 * held.sum(1)))
        held[k] += n
        fold[g] = k
    return fold


def write_split(path, names, files, fold, root, note):
    parts = {f"fold_{k}": [names[i] for i in np.flatnonzero(fold == k)] for k in range(FOLDS)}
    by_name = dict(zip(names, files))
    doc = C.write_split(path, parts, lambda n: [by_name[n]], note)
    doc["clusters"] = sorted([sorted(names[i] for i in np.flatnonzero(root == r)) for r in np.unique(root)
                              if (root == r).sum() > 1])
    Path(path).write_text(json.dumps(doc, indent=0, sort_keys=True) + "\n")


# ---------------------------------------------------------------- variants and their maps

def variants(frames, change, n, seed, cache, masks=None):
    """n variants of all frames: [(map float16 [k, 112, 14, 14], cover [k, 14, 14] or None)]; the first is as it is.

    change(x [k, 1, 224, 224]) -> (sampling grid, x -> x): the grid moves mask and frame alike."""
    made = []
    for v in range(n):
        torch.manual_seed(1000 * seed + v)
        np.random.seed(1000 * seed + v)
        key = hashlib.sha256(frames.tobytes() + f"{change.__name__} {seed} {v} {E.WEIGHTS} 3".encode()).hexdigest()
        file = Path(cache) / f"{change.__name__}_{v}_{key[:16]}.npz"
        if not file.exists():
            Path(cache).mkdir(parents=True, exist_ok=True)
            x, m = torch.from_numpy(frames)[:, None], None if masks is None else torch.from_numpy(masks)[:, None]
            if v:
                grid, shade = change(x)
                x = shade(F.grid_sample(x, grid, padding_mode="zeros", align_corners=False)).clamp(0, 1)
                m = None if m is None else F.grid_sample(m, grid, padding_mode="zeros", align_corners=False)
            cover = np.zeros(0, np.float16) if m is None else F.avg_pool2d(m, 16)[:, 0].numpy().astype(np.float16)
            maps, _ = E.features(x[:, 0].numpy())
            np.savez(file, maps=maps, cover=cover)
        d = np.load(file)
        made.append((d["maps"], d["cover"] if d["cover"].size else None))
    return made


def u(x, low, high):
    return torch.empty(len(x), 1, 1, 1).uniform_(low, high)


def head_slice(x):
    """Change of a slice of a head: mirrored, turned, scaled, another window and gamma, noise, other resolution."""
    grid = C.warp_grid(len(x), 2, (E.SIZE, E.SIZE), 0.3, 0.12, 0.06, 0.01, flip=(0,))

    def shade(x):
        x = x ** torch.exp(u(x, -0.35, 0.35)) * u(x, 0.8, 1.2) + u(x, -0.04, 0.04) * (x > 0.02)
        x = x + torch.randn_like(x) * u(x, 0, 0.03) * (x > 0.02)
        soft = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return x + (soft - x) * u(x, -0.4, 1)
    return grid, shade


# ---------------------------------------------------------------- calibration and numbers

def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def temperature(z, y):
    """The temperature with the least negative log likelihood."""
    grid = np.exp(np.linspace(-2, 2, 401))
    return float(min(grid, key=lambda t: -np.log(softmax(z / t)[np.arange(len(y)), y] + 1e-12).mean()))


def cross_calibrated(z, y, fold):
    """Probabilities of each fold with the temperature of the other folds' out-of-fold logits."""
    p = np.zeros_like(z)
    for k in range(FOLDS):
        p[fold == k] = softmax(z[fold == k] / temperature(z[fold != k], y[fold != k]))
    return p


def auroc(s, y):
    """Area under the ROC curve (Mann-Whitney, ties by halves)."""
    s, y = np.asarray(s, float), np.asarray(y, bool)
    if not y.any() or y.all():
        return float("nan")
    rank = rankdata(s)
    n = y.sum()
    return float((rank[y].sum() - n * (n + 1) / 2) / (n * (len(y) - n)))


def macro_auroc(p, y):
    return float(np.mean([auroc(p[:, c], y == c) for c in range(p.shape[1])]))


def ece(p, right, bins=BINS):
    """Equal-mass bins (evaluate/classification.h)."""
    order = np.array_split(np.argsort(p, kind="stable"), min(bins, len(p)))
    return float(sum(len(b) * abs(p[b].mean() - right[b].mean()) for b in order) / len(p))


def brier_skill(p, y):
    hot = np.eye(p.shape[1])[y]
    return float(1 - ((p - hot) ** 2).sum() / ((hot.mean(0) - hot) ** 2).sum())


def row(requirement, data, metric, statistic, n, command, kind="Q-slice"):
    """statistic(indices) with its 95 % interval over 2000 resamplings of the frames."""
    r = C.result(requirement, data, metric, np.arange(n), command, statistic)
    return {**r, "class": kind}


# ---------------------------------------------------------------- the run of a recipe

def shortcut_text(rows):
    """What the nets on border and histogram alone reached, as a sentence for known_failures."""
    found = [r["value"] for r in rows if r["requirement"].endswith("shortcut_net")]
    return (f"The set has shortcuts: linear nets on the border and the histogram of a slice, on its border and on its histogram "
            f"alone reach a macro-AUC of {found[0]:.2f}, {found[1]:.2f} and {found[2]:.2f} (chance: 0.50), so some of the "
            f"measured performance may be the sources' cropping, size and contrast.")


class Task:
    """What a recipe hands in: frames [n, 224, 224] 0..1 as the engine prepares them, classes y, masks or None."""

    def __init__(self, name, classes, files, frames, y, change, masks=None, known=None, mirror=True,
                 **settings):
        self.name, self.classes, self.files, self.y = name, classes, files, np.asarray(y)
        self.frames, self.change, self.masks, self.mirror = frames.astype(np.float32), change, masks, mirror
        self.untouched = None                  # frames with letters and callipers, where those were painted over
        self.names, self.known = [f.name for f in files], known
        self.settings = {"variants": 8, "steps": 600, "tune": False, "hidden": 96, "both": False, **settings}
        self.command = f"python train/{name}/train.py --evaluate-only"

    def grouped(self, args, note):
        _, pooled = E.features(self.frames, args.work / "features")
        self.root = clusters(self.frames, pooled)
        self.fold = folds(self.root, self.y)
        write_split(C.HERE / self.name / "split.json", self.names, self.files, self.fold, self.root, note)
        print(self.name, len(self.y), "frames", len(np.unique(self.root)), "clusters; classes by fold",
              [np.bincount(self.y[self.fold == k], minlength=len(self.classes)).tolist() for k in range(FOLDS)], flush=True)

    def train(self, args):
        """Cross-fitted heads and their export."""
        s, n = self.settings, len(self.classes)
        made = variants(self.frames, self.change, s["variants"], args.seed, args.work / "maps", self.masks)
        maps, cover = [m for m, _ in made], [c for _, c in made] if self.masks is not None else None
        heads = args.work / f"{self.name}_heads.pt"
        if args.resume:                            # the heads of an earlier run, for instance to change what stands beside
            nets = [H.Head(n, s["hidden"], s["tune"]).eval() for _ in range(FOLDS)]
            for net, state in zip(nets, torch.load(heads)):
                net.load_state_dict(state)
        else:
            nets = [H.trained(maps, cover, self.known, self.y, np.flatnonzero(self.fold != k), n, args.seed + k, s)
                    for k in range(FOLDS)]
            torch.save([net.state_dict() for net in nets], heads)
        if s["both"]:
            forms = self.pooled(args)
            nets = [H.Both(net, *H.on_pooled(forms, self.y, np.flatnonzero(self.fold != k), n, args.seed + 10 * k))
                    for k, net in enumerate(nets)]
        strange, shape = H.Strangeness(H.values(maps[0])), (1, 112 * 14 * 14 + E.POOLED) if s["both"] else (1, 112, 14, 14)
        print("onnx", C.export(H.Members(nets, strange), shape, args.out / "model.onnx", dynamic=False,
                               outputs=("logits", "ood", "cam", "members", "cams")), flush=True)

    def pooled(self, args):
        """Pooled features [forms, n, 688] of the frames as they are and mirrored (and untouched)."""
        forms = [self.frames] + ([self.untouched] if self.untouched is not None else [])
        return np.stack([E.features(f, args.work / "features", half=False)[1] for g in forms for f in (g, g[:, :, ::-1])])

    def seen(self, frames, cache, out):
        """(members' logits [n, folds, c], ood [n], class maps [n, folds, c, 14, 14]) of the model.onnx in `out`, the
        mean with the mirrored frame as in the engine."""
        import onnxruntime
        session, total = onnxruntime.InferenceSession(str(out / "model.onnx")), None
        for flip in (False, True) if self.mirror else (False,):
            maps, pooled = E.features(frames[:, :, ::-1] if flip else frames, cache, half=False)
            maps = np.concatenate([maps.reshape(len(maps), -1), pooled], 1) if self.settings["both"] else maps
            got = session.run(["members", "ood", "cams"], {"image": maps})
            got[2] = got[2][..., ::-1] if flip else got[2]
            total = got if total is None else [a + b for a, b in zip(total, got)]
        n = 2 if self.mirror else 1
        return total[0] / n, total[1][:, 0] / n, total[2] / n

    def judge(self, args):
        """Out-of-fold logits and probabilities, temperature, threshold of strangeness, class maps of the unseen net."""
        each, self.ood, cams = self.seen(self.frames, args.work / "features", args.out)
        self.z, self.own_cam = each[np.arange(len(self.y)), self.fold], cams[np.arange(len(self.y)), self.fold]
        self.p = cross_calibrated(self.z, self.y, self.fold)
        self.temperature = round(temperature(self.z, self.y), 4)
        maps, _ = E.features(self.frames, args.work / "features", half=False)
        values, far = H.values(maps), np.zeros(len(self.y))
        for k in range(FOLDS):
            net = H.Strangeness(values[self.fold != k])
            far[self.fold == k] = H.answers(lambda x: (net(x),), maps[self.fold == k])[0][:, 0]
        self.limit = round(float(np.quantile(far, 0.99)), 3)
        print(f"temperature {self.temperature}; strangeness: half {np.median(far):.2f}, 99 % {self.limit}", flush=True)

    def calibration_rows(self, ids):
        """ECE and Brier skill out of fold; two classes: of the first one's probability, else of the class said."""
        p, y, said = self.p, self.y, self.p.argmax(1)
        top, right = (p[:, 0], y == 0) if p.shape[1] == 2 else (p.max(1), said == y)
        data = f"{ids['data']} out of fold"
        return [row(ids["ece"], data, "ECE", lambda k: ece(top[k], right[k]), len(y), self.command),
                row(ids["brier"], data, "Brier skill", lambda k: brier_skill(p[k], y[k]), len(y), self.command),
                row(ids["accuracy"], data, "accuracy", lambda k: (said[k] == y[k]).mean(), len(y), self.command)]

    def others_abstained(self, args, sets, requirement):
        """Share of other pictures (name -> frames) on which the method gives no probability."""
        rows = []
        for name, frames in sets.items():
            _, ood, _ = self.seen(np.stack(frames), args.work / "features", args.out)
            rows.append(row(requirement, name, "share abstained on", lambda k: (ood[k] > self.limit).mean(), len(ood),
                            self.command))
        own = self.ood > self.limit
        rows.append(row(requirement.replace("abstains", "coverage"), "its own frames", "share answered",
                        lambda k: 1 - own[k].mean(), len(own), self.command))
        return rows

    def shortcut_rows(self, requirement, data):
        """Macro-AUC, out of fold, of linear nets that see only the border, only the grey histogram, or both."""
        h = np.stack([np.histogram(f, 32, (0, 1))[0] for f in self.frames]) / self.frames[0].size
        edge = np.concatenate([a.reshape(len(self.y), 28, 8, -1).mean((2, 3)) for a in (
            self.frames[:, :, :8], self.frames[:, :, -8:], self.frames[:, :8].swapaxes(1, 2),
            self.frames[:, -8:].swapaxes(1, 2))], 1)
        return [self.linear_row(requirement, data, what, x) for what, x in (
            ("border and histogram", np.concatenate([np.sqrt(h), edge], 1)), ("border", edge), ("histogram", np.sqrt(h)))]

    def linear_row(self, requirement, data, what, x):
        x = torch.from_numpy((x - x.mean(0)) / (x.std(0) + 1e-6)).float()
        z, y = np.zeros((len(self.y), len(self.classes))), torch.from_numpy(self.y)
        for k in range(FOLDS):
            w = torch.zeros(x.shape[1] + 1, len(self.classes), requires_grad=True)
            keep, opt = torch.from_numpy(self.fold != k), torch.optim.LBFGS([w], max_iter=200)

            def closure():
                opt.zero_grad()
                loss = F.cross_entropy(x[keep] @ w[:-1] + w[-1], y[keep]) + 0.02 * (w[:-1] ** 2).sum()
                loss.backward()
                return loss
            opt.step(closure)
            z[self.fold == k] = softmax((x[~keep] @ w[:-1] + w[-1]).detach().numpy())
        return row(requirement, f"{data} out of fold", f"macro-AUC of a net on {what} alone (chance: 0.5)",
                   lambda k: macro_auroc(z[k], self.y[k]), len(self.y), self.command)

    def network(self, crop):
        """The `network` block of the card."""
        return {"file": "model.onnx", "backbone": {"id": "any.image_encoder", "output": "both" if self.settings["both"] else "map"},
                "input": {"dims": 2, "axes": "yx", "orientation": None, "spacing_mm": None, "size": [E.SIZE, E.SIZE],
                          "resize": "area", "pad_multiple": 1, "pad": "edge",
                          "normalise": {"kind": "unit", "scale": 255}, **({"crop": crop} if crop else {})},
                "output": {"kind": "logits", "classes": list(self.classes),
                           "names": {"logits": "logits", "ood": "ood", "cam": "cam"}},
                "ood": {"threshold": self.limit}, "mirror": ["x"] if self.mirror else [], "threshold": None,
                "temperature": self.temperature}


def run(name, task, numbers, card):
    """main() of a recipe: task() -> Task, numbers(task, args) -> results, card(task, results) -> card."""
    args = C.arguments(name, steps=0, minutes=10)
    t = task()
    t.grouped(args, "no patient ids: clusters of near-duplicates are whole; each fold is judged by the net of the others")
    if not args.evaluate_only:
        t.train(args)
    t.judge(args)
    C.write_card(args.out, card(t, numbers(t, args)))
