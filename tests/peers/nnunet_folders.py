"""Makes shortly trained nnU-Net v2 folders by nnU-Net's own classes, on phantoms of our own (for nnunet.py).

usage: nnunet_folders.py FOLDER [CASE...] [--iterations N]
Each case: FOLDER/<case>/ is a trained folder (plans.json, dataset.json, fold_*/checkpoint_final.pth), FOLDER/<case>.images/
holds images that taught nothing. The fingerprint, the planner, the preprocessor, the network, the loss, the optimizer and
the checkpoint are nnU-Net's; patches are cut at random without augmentation, and the plans are made small.
"""
import argparse
import copy
import json
import os
import pathlib
import shutil
import sys
import tempfile

import nibabel
import numpy as np

# name: what the data are like, and what is asked of the planner.
CASES = {
    "plain3d": dict(channels={"0": "CT"}, labels={"background": 0, "ball": 1, "rod": 2}, configuration="3d_fullres", folds=2,
                    size=(44, 40, 36), spacing=(1.5, 1.5, 1.5), features=(8, 16, 24)),
    "residual3d": dict(channels={"0": "T1"}, labels={"background": 0, "ball": 1, "rod": 2}, configuration="3d_fullres",
                       planner="nnUNetPlannerResEncM", zero_outside=True, size=(44, 40, 36), spacing=(1.2, 1.2, 1.2),
                       features=(8, 16, 24)),
    "anisotropic": dict(channels={"0": "T2"}, labels={"background": 0, "ball": 1, "rod": 2}, configuration="3d_fullres",
                        size=(48, 14, 44), spacing=(1.0, 5.0, 1.0), features=(8, 16, 24), zero_outside=True),
    "two_channels": dict(channels={"0": "T1", "1": "FLAIR"}, labels={"background": 0, "ball": 1, "rod": 2},
                         configuration="3d_fullres", size=(40, 40, 32), spacing=(1.3, 1.3, 1.6), features=(8, 16, 24),
                         zero_outside=True),
    "regions": dict(channels={"0": "MR"}, labels={"background": 0, "whole": [1, 2], "core": [2], "ignore": 3},
                    regions_class_order=[1, 2], configuration="3d_fullres", size=(40, 40, 32), spacing=(1.3, 1.3, 1.3),
                    features=(8, 16, 24), longer=3),
    "slices2d": dict(channels={"0": "T1"}, labels={"background": 0, "ball": 1, "rod": 2}, configuration="2d",
                     size=(56, 48, 12), spacing=(1.1, 1.1, 4.0), features=(8, 16, 24, 32)),
}
# Small enough to be kept in tests/nnunet/ (nnunet.py --store).
STORED = {
    "tiny_residual": dict(channels={"0": "T1", "1": "FLAIR"}, labels={"background": 0, "whole": [1, 2], "core": [2]},
                          regions_class_order=[1, 2], configuration="3d_fullres", planner="nnUNetPlannerResEncM", zero_outside=True,
                          size=(26, 24, 22), spacing=(1.3, 1.3, 1.3), features=(4, 6, 8), longer=3),
    "tiny_plain": dict(channels={"0": "T2"}, labels={"background": 0, "ball": 1, "rod": 2}, configuration="3d_fullres",
                       size=(28, 9, 26), spacing=(1.0, 4.0, 1.0), features=(4, 6, 8), zero_outside=True, longer=3),
    "tiny_slices": dict(channels={"0": "PET"}, labels={"background": 0, "ball": 1, "rod": 2}, configuration="2d",
                        size=(32, 28, 8), spacing=(1.1, 1.1, 4.0), features=(6, 10, 14), longer=2),
}
# As wide as nnU-Net's own, for nnunet_speed.py.
SPEED = {"wide3d": dict(channels={"0": "T1"}, labels={"background": 0, "ball": 1, "rod": 2}, configuration="3d_fullres",
                        size=(72, 64, 56), spacing=(1.5, 1.5, 1.5), features=(32, 64, 128, 256), patch=48)}
ALL = {**CASES, **STORED, **SPEED}


