"""ct.nodule: is this dense spot in a lung a nodule? A small network on the 48 numbers of modality/ct/nodule.h.

No real nodule is here: nodules are drawn (insert.py) into drawn chests with vessel trees (chest.py), into ct.simulate's
(3 x 3 x 5 mm) and into the one chest CT that may teach (ct/elastix-ct). Numbers: leave one set out, each of the three tested
by a network that the others taught ("full" in any case: drawn chests of other seeds, with fuller hila and coarser voxels); the
shipped network, taught by all, on two real scans that are only tested on. Those two ask other questions under ids of their own:
one lung of ct/ibsi-phantoms' CT phantom has a mass and consolidation, so what is found beside the insertions may be disease, and
ct/totalsegmentator-examples shows lung bases only. ct.simulate draws without lesions of its own, whose truth nobody would count.
Nodules under 6 mm teach neither way: the number that is asked for counts those of 6 mm and more. The operating point of each row is that of the row itself (1 false positive a scan).
    python train/ct.nodule/train.py --penta build/release/penta [--work DIR] [--evaluate-only]
The volumes go through `penta detect ct.nodule --set numbers=true`, so the numbers are those of the method.
"""
import csv
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import nibabel
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
PENTA = sys.argv.pop(sys.argv.index("--penta") + 1) if "--penta" in sys.argv else "build/release/penta"
if "--penta" in sys.argv:
    sys.argv.remove("--penta")
import chest
import common as C
import insert

NAME, COMMAND = "ct.nodule", "python train/ct.nodule/train.py --evaluate-only"
CT = C.DATA / "ct"
#       name: (how many volumes, nodules in each, first seed)
SETS = {"elastix": (12, 6, 3000), "drawn": (10, 9, 1000), "simulated": (11, 6, 6000), "ibsi": (8, 5, 4000),
        "totalsegmentator": (4, 3, 5000)}
MORE = {"full": (18, 20, 1200)}  # only taught with
TEACH = ["elastix", "drawn", "simulated"]
REQUIREMENTS = {"simulated": "ct.nodule.thick_slices", "ibsi": "ct.nodule.diseased_lung", "totalsegmentator": "ct.nodule.lung_bases"}
TEXTS = {"drawn": "insertions into drawn chests with vessels (simulated; left out of teaching, chests of another drawing taught)",
         "elastix": "insertions into ct/elastix-ct (real, one lung; left out of teaching)",
         "simulated": "insertions into ct.simulate without lesions (simulated, 3 x 3 x 5 mm; left out of teaching)",
         "ibsi": "insertions into ct/ibsi-phantoms CT phantom (real, one lung with a mass and consolidation; taught nothing)",
         "totalsegmentator": "insertions into ct/totalsegmentator-examples (real, lung bases at 3 mm; taught nothing)"}
NUMBERS, NETS, WIDTH, TAUGHT_MM = 48, 5, 48, 6.0


def mha(path):
    """([z, y, x], (z, y, x) mm) of a MetaImage whose axes are L, P, S."""
    raw = Path(path).read_bytes()
    head, _, data = raw.partition(b"ElementDataFile = LOCAL")
    words = dict(line.split(" = ", 1) for line in head.decode().splitlines() if " = " in line)
    data = data[data.index(b"\n") + 1:]
    if words.get("CompressedData") == "True":
        data = zlib.decompress(data)
    kind = {"MET_SHORT": np.int16, "MET_UCHAR": np.uint8, "MET_FLOAT": np.float32}[words["ElementType"].strip()]
    size = [int(v) for v in words["DimSize"].split()]
    return np.frombuffer(data, kind).reshape(size[::-1]), [float(v) for v in words["ElementSpacing"].split()][::-1]


def nifti(path):
    image = nibabel.as_closest_canonical(nibabel.load(path))
    a = np.asarray(image.dataobj)[::-1, ::-1].transpose(2, 1, 0)
    return a, [float(v) for v in image.header.get_zooms()[:3]][::-1]


