"""Heads of the classification recipes on any.image_encoder's map: exact class maps, distance to the training set."""
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import encoder as E


class Head(nn.Module):
    """Backbone map [n, 112, 14, 14] -> logits [n, c] and class maps [n, c, 14, 14] whose sums (and bias) the logits are.

    Stage 6's first block at stride 1, ImageNet's weights tuned further; a 1 x 1 layer; every place gives a vote per
    class; the logit is the mean of the votes plus the mean weighted by attention (sigmoid, normalised)."""

    def __init__(self, classes, hidden=96, tune=True, state=None):
        super().__init__()
        wide = 112
        self.block = None
        if tune:
            self.block, wide = E.blocks(11, 12, state)[0], 192
            self.block.depthwise.conv.stride, self.block.depthwise.pad = (1, 1), (2, 2, 2, 2)
        self.narrow = nn.Conv2d(112 + wide if tune else wide, hidden, 1)
        self.spot = nn.Conv2d(hidden, 1, 1)
        self.vote = nn.Conv2d(hidden + 1, classes, 1)
        self.evenly = nn.Conv2d(hidden + 1, classes, 1, bias=False)
        self.drop = nn.Dropout2d(0.2)
        nn.init.constant_(self.spot.bias, -2.0)

    def forward(self, x):
        x = x / 4
        f = torch.cat([x, self.block(x * 4) / 4], 1) if self.block is not None else x
        f = F.relu(self.narrow(self.drop(f)))
        spot = self.spot(f)
        a = torch.sigmoid(spot)
        f = torch.cat([self.drop(f), a], 1)
        share = a / (a.sum((2, 3), keepdim=True) + 0.1)
        n = a.shape[2] * a.shape[3]
        cam = share * self.vote(f) + self.evenly(f) / n
        return cam.sum((2, 3)), cam, spot


class Strangeness(nn.Module):
    """Distance of a map's channel means and deviations to those of the training set, [n, 1]: Mahalanobis inside their
    first principal components and the rest outside them (both as root mean squares), the larger one."""

    def __init__(self, values, keep=24):
        super().__init__()
        v = torch.as_tensor(values, dtype=torch.float64)
        mean, deviation = v.mean(0), v.std(0) + 1e-3
        z = (v - mean) / deviation
        _, s, axes = torch.linalg.svd(z, full_matrices=False)
        inside = z @ axes[:keep].T
        rest = torch.sqrt(((z - inside @ axes[:keep]) ** 2).mean(1))
        for name, t in (("mean", mean), ("deviation", deviation), ("axes", axes[:keep]),
                        ("scale", inside.std(0)), ("unit", rest.mean())):
            self.register_buffer(name, t.float())

    def forward(self, x):
        z = (E.moments(map_of(x)) - self.mean) / self.deviation
        inside = z @ self.axes.T
        rest = torch.sqrt(((z - inside @ self.axes) ** 2).mean(1, keepdim=True)) / self.unit
        return torch.maximum(torch.sqrt(((inside / self.scale) ** 2).mean(1, keepdim=True)), rest)


class Both(nn.Module):
    """A Head on the map and small nets on the pooled features, in one row [n, 22640]; the logits are the mean of the head
    and of the small nets' mean. The class maps are the head's: what the small nets add has no place in the picture."""

    def __init__(self, head, mean, deviation, nets):
        super().__init__()
        self.head, self.nets = head, nn.ModuleList(nets)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x):
        logits, cam, spot = self.head(map_of(x))
        z = (x[:, -E.POOLED:] - self.mean) / self.deviation
        return (logits + sum(net(z) for net in self.nets) / len(self.nets)) / 2, cam, spot


def map_of(x):
    return x if x.dim() == 4 else x[:, :-E.POOLED].reshape(-1, 112, 14, 14)


def on_pooled(forms, y, keep, classes, seed, nets=2, steps=300, batch=96):
    """(mean, deviation, nets) for Both: each a hidden layer with much dropout, on mixed pairs; forms [f, n, 688]."""
    x, y, keep = torch.from_numpy(forms).float(), torch.from_numpy(y), torch.from_numpy(keep)
    mean, deviation, made = x[:, keep].mean((0, 1)), x[:, keep].std((0, 1)) + 1e-6, []
    for k in range(nets):
        torch.manual_seed(seed + k)
        rng = np.random.default_rng(seed + k)
        net = nn.Sequential(nn.Dropout(0.4), nn.Linear(x.shape[2], 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, classes))
        opt = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=0.1)
        for step in range(steps):
            for g in opt.param_groups:
                g["lr"] = 1e-3 * (0.5 + 0.5 * np.cos(np.pi * step / steps))
            pick, form = keep[torch.randint(0, len(keep), (batch,))], torch.randint(0, len(x), (batch,))
            z, hot = (x[form, pick] - mean) / deviation, F.one_hot(y[pick], classes).float()
            lam, other = float(rng.beta(0.4, 0.4)), torch.randperm(batch)
            z, hot = lam * z + (1 - lam) * z[other], lam * hot + (1 - lam) * hot[other]
            loss = -(hot * F.log_softmax(net(z), 1)).sum(1).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
        made.append(net.eval())
    return mean, deviation, made


