#!/usr/bin/env python3
"""brainchop's MeshNets through our engine in float32, from command to file, against ONNX Runtime: labels >= 99.9 % equal.

Each becomes a bundle ($PENTA_MODELS) whose card says what the teachers want: axes left, inferior, anterior (in that tensor
order), 1 mm, min-max or 2..98 % of the values. The image is a part of the MNI template (--size voxels along each axis),
and --head runs the whole template.
usage: meshnet.py [PENTA] [--data FOLDER] [--weights FOLDER] [--only NAME] [--size N] [--head]
Needs: numpy nibabel onnxruntime
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import nibabel as nib
import numpy as np
import onnxruntime

import given

NETS = {"tissue_fast": (3, "minmax"), "t2": (2, "minmax"), "subcortical": (18, "minmax"), "DKatlas": (104, "minmax"),
        "aparc50": (50, "quantile"), "mindgrab": (2, "quantile")}


def bundle(root, name, file, classes, kind):
    folder = root / f"peer.{name.lower()}"
    folder.mkdir(parents=True)
    data = file.read_bytes()
    (folder / "model.onnx").write_bytes(data)
    normalise = {"kind": "minmax"} if kind == "minmax" else {"kind": "percentile_unit", "lower": 2, "upper": 98}
    (folder / "card.json").write_text(json.dumps({
        "id": f"peer.{name.lower()}", "title": name, "task": "segmentation", "modalities": ["MR"], "weights_licence": "MIT",
        "network": {"file": "model.onnx", "sha256": hashlib.sha256(data).hexdigest(), "precision": "f32",
                    "input": {"dims": 3, "axes": "xyz", "orientation": "LIA", "spacing_mm": [1, 1, 1], "normalise": normalise},
                    "output": {"kind": "logits", "classes": ["background"] + [f"class {k}" for k in range(1, classes)]}}}))


def theirs(file, image, kind):
    """Labels of ONNX Runtime on the image turned to LIA, turned back; and the seconds it took."""
    here = nib.io_orientation(image.affine)
    there = nib.orientations.axcodes2ornt("LIA")
    a = nib.orientations.apply_orientation(np.asarray(image.dataobj, np.float32),
                                           nib.orientations.ornt_transform(here, there))
    low, high = (a.min(), a.max()) if kind == "minmax" else np.percentile(a, [2, 98])
    x = ((np.clip(a, low, high) - low) / (high - low)).astype(np.float32)
    session, begun = onnxruntime.InferenceSession(str(file)), time.time()
    y = session.run(None, {session.get_inputs()[0].name: x[None, None]})[0][0].argmax(0)
    took = time.time() - begun
    return nib.orientations.apply_orientation(y, nib.orientations.ornt_transform(there, here)), took


def main():
    parser = given.parser_of(__doc__)
    parser.add_argument("--weights", type=pathlib.Path, help="default: weights beside the data folder")
    parser.add_argument("--only", default="")
    parser.add_argument("--size", type=int, default=72)
    parser.add_argument("--head", action="store_true")
    args = parser.parse_args()
    weights = (args.weights or args.data.parent / "weights") / "brainchop-meshnet"
    source = args.data / "mr/nilearn-mni/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    if not weights.exists() or not source.exists():
        return given.skip_all(weights if not weights.exists() else source)
    whole, failed, passed = nib.load(source), 0, 0
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        n = args.size
        image = whole if args.head else whole.slicer[60:60 + n, 70:70 + n + 8, 50:50 + n]
        nib.save(image, root / "head.nii.gz")
        for name, (classes, kind) in NETS.items():
            if args.only and args.only != name:
                continue
            bundle(root / "models", name, weights / f"{name}.onnx", classes, kind)
            begun = time.time()
            done = subprocess.run([str(args.penta), "segment", f"peer.{name.lower()}", str(root / "head.nii.gz"), "-o",
                                   str(root / name), "--set", "modality=MR", "--quiet"], capture_output=True, text=True,
                                  env={**os.environ, "PENTA_MODELS": str(root / "models")})
            ours_s = time.time() - begun
            if done.returncode:
                failed += 1
                print("FAIL", name, (done.stdout + done.stderr)[-400:], flush=True)
                continue
            found = sorted((root / name).glob("*labels*.nii*"))
            ours = np.asarray(nib.load(found[0]).dataobj)
            reference, their_s = theirs(weights / f"{name}.onnx", image, kind)
            equal = float((ours == reference).mean())
            inside = reference > 0
            part = float((ours == reference)[inside].mean()) if inside.any() else 1.0
            failed, passed = failed + (equal < 0.999), passed + (equal >= 0.999)
            print("ok  " if equal >= 0.999 else "FAIL", name, f"{image.shape}: {100 * equal:.4f} % equal, {100 * part:.4f} % inside; "
                  f"{len(np.unique(reference))} labels; ours {ours_s:.1f} s, ONNX Runtime {their_s:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
