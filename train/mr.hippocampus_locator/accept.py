"""Acceptance of locator and crop net on heads that taught neither: Colin27, brainchop's T1, a stroke T2 and two FLAIR
visits of one patient (nothing may be found in these three).

    python train/mr.hippocampus_locator/accept.py [--out models/mr.hippocampus_locator] [--work DIR for pictures]
"""
import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import common as C
import pipeline as P
from teach import HIPPOCAMPUS, MS, ras, taught

MRICRON = Path("/usr/share/mricron/templates")
T1 = C.DATA / "mr" / "brainchop-t1" / "t1_crop.nii.gz"
FLAIRS = [MS.parent / "longitudinal" / "raw" / "patient12" / f"study{k}_FLAIR.nii.gz" for k in (1, 2)]
T2 = C.DATA / "mr" / "brainchop-t1" / "M2265_T2w.nii.gz"


def reference(name, image, work):
    """{1: left, 2: right} masks: AAL's on Colin27, the teacher's halves (cached) on brainchop's T1."""
    if name == "colin27":
        aal = ras(MRICRON / "aal.nii.gz")[0]
        return {1: aal == 37, 2: aal == 38}
    file = work / "accept_t1.npz"
    if not file.exists():
        np.savez_compressed(file, label=taught(image, 2))
    hippo = np.load(file)["label"] == HIPPOCAMPUS
    x, middle = np.arange(image.shape[0])[:, None, None], np.argwhere(hippo)[:, 0].mean()
    return {1: hippo & (x < middle), 2: hippo & (x >= middle)}


def picture(image, label, centre, path):
    """Three planes through a centre, labels in colour beside the plain image."""
    grey = (np.clip(image / np.percentile(image, 99.8), 0, 1) * 255).astype(np.uint8)
    rgb = np.repeat(grey[..., None], 3, -1)
    for value, colour in ((1, (255, 60, 60)), (2, (60, 255, 60))):
        rgb[label == value] = colour
    c, tiles = np.round(centre).astype(int), []
    for both in (rgb, np.repeat(grey[..., None], 3, -1)):
        for plane in (both[c[0]], both[:, c[1]], both[:, :, c[2]]):
            tile = Image.fromarray(np.ascontiguousarray(plane.transpose(1, 0, 2)[::-1]))
            tiles.append(np.asarray(tile.resize((360, 360))))
    Image.fromarray(np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])])).save(path)


def head(name, file, nets, work, truth=True):
    """Per side: found, distance to the reference (mm), ml and Dice with the reference; a picture in work."""
    image, spacing = ras(file)
    marks, rows = reference(name, image, work) if truth else {}, []
    total = np.zeros(image.shape, np.uint8)
    for side, hit in P.locate(nets[0], image, spacing).items():
        row = {"head": name, "side": ["", "left", "right"][side], "found": bool(P.passes(hit))}
        if hit:
            row.update(probability=round(hit[1], 3), locator_ml=round(hit[2], 2), centre=hit[0].round(1).tolist())
        if P.passes(hit) and np.allclose(spacing, 1, atol=0.05):
            crop, start = P.box_at(image, hit[0])
            label = P.labelled(nets[1], crop)
            inside = tuple(slice(max(0, s), s + n) for s, n in zip(start, label.shape))
            total[inside] = label[tuple(slice(max(0, -s), None) for s in start)]
            row.update(ml=round(float((label > 0).sum()) / 1000, 2), anterior_ml=round((label == 1).sum() / 1000, 2))
            if truth:
                centre = np.argwhere(marks[side]).mean(0)
                mine = np.zeros(image.shape, bool)
                mine[inside] = label[tuple(slice(max(0, -s), None) for s in start)] > 0
                row.update(distance_mm=round(float(np.linalg.norm(centre - hit[0])), 2),
                           reference_ml=round(marks[side].sum() / 1000, 2), dice=round(C.dice(mine, marks[side]), 3))
            picture(image, total, hit[0], work / f"accept_{name}_{row['side']}.png")
        rows.append(row)
        print(row, flush=True)
    return rows


def acceptance(folder, work):
    """Result rows for the card."""
    nets = (P.session("mr.hippocampus_locator", folder), P.session("mr.hippocampus"))
    rows = head("colin27", MRICRON / "ch2.nii.gz", nets, work) + head("t1_crop", T1, nets, work)
    t2 = head("t2", T2, nets, work, truth=False)
    flair = [r for k, f in enumerate(FLAIRS, 1) for r in head(f"flair{k}", f, nets, work, truth=False)]
    command = "python train/mr.hippocampus_locator/accept.py"
    data = "Colin27 (reference: AAL) and brainchop-t1/t1_crop (reference: MeshNet teacher), both sides"
    gap = [r.get("distance_mm", 999.0) for r in rows]
    return [C.result("mr.hippocampus_locator.distance", data, "largest distance of a centre, mm", gap, command, np.max),
            C.result("mr.hippocampus_locator.volume", data, "smallest volume of the crop net at the found place, ml",
                     [r.get("ml", 0.0) for r in rows], command, np.min),
            C.result("mr.hippocampus_locator.volume_max", data, "largest volume of the crop net there, ml",
                     [r.get("ml", 0.0) for r in rows], command, np.max),
            C.result("mr.hippocampus_locator.t2_gate", "brainchop-t1/M2265_T2w (stroke T2)",
                     "hippocampi found (must be 0)", [float(sum(r["found"] for r in t2))], command),
            C.result("mr.hippocampus_locator.flair_gate", "open-ms-lesion patient12 FLAIR, two visits (never taught)",
                     "sides found in the worse visit (must be 0)",
                     [float(sum(r["found"] for r in flair[k:k + 2])) for k in (0, 2)], command, np.max)]


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--out", type=Path, default=C.MODELS / "mr.hippocampus_locator")
    p.add_argument("--work", type=Path, default=Path("/tmp/penta-train"))
    a = p.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    for r in acceptance(a.out, a.work):
        print(r)
