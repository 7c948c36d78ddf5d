"""A small network of our own for pictures of SIZE x SIZE, its training, and what is exported."""
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def block(i, o, stride):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 16, 5, 2, 2, bias=False), nn.BatchNorm2d(16), nn.ReLU(), block(16, 32, 2), block(32, 32, 1),
                                  block(32, 64, 2), block(64, 64, 1), block(64, 96, 2), block(96, 96, 1))
        self.head = nn.Linear(192, classes)
        self.register_buffer("mean", torch.zeros(192))
        self.register_buffer("scale", torch.ones(192))

    def features(self, x):
        f = self.body(x)
        return torch.cat([f.mean((2, 3)), f.amax((2, 3))], 1)

    def forward(self, x):
        """(logits, strangeness: mean of the squared deviations of the features from those taught, each at most 25)"""
        f = self.features(x)
        return self.head(f), torch.clamp(((f - self.mean) * self.scale) ** 2, max=25).mean(1, keepdim=True)


def turned(x, rng):
    """Another look of a batch: mirrored, turned by quarters, another tone, a little noise and blur, a part shut."""
    if rng.random() < 0.5:
        x = x.flip(3)
    x = torch.rot90(x, int(rng.integers(4)), (2, 3))
    n = len(x)
    x = x.clamp(min=1e-4) ** torch.exp(torch.randn(n, 1, 1, 1) * 0.18)
    if rng.random() < 0.5:
        x = x * (1 + 0.25 * F.interpolate(torch.randn(n, 1, 3, 3), size=x.shape[2:], mode="bilinear", align_corners=True)).clamp(0.3, 2)
    if rng.random() < 0.3:
        x = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    x = x + torch.randn_like(x) * torch.rand(n, 1, 1, 1) * 0.04
    if rng.random() < 0.5:
        z = float(rng.uniform(0.75, 1))
        k = int(x.shape[2] * z)
        t, l = rng.integers(0, x.shape[2] - k + 1, 2)
        x = F.interpolate(x[:, :, t:t + k, l:l + k], size=x.shape[2:], mode="bilinear", align_corners=False)
    return x.clamp(0, 1)


def taught(x, y, weight, classes, steps, minutes, seed=0, batch=64, lr=3e-3, log=print):
    """A network on uint8 pictures x with class indices y; the weights are a moving average, never chosen by a score."""
    torch.manual_seed(seed)
    rng, net = np.random.default_rng(seed), Net(classes)
    mean = torch.optim.swa_utils.AveragedModel(net, avg_fn=lambda a, b, _: a * 0.995 + b * 0.005, use_buffers=True)
    opt = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.02)
    p, start, done, shown = weight / weight.sum(), time.time(), 0.0, []
    k = 0
    while done < 1:
        done = min(1.0, max(k / steps, (time.time() - start) / 60 / minutes))
        for g in opt.param_groups:
            g["lr"] = lr * min(1, (k + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * done))
        pick = rng.choice(len(x), batch, p=p)
        seen = turned(torch.from_numpy(x[pick])[:, None].float() / 255, rng)
        loss = F.cross_entropy(net(seen)[0], torch.from_numpy(y[pick]).long(), label_smoothing=0.05)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if k == 150:                                         # the average starts once something was learned
            mean.module.load_state_dict(net.state_dict())
        if k > 150:
            mean.update_parameters(net)
        shown.append(float(loss.detach()))
        if k % 200 == 199:
            log(f"step {k + 1}, {time.time() - start:.0f} s, loss {np.mean(shown[-200:]):.4f}", flush=True)
        k += 1
    log(f"{k} steps", flush=True)
    return measured(mean.module.eval(), x, rng)


def measured(net, x, rng):
    """The usual features of what taught it, for the strangeness."""
    with torch.no_grad():
        f = torch.cat([net.features(torch.from_numpy(x[rng.choice(len(x), 256)])[:, None].float() / 255) for _ in range(8)])
    net.mean.copy_(f.mean(0))
    net.scale.copy_(1 / (f.std(0) + 1e-3))
    return net


def seen_by(net, pictures):
    """(logits, strangeness) of pictures [k, SIZE, SIZE] of 0..1."""
    with torch.no_grad():
        z, s = net(torch.from_numpy(np.ascontiguousarray(pictures, np.float32))[:, None])
    return z.numpy(), s.numpy()[:, 0]
