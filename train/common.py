"""What the recipes share: paths, splits, a U-Net, losses, schedule, ONNX export, bootstrap, cards."""
import argparse
import copy
import hashlib
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("PENTA_DATA", HERE.parent.parent / "shared" / "data")).resolve()
MODELS = HERE.parent / "models"


def arguments(model, steps, minutes):
    """Options that every recipe has; the schedule ends at --steps or --minutes, whichever comes first."""
    p = argparse.ArgumentParser()
    p.add_argument("--out", type=Path, default=MODELS / model, help="folder of model.onnx and card.json")
    p.add_argument("--work", type=Path, default=Path("/tmp/penta-train"), help="checkpoints and scratch files")
    p.add_argument("--steps", type=int, default=steps)
    p.add_argument("--minutes", type=float, default=minutes)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--evaluate-only", action="store_true", help="no training: the numbers of the model.onnx in --out")
    p.add_argument("--resume", action="store_true", help="start from the checkpoint in --work")
    p.add_argument("--further", choices=("train", "all"), help="start from the model.onnx in --out, with the training part "
                   "or with the validation part too (once nothing is chosen on it any more); mr.hippocampus")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    a.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    np.random.seed(a.seed)
    return a


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def split_ids(ids, shares, seed):
    """Shuffle ids with a seed and cut them into {name: sorted ids}; the first name takes what is left over."""
    ids = sorted(ids)
    order = np.random.default_rng(seed).permutation(len(ids))
    parts, start = {}, 0
    for name, share in list(shares.items())[1:]:
        n = round(share * len(ids))
        parts[name] = sorted(ids[i] for i in order[start:start + n])
        start += n
    parts[next(iter(shares))] = sorted(ids[i] for i in order[start:])
    return parts


def write_split(path, parts, files_of, note=""):
    """parts {name: ids}, files_of(id) -> image files. Refuses an id or an image hash that is in two parts."""
    doc, seen = {"note": note, "parts": {}}, {}
    for name, ids in parts.items():
        doc["parts"][name] = {}
        for i in ids:
            for f in files_of(i):
                h = sha256(f)
                if seen.setdefault(h, name) != name:
                    raise SystemExit(f"{f}: the same image is in {seen[h]} and {name}")
                doc["parts"][name].setdefault(str(i), []).append([Path(f).name, h])
    names = list(parts)
    for k, a in enumerate(names):
        for b in names[k + 1:]:
            assert not set(map(str, parts[a])) & set(map(str, parts[b])), f"{a} and {b} share ids"
    Path(path).write_text(json.dumps(doc, indent=0, sort_keys=True) + "\n")
    return doc


# ---------------------------------------------------------------- network

def _block(dim, i, o):
    conv, norm = (nn.Conv2d, nn.InstanceNorm2d) if dim == 2 else (nn.Conv3d, nn.InstanceNorm3d)
    return nn.Sequential(conv(i, o, 3, padding=1), norm(o, affine=True), nn.LeakyReLU(0.01),
                         conv(o, o, 3, padding=1), norm(o, affine=True), nn.LeakyReLU(0.01))


