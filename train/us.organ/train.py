"""us.organ: fetal head, breast, nerve and vessel, or other, of one B-mode frame. A linear head on the frozen any.image_encoder.

Breasts are BUSI only (licence unclear: the card has licence_switch); --open leaves BUSI and that class out: it shows what
happens to an organ that nothing taught, and is not shipped (it calls 83 of 131 breasts nerve and vessel). Each named class has ONE source that may teach, so
none of them can be left out as a source; of 'other' each kind is left out once, and sononet-examples, dicom-us, carotid-ctu,
CAMUS, rf-itk never teach. Carotids have no training data: the right answer for them is 'other' (what is said is counted).
    python train/us.organ/train.py [--open] [--out models/us.organ] [--work DIR]
hc18 is split by fetus, usgra-seg as train/us.view/split.json, busi by near-duplicate cluster (split.json here)."""
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "us.view")]
OPEN = "--open" in sys.argv and not sys.argv.remove("--open")
import anatomy as A
import common as C
import others as O
import recognition as R
import ultrasound as U
import us_segmentation as S

NAME = "us.organ_open" if OPEN else "us.organ"
HEAD, BREAST, NERVE, OTHER = "fetal head", "breast", "nerve and vessel", "other"
ALL = [HEAD, BREAST, NERVE, OTHER]
CLASSES = [c for c in ALL if c != BREAST or not OPEN]
VIEWS = {"train": 400, "validation": 80}             # of each named class
DRAWN = {"heart": 80, "trunk": 80, "organ": 80, "bones": 60, "slice through a sector": 80, "layers": 160, "blank": 80,
         "CT or MR slice": 160, "head left out": 80}
GATE = 0.9
ELBOW = "US-YBR_FULL_422-EVRLE.dcm"
COMMAND = "python train/us.organ/train.py" + (" --open" if OPEN else "") + " --evaluate-only"


def files():
    """{part: {class: [files]}}; busi's clusters are cut here, the others as their recipes did."""
    parts = {k: {HEAD: [f for i in ids for f in U.hc18_files(i)]} for k, ids in U.hc18_split().items()}
    cut = json.loads((HERE.parent / "us.view" / "split.json").read_text())["parts"]
    for k in parts:
        parts[k][NERVE] = [C.DATA / "us/usgra-seg/images" / (i[6:] + ".jpg") for i in cut[k] if i.startswith("usgra/")]
    groups = O.clusters(sorted((C.DATA / "us/busi/images").glob("*.jpg")))
    busi = C.split_ids(range(len(groups)), {"train": 0.6, "validation": 0.2, "held_out": 0.2}, seed=5)
    for k in parts:
        parts[k][BREAST] = [f for i in busi[k] for f in groups[i]]
    if not OPEN:
        by_id = {f.stem: [f] for k in parts for f in parts[k][BREAST]}
        C.write_split(HERE / "split.json", {k: [f.stem for f in parts[k][BREAST]] for k in parts}, by_id.get,
                      "busi by near-duplicate cluster; hc18 and usgra-seg as train/us.view/split.json")
    return parts


def small(a, longest=360):
    z = min(1, longest / max(a.shape))
    return R.resized(a, round(a.shape[1] * z), round(a.shape[0] * z)) if z < 1 else a


def headless(f, rng):
    """A part of an hc18 frame with nearly nothing of the head; None if not met."""
    a = U.grey(f)
    m = np.asarray(Image.open(U.HC18 / "masks" / (f.stem + ".png")).convert("L").resize(a.shape[::-1], Image.NEAREST)) > 0
    for _ in range(20):
        h, w = (int(rng.uniform(0.35, 0.8) * n) for n in a.shape)
        t, l = rng.integers(0, a.shape[0] - h + 1), rng.integers(0, a.shape[1] - w + 1)
        if m[t:t + h, l:l + w].sum() <= 0.08 * m.sum() and a[t:t + h, l:l + w].mean() > 5:
            return a[t:t + h, l:l + w]
    return None


