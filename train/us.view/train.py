r"""us.view: is this B-mode frame the standard fetal head plane? One calibrated probability (small 2-D network).

Input: grey 0..255; content box = the rows and columns in which at least 8 % of the pixels exceed 16 (the whole frame
if none); that box area-averaged to 128 x 128, each axis on its own; divided by 255. p = sigmoid(logit / temperature).
Taught on hc18 (and frames of the engine's own us.simulate, if the work folder holds them) against usgra-seg, simulated
frames and sections (anatomy.py), and hc18 itself with the head left out, cut up or painted over.
busi (licence unclear) teaches only with --with-busi; without it, it is a source never seen in training.
    for s in $(seq 10 69); do penta generate us.simulate --seed $s -o DIR/us_simulate/$s \
        --set head_circumference_mm=$((80 + s * 37 % 260)); done
    python train/us.view/train.py [--out models/us.view] [--work DIR] [--minutes M]
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
WITH_BUSI = "--with-busi" in sys.argv and not sys.argv.remove("--with-busi")
import anatomy as A
import common as C
import others as O
import ultrasound as U

NAME, SIZE, BANK = "us.view", 128, 7000
OTHER_SETS = {"usgra": C.DATA / "us" / "usgra-seg" / "images", "busi": C.DATA / "us" / "busi" / "images"}


class Net(nn.Module):
    """Works on 2 x 2 means of its input."""

    def __init__(self, widths=(16, 32, 64, 96)):
        super().__init__()
        layers, i = [nn.AvgPool2d(2)], 1
        for o in widths:
            layers += [nn.Conv2d(i, o, 3, padding=1), nn.InstanceNorm2d(o, affine=True), nn.LeakyReLU(0.01),
                       nn.Conv2d(o, o, 3, padding=1), nn.LeakyReLU(0.01), nn.MaxPool2d(2)]
            i = o
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(2 * i, 1)

    def forward(self, x):
        x = self.body(x)
        return self.head(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1))


def content(a):
    """(top, bottom, left, right) of the rows and columns in which at least 8 % of the pixels exceed 16."""
    bright = a > 16
    rows, columns = np.nonzero(bright.mean(1) >= 0.08)[0], np.nonzero(bright.mean(0) >= 0.08)[0]
    if not len(rows) or not len(columns):
        return 0, a.shape[0], 0, a.shape[1]
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def prepared(a):
    t, b, l, r = content(a)
    return U.area_resize(a[t:b, l:r], SIZE, SIZE) / 255


def logit(net, frames):
    x = torch.from_numpy(np.stack([prepared(f) for f in frames]))[:, None]
    with torch.no_grad():
        return np.concatenate([net(c)[:, 0].numpy() for c in x.split(64)])


# ---------------------------------------------------------------- training frames

def window(rng, a, mask, head):
    """A random part of a frame that holds nearly all of the head (head) or nearly nothing of it; None if not met."""
    h, w = a.shape
    for _ in range(20):
        ch, cw = (int(rng.uniform(0.35, 1) * n) for n in (h, w))
        t, l = rng.integers(0, h - ch + 1), rng.integers(0, w - cw + 1)
        part = mask[t:t + ch, l:l + cw].sum()
        enough = part >= 0.93 * mask.sum() if head else part <= 0.08 * mask.sum() and ch * cw > 900
        if enough and (head or a[t:t + ch, l:l + cw].mean() > 5):
            return a[t:t + ch, l:l + cw]
    return a if head else None


def painted(rng, a, mask, filler):
    """The frame with its head replaced by another picture, or only a part of it (more than half of the skull)."""
    wide = ndimage.binary_dilation(mask[::2, ::2], iterations=int(rng.integers(3, 8)))
    wide = np.kron(wide, np.ones((2, 2), bool))[:a.shape[0], :a.shape[1]]
    if rng.random() < 0.4:
        cy, cx = np.argwhere(mask).mean(0)
        y, x = np.mgrid[:a.shape[0], :a.shape[1]]
        wide &= np.cos(np.arctan2(y - cy, x - cx) - rng.uniform(0, 6.3)) > rng.uniform(-0.7, -0.1)
    soft = ndimage.gaussian_filter(wide.astype(np.float32), rng.uniform(1, 4))
    other = U.area_resize(filler, a.shape[1], a.shape[0])
    inside = a[mask > 0]
    other = np.clip((other - other.mean()) / (other.std() + 1) * inside.std() + inside.mean(), 0, 255)
    return a * (1 - soft) + other * soft


def broken(rng, a, mask):
    """The frame with its head cut into quarters that have changed places, each of them perhaps turned over."""
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    h, w = (len(rows) // 2 + 3, len(columns) // 2 + 3)
    t, l = max(0, rows[0] - 3), max(0, columns[0] - 3)
    h, w = min(h, (a.shape[0] - t) // 2), min(w, (a.shape[1] - l) // 2)
    places, out = [(t, l), (t, l + w), (t + h, l), (t + h, l + w)], a.copy()
    order = np.roll(np.arange(4), rng.integers(1, 4)) if rng.random() < 0.5 else np.array([3, 2, 1, 0])
    for to, k in zip(places, order):
        part = a[places[k][0]:places[k][0] + h, places[k][1]:places[k][1] + w]
        out[to[0]:to[0] + h, to[1]:to[1] + w] = part[::-1] if rng.random() < 0.3 else part
    return out


def random_part(rng, a):
    h, w = a.shape
    ch, cw = (int(rng.uniform(0.4, 1) * n) for n in (h, w))
    t, l = rng.integers(0, h - ch + 1), rng.integers(0, w - cw + 1)
    return a[t:t + ch, l:l + cw]


def head_frame(rng, a, mask):
    """A frame or a part of it with the whole head, sometimes seen through another field of view."""
    if rng.random() < 0.2:
        seen = U.area_resize(O.field(rng, 64, 64).astype(np.float32), a.shape[1], a.shape[0]) > 0.5
        a = a * seen if seen[mask].mean() > 0.96 else a
    return a if rng.random() < 0.25 else window(rng, a, mask, True)


KINDS = {"head": 0.45, "part": 0.06, "painted": 0.09, "broken": 0.04, "set": 0.06, "sim": 0.06, "section": 0.21,
         "blank": 0.03}


def bank(rng, heads, others, pictures, n):
    """n training pictures (uint8 128 x 128) and labels: KINDS says the shares; screens, corners and gain for all."""
    x, y = [], []
    while len(x) < n:
        a, mask = heads[rng.integers(len(heads))]
        kind = rng.choice(list(KINDS), p=list(KINDS.values()))
        other = others[rng.integers(len(others))]
        if kind == "head":
            f = head_frame(rng, a, mask)
        elif kind == "part":
            f = window(rng, a, mask, False)
        elif kind == "painted":
            f = painted(rng, a, mask, other if rng.random() < 0.3 else A.section(rng, pictures))
        elif kind == "broken":
            f = broken(rng, a, mask)
        elif kind in ("section", "blank"):
            f = A.section(rng, pictures) if kind == "section" else A.blank(rng)
        else:
            f = random_part(rng, other) if kind == "set" else O.simulated(rng)
        if f is None:
            continue
        if rng.random() < 0.2 and kind not in ("head", "painted", "broken"):      # hc18's covered corner
            f = f.copy()
            f[int(f.shape[0] * rng.uniform(0.75, 0.95)):, int(f.shape[1] * rng.uniform(0.6, 0.9)):] = 0
        if rng.random() < 0.3:
            f = A.screen(rng, f) if rng.random() < 0.7 else O.overlay(rng, f) if min(f.shape) > 60 else f
        if rng.random() < 0.1:
            f = U.area_resize(f, *rng.integers(40, 100, 2))
        f = f * (rng.uniform(0.25, 1) if rng.random() < 0.3 else 1)
        x.append(np.uint8(prepared(f) * 255 + 0.5))
        y.append(kind == "head")
    return torch.from_numpy(np.stack(x))[:, None], torch.tensor(y, dtype=torch.float32)


def engine_frames(work):
    """[(frame, mask)] of `penta generate us.simulate --seed S -o WORK/us_simulate/S` (none if there are none)."""
    folders = sorted((work / "us_simulate").glob("*/image.png"))
    return [(U.grey(f), np.asarray(Image.open(f.with_name("labels.png")).convert("L")) > 0) for f in folders]


def stored_bank(file, rng, heads, others, pictures, n):
    """bank(), kept in a file of the work folder for the next run."""
    if n and not file.exists():
        x, y = bank(rng, heads, others, pictures, n)
        np.savez(file, x=x.numpy(), y=y.numpy())
    if not n:
        return None, None
    d = np.load(file)
    return torch.from_numpy(d["x"]), torch.from_numpy(d["y"])


def rougher(x):
    """Low and high gain, coarser resolution and grain of various scales, so that texture and equipment say nothing."""
    n, some = len(x), lambda share: (torch.rand(n, 1, 1, 1) < share).float()
    size = x.shape[2:]
    grain = F.interpolate(torch.randn(n, 1, *(int(s * np.random.uniform(0.25, 0.9)) for s in size)), size=size,
                          mode="bilinear")
    x = x * torch.exp(grain * torch.rand(n, 1, 1, 1) * 0.7 * some(0.4))
    k = int(np.random.choice([2, 3, 4], p=[0.5, 0.3, 0.2]))
    coarse = F.interpolate(F.avg_pool2d(x, k, ceil_mode=True), size=size, mode="bilinear")
    x = x + (coarse - x) * some(0.25)
    x = x * (1 + some(0.1) * torch.empty(n, 1, 1, 1).uniform_(0, 3))
    return x.clamp(0, 1) * (1 - some(0.25) * torch.empty(n, 1, 1, 1).uniform_(0.2, 0.85))


def augmented(x):
    grid = C.warp_grid(len(x), 2, (SIZE, SIZE), 0.35, 0.15, 0.08, 0.02, flip=(0, 1))
    x = F.grid_sample(x.float() / 255, grid, padding_mode="zeros", align_corners=False)
    return rougher(U.disturbed(x)).clamp(0, 1)


# ---------------------------------------------------------------- calibration and numbers

def nll(z, y, t):
    return float(np.logaddexp(0, -np.where(y, z, -z) / t).mean())


def calibrate(z, y, heads):
    """Temperature with the least negative log likelihood on the validation bank; the highest threshold (0.3..0.9) that
    keeps 98.5 % of the validation heads (logits of whole, untouched frames)."""
    t = min(np.exp(np.linspace(-1.5, 3, 200)), key=lambda t: nll(z, y, t))
    edge = np.quantile(heads, 0.015, method="lower")
    return round(float(t), 4), round(float(np.clip(1 / (1 + np.exp(-edge / t)) - 1e-3, 0.3, 0.9)), 4)


def ece(p, y, bins=15):
    order = np.array_split(np.argsort(p), min(bins, max(1, len(p) // 5)))
    return float(sum(len(b) * abs(p[b].mean() - y[b].mean()) for b in order) / len(p))


def sets():
    """{part: (heads [(frame, mask)], others {set: frames})} and the split for the file."""
    parts, files = U.hc18_split(), {k: {} for k in ("train", "validation", "held_out")}
    for name, folder in OTHER_SETS.items():
        groups = O.clusters(sorted(folder.glob("*.jpg")))
        cut = C.split_ids(range(len(groups)), {"train": 0.6, "validation": 0.2, "held_out": 0.2}, seed=5)
        for k, ids in cut.items():
            k = k if name != "busi" or WITH_BUSI else "held_out"
            files[k].setdefault(name, []).extend(f for i in ids for f in groups[i])
    ids = {k: list(parts[k]) + [f"{n}/{f.stem}" for n, fs in files[k].items() for f in fs] for k in parts}
    by_id = {f"{n}/{f.stem}": [f] for v in files.values() for n, fs in v.items() for f in fs}
    C.write_split(Path(__file__).with_name("split.json"), ids, lambda i: by_id.get(i) or U.hc18_files(i),
                  "hc18 by fetus; usgra (and busi, if it teaches) by near-duplicate cluster; sononet-examples, "
                  "dicom-us, carotid-ctu are test only")
    read = lambda f: (U.grey(f), np.asarray(Image.open(U.HC18 / "masks" / (f.stem + ".png")).convert("L").resize(
        Image.open(f).size, Image.NEAREST)) > 0)
    return {k: ([read(f) for i in parts[k] for f in U.hc18_files(i)],
                {n: [U.grey(f) for f in fs] for n, fs in files[k].items()}) for k in parts}


def evaluate(net, data, temperature, threshold):
    command = "python train/us.view/train.py --evaluate-only"
    p = lambda frames: 1 / (1 + np.exp(-logit(net, frames) / temperature))
    heads, rng = p([a for a, _ in data["held_out"][0]]), np.random.default_rng(77)
    rows = [C.result("us.view.recall", "us/hc18 held-out fetuses", "recall", heads >= threshold, command)]
    wrong = {n: p(f) for n, f in data["held_out"][1].items()}
    wrong["simulated (new seed)"] = p([O.simulated(rng) for _ in range(200)])
    pictures = A.slices()
    for kind, title in (("heart", "hearts"), ("trunk", "fetal trunks"), ("slice", "CT and MR slices through a sector")):
        wrong[f"simulated {title} (new seed)"] = p([A.section(rng, pictures, kind) for _ in range(200)])
    cut = [window(rng, a, m, False) for a, m in data["held_out"][0]]
    wrong["hc18 held-out, parts without the head"] = p([f for f in cut if f is not None])
    for n, v in wrong.items():
        rows.append(C.result("us.view.specificity", n, "share not called fetal head", v < threshold, command))
    rows.append(C.result("us.view.recall_at_gate", "us/hc18 held-out fetuses",
                         "recall at 0.9, the gate of us.fetal_head", heads >= 0.9, command))
    every = np.concatenate([heads] + [wrong[n] for n in data["held_out"][1]])
    truth = np.arange(len(every)) < len(heads)
    rows.append(C.result("us.view.ece", "hc18, usgra-seg, busi held out", "ECE (equal mass)", np.arange(len(every)),
                         command, lambda k: ece(every[k], truth[k])))
    rows += tests(p, threshold, command)
    return rows


def tests(p, threshold, command):
    """Called fetal head on the test-only sets: dicom-us by file, carotid-ctu, CAMUS, sononet by name."""
    cines = {f.name: p(O.dicom_frames(f)) for f in sorted((C.DATA / "us" / "dicom-us").glob("*.dcm"))}
    dicom, worst = ({k: float(by(v)) for k, v in cines.items()} for by in (np.mean, np.max))
    one = lambda files, name: {name(f): float(p([U.grey(f)])[0]) for f in sorted(files)}
    carotid = one((C.DATA / "us" / "carotid-ctu").glob("**/*.png"), lambda f: str(f.relative_to(f.parents[2])))
    camus = one((C.DATA / "multi" / "medscribble" / "CAMUS").glob("*/image.png"), lambda f: f.parent.name)
    sononet = one((C.DATA / "us" / "sononet-examples").glob("*.jpg"), lambda f: f.name)
    for table in (dicom, worst, carotid, camus, sononet):
        print({k: round(v, 3) for k, v in table.items()}, flush=True)
    named = [[n, np.array([v >= threshold for v in t.values()], float)] for n, t in
             (("us/dicom-us (a file counts by the mean of its frames, as the engine does)", dicom),
              ("us/dicom-us (a file counts by its highest frame)", worst), ("us/carotid-ctu", carotid),
              ("multi/medscribble CAMUS (hearts)", camus))]
    right = np.array([(v >= threshold) == k.startswith("BRAIN") for k, v in sononet.items()], float)
    return [C.result("us.view.false_heads", n, "files called fetal head", v, command, np.sum) for n, v in named] + \
        [C.result("us.view.sononet", "us/sononet-examples (BRAIN-* are heads)", "accuracy", right, command)]


def card(rows, data, temperature, threshold):
    first = "Trained on busi too, whose licence is unclear (as head-ct-hemorrhage); train without --with-busi to " \
            "leave it out. " if WITH_BUSI else ""
    sources = [{"name": "HC18 (10.5281/zenodo.1322001)", "licence": "CC-BY-4.0", "n": len(data["train"][0]),
                "use": "training: heads, and parts without the head"},
               {"name": "simulated B-mode frames (the engine's us.simulate, seeds 10 to 69)",
                "licence": "Apache-2.0", "n": 60, "use": "training: heads"},
               {"name": "USGRA-seg", "licence": "CC-BY-4.0", "n": len(data["train"][1]["usgra"]),
                "use": "training: others"},
               {"name": "simulated B-mode frames (train/us.view/others.py and anatomy.py, hearts and other sections)",
                "licence": "Apache-2.0", "n": round(BANK * (KINDS["sim"] + KINDS["section"])),
                "use": "training: others"},
               {"name": "elastix and ITKElastix test data (one lung CT, two brain MR slices)", "licence": "Apache-2.0",
                "n": 3, "use": "training: others, slices shown as ultrasound"},
               {"name": "Ljubljana 3D MR MS lesion database (open-ms-lesion) T1 and FLAIR", "licence": "CC-BY",
                "n": 2, "use": "training: others, slices shown as ultrasound"},
               {"name": "Soft-tissue-Sarcoma (10.7937/K9/TCIA.2015.7GO2GSKS) CT and T1", "licence": "CC-BY-3.0",
                "n": 6, "use": "training: others, slices shown as ultrasound"}]
    if WITH_BUSI:
        sources.append({"name": "BUSI", "licence": "unclear", "n": len(data["train"][1]["busi"]),
                        "use": "training: others"})
    return {
        "id": NAME, "task": "recognition", "modalities": ["US"],
        "title": "Whether a B-mode frame shows the standard fetal head plane, with a calibrated probability.",
        "evidence_note": first + "Real and simulated frames; hc18 held out by fetus, usgra-seg by near-duplicate "
                         "cluster, because it has no patient ids" + ("." if WITH_BUSI else "; busi only tests (a "
                         "source training never saw). The dicom-us rows are not blind: simulated hearts were "
                         "added after a version had called its cardiac cine a head, screens without tissue and "
                         "overexposed frames after another had taken its 80 x 60 nearly white file for one. Trained "
                         "in two runs, the second (--resume) with those screens in its bank."),
        "architecture": "2-D convolutional network on 2 x 2 means, 4 stages, instance norm, mean and max "
                        "pooling, one logit",
        "training_data": sources, "weights_licence": "CC-BY-4.0",
        "intended_use": "Gate for us.fetal_head. Research use, not a medical device.",
        "not_for": ["naming any other view", "telling a fetal head from other round fetal sections: few taught it"],
        "known_failures": ["Round fetal sections: the four-chamber, RVOT and abdominal planes of sononet-examples are "
                           "called heads (0.88 to 0.97); only drawn trunks and hearts taught otherwise.",
                           "Dim first-trimester heads without a bright skull may be missed.",
                           "hc18 is one centre with two machine types: heads of other vendors are hardly tested (two "
                           "of sononet-examples, both found)."],
        "results": rows,
        "network": {"file": "model.onnx", "used_by": ["recognition/us.view"],
                    "input": {"dims": 2, "axes": "yx", "orientation": None, "spacing_mm": None, "size": [SIZE, SIZE],
                              "resize": "area", "crop": {"kind": "content_box", "level": 16, "share": 0.08},
                              "pad_multiple": 1, "pad": "edge", "normalise": {"kind": "unit", "scale": 255}},
                    "output": {"kind": "logits", "classes": ["fetal head"]},
                    "mirror": [], "threshold": threshold, "temperature": temperature}}


def main():
    args = C.arguments(NAME, steps=6000, minutes=25)
    data, pictures = sets(), A.slices()
    print(NAME, {k: (len(h), {n: len(f) for n, f in o.items()}) for k, (h, o) in data.items()}, flush=True)
    heads, others = data["train"][0], [f for fs in data["train"][1].values() for f in fs]
    x, y = stored_bank(args.work / "train_bank.npz", np.random.default_rng(args.seed),
                       heads + engine_frames(args.work), others, pictures, 0 if args.evaluate_only else BANK)
    vx, vy = stored_bank(args.work / "validation_bank.npz", np.random.default_rng(args.seed + 1), data["validation"][0],
                         [f for fs in data["validation"][1].values() for f in fs], pictures, 800)

    def batch_loss(net):
        pick = torch.randint(0, len(x), (64,))
        z = C.forward_bf16(net, augmented(x[pick])).float()[:, 0]
        return F.binary_cross_entropy_with_logits(z, y[pick] * 0.98 + 0.01)

    def scores(net):
        with torch.no_grad():
            return np.concatenate([net(c.float() / 255)[:, 0].numpy() for c in vx.split(64)]), vy.numpy() > 0.5

    net = C.trained(Net(), batch_loss, args, "view", lr=2e-3,
                    validate=lambda e: round(float(((scores(e)[0] > 0) == scores(e)[1]).mean()), 4))
    z, truth = scores(net)
    temperature, threshold = calibrate(z, truth, logit(net, [a for a, _ in data["validation"][0]]))
    print("temperature", temperature, "threshold", threshold, "validation ECE",
          ece(1 / (1 + np.exp(-z / temperature)), truth))
    print("onnx", C.export(net, (1, 1, SIZE, SIZE), args.out / "model.onnx", dynamic=False))
    C.write_card(args.out, card(evaluate(net, data, temperature, threshold), data, temperature, threshold))


if __name__ == "__main__":
    main()
