#!/usr/bin/env python3
"""The published networks of the weights folder through our engine, against ONNX Runtime (float32).

Each becomes a bundle in a folder of its own ($PENTA_MODELS). `penta model check` runs it on the parity sample, whose
values ONNX Runtime gave; those that label or judge pictures also run as methods on the real images, from command to
file: SonoNet must name the 13 planes of us/sononet-examples, and labels must be those of ONNX Runtime (>= 99.9 %).
What the engine does not take (more than one input) must be refused, and the sentence is printed.
usage: networks.py [PENTA] [--data FOLDER] [--weights FOLDER] [--only NAME]
Needs: numpy onnx onnxruntime pillow nibabel
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from PIL import Image

import given

PLANES = ["3VV", "4CH", "ABDOMINAL", "BACKGROUND", "BRAIN-CB", "BRAIN-TV", "FEMUR", "KIDNEYS", "LIPS", "LVOT", "PROFILE",
          "RVOT", "SPINE-CORONAL", "SPINE-SAGITTAL"]
# file, shape of the parity sample
SAMPLES = [("sononet/sononet16.onnx", (1, 1, 224, 288)), ("imfusion-carotid-us/carotid.onnx", (1, 1, 96, 128)),
           ("fsrcnn/FSRCNN_x2.onnx", (1, 1, 40, 56)), ("fsrcnn/FSRCNN_x3.onnx", (1, 1, 40, 56)),
           ("fsrcnn/FSRCNN_x4.onnx", (1, 1, 40, 56)), ("modular-pet-seg/module2.onnx", (1, 1, 128, 128)),
           ("modular-pet-seg/module3.onnx", (1, 1, 128, 128)), ("dat-spect-ud/dat_acc_4.onnx", (1, 1, 1, 72, 72)),
           ("dat-spect-ud/dat_reg_4.onnx", (1, 1, 72, 72)), ("dat-spect-ud/dat_robust_4.onnx", (1, 1, 72, 72)),
           ("pd-datscan-cnn/pd_2d_registered_fold1.onnx", (1, 1, 76, 76)),
           ("pd-datscan-cnn/pd_3d_registered_fold1.onnx", (1, 1, 76, 76, 76)),
           ("ldct-ts-densenet/ts_densenet_hu.onnx", (1, 1, 64, 80)),
           *((f"deep-mri-recon/dccnn_block{k}.onnx", (1, 2, 48, 64)) for k in range(5)),
           *((f"brainchop-meshnet/{n}.onnx", (1, 1, 36, 40, 44))
             for n in ("tissue_fast", "t2", "subcortical", "aparc50", "DKatlas", "mindgrab")),
           ("pyapetnet/S1_osem_b10_fdg.onnx", None)]


def scaled(model, factor):
    """The network with its input multiplied by `factor` first (a step that no word of our cards says)."""
    graph, name = model.graph, model.graph.input[0].name
    for node in graph.node:
        node.input[:] = ["scaled_input" if i == name else i for i in node.input]
    graph.initializer.append(onnx.numpy_helper.from_array(np.float32(factor), "scale_of_input"))
    graph.node.insert(0, onnx.helper.make_node("Mul", [name, "scale_of_input"], ["scaled_input"]))
    return model


def bundle(root, name, model, card, shape):
    """Writes root/name with card and parity sample; returns an ONNX Runtime session of the same network."""
    folder = root / name
    folder.mkdir(parents=True)
    data = model.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    card = {"id": name, "title": name, "weights_licence": "see the weights folder", **card}
    card["network"] = {"file": "model.onnx", "sha256": hashlib.sha256(data).hexdigest(), **card["network"]}
    (folder / "card.json").write_text(json.dumps(card))
    session = onnxruntime.InferenceSession(data)
    if shape:
        x = np.sin(0.37 * np.arange(np.prod(shape), dtype=np.float64)).astype(np.float32).reshape(shape)
        y = session.run(None, {session.get_inputs()[0].name: x})[0]
        pick = np.unique(np.linspace(0, y.size - 1, 64).astype(int))
        (folder / "parity.json").write_text(json.dumps(
            {"input": "sin(0.37 * i)", "shape": list(shape), "output_shape": list(y.shape), "tolerance": 1e-3,
             "runtime": "onnxruntime float32", "expected": [[int(i), float(y.flat[i])] for i in pick]}))
    return session


def call(penta, root, *arguments):
    """Runs penta; returns (exit code, what it said)."""
    done = subprocess.run([str(penta), *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, "PENTA_MODELS": str(root)})
    return done.returncode, (done.stdout + done.stderr).strip()


def plain(shape):
    """A card for a network that is only checked."""
    return {"task": "segmentation", "modalities": ["US"],
            "network": {"input": {"dims": max(2, len(shape or (1,) * 4) - 2), "normalise": {"kind": "none"}},
                        "output": {"kind": "logits", "classes": ["background", "label"]}, "used_by": ["segmentation/none"]}}


def samples(penta, weights, tell, only):
    """Every network on its parity sample."""
    for file, shape in SAMPLES:
        name = "peer." + pathlib.Path(file).stem.lower().replace("-", "_")
        if only and only not in file:
            continue
        if not (weights / file).exists():
            tell(None, file, "not here")
            continue
        with tempfile.TemporaryDirectory() as root:
            bundle(pathlib.Path(root), name, onnx.load(weights / file), plain(shape), shape)
            if shape is None:      # several inputs: to be refused, named
                pathlib.Path(root, name, "parity.json").write_text(json.dumps(
                    {"shape": [1, 8, 8, 8, 1], "output_shape": [1, 8, 8, 8, 1], "expected": [[0, 0.0]]}))
            code, said = call(penta, root, "model", "check", name)
            if shape is None:
                tell(code == 5 and "input" in said, file, f"refused: {said.splitlines()[-1] if said else code}")
            else:
                tell(code == 0, file, "equal to ONNX Runtime at 64 values (1e-3 of the largest)" if code == 0 else said[-300:])


def area(a, width, height):
    """Exact area means, each axis on its own."""
    def matrix(n_in, n_out):
        s = n_in / n_out
        lo, hi, i = np.arange(n_out)[:, None] * s, (np.arange(n_out)[:, None] + 1) * s, np.arange(n_in)[None]
        return np.clip(np.minimum(hi, i + 1) - np.maximum(lo, i), 0, None) / s
    return matrix(a.shape[0], height) @ a.astype(np.float64) @ matrix(a.shape[1], width).T


# What the authors' own example cuts out of these frames, so that the vendor's text is gone: rows, columns.
SONONET_CROP = (slice(115, 734), slice(81, 874))


def sononet(penta, weights, data, tell):
    """The 13 planes, and their probabilities against ONNX Runtime's on the same preparation."""
    file, folder = weights / "sononet/sononet16.onnx", data / "us/sononet-examples"
    if not file.exists() or not folder.exists():
        return tell(None, "sononet planes", "not here")
    with tempfile.TemporaryDirectory() as root:
        card = {"task": "recognition", "modalities": ["US"],
                "network": {"input": {"dims": 2, "axes": "yx", "size": [288, 224], "resize": "area",
                                      "normalise": {"kind": "zscore"}},
                            "output": {"kind": "probabilities", "classes": PLANES, "names": {"logits": "prob"}},
                            "temperature": 1.0}}
        session = bundle(pathlib.Path(root), "us.sononet", scaled(onnx.load(file), 255.0), card, None)
        right, gap, n = 0, 0.0, 0
        for image in sorted(folder.glob("*.jpg")):
            out, cut = pathlib.Path(root, "out_" + image.stem), pathlib.Path(root, image.stem + ".png")
            grey = np.asarray(Image.open(image).convert("L"))[SONONET_CROP]
            Image.fromarray(grey).save(cut)
            code, said = call(penta, root, "recognize", "us.sononet", cut, "-o", out, "--set", "modality=US", "--quiet")
            if code:
                return tell(False, f"sononet {image.stem}", said[-300:])
            scores = {s["label"]: s["probability"] for s in json.loads((out / "result.json").read_text())["scores"]}
            x = area(grey, 288, 224)
            x = ((x - x.mean()) / x.std()).astype(np.float32)[None, None]
            theirs = dict(zip(PLANES, session.run(["prob"], {session.get_inputs()[0].name: x})[0][0]))
            gap = max(gap, max(abs(scores[k] - float(theirs[k])) for k in PLANES))
            right += max(scores, key=scores.get) == image.stem
            n += 1
    tell(right == n == 13, "sononet planes", f"{right} of {n} right through our engine")
    tell(gap <= 1e-3, "sononet probabilities", f"largest difference to ONNX Runtime {gap:.2e}")


