"""What us.breast_lesion and us.nerve_vessel share: an encoder-decoder on ImageNet's EfficientNet-Lite0, its training
loop, near-duplicate clusters, burned-in marks (found and taken out, or drawn), boxes and their average precision."""
import copy
import math
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

import common as C
import encoder as E
import ultrasound as U

TAPS = (2, 4, 10)                          # blocks after which strides 4, 8, 16 are read
TAP_WIDTHS = tuple(E.BLOCKS[k][3] for k in TAPS)
FROZEN = 5                                 # blocks that stay ImageNet's (to stride 8)


def conv_norm(i, o, dilation=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=dilation, dilation=dilation, bias=False), nn.GroupNorm(4, o),
                         nn.ReLU())


class Net(nn.Module):
    """[n, 1, h, w] grey 0..1 (h, w multiples of 16) -> logits [n, classes, h, w]. Encoder: EfficientNet-Lite0 to
    stride 16 (batch norm folded; to stride 8 frozen, then tuned); decoder: pyramid of `width` channels to stride 4."""

    def __init__(self, classes, width=48):
        super().__init__()
        state = E.published()
        self.stem = E.Conv(3, 32, 3, 2)
        E.fold(self.stem, state, "_conv_stem", "_bn0")
        self.stem.conv.weight.data = self.stem.conv.weight.data.sum(1, keepdim=True)
        self.blocks = E.blocks(0, TAPS[-1] + 1, state)
        self.lateral = nn.ModuleList(nn.Conv2d(i, width, 1) for i in TAP_WIDTHS)
        self.far = conv_norm(width, width, 3)
        self.whole = nn.Linear(TAP_WIDTHS[-1], width)
        self.join = nn.ModuleList([conv_norm(width, width), conv_norm(width, width)])
        self.drop = nn.Dropout2d(0.1)
        self.head = nn.Conv2d(width, classes, 1)
        for p in [*self.stem.parameters(), *self.blocks[:FROZEN].parameters()]:
            p.requires_grad_(False)

    def tuned(self):
        return list(self.blocks[FROZEN:].parameters())

    def early(self, image):
        """What the frozen part gives: features at strides 4 and 8."""
        x, taps = F.relu6(self.stem((image * 255 - 127) / 128)), []
        for k, block in enumerate(self.blocks[:FROZEN]):
            x = block(x)
            if k in TAPS:
                taps.append(x)
        return taps

    def late(self, taps):
        x = taps[1]
        for block in self.blocks[FROZEN:]:
            x = block(x)
        y = self.lateral[2](x) + self.whole(x.mean((2, 3)))[:, :, None, None]
        y = y + self.far(y)
        for k in (1, 0):
            y = F.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False)
            y = self.join[k](self.lateral[k](taps[k]) + y)
        return F.interpolate(self.head(self.drop(y)), scale_factor=4.0, mode="bilinear", align_corners=False)

    def forward(self, image):
        return self.late(self.early(image))


class Bank:
    """Features of changed frames, computed once by the frozen part of the net (float16), and what goes with each."""

    def __init__(self, net):
        self.net, self.taps, self.rest = net, ([], []), []

    def add(self, image, rest):
        """image [n, 1, h, w]; rest: a tensor [n, ...]."""
        with torch.no_grad():
            for kept, new in zip(self.taps, self.net.early(image.contiguous(memory_format=torch.channels_last))):
                kept.append(new.half().contiguous())
        self.rest.append(rest)

    def close(self):
        self.taps, self.rest = [torch.cat(t) for t in self.taps], torch.cat(self.rest)
        return self

    def pick(self, index):
        return [t[index].float().contiguous(memory_format=torch.channels_last) for t in self.taps]


