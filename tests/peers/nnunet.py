#!/usr/bin/env python3
"""nnU-Net v2 folders run by `penta` against nnU-Net's own prediction on the CPU.

usage: nnunet.py [PENTA] [--folders FOLDER] [--iterations N]        ./test --peers=nnunet
Makes shortly trained folders (nnunet_folders.py; kept in FOLDER, default build/nnunet-folders), imports each, and compares on
images that taught nothing:
- labels in float32: at least 99.9 % of the voxels the same, Dice at least 0.999 for classes over 500 voxels;
- the network alone, trained and with random weights: logits within 1e-3 of the largest.
Needs Python with nnunetv2 2.8 and torch (PyPI, 4 GB: not in CI); another Python than the peers' is named by
PENTA_NNUNET_PYTHON. The last line is 'N passed, N failed, N skipped'; exit 1 on a failure.
"""
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from given import ROOT, parser_of

LABELS, DICE, LOGITS = 0.999, 0.999, 1e-3


def other_python():
    """Runs this again by the Python that has nnU-Net; without one there is nothing to do."""
    python = os.environ.get("PENTA_NNUNET_PYTHON")
    if not python:
        print("nnunetv2 is not installed here (PENTA_NNUNET_PYTHON names a Python that has it)\n0 passed, 0 failed, 1 skipped")
        return 0
    os.environ.pop("PENTA_NNUNET_PYTHON")
    return subprocess.run([python, *sys.argv]).returncode


def quiet(function, *words, **named):
    """nnU-Net tells much on standard output."""
    with open(os.devnull, "w") as nowhere:
        kept, sys.stdout = sys.stdout, nowhere
        try:
            return function(*words, **named)
        finally:
            sys.stdout = kept


def predictor_of(folder, mirror=True):
    for key in ("raw", "preprocessed", "results"):        # read when nnU-Net is imported
        os.environ.setdefault(f"nnUNet_{key}", "/nowhere")
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    predictor = nnUNetPredictor(tile_step_size=0.5, use_gaussian=True, use_mirroring=mirror, perform_everything_on_device=False,
                                device=torch.device("cpu"), verbose=False, verbose_preprocessing=False, allow_tqdm=False)
    quiet(predictor.initialize_from_trained_model_folder, str(folder), None)
    return predictor


def theirs(predictor, images, out):
    quiet(predictor.predict_from_files_sequential, [[str(p) for p in images]], [str(out)], save_probabilities=False)
    return pathlib.Path(f"{out}.nii.gz")