def phantom(rng, case, stretch=1.0):
    """An image [channel, x, y, z] and its labels: a body with a bright ball in it and a dark rod across, smooth noise."""
    size = np.array(case["size"])
    spacing = np.array(case["spacing"]) * stretch
    at = np.stack(np.meshgrid(*[(np.arange(n) - (n - 1) / 2) * s for n, s in zip(size, spacing)], indexing="ij"))
    half = size * spacing / 2
    body = sum((at[k] / (0.86 * half[k])) ** 2 for k in range(3)) < 1
    centre = rng.uniform(-0.3, 0.3, 3) * half
    radius = rng.uniform(0.28, 0.4) * half.min() if half.min() > 20 else 0.45 * half.min() * rng.uniform(0.8, 1.1)
    ball = body & (sum((at[k] - centre[k]) ** 2 for k in range(3)) < radius ** 2)
    other = -centre + rng.uniform(-0.1, 0.1, 3) * half
    axes = [k for k in range(3) if k != int(np.argmax(spacing))][:2]
    rod = body & ~ball & (sum((at[k] - other[k]) ** 2 for k in axes) < (0.16 * half[axes].min()) ** 2)
    labels = np.where(ball, 1, np.where(rod, 2, 0)).astype(np.uint8)
    images = []
    for c in range(len(case["channels"])):
        base = np.where(body, 100.0, 0.0) + (60 if c == 0 else -30) * ball + (-50 if c == 0 else 70) * rod
        noise = rng.normal(0, 1, size) + np.kron(rng.normal(0, 1, (size + 3) // 4), np.ones((4, 4, 4)))[tuple(slice(n) for n in size)]
        image = base + 8 * noise
        if case.get("zero_outside"):
            image = np.where(body, np.maximum(image, 1), 0)
        if "CT" in case["channels"].values():
            image = np.where(body, image, -1000)
        images.append(np.round(image))
    if case.get("regions_class_order"):        # the rod inside becomes the core of the ball
        inner = ball & (sum((at[k] - centre[k]) ** 2 for k in range(3)) < (0.55 * radius) ** 2)
        labels = np.where(inner, 2, np.where(ball, 1, 0)).astype(np.uint8)
        images[0] = images[0] + 60 * inner.astype(int)
    return np.stack(images).astype(np.int16), labels, spacing


def write(path, data, spacing, turned=False):
    affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    if turned:                                 # a little oblique, as scanners give it
        a = 0.1
        affine[:3, :3] = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ affine[:3, :3]
    image = nibabel.Nifti1Image(data, affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    nibabel.save(image, path)


def raw_dataset(root, name, case, rng, count=4):
    for sub in ("imagesTr", "labelsTr"):
        (root / name / sub).mkdir(parents=True)
    for i in range(count):
        images, labels, spacing = phantom(rng, case)
        for c, image in enumerate(images):
            write(root / name / "imagesTr" / f"case_{i:03}_{c:04}.nii.gz", image, spacing)
        write(root / name / "labelsTr" / f"case_{i:03}.nii.gz", labels, spacing)
    dataset = {"channel_names": case["channels"], "labels": case["labels"], "numTraining": count, "file_ending": ".nii.gz"}
    if "regions_class_order" in case:
        dataset["regions_class_order"] = case["regions_class_order"]
    (root / name / "dataset.json").write_text(json.dumps(dataset))
    return dataset


def planner_of(name):
    import nnunetv2
    from nnunetv2.utilities.find_class_by_name import recursive_find_python_class
    folder = os.path.join(nnunetv2.__path__[0], "experiment_planning")
    return recursive_find_python_class(folder, name, current_module="nnunetv2.experiment_planning")


def planned(name, case):
    """plans.json by nnU-Net's planner, made small: fewer features and stages, patches smaller than the images."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprint_dataset, plan_experiment_dataset
    number = int(name[7:10])
    extract_fingerprint_dataset(number, num_processes=1, check_dataset_integrity=False)
    plan_experiment_dataset(number, **({"experiment_planner_class": planner_of(case["planner"])} if "planner" in case else {}))
    found = sorted(pathlib.Path(os.environ["nnUNet_preprocessed"], name).glob("*lans.json"))
    plans = json.loads(found[0].read_text())
    configuration = plans["configurations"][case["configuration"]]
    words = configuration["architecture"]["arch_kwargs"]
    features = list(case["features"])
    stages = min(len(features), words["n_stages"])
    words["n_stages"] = stages
    words["features_per_stage"] = features[:stages]
    for key in ("kernel_sizes", "strides"):
        words[key] = words[key][:stages]
    for key in ("n_conv_per_stage", "n_blocks_per_stage"):
        if key in words:
            words[key] = [min(2, n) for n in words[key][:stages]]
    words["n_conv_per_stage_decoder"] = words["n_conv_per_stage_decoder"][:stages - 1]
    total = np.prod(np.array(words["strides"]), axis=0)
    patch = np.array(configuration["patch_size"])
    small = np.minimum(patch, case.get("patch", 32))
    configuration["patch_size"] = [int(max(t, p // t * t)) for p, t in zip(small, total)]
    configuration["batch_size"] = 2
    return plans


def batches(trainer, cases, patch, rng):
    """Random patches, every second one about a voxel of a label; the target also at the coarser heads' resolutions."""
    import torch
    scales = trainer._get_deep_supervision_scales()
    regions = trainer.label_manager.foreground_regions if trainer.label_manager.has_regions else None
    size = 2 if len(patch) == 3 else 16
    while True:
        data, target = [], []
        for b in range(size):
            image, labels = cases[rng.integers(len(cases))]
            if len(patch) == 2:
                full = np.flatnonzero((labels[0] > 0).any((1, 2)))
                z = rng.choice(full) if b % 2 and len(full) else rng.integers(image.shape[1])
                image, labels = image[:, z], labels[:, z]
            shape = np.array(image.shape[1:])
            pad = np.maximum(np.array(patch) - shape, 0)
            width = [(0, 0)] + [(p // 2, p - p // 2) for p in pad]
            image, labels = np.pad(image, width), np.pad(labels, width)
            room = np.array(image.shape[1:]) - np.array(patch)
            start = rng.integers(0, room + 1)
            where = np.argwhere(labels[0] > 0)
            if b % 2 and len(where):
                start = np.clip(where[rng.integers(len(where))] - np.array(patch) // 2, 0, room)
            box = (slice(None), *[slice(s, s + p) for s, p in zip(start, patch)])
            data.append(image[box])
            target.append(np.maximum(labels[box], 0))
        x, y = torch.from_numpy(np.stack(data)).float(), torch.from_numpy(np.stack(target)).float()
        if regions is not None:
            y = torch.cat([sum((y == v).float() for v in (r if isinstance(r, tuple) else (r,))) for r in regions], 1)
            if trainer.label_manager.has_ignore_label:
                y = torch.cat([y, torch.zeros_like(y[:, :1])], 1)    # 1 would be: ignored
        if scales is None:
            yield {"data": x, "target": y}
        yield {"data": x, "target": [torch.nn.functional.interpolate(y, scale_factor=tuple(s), mode="nearest") for s in scales]}


def train(plans, dataset, name, case, fold, iterations, out, rng):
    import torch
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    torch.manual_seed(fold)
    given = copy.deepcopy(plans)
    given["continue_training"] = False
    pathlib.Path(os.environ["nnUNet_preprocessed"], name, "x").mkdir(exist_ok=True)
    trainer = nnUNetTrainer(given, case["configuration"], fold, dataset, torch.device("cpu"))
    trainer.dataset_class = None
    import nnunetv2.training.nnUNetTrainer.nnUNetTrainer as module
    module.infer_dataset_class = lambda folder: None
    trainer.initialize()
    trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
    preprocessor = trainer.configuration_manager.preprocessor_class(verbose=False)
    raw = pathlib.Path(os.environ["nnUNet_raw"], name)
    cases = []
    for labels in sorted((raw / "labelsTr").iterdir()):
        images = sorted(str(p) for p in (raw / "imagesTr").glob(labels.name[:-7] + "_*"))
        data, seg, _ = preprocessor.run_case(images, str(labels), trainer.plans_manager, trainer.configuration_manager, dataset)
        cases.append((np.asarray(data), np.asarray(seg)))
    trainer.network.train()
    trainer.on_epoch_start = lambda: None
    source = batches(trainer, cases, trainer.configuration_manager.patch_size, rng)
    for i in range(iterations):
        for group in trainer.optimizer.param_groups:
            group["lr"] = 1e-2 * (1 - i / iterations) ** 0.9
        loss = trainer.train_step(next(source))["loss"]
        if i % 20 == 0 or i == iterations - 1:
            print(f"{name} fold {fold}: iteration {i}, loss {float(loss):.3f}", flush=True)
    (out / f"fold_{fold}").mkdir(parents=True, exist_ok=True)
    trainer.save_checkpoint(str(out / f"fold_{fold}" / "checkpoint_final.pth"))


def make(folder, name, iterations):
    """One case; 0 iterations: random weights."""
    case = ALL[name]
    out = folder / name
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(folder / f"{name}.images", ignore_errors=True)
    out.mkdir(parents=True)
    (folder / f"{name}.images").mkdir()
    rng = np.random.default_rng(sum(map(ord, name)))
    dataset_name = f"Dataset{list(ALL).index(name) + 701:03}_{name}"
    with tempfile.TemporaryDirectory() as work:
        for key in ("raw", "preprocessed", "results"):
            os.environ[f"nnUNet_{key}"] = str(pathlib.Path(work, key))
            pathlib.Path(work, key).mkdir()
        dataset = raw_dataset(pathlib.Path(work, "raw"), dataset_name, case, rng)
        plans = planned(dataset_name, case)
        for fold in range(case.get("folds", 1)):
            train(plans, dataset, dataset_name, case, fold, iterations * case.get("longer", 1), out, rng)
        (out / "plans.json").write_text(json.dumps(plans, indent=1))
        (out / "dataset.json").write_text(json.dumps(dataset, indent=1))
    for i, stretch in enumerate((1.0, 1.17, 0.8)):
        images, labels, spacing = phantom(rng, case, stretch)
        for c, image in enumerate(images):
            write(folder / f"{name}.images" / f"new{i}_{c:04}.nii.gz", image, spacing, turned=i == 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--iterations", type=int, default=60)
    given = parser.parse_args()
    # nnU-Net reads these when it is imported.
    for key in ("raw", "preprocessed", "results"):
        os.environ.setdefault(f"nnUNet_{key}", "/nowhere")
    for name in given.cases or CASES:
        make(given.folder, name, given.iterations)


if __name__ == "__main__":
    sys.exit(main())