def drawn(kind, rng, heads, slices, pictures):
    if kind == "layers":
        return O.simulated(rng, 192)
    if kind == "blank":
        return A.blank(rng)
    if kind == "head left out":
        return headless(heads[rng.integers(len(heads))], rng)
    if kind == "CT or MR slice":
        return R.grey(R.windowed(rng, slices[rng.integers(len(slices))]))
    return A.section(rng, pictures, "slice" if kind == "slice through a sector" else kind)


def bank(part, parts, seed, slices, pictures):
    """(pictures, classes, sources) of changed frames: letters and callipers painted over for half, drawn by chance on
    every class alike, random parts, scales, tones, margins."""
    rng, made = np.random.default_rng(seed), []
    def add(frame, label, source):
        if frame is None:
            return
        g = R.changed(rng, frame, R.US)
        if rng.random() < 0.1:
            g = A.screen(rng, g)
        p = R.prepared(g)
        if p.max() > 0:
            made.append((p.astype(np.float16), label, source))
    for label in ALL[:-1]:
        fs = parts[part][label]
        for k in np.resize(rng.permutation(len(fs)), VIEWS[part]):
            a = small(U.grey(fs[k]))
            add(S.without_marks(a) if rng.random() < 0.5 else a, label, label)
    for kind, n in DRAWN.items():
        for _ in range(n if part == "train" else n // 4):
            add(drawn(kind, rng, parts[part][HEAD], slices, pictures), OTHER, kind)
    return np.stack([m[0] for m in made]), np.array([ALL.index(m[1]) for m in made]), np.array([m[2] for m in made])


def asked(parts, table):
    """[(source, right class, [frames])] that taught nothing."""
    D = C.DATA
    made = [(f"us/{s} held out", c, [[U.grey(f)] for f in parts["held_out"][c]])
            for c, s in ((HEAD, "hc18"), (NERVE, "usgra-seg"), (BREAST, "busi"))]
    made.append(("us/busi held out, letters and callipers painted over", BREAST, [[S.without_marks(small(U.grey(f)))] for f in parts["held_out"][BREAST]]))
    made.append(("us/usgra-seg held out, letters and callipers painted over", NERVE, [[S.without_marks(small(U.grey(f)))] for f in parts["held_out"][NERVE]]))
    sono = sorted((D / "us/sononet-examples").glob("*.jpg"))
    made.append(("us/sononet-examples, heads", HEAD, [[U.grey(f)] for f in sono if f.name.startswith("BRAIN")]))
    made.append(("us/sononet-examples, other planes", OTHER, [[U.grey(f)] for f in sono if not f.name.startswith("BRAIN")]))
    cines = {f: list(O.dicom_frames(f))[:8] for f in sorted((D / "us/dicom-us").glob("*.dcm"))}
    made.append(("us/dicom-us but " + ELBOW, OTHER, [c for f, c in cines.items() if f.name != ELBOW]))
    made.append((f"us/dicom-us {ELBOW}, whose screen says 'CODO IZQ NC' (left elbow, ulnar nerve)", NERVE, [c for f, c in cines.items() if f.name == ELBOW]))
    made.append(("us/carotid-ctu", OTHER, [[U.grey(f)] for f in sorted((D / "us/carotid-ctu").glob("**/*.png"))]))
    made.append(("multi/medscribble CAMUS", OTHER, [[U.grey(f)] for f in sorted((D / "multi/medscribble/CAMUS").glob("*/image.png"))]))
    made += [("us/rf-itk", OTHER, [i.slices for i in table if i.source == "rf-itk"])]
    rng, pictures = np.random.default_rng(77), A.slices()
    for kind in ("heart", "trunk", "organ", "bones"):
        made.append((f"drawn {kind} (new seed)", OTHER, [[A.section(rng, pictures, kind)] for _ in range(60)]))
    test = [i for i in table if i.use == "test" and i.modality != R.US]
    pick = np.random.default_rng(5).permutation(len(test))[:80]
    made.append(("slices of other modalities, test sets", OTHER, [i.slices[:2] for i in (test[k] for k in pick)]))
    return made


class Near:
    """How far features lie from each organ's training frames: Mahalanobis distance (covariance within the organs, of
    standardised features, 0.1 added), over its 97 % quantile of untouched validation frames: above 1 = strange."""

    def __init__(self, x, y, organs):
        self.mean, self.deviation, self.organs = x.mean(0), x.std(0) + 1e-3, organs
        z = (x - self.mean) / self.deviation
        self.centre = np.stack([z[y == c].mean(0) for c in organs])
        r = np.concatenate([z[y == c] - m for c, m in zip(organs, self.centre)])
        s = r.T @ r / len(r) + 0.1 * np.eye(z.shape[1])
        self.white = np.linalg.cholesky(np.linalg.inv(s)).astype(np.float32)
        self.limit = np.ones(len(organs), np.float32)

    def far(self, x):
        z = (x - self.mean) / self.deviation
        return np.stack([np.sqrt((((z - m) @ self.white) ** 2).mean(1)) for m in self.centre], 1) / self.limit

    def strange(self, x, logits):
        return self.far(x)[np.arange(len(x)), logits[:, self.organs].argmax(1)]

    def exported(self, net):
        import torch
        import torch.nn as nn
        near = self

        class Judge(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = net
                for k in ("mean", "deviation", "centre", "white", "limit"):
                    self.register_buffer(k, torch.from_numpy(np.asarray(getattr(near, k), np.float32)))

            def forward(self, image):
                logits, z = self.net(image), (image - self.mean) / self.deviation
                far = torch.stack([torch.sqrt((torch.matmul(z - self.centre[k], self.white) ** 2).mean(1)) / self.limit[k]
                                   for k in range(len(near.organs))], 1)
                if len(near.organs) == 1:
                    return logits, far
                first = logits[:, near.organs[0]] >= logits[:, near.organs[1]]
                return logits, torch.where(first[:, None], far[:, :1], far[:, 1:])
        return Judge()


def planes(frames, threads):
    """What us.view's own network says of frames: probability of the fetal head plane."""
    import onnxruntime
    card = json.loads((C.MODELS / "us.view" / "card.json").read_text())["network"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(C.MODELS / "us.view" / "model.onnx"), options)
    x = [R.resized(R.content(f, 16, 0.08), 128, 128)[None, None] / np.float32(255) for f in frames]
    z = np.array([session.run(None, {"image": v.astype(np.float32)})[0].ravel()[0] for v in x])
    return 1 / (1 + np.exp(-z / card["temperature"]))


def chosen(x, made):
    """Features, classes, sources and pictures of a bank, without the breasts where they may not teach."""
    keep = np.isin(np.array(ALL)[made[1]], CLASSES)
    return x[keep], np.array([CLASSES.index(ALL[k]) for k in made[1][keep]]), made[2][keep], made[0][keep]


def main():
    args = C.arguments(NAME, steps=600, minutes=5)
    work = args.work / "us.organ"
    work.mkdir(parents=True, exist_ok=True)
    parts, table = files(), R.items(args.work / "items.pkl")
    slices = [s for i in table if i.use == "train" and i.modality in (R.CT, R.MR) for s in i.slices]
    made = {p: R.kept(work / f"bank {p}.pkl", lambda p=p: bank(p, parts, {"train": 3, "validation": 4}[p], slices, A.slices())) for p in VIEWS}
    x, y, source, pictures = chosen(R.cached(work, made["train"][0], args.threads), made["train"])
    vx, vy, _, _ = chosen(R.cached(work, made["validation"][0], args.threads), made["validation"])
    print(len(x), "training pictures", flush=True)
    tests = asked(parts, table)
    flat = np.stack([R.prepared(f) for _, _, images in tests for frames in images for f in frames]).astype(np.float16)
    tx, at, rows = R.cached(work, flat, args.threads), 0, []
    def taught(keep, features):
        return R.taught(features[keep], y[keep], R.balanced(y[keep], source[keep]), len(CLASSES), decay=1.0, seed=args.seed)
    net = taught(np.ones(len(y), bool), x)
    temperature = R.fitted_temperature(R.logits_of(net, vx), vy)
    near = Near(x, y, [CLASSES.index(c) for c in CLASSES[1:-1]])
    for k, c in enumerate(CLASSES[1:-1]):
        still = np.stack([R.prepared(U.grey(f)) for f in parts["validation"][c]]).astype(np.float16)
        near.limit[k] = np.quantile(near.far(R.cached(work, still, args.threads))[:, k], 0.97)
    print(NAME, x.shape, "validation", np.mean(R.logits_of(net, vx).argmax(1) == vy), "temperature", temperature, near.limit)
    few = lambda frames: np.stack([R.frugal(np.asarray(p, np.float32)) for p in frames])
    bare = taught(np.ones(len(y), bool), few(pictures))
    head = planes([f for _, _, images in tests for frames in images for f in frames], args.threads)
    every, bare_every, by_source, unseen = [], [], [], []
    for name, truth, images in tests:
        p, q = [], []
        for frames in images:
            n = slice(at, at + len(frames))
            z, h = R.logits_of(net, tx[n]), head[n].mean()
            o = R.probabilities(net, tx[n], temperature).mean(0) * (near.strange(tx[n], z).mean() <= 1) * (1 - h)
            p.append(np.concatenate([[h], o[1:-1], [1 - h - o[1:-1].sum()]]))      # as tasks/recognition/us_view.cpp
            q.append(R.probabilities(bare, few(flat[n])).mean(0))
            at = n.stop
        p, q = np.array(p), np.array(q)
        truth = truth if truth in CLASSES else OTHER    # breasts shown to the open head
        c = CLASSES.index(truth)
        right = (p.argmax(1) == c).astype(float)
        gates = {CLASSES[k]: int((p[:, k] >= GATE).sum()) for k in range(len(CLASSES) - 1)}
        said = {CLASSES[k]: int((p.argmax(1) == k).sum()) for k in range(len(CLASSES))}
        print(f"{name:58}{truth:18}{len(p):4} {right.mean():.3f} said {said} gates {gates}", flush=True)
        rows.append(C.result(f"{NAME}.accuracy", f"{name} (right: {truth})", "accuracy of recognition/us.view", right, COMMAND))
        if truth != OTHER:
            rows.append(C.result(f"{NAME}.gate", f"{name} (right: {truth})", "share at 0.9 or more", (p[:, c] >= GATE).astype(float), COMMAND))
        rows.append(C.result(f"{NAME}.false_gate", f"{name} (right: {truth})", "images at 0.9 or more for another organ",
                             (np.delete(p[:, :-1], c, 1) if c < len(CLASSES) - 1 else p[:, :-1]).max(1) >= GATE, COMMAND, np.sum))
        if "painted" not in name and "drawn" not in name and "other modalities" not in name:
            every += list(right)
            bare_every += list((q.argmax(1) == c).astype(float))
            by_source.append(right.mean())
            unseen += [] if "held out" in name else list(right)
    for kind in DRAWN:
        left = taught(source != kind, x)
        right = R.logits_of(left, x[source == kind]).argmax(1) == len(CLASSES) - 1
        rows.append(C.result(f"{NAME}.left_out", f"'{kind}' of the others, left out of training", "accuracy", right.astype(float), COMMAND))
    first = C.result(f"{NAME}.all" if OPEN else "us.recognition.view",
                     "recognition/us.view: sources left out (sononet-examples, dicom-us, carotid-ctu, CAMUS, rf-itk never teach), and of hc18, usgra-seg and "
                     "busi held-out fetuses and near-duplicate clusters, as each of these organs has one source that may teach: left out whole, nothing "
                     "would name it", "accuracy", np.array(every), COMMAND)
    rows = [first, C.result(f"{NAME}.sources_left_out", "of these the sources that never teach", "accuracy", np.array(unseen), COMMAND),
            C.result(f"{NAME}.by_source", "the same images, every source counts the same", "mean accuracy of the sources", np.array(by_source), COMMAND),
            C.result(f"{NAME}.border_and_histogram", "the same images", "accuracy of border and histogram alone",
                           np.array(bare_every), COMMAND), *rows]
    if not args.evaluate_only:
        C.export(near.exported(net), (1, x.shape[1]), args.out / "model.onnx", outputs=("logits", "ood"))
    C.write_card(args.out, card(rows, parts, temperature))


def card(rows, parts, temperature):
    n = {c: len(parts["train"][c]) for c in (HEAD, BREAST, NERVE)}
    note = ("" if OPEN else "Trained on BUSI too, whose licence is unclear (the paper is CC BY 4.0, some copies say CC0, the origin says nothing). ") + \
        "Real and simulated frames. Each named organ has one real source, so a held-out part of the same source is what was tested: another machine's pictures may be named wrongly. " \
        "busi and usgra-seg have no patient ids (split by near-duplicate cluster); hc18 by fetus."
    sources = [{"name": "HC18 (10.5281/zenodo.1322001)", "licence": "CC-BY-4.0", "n": n[HEAD], "use": "training: fetal head; parts without it: other"},
               {"name": "USGRA-seg", "licence": "CC-BY-4.0", "n": n[NERVE], "use": "training: nerve and vessel"},
               {"name": "elastix-ct, open-ms-lesion, msd-hippocampus, Soft-tissue-Sarcoma slices", "licence": "Apache-2.0, CC-BY, CC-BY-SA-4.0, CC-BY-3.0",
                "n": DRAWN["CT or MR slice"] + DRAWN["slice through a sector"], "use": "training: other"},
               {"name": "drawn frames (train/us.view/anatomy.py, others.py)", "licence": "Apache-2.0",
                "n": sum(DRAWN[k] for k in ("heart", "trunk", "organ", "bones", "layers", "blank")), "use": "training: other"}]
    if not OPEN:
        sources.insert(2, {"name": "BUSI", "licence": "unclear", "n": n[BREAST], "use": "training: breast"})
    made = {"id": NAME, "task": "recognition", "modalities": ["US"],
            "title": "Organ of a B-mode frame: " + ", ".join(CLASSES) + ".", "evidence_note": note}
    if not OPEN:
        made["licence_switch"] = True
    made.update({
        "architecture": f"linear on the frozen any.image_encoder (pooled), {len(CLASSES)} logits; strangeness: Mahalanobis distance to the named organ's training frames over its 97 % validation quantile",
        "training_data": sources, "weights_licence": "CC-BY-SA-4.0",
        "intended_use": "Part of recognition/us.view, gate of the breast, nerve and vessel methods. Research use, not a medical device.",
        "not_for": ["naming other organs or planes", "pictures of machines that are nothing like the taught ones"],
        "known_failures": [
            "An organ that nothing taught, seen by a linear probe: a head taught without BUSI called 83 of 131 breasts nerve and vessel "
            "(77 at 0.9 or more; --open), 5 of 12 carotids are called so (4 at 0.9); the mouse liver of "
            "rf-itk is called breast.",
            "The distance was chosen after carotid-ctu, dicom-us and rf-itk had been seen with a version without it: those rows are not "
            "blind. Its limit is of validation frames."],
        "results": rows,
        "network": {"file": "model.onnx", "used_by": ["recognition/us.view"], "backbone": {"id": "any.image_encoder", "output": "pooled"},
                    "input": {"dims": 2, "axes": "yx", "orientation": None, "spacing_mm": None, "size": [224, 224], "resize": "area",
                              "crop": {"kind": "content_box", "level": 16, "share": 0.03}, "pad_multiple": 1, "pad": "edge",
                              "normalise": {"kind": "unit", "scale": 255}},
                    "output": {"kind": "logits", "classes": CLASSES, "names": {"logits": "logits", "ood": "ood"}},
                    "ood": {"threshold": 1.0}, "mirror": [], "temperature": temperature}})
    return made


if __name__ == "__main__":
    main()