def imported(penta, folder, store, precision="f32"):
    done = subprocess.run([penta, "model", "import", folder, "--licence", "CC0-1.0", "--into", store, "--modality", "MR",
                           "--precision", precision], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.split(":")[0]


def ours(penta, store, name, images, out):
    card = json.loads((store / name / "card.json").read_text())
    roles = [c["role"] for c in card["network"]["input"]["channels"]]
    words = [f"{role}={image}" for role, image in zip(roles, images)]
    done = subprocess.run([penta, "segment", name, *words, "-o", out, "--set", "modality=MR", "--quiet"], capture_output=True,
                          text=True, env={**os.environ, "PENTA_MODELS": str(store)})
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return out / "labels.nii.gz"


def same_labels(a, b):
    """Share of voxels with the same label, and the lowest Dice of a label of over 500 voxels."""
    import nibabel
    import numpy
    x, y = (numpy.asarray(nibabel.load(p).dataobj).astype(int) for p in (a, b))
    if x.shape != y.shape:
        raise RuntimeError(f"sizes differ: {x.shape} and {y.shape}")
    dice = [2 * ((x == v) & (y == v)).sum() / ((x == v).sum() + (y == v).sum())
            for v in numpy.unique(x) if v and (x == v).sum() > 500]
    return float((x == y).mean()), min(dice, default=1.0), {int(v): int((x == v).sum()) for v in numpy.unique(x)}


def logits_gap(predictor, bundle, seed=0):
    """Largest difference of the network's output on noise of a patch, as a share of the largest value; the worst fold."""
    import numpy
    import openvino
    import torch
    worst = 0
    shape = predictor.configuration_manager.patch_size
    channels = len(json.loads((bundle / "card.json").read_text())["network"]["input"]["channels"])
    x = numpy.random.default_rng(seed).normal(size=(1, channels, *shape)).astype("float32")
    for weights, file in zip(predictor.list_of_parameters, sorted(bundle.glob("fold_*.xml"))):
        predictor.network.load_state_dict(weights)
        predictor.network.eval()
        with torch.inference_mode():
            want = predictor.network(torch.from_numpy(x)).numpy()
        core = openvino.Core()
        net = core.compile_model(core.read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        got = net(x)[0]
        worst = max(worst, float(abs(got - want).max() / abs(want).max()))
    return worst


def cases_of(folder):
    found = {}
    for image in sorted(folder.glob("*.nii.gz")):
        found.setdefault(re.sub(r"_\d{4}\.nii\.gz$", "", image.name), []).append(image)
    return found


def judge(name, text, fault, score):
    score[0 if fault is None else 1] += 1
    print(f"{'PASS' if fault is None else 'FAIL'} {name}: {text}{'' if fault is None else ' -- ' + fault}", flush=True)


def compare(penta, folders, name, work, score):
    store = work / "store"
    predictor = predictor_of(folders / name)
    bundle = imported(penta, folders / name, store)
    gap = logits_gap(predictor, store / bundle)
    judge(f"{name} logits", f"{gap:.1e} of the largest", None if gap <= LOGITS else f"over {LOGITS}", score)
    for case, images in cases_of(folders / f"{name}.images").items():
        out = work / f"{name}-{case}"
        share, dice, voxels = same_labels(theirs(predictor, images, f"{out}-theirs"), ours(penta, store, bundle, images, out))
        right = share >= LABELS and dice >= DICE
        judge(f"{name} {case}", f"{100 * share:.4f} % the same, lowest Dice {dice:.5f}, voxels {voxels}",
              None if right else f"wanted {100 * LABELS} % and {DICE}", score)


def compare_random(penta, folders, name, work, score):
    """Random weights: the logits are small and noisy, so the network alone is judged."""
    store = work / "random-store"
    bundle = imported(penta, folders / name, store)
    gap = logits_gap(predictor_of(folders / name), store / bundle)
    judge(f"{name} random weights", f"logits differ by {gap:.1e} of the largest", None if gap <= LOGITS else f"over {LOGITS}", score)


def store(folders):
    """tests/nnunet/: small folders with an image and the labels that nnU-Net gives, so that ./test checks parity without it."""
    import hashlib
    from importlib.metadata import version
    import nnunet_folders
    to = ROOT / "tests/nnunet"
    shutil.rmtree(to, ignore_errors=True)
    told = {"command": "tests/peers/nnunet.py --store", "made_by": {p: version(p) for p in ("nnunetv2", "torch", "dynamic_network_architectures")},
            "licence": "CC0-1.0 (phantoms and weights of our own)", "sha256": {}}
    for name in nnunet_folders.STORED:
        made(folders, name, 60)
        shutil.copytree(folders / name, to / name)
        images = cases_of(folders / f"{name}.images")["new1"]
        with tempfile.TemporaryDirectory() as work:
            shutil.copy(theirs(predictor_of(folders / name), images, pathlib.Path(work) / "labels"), to / name / "expected.nii.gz")
        for i, image in enumerate(images):
            shutil.copy(image, to / name / f"image_{i}.nii.gz")
    for file in sorted(to.rglob("*.*")):
        told["sha256"][str(file.relative_to(to))] = hashlib.sha256(file.read_bytes()).hexdigest()
    (to / "SOURCE.json").write_text(json.dumps(told, indent=1) + "\n")
    return 0


def made(folder, name, iterations):
    """Makes a trained folder where it is not there yet."""
    if not list((folder / name).glob("fold_*/checkpoint_final.pth")):
        script = pathlib.Path(__file__).with_name("nnunet_folders.py")
        subprocess.run([sys.executable, script, folder, name, "--iterations", str(iterations)], check=True, stdout=subprocess.DEVNULL)


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--folders", type=pathlib.Path, default=ROOT / "build/nnunet-folders")
    parser.add_argument("--iterations", type=int, default=80)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--store", action="store_true", help="make tests/nnunet/ anew")
    given = parser.parse_args()
    if importlib.util.find_spec("nnunetv2") is None:
        return other_python()
    if given.store:
        return store(given.folders)
    import nnunet_folders
    score = [0, 0]
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        for name in nnunet_folders.CASES:
            if given.only not in name:
                continue
            for folder, iterations in ((given.folders, given.iterations), (given.folders / "random", 0)):
                made(folder, name, iterations)
            for step, folder in ((compare, given.folders), (compare_random, given.folders / "random")):
                try:
                    step(given.penta, folder, name, work, score)
                except RuntimeError as fault:
                    judge(name, "", str(fault), score)
    finally:
        shutil.rmtree(work)
    print(f"{score[0]} passed, {score[1]} failed, 0 skipped")
    return 1 if score[1] else 0


if __name__ == "__main__":
    sys.exit(main())