def carotid(penta, weights, data, tell):
    """Labels on every frame of us/carotid-ctu, padded by the edge to a multiple of 16."""
    file, folder = weights / "imfusion-carotid-us/carotid.onnx", data / "us/carotid-ctu"
    images = [f for f in sorted(folder.rglob("*")) if f.suffix.lower() in (".png", ".jpg")]
    if not file.exists() or not images:
        return tell(None, "carotid labels", "not here")
    with tempfile.TemporaryDirectory() as root:
        card = {"task": "segmentation", "modalities": ["US"],
                "network": {"input": {"dims": 2, "axes": "yx", "pad_multiple": 16, "pad": "edge",
                                      "normalise": {"kind": "unit", "scale": 255}},
                            "output": {"kind": "logits", "classes": ["background", "carotid"]}}}
        session = bundle(pathlib.Path(root), "us.carotid", onnx.load(file), card, None)
        worst, found = 1.0, 0
        for k, image in enumerate(images):
            out = pathlib.Path(root, f"out_{k}")
            code, said = call(penta, root, "segment", "us.carotid", image, "-o", out, "--set", "modality=US", "--quiet")
            if code:
                return tell(False, f"carotid {image.name}", said[-300:])
            ours = np.asarray(Image.open(out / "labels.png"))
            a = np.asarray(Image.open(image).convert("L"), np.float32) / 255
            x = np.pad(a, [(0, -n % 16) for n in a.shape], mode="edge")[None, None]
            y = session.run(None, {session.get_inputs()[0].name: x})[0][0].argmax(0)[:a.shape[0], :a.shape[1]]
            worst, found = min(worst, float((ours == y).mean())), found + bool(ours.any())
    tell(worst >= 0.999, "carotid labels", f"{len(images)} frames, least agreement {100 * worst:.3f} %, a vessel in {found}")


def main():
    parser = given.parser_of(__doc__)
    parser.add_argument("--weights", type=pathlib.Path, help="default: weights beside the data folder")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    weights = args.weights or args.data.parent / "weights"
    if not weights.exists():
        return given.skip_all(weights)
    count = {True: 0, False: 0, None: 0}

    def tell(good, what, text):
        count[good if good is None else bool(good)] += 1
        print({True: "ok  ", False: "FAIL", None: "skip"}[good if good is None else bool(good)], what, text, flush=True)

    samples(args.penta, weights, tell, args.only)
    if args.only in "sononet":
        sononet(args.penta, weights, args.data, tell)
    if args.only in "carotid":
        carotid(args.penta, weights, args.data, tell)
    print(f"{count[True]} passed, {count[False]} failed, {count[None]} skipped")
    return 1 if count[False] else 0


if __name__ == "__main__":
    sys.exit(main())
