"""The teacher of mr.hippocampus_locator: brainchop's subcortical MeshNet (MIT) on the permitted T1 heads.

Permitted: the MNI template and open-ms-lesion's T1. Never brainchop-t1 nor Colin27: those are the acceptance heads.
    python train/mr.hippocampus_locator/teach.py --work DIR      writes DIR/<head>.npz: image, label (17 structures)
"""
import argparse
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import onnxruntime

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C

NET = C.DATA.parent / "weights" / "brainchop-meshnet" / "subcortical.onnx"
MS = C.DATA / "mr" / "open-ms-lesion" / "derived-uint8"
HEADS = {"mni": C.DATA / "mr" / "nilearn-mni" / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
         "ms19": MS / "patient19" / "T1.nii.gz", "ms26": MS / "patient26" / "T1.nii.gz"}
HIPPOCAMPUS = 14


def ras(path):
    """(array x, y, z in RAS order, spacing)"""
    image = nib.as_closest_canonical(nib.load(path))
    return np.asarray(image.dataobj).astype(np.float32), np.array(image.header.get_zooms()[:3], float)


def taught(image, threads):
    """Structure labels of a 1 mm RAS head: cropped, turned to LIA as the teacher wants it, and back."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    net = onnxruntime.InferenceSession(str(NET), options)
    inside = np.argwhere(image > image.max() * 0.05)
    lo, hi = inside.min(0), inside.max(0) + 1
    box = tuple(slice(a, b) for a, b in zip(lo, hi))
    x = np.pad((image[box] - image.min()) / (image.max() - image.min()), 12)
    lia = np.ascontiguousarray(x[::-1].transpose(0, 2, 1)[:, ::-1])
    y = net.run(None, {"vol": lia[None, None].astype(np.float32)})[0][0].argmax(0).astype(np.uint8)
    y = y[:, ::-1].transpose(0, 2, 1)[::-1][12:-12, 12:-12, 12:-12]
    label = np.zeros(image.shape, np.uint8)
    label[box] = y
    return label


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--work", type=Path, default=Path("/tmp/penta-train"))
    p.add_argument("--threads", type=int, default=2)
    args = p.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    for name, path in HEADS.items():
        image, _ = ras(path)
        label = taught(image, args.threads)
        x = np.argwhere(label == HIPPOCAMPUS)
        print(name, image.shape, "hippocampus ml", (label == HIPPOCAMPUS).sum() / 1000, "centre", x.mean(0), flush=True)
        np.savez_compressed(args.work / f"{name}.npz", image=image.astype(np.uint8), label=label)


if __name__ == "__main__":
    main()