def shipped(net, path):
    """Fills a net with the weights of a model.onnx that export() wrote of one like it."""
    import onnx
    from onnx import numpy_helper
    values = {t.name.removesuffix("_f16"): numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    net.load_state_dict({k: torch.from_numpy(values[k].astype(np.float32)) for k in net.state_dict()})
    return net


class OnnxNet:
    """A model.onnx that answers like the trained net."""

    def __init__(self, path):
        import onnxruntime
        self.path, self.session = Path(path), onnxruntime.InferenceSession(str(path))

    def __call__(self, x):
        return torch.from_numpy(self.session.run(None, {"image": x.numpy()})[0])


class UNet(nn.Module):
    """Plain U-Net; every axis of the input must be a multiple of 2 ** (len(widths) - 1)."""

    def __init__(self, dim, widths, classes, inputs=1):
        super().__init__()
        w = list(widths)
        up, head = (nn.ConvTranspose2d, nn.Conv2d) if dim == 2 else (nn.ConvTranspose3d, nn.Conv3d)
        self.down = nn.ModuleList(_block(dim, a, b) for a, b in zip([inputs] + w[:-1], w))
        self.pool = nn.MaxPool2d(2) if dim == 2 else nn.MaxPool3d(2)
        self.up = nn.ModuleList(up(b, a, 2, 2) for a, b in zip(w[-2::-1], w[:0:-1]))
        self.join = nn.ModuleList(_block(dim, 2 * a, a) for a in w[-2::-1])
        self.head = head(w[0], classes, 1)

    def forward(self, x):
        kept = []
        for block in self.down[:-1]:
            x = block(x)
            kept.append(x)
            x = self.pool(x)
        x = self.down[-1](x)
        for up, join in zip(self.up, self.join):
            x = join(torch.cat([kept.pop(), up(x)], 1))
        return self.head(x)


def dice_ce(logits, target, weight=None):
    """Soft Dice over the batch (classes without background) plus cross-entropy (with weights of the classes)."""
    classes = logits.shape[1]
    logp = F.log_softmax(logits.float().movedim(1, -1).reshape(-1, classes), 1)
    target = target.reshape(-1)
    ce = F.nll_loss(logp, target, weight)
    right = torch.zeros(classes).index_add(0, target, logp.gather(1, target[:, None])[:, 0].exp())
    dice = (2 * right + 1) / (logp.exp().sum(0) + torch.bincount(target, minlength=classes) + 1)
    return ce + 1 - dice[1:].mean()


# ---------------------------------------------------------------- training

def trained(net, batch_loss, args, name, lr=3e-3, validate=None, every=250):
    """AdamW, cosine schedule with warm-up, bf16 autocast, EMA weights; saves work/name.pt. Returns the EMA net.

    batch_loss(net) -> loss. validate(ema) -> score (higher is better) is only logged: the last weights are kept,
    so that nothing is chosen by it inside a run."""
    file, start = args.work / f"{name}.pt", time.time()
    if args.resume:
        net.load_state_dict(torch.load(file))
    if args.further:
        shipped(net, args.out / "model.onnx")
    ema = copy.deepcopy(net).eval()
    if args.evaluate_only:
        return OnnxNet(args.out / "model.onnx")
    opt, step, done, mean = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=1e-3), 0, 0.0, 0.0
    while done < 1:
        done = max((step + 1) / args.steps, (time.time() - start) / (60 * args.minutes))
        for g in opt.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 50) * max(0.01, 0.5 + 0.5 * math.cos(math.pi * min(1, done)))
        net.train()
        loss = batch_loss(net)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5)
        opt.step()
        step += 1
        keep = min(0.995, step / (step + 10))
        with torch.no_grad():
            for a, b in zip(ema.state_dict().values(), net.state_dict().values()):
                a.copy_(a * keep + b * (1 - keep) if a.is_floating_point() else b)
        mean += (loss.item() - mean) * max(0.01, 1 / step)
        if step % every == 0 or done >= 1:
            torch.save(ema.state_dict(), file)
            score = validate(ema) if validate else float("nan")
            print(f"{name} step {step} {time.time() - start:.0f} s loss {mean:.4f} validation {score}", flush=True)
    return ema


