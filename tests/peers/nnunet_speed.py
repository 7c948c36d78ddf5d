#!/usr/bin/env python3
"""Seconds and memory of an imported nnU-Net by `penta` against nnU-Net's own prediction on the CPU.

usage: nnunet_speed.py [PENTA] [--folders FOLDER] [--repeats N]        ./test --peers=nnunet_speed
A U-Net of 32 to 256 features in patches of 48^3, shortly trained on phantoms (nnunet_folders.py), one image of 72 x 64 x 56,
the same step (0.5), Gaussian and mirroring (all three axes), 2 threads each, interleaved, best of N. Of nnU-Net only the
prediction from file to file counts (not the start of Python); of penta the whole command. Memory is the highest resident
set. penta runs in bfloat16 where at least 99.9 % of its labels are then nnU-Net's, else in float32; both are printed.
Wanted: at least 3 times as fast, at most a third of the memory. Needs Python with nnunetv2 and torch (nnunet.py).
"""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from given import ROOT, parser_of
from nnunet import cases_of, imported, made, other_python, same_labels

LABELS, FASTER, MEMORY, THREADS = 0.999, 3.0, 1 / 3, 2

THEIRS = """
import resource, sys, time
sys.path.insert(0, sys.argv[1])
import pathlib, torch
torch.set_num_threads(int(sys.argv[5]))
from nnunet import predictor_of, theirs
predictor = predictor_of(pathlib.Path(sys.argv[2]))
begin, cpu = time.monotonic(), time.process_time()
theirs(predictor, [sys.argv[3]], pathlib.Path(sys.argv[4]))
print(time.monotonic() - begin, time.process_time() - cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def run_theirs(folder, image, out):
    """Seconds, processor seconds, MiB."""
    here = str(pathlib.Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", THEIRS, here, folder, image, out, str(THREADS)], capture_output=True, text=True, check=True)
    return [float(v) for v in done.stdout.splitlines()[-1].split()]


def run_ours(penta, store, name, image, out):
    words = [penta, "segment", name, image, "-o", out, "--set", "modality=MR", "--quiet", "--threads", str(THREADS)]
    begin = time.monotonic()
    process = subprocess.Popen(words, env={**os.environ, "PENTA_MODELS": str(store)}, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"penta segment ended with {status}")
    return [time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]


def best(rows):
    return [min(row[k] for row in rows) for k in range(3)]


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--folders", type=pathlib.Path, default=ROOT / "build/nnunet-folders")
    parser.add_argument("--repeats", type=int, default=2)
    given = parser.parse_args()
    if importlib.util.find_spec("nnunetv2") is None:
        return other_python()
    made(given.folders, "wide3d", 25)
    folder = given.folders / "wide3d"
    image = cases_of(given.folders / "wide3d.images")["new0"][0]
    with tempfile.TemporaryDirectory() as made_here:
        work = pathlib.Path(made_here)
        names = {p: imported(given.penta, folder, work / p, p) for p in ("bf16", "f32")}
        rows = {"nnU-Net": [], "bf16": [], "f32": []}
        for i in range(given.repeats):
            rows["nnU-Net"].append(run_theirs(folder, image, work / "theirs"))
            for p, name in names.items():
                rows[p].append(run_ours(given.penta, work / p, name, image, work / f"{p}-{i}"))
        peer = best(rows["nnU-Net"])
        print(f"nnU-Net: {peer[0]:.1f} s, {peer[1]:.1f} processor s, {peer[2]:.0f} MiB")
        chosen = None
        for p in names:
            share, dice, _ = same_labels(work / "theirs.nii.gz", work / f"{p}-0" / "labels.nii.gz")
            own = best(rows[p])
            print(f"penta {p}: {own[0]:.1f} s, {own[1]:.1f} processor s, {own[2]:.0f} MiB; {100 * share:.4f} % the same, Dice {dice:.5f}; "
                  f"{peer[0] / own[0]:.2f} times as fast ({peer[1] / own[1]:.2f} in processor time), {own[2] / peer[2]:.2f} of the memory")
            if chosen is None and share >= LABELS:
                chosen = (p, peer[0] / own[0], own[2] / peer[2])
        score = [0, 0]
        for text, right in ((f"labels agree in {chosen[0] if chosen else 'no precision'}", chosen is not None),
                            (f"speed, {FASTER} times", chosen is not None and chosen[1] >= FASTER),
                            ("memory, a third", chosen is not None and chosen[2] <= MEMORY)):
            score[0 if right else 1] += 1
            print(f"{'PASS' if right else 'FAIL'} {text}")
    print(f"{score[0]} passed, {score[1]} failed, 0 skipped")
    return 1 if score[1] else 0


if __name__ == "__main__":
    sys.exit(main())