def trained(net, batch_loss, args, name, lr=2e-3, tune=0.15, validate=None, every=50):
    """AdamW with the tuned encoder at `tune` times lr, cosine schedule over --steps or --minutes, moving average of the
    weights, which is what comes back; args.work / name.pt. The last weights count, nothing is picked by a score."""
    file, start = args.work / f"{name}.pt", time.time()
    if args.resume and file.exists():
        net.load_state_dict(torch.load(file))
    ema, slow = copy.deepcopy(net).eval(), {id(p) for p in net.tuned()}
    if args.steps == 0:
        return ema
    groups = [{"params": net.tuned(), "share": tune},
              {"params": [p for p in net.parameters() if p.requires_grad and id(p) not in slow], "share": 1.0}]
    opt, step, done, mean = torch.optim.AdamW(groups, lr=lr, weight_decay=1e-2), 0, 0.0, 0.0
    while done < 1:
        done = max((step + 1) / args.steps, (time.time() - start) / (60 * args.minutes))
        for g in opt.param_groups:
            fall = max(0.01, 0.5 + 0.5 * math.cos(math.pi * min(1, done)))
            g["lr"] = g["share"] * lr * min(1, (step + 1) / 20) * fall
        net.train()
        loss = batch_loss(net)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        opt.step()
        step += 1
        keep = min(0.98, step / (step + 10))
        with torch.no_grad():
            for a, b in zip(ema.parameters(), net.parameters()):
                a.lerp_(b, 1 - keep)
        mean += (loss.item() - mean) * max(0.02, 1 / step)
        if step % every == 0 or done >= 1:
            torch.save(ema.state_dict(), file)
            score = validate(ema) if validate else ""
            print(f"{name} step {step} {time.time() - start:.0f} s loss {mean:.4f} validation {score}", flush=True)
    return ema


# ---------------------------------------------------------------- near-duplicates

def clusters(images, limit=0.93):
    """Cluster number of each grey image: pairs whose 32 x 32 area means (plain or mirrored) correlate above `limit`
    are joined, and what hangs together by such pairs is one cluster."""
    x = np.stack([U.area_resize(a, 32, 32) for a in images])
    flat = lambda v: (lambda w: w / (np.linalg.norm(w, axis=1, keepdims=True) + 1e-9))(
        v.reshape(len(v), -1) - v.reshape(len(v), -1).mean(1, keepdims=True))
    a, b = flat(x), flat(x[:, :, ::-1])
    near = np.maximum(a @ a.T, a @ b.T) > limit
    from scipy.sparse.csgraph import connected_components
    return connected_components(near)[1]


# ---------------------------------------------------------------- burned-in marks

def marks(grey):
    """Where text, callipers and dotted lines are burned in: bright, thin, far above their surroundings."""
    back = ndimage.median_filter(grey, 9)
    seed = (grey - back > 70) & (grey > 150)
    label, n = ndimage.label(ndimage.binary_dilation(seed, iterations=1))
    if n:
        size = ndimage.sum_labels(seed, label, range(1, n + 1))
        seed &= np.isin(label, 1 + np.nonzero(size >= 3)[0])
    return ndimage.binary_dilation(seed, iterations=2)


def without_marks(grey):
    """The frame with its marks replaced by the median of their surroundings (25 x 25, every third pixel)."""
    where = marks(grey)
    if not where.any():
        return grey
    view = np.lib.stride_tricks.sliding_window_view(np.pad(np.where(where, np.nan, grey), 12, mode="edge"), (25, 25))
    near = view[where][:, ::3, ::3].reshape(int(where.sum()), -1)
    near[np.isnan(near).all(1)] = 0
    out = grey.copy()
    out[where] = np.nanmedian(near, axis=1)
    return out