def forward_bf16(net, x):
    """Training passes run in bfloat16 (about twice as fast here as float32); losses in float32."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return net(x)


def warp_grid(n, dim, size, rotate, scale, shift, bend, flip=(), rng=np.random):
    """Sampling grids [n, *size, dim] for grid_sample: flips, rotation (rad), scale, shift (share of the half
    size) and a smooth random bend (same unit). size is in tensor order; grid coordinates are x first."""
    theta = torch.zeros(n, dim, dim + 1)
    half = torch.tensor(size[::-1], dtype=torch.float32) / 2
    for k in range(n):
        m = np.diag(np.exp(rng.uniform(-scale, scale) + rng.uniform(-scale, scale, dim) * 0.3))
        for i in range(dim):
            for j in range(i + 1, dim):
                a, r = rng.uniform(-rotate, rotate), np.eye(dim)
                r[i, i] = r[j, j] = np.cos(a)
                r[i, j], r[j, i] = -np.sin(a), np.sin(a)
                m = m @ r
        m = m @ np.diag([-1.0 if i in flip and rng.random() < 0.5 else 1.0 for i in range(dim)])
        theta[k, :, :dim] = torch.tensor(m, dtype=torch.float32) * half[None, :] / half[:, None]
        theta[k, :, dim] = torch.tensor(rng.uniform(-shift, shift, dim))
    grid = F.affine_grid(theta, [n, 1, *size], align_corners=False)
    coarse = torch.tensor(rng.normal(0, bend, [n, dim] + [5] * dim), dtype=torch.float32)
    mode = "bilinear" if dim == 2 else "trilinear"
    return grid + F.interpolate(coarse, size=size, mode=mode, align_corners=True).movedim(1, -1)


# ---------------------------------------------------------------- export, numbers, cards

def halve(path):
    """Rewrites an ONNX file with its larger float32 constants as float16 and a Cast in front of their users."""
    import onnx
    from onnx import numpy_helper
    model = onnx.load(str(path))
    graph, casts = model.graph, []
    for k, tensor in enumerate(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 64 or np.abs(values).max() > 6e4:
            continue
        name = tensor.name
        graph.initializer[k].CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + "_f16"))
        casts.append(onnx.helper.make_node("Cast", [name + "_f16"], [name], to=onnx.TensorProto.FLOAT))
    for node in reversed(casts):
        graph.node.insert(0, node)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def export(net, shape, path, dynamic=True, outputs=("logits",), half=True):
    """ONNX opset 17, input 'image', computed in float32, weights stored as float16 unless not `half`; spatial axes
    dynamic; several `outputs` for a net that gives a tuple (only the first one's spatial axes are dynamic). Writes
    parity.json of the first output. Returns (sha256, largest difference to PyTorch)."""
    import onnxruntime
    if isinstance(net, OnnxNet):
        return sha256(net.path), 0.0
    net = copy.deepcopy(net).eval()
    axes = {0: "n", **{i: "zyx"[5 - len(shape):][i - 2] for i in range(2, len(shape))}} if dynamic else {0: "n"}
    x = torch.sin(0.37 * torch.arange(math.prod(shape), dtype=torch.float64)).float().reshape(shape)
    others = {name: {0: "n"} for name in outputs[1:]}
    torch.onnx.export(net, (x,), str(path), opset_version=17, dynamo=False, input_names=["image"],
                      output_names=list(outputs), dynamic_axes={"image": axes, outputs[0]: dict(axes), **others})
    if half:
        halve(path)
    y = onnxruntime.InferenceSession(str(path)).run(None, {"image": x.numpy()})[0]
    with torch.no_grad():
        answer = net(x)
        gap = float(np.abs(y - (answer[0] if isinstance(answer, tuple) else answer).numpy()).max())
    pick = np.unique(np.linspace(0, y.size - 1, 16).astype(int))
    doc = {"input": "sin(0.37 * i), i the flat index, float32", "shape": list(shape), "output_shape": list(y.shape),
           "runtime": "onnxruntime float32", "tolerance": 1e-3, "expected": [[int(i), float(y.flat[i])] for i in pick]}
    Path(path).with_name("parity.json").write_text(json.dumps(doc) + "\n")
    return sha256(path), gap


def dice(a, b):
    total = a.sum() + b.sum()
    return float(2 * (a & b).sum() / total) if total else 1.0


def bootstrap(values, statistic=np.mean, n=2000, seed=0):
    """95 % interval of a statistic by resampling cases."""
    v, rng = np.asarray(values), np.random.default_rng(seed)
    s = [statistic(v[rng.integers(0, len(v), len(v))]) for _ in range(n)]
    return [round(float(q), 4) for q in np.percentile(s, [2.5, 97.5])]


def result(requirement, data, metric, values, command, statistic=np.mean):
    return {"requirement": requirement, "data": data, "n": len(values), "metric": metric,
            "value": round(float(statistic(np.asarray(values))), 4), "ci95": bootstrap(values, statistic),
            "class": "Q", "command": command}


def write_card(out, card):
    """card.json beside model.onnx, with the hash of the weights filled in; ASCII, stable order."""
    digest = sha256(out / "model.onnx")
    card["weights_sha256"] = digest
    card["network"]["sha256"] = digest
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n")
    for r in card["results"]:
        print(json.dumps(r), flush=True)