def save(path, a, spacing):
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1])
    nibabel.save(nibabel.Nifti1Image(a.transpose(2, 1, 0), affine), path)


def penta(work, *words):
    subprocess.run([PENTA, *map(str, words), "-o", work, "--quiet"], check=True, stdout=subprocess.DEVNULL)


def lungs_of(work, hu, spacing):
    save(work / "scan.nii.gz", hu.astype(np.int16), spacing)
    penta(work / "lungs", "segment", "ct.lungs", work / "scan.nii.gz", "--set", "modality=CT")
    return nifti(work / "lungs" / "labels.nii.gz")[0]


def spots(work, hu, spacing):
    """[n, 4 + 48]: x, y, z, radius in mm, then the numbers."""
    save(work / "scan.nii.gz", np.round(hu).astype(np.int16), spacing)
    penta(work / "spots", "detect", "ct.nodule", work / "scan.nii.gz", "--set", "modality=CT", "--set", "numbers=true")
    with open(work / "spots" / "numbers.csv") as f:
        return np.array([[float(v) for v in row] for row in list(csv.reader(f))[1:]], np.float32).reshape(-1, 4 + NUMBERS)


def base(name, seed, work):
    """(HU, spacing) of a scan to insert into."""
    if name in ("drawn", "full"):
        hu, _, _, spacing = chest.chest(np.random.default_rng(seed), full=name == "full")
        return hu, list(spacing)
    if name == "elastix":
        return mha(CT / "elastix-ct" / "Baselines" / "3DCT_lung.mha")
    if name == "simulated":
        penta(work / "sim", "generate", "ct.simulate", "--seed", seed, "--set", "lesions=0")
        return nifti(work / "sim" / "image.nii.gz")
    folder = {"ibsi": CT / "ibsi-phantoms" / "ibsi_1_ct_radiomics_phantom" / "nifti" / "image" / "phantom.nii.gz",
              "totalsegmentator": CT / "totalsegmentator-examples" / "example_ct.nii.gz"}
    return nifti(folder[name])


def volumes(name, work):
    """[(spots, nodules)] of a set, kept in the work folder."""
    count, each, first = {**SETS, **MORE}[name]
    file = work / f"nodule_{name}.npz"
    if not file.exists():
        out, lungs = [], None
        for k in range(count):
            hu, spacing = base(name, first + k, work)
            if lungs is None or name in ("drawn", "full", "simulated"):
                lungs = lungs_of(work, hu, spacing)
            changed, nodules = insert.insert(hu, lungs, spacing, each, np.random.default_rng(first + k))
            rows = [[n["centre"][2] * spacing[2], n["centre"][1] * spacing[1], n["centre"][0] * spacing[0], n["diameter"],
                     insert.KINDS.index(n["kind"]), insert.PLACES.index(n["place"])] for n in nodules]
            out += [spots(work, changed, spacing), np.array(rows, np.float32).reshape(-1, 6)]
            print(name, k, len(out[-2]), len(rows), flush=True)
        np.savez(file, *out)
    z = np.load(file)
    return [(z[f"arr_{2 * k}"], z[f"arr_{2 * k + 1}"]) for k in range(count)]


def distances(s, nodules):
    return np.linalg.norm(s[:, None, :3] - nodules[None, :, :3], axis=2) if len(nodules) else np.full((len(s), 1), 1e9)


def judge_of(sets, left_out=""):
    """The network taught by all that may teach but one set."""
    return taught([v for name in [*TEACH, *MORE] if name != left_out for v in sets[name]])