def drawn_marks(rng, size, n):
    """n overlays (uint8 size x size) of invented callipers, dotted lines and words."""
    out = []
    for _ in range(n):
        im = Image.new("L", (size, size))
        d, font = ImageDraw.Draw(im), ImageFont.load_default(int(rng.integers(7, 12)))
        if rng.random() < 0.7:
            for _ in range(int(rng.integers(1, 3))):
                p, v = rng.uniform(0.1, 0.9, (2, 2)) * size, int(rng.integers(120, 256))
                for x, y in p:
                    s = rng.uniform(2, 4)
                    d.line([x - s, y, x + s, y], v)
                    d.line([x, y - s, x, y + s], v)
                if rng.random() < 0.6:
                    for t in np.linspace(0, 1, int(np.hypot(*(p[0] - p[1])) / 3) + 2):
                        d.point(tuple(p[0] + t * (p[1] - p[0])), v)
        if rng.random() < 0.6:
            word = "".join(rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"), int(rng.integers(2, 12))))
            d.text(tuple(rng.uniform(0, 0.9, 2) * size), word, int(rng.integers(150, 256)), font)
        out.append(np.asarray(im))
    return np.stack(out)


# ---------------------------------------------------------------- masks, boxes, average precision

def on_frame(logits, shape):
    """Logits [1, c, h, w] interpolated to a frame's shape as the engine does (half-pixel centres, edge held)."""
    return F.interpolate(logits, size=shape, mode="bilinear", align_corners=False)[0]


def boxes_of(mask, score=None, smallest=0):
    """[(score, x0, y0, x1, y1)] of the 4-connected parts of at least `smallest` pixels, edges inclusive; score = mean
    of `score` over the part (1 without)."""
    label, n = ndimage.label(mask)
    out = []
    for k, (rows, columns) in enumerate(ndimage.find_objects(label)):
        part = label[rows, columns] == k + 1
        if part.sum() >= smallest:
            s = 1.0 if score is None else float(score[rows, columns][part].mean())
            out.append((s, columns.start, rows.start, columns.stop - 1, rows.stop - 1))
    return out


def iou(a, b):
    """Of two boxes x0 y0 x1 y1 with inclusive edges."""
    w = min(a[2], b[2]) - max(a[0], b[0]) + 1
    h = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if w <= 0 or h <= 0:
        return 0.0
    area = lambda q: (q[2] - q[0] + 1) * (q[3] - q[1] + 1)
    return w * h / (area(a) + area(b) - w * h)


def matched(found, true, overlap=0.5):
    """One frame's found boxes (with score) against its true ones: [(score, whether it hit)], number of true ones."""
    free, rows = list(true), []
    for s, *box in sorted(found, reverse=True):
        best = max(range(len(free)), key=lambda k: iou(box, free[k]), default=None)
        hit = best is not None and iou(box, free[best]) >= overlap
        rows.append((s, hit))
        if hit:
            free.pop(best)
    return rows, len(true)


def area_under(matches):
    """Area under the interpolated precision-recall curve (every point, as Pascal VOC 2010) of matched() frames."""
    rows, total = [r for m, _ in matches for r in m], sum(n for _, n in matches)
    if not rows or not total:
        return 0.0
    rows = np.array(rows, float)
    hit = np.cumsum(rows[np.argsort(-rows[:, 0], kind="stable"), 1])
    precision, recall = hit / np.arange(1, len(rows) + 1), hit / total
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0], recall])) * precision))


def average_precision(frames, overlap=0.5):
    """frames: [(found boxes with score, true boxes)]; each true box is found once."""
    return area_under([matched(f, t, overlap) for f, t in frames])


def bootstrap_frames(frames, n=1000, seed=0):
    """95 % interval of the average precision by resampling frames."""
    rng, matches = np.random.default_rng(seed), [matched(f, t) for f, t in frames]
    s = [area_under([matches[i] for i in rng.integers(0, len(matches), len(matches))]) for _ in range(n)]
    return [round(float(q), 4) for q in np.percentile(s, [2.5, 97.5])]


def to_detection_card(name, rows):
    """Results onto the card of the detection method of this name (tasks/detection)."""
    import json
    file = C.HERE.parent / "tasks" / "detection" / (name.replace(".", "_", 1) + ".card.json")
    card = json.loads(file.read_text())
    card["results"] = rows
    file.write_text(json.dumps(card, indent=2) + "\n")
    for r in rows:
        print(json.dumps(r), flush=True)