class Members(nn.Module):
    """Mean of the folds' nets -> logits, ood, cam; and every net's own logits [n, folds, c] and class maps
    [n, folds, c, 14, 14], so that the numbers can be repeated with the net that had not seen a frame."""

    def __init__(self, nets, strange):
        super().__init__()
        self.nets, self.strange = nn.ModuleList(nets), strange

    def forward(self, image):
        answers = [net(image)[:2] for net in self.nets]
        each, cams = torch.stack([a for a, _ in answers], 1), torch.stack([b for _, b in answers], 1)
        return each.mean(1), self.strange(image), cams.mean(1), each, cams


def trained(maps, cover, known, y, keep, classes, seed, settings, mix=0.3, batch=32, spots=1.0):
    """One head on the frames `keep`: every step draws a variant a frame; AdamW, cosine, mixing of pairs, smoothed
    labels; on frames whose mask is `known` the attention learns it. Moving average of the weights."""
    torch.manual_seed(seed)
    steps, lr = settings["steps"], 6e-4
    rng, start = np.random.default_rng(seed), time.time()
    net = Head(classes, settings["hidden"], settings["tune"])
    slow = [p for n, p in net.named_parameters() if n.startswith("block")]
    fast = [p for n, p in net.named_parameters() if not n.startswith("block")]
    opt = torch.optim.AdamW([{"params": fast, "lr": lr * 4}, {"params": slow, "lr": lr}], weight_decay=0.02)
    base, ema = [g["lr"] for g in opt.param_groups], {k: v.clone() for k, v in net.state_dict().items()}
    by_class = [keep[y[keep] == c] for c in range(classes)]
    for step in range(steps):
        for g, b in zip(opt.param_groups, base):
            g["lr"] = b * min(1, (step + 1) / 20) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        pick = rng.choice(keep, batch) if rng.random() < 0.5 else \
            np.array([rng.choice(by_class[c]) for c in rng.integers(0, classes, batch)])
        v = np.where(rng.random(batch) < 0.2, 0, rng.integers(0, len(maps), batch))
        x = torch.from_numpy(np.stack([maps[a][i] for a, i in zip(v, pick)])).float()
        hot = F.one_hot(torch.from_numpy(y[pick]), classes).float() * 0.94 + 0.06 / classes
        mixed = rng.random() < 0.5 and mix > 0
        if mixed:
            lam, other = float(rng.beta(mix, mix)), torch.from_numpy(rng.permutation(batch))
            x, hot = lam * x + (1 - lam) * x[other], lam * hot + (1 - lam) * hot[other]
        logits, _, spot = net(x)
        loss = -(hot * F.log_softmax(logits, 1)).sum(1).mean()
        if cover is not None and not mixed:
            m = torch.from_numpy(np.stack([cover[a][i] for a, i in zip(v, pick)])).float()
            there = torch.from_numpy(known[pick]).float()
            miss = F.binary_cross_entropy_with_logits(spot[:, 0], m, reduction="none").mean((1, 2))
            loss = loss + spots * (miss * there).sum() / there.sum().clamp(min=1)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        opt.step()
        w = min(0.99, step / (step + 10))
        with torch.no_grad():
            for k, p in net.state_dict().items():
                ema[k].mul_(w).add_(p, alpha=1 - w)
    net.load_state_dict(ema)
    print(f"  seed {seed}: {steps} steps, {time.time() - start:.0f} s, loss {loss.item():.3f}", flush=True)
    return net.eval()


def answers(net, maps, batch=64):
    """Outputs of a net for maps, as numpy arrays."""
    with torch.no_grad():
        parts = [net(torch.from_numpy(maps[k:k + batch]).float()) for k in range(0, len(maps), batch)]
    return tuple(torch.cat([p[i] for p in parts]).numpy() for i in range(len(parts[0])))


def values(maps, batch=64):
    """What Strangeness looks at: channel means and deviations, [n, 224]."""
    return np.concatenate([E.moments(torch.from_numpy(maps[k:k + batch]).float()).numpy() for k in range(0, len(maps), batch)])