def taught(sets, seed=0):
    """A network for the spots of some sets: hit = within the radius (at least 3 mm) of a nodule of TAUGHT_MM; what is near any
    nodule and no hit teaches nothing."""
    x, y = [], []
    for s, nodules in sets:
        d = distances(s, nodules)
        reach = np.maximum(nodules[:, 3] / 2, 3) if len(nodules) else np.ones(1)
        large = nodules[:, 3] >= TAUGHT_MM if len(nodules) else np.zeros(1, bool)
        hit, near = ((d <= reach) & large).any(1), (d <= 1.5 * reach + 3).any(1)
        use = (hit | ~near) & (2 * s[:, 3] >= 4)
        x.append(s[use, 4:])
        y.append(hit[use])
    x, y = np.concatenate(x), np.concatenate(y).astype(np.float32)
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    nets = [one(x, y, mean, deviation, 10 * seed + k) for k in range(NETS)]
    print(f"taught on {len(y)} spots, {int(y.sum())} of nodules", flush=True)
    return Mean(nets).eval()


class Mean(torch.nn.Module):
    """The mean of the answers of several networks."""

    def __init__(self, nets):
        super().__init__()
        self.nets = torch.nn.ModuleList(nets)

    def forward(self, x):
        return sum(net(x) for net in self.nets) / len(self.nets)


def one(x, y, mean, deviation, seed, steps=800, batch=1024):
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(NUMBERS, WIDTH), torch.nn.Tanh(), torch.nn.Dropout(0.15), torch.nn.Linear(WIDTH, 1))
    opt = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=0.02)
    a, b = torch.tensor((x - mean) / deviation), torch.tensor(y)
    for step in range(steps):
        for g in opt.param_groups:
            g["lr"] = 5e-3 * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        pick = torch.randint(0, len(a), (batch,))
        seen = a[pick] + 0.2 * torch.randn(batch, a.shape[1])
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(seen)[:, 0], b[pick])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():  # the standardising goes into the first layer
        net[0].bias -= net[0].weight @ torch.tensor(mean / deviation)
        net[0].weight /= torch.tensor(deviation)
    return net


def listed(s, score):
    """[score, x, y, z] of what the method would list, best first: spots that touch a better one (1.25 times both radii) are
    of its group; the centre is the mean, weighted by radius, of those with at least 0.7 of its score."""
    groups = []
    for k in np.argsort(-score, kind="stable"):
        if 2 * s[k, 3] < 4:
            continue
        near = next((g for g in groups if np.linalg.norm(s[k, :3] - s[g[0], :3]) < 1.25 * (s[k, 3] + s[g[0], 3])), None)
        if near is None:
            groups.append([k])
        elif score[k] >= 0.7 * score[near[0]]:
            near.append(k)
    rows = [[score[g[0]], *np.average(s[g, :3], axis=0, weights=s[g, 3])] for g in groups]
    return np.array(rows, np.float64).reshape(-1, 4)


def froc(net, sets, smallest=6.0):
    """(score of each nodule of at least `smallest` mm, or -1; scores of false positives; nodule rows)."""
    best, false, rows = [], [], []
    for s, nodules in sets:
        with torch.no_grad():
            score = 1 / (1 + np.exp(-net(torch.tensor(s[:, 4:])).numpy()[:, 0])) if len(s) else np.zeros(0)
        found = listed(s, score)
        d = distances(found[:, 1:], nodules)
        reach = np.maximum(nodules[:, 3] / 2, 3) if len(nodules) else np.ones(1)
        hit = d <= reach if len(nodules) else np.zeros((len(found), 0), bool)
        false += list(found[~hit.any(1), 0])
        for j in range(len(nodules)):
            if nodules[j, 3] >= smallest:
                best.append(max(found[hit[:, j], 0], default=-1.0))
                rows.append(nodules[j])
    return np.array(best), np.sort(np.array(false))[::-1], np.array(rows)


def at_one(net, sets):
    """(hits [n], threshold, nodule rows) where there is 1 false positive a scan."""
    best, false, rows = froc(net, sets)
    threshold = false[len(sets)] + 1e-9 if len(false) > len(sets) else 0.0
    return (best >= threshold).astype(float), float(threshold), rows


def tell(name, hits, threshold, rows):
    parts = [f"{k} {hits[rows[:, 4] == i].mean():.2f}" for i, k in enumerate(insert.KINDS) if (rows[:, 4] == i).any()]
    parts += [f"{k} {hits[rows[:, 5] == i].mean():.2f}" for i, k in enumerate(insert.PLACES) if (rows[:, 5] == i).any()]
    print(f"{name}: {hits.mean():.3f} of {len(hits)} at score {threshold:.3f};", ", ".join(parts), flush=True)


def main():
    args = C.arguments(NAME, 0, 0)
    sets = {name: volumes(name, args.work) for name in [*SETS, *MORE]}
    split = {"leave one out": TEACH, "tested only": [n for n in SETS if n not in TEACH],
             "taught only": [*MORE], "sets": {**SETS, **MORE}}
    (Path(__file__).parent / "split.json").write_text(json.dumps(split, indent=0) + "\n")
    if not args.evaluate_only:
        C.export(judge_of(sets), [2, NUMBERS], args.out / "model.onnx", half=False)
    shipped = C.OnnxNet(args.out / "model.onnx")
    results, thresholds = [], []
    for name in SETS:
        judge = judge_of(sets, name) if name in TEACH else shipped
        hits, threshold, rows = at_one(judge, sets[name])
        tell(name, hits, threshold, rows)
        thresholds += [threshold] if name in TEACH else []
        requirement = REQUIREMENTS.get(name, "ct.detection.nodules")
        results.append(C.result(requirement, TEXTS[name], "sensitivity at 1 false positive a scan", hits, COMMAND))
    C.write_card(args.out, card(results, float(np.min(thresholds))))
    to_detection_card(results, float(np.min(thresholds)))


def to_detection_card(results, threshold):
    """Results and the default score onto the method's card; its exact row stays."""
    file = C.HERE.parent / "tasks" / "detection" / "ct_nodule.card.json"
    text = file.read_text()
    rows = [r for r in json.loads(text)["results"] if r["class"] == "E"] + results
    head = text[:text.index('  "results": [')]
    head = re.sub(r'("name": "score_min".*?"default": )[0-9.]+', lambda m: m[1] + str(round(threshold, 3)), head)
    file.write_text(head + '  "results": [\n' + ",\n".join("    " + json.dumps(r) for r in rows) + "\n  ]\n}\n")


def card(results, threshold):
    return {
        "id": NAME, "task": "detection", "modalities": ["CT"],
        "title": "From 48 numbers of a dense spot in a lung: nodule or not.",
        "evidence_note": "Simulated insertion: drawn nodules in drawn chests and in one real chest CT taught it; no real nodule did.",
        "architecture": f"mean of {NETS} perceptrons {NUMBERS}-{WIDTH}-1", "score_min": round(threshold, 3),
        "training_data": [
            {"name": "drawn chests (train/ct.nodule/chest.py) and ct.simulate's, with drawn nodules", "licence": "Apache-2.0",
             "n": SETS["drawn"][0] + SETS["simulated"][0] + MORE["full"][0], "use": "training"},
            {"name": "elastix test data, lung CT, with drawn nodules", "licence": "Apache-2.0", "n": SETS["elastix"][0], "use": "training"}],
        "weights_licence": "Apache-2.0",
        "intended_use": "Part of detection/ct.nodule. Research use, not a medical device.",
        "not_for": ["diagnosis"],
        "known_failures": ["voxels of 3 x 3 x 5 mm: small vessels cut across look like nodules", "branchings of vessels and hilar vessels cut across", "scars and consolidations with a round part"],
        "inputs": [{"role": "image", "kind": "image"}],
        "network": {
            "file": "model.onnx", "input": {"dims": 2, "axes": "yx", "normalise": {"kind": "none"}},
            "output": {"kind": "logits", "classes": ["nodule"]}, "used_by": ["detection/ct.nodule"]},
        "results": results,
    }


if __name__ == "__main__":
    main()
