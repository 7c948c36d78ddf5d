#!/usr/bin/env python3
"""Peak memory of a segmentation of 512 x 512 x 800 voxels with 117 classes, from file to file.

usage: nn_memory.py [PENTA] [--work FOLDER] [--whole] [--precision f32|bf16] [--classes N] [--widths N,...] [--patch N]
A random network of nnU-Net's shape (32 features first, patch 128^3, 1.5 mm) on a random CT, `penta segment --memory-gb 4`.
The budget bounds what the process may map, whether it touches it or not, and all sums are mapped before the first window,
so that it is enough to run the network where the CT is not empty (one corner) and to skip the rest, unless --whole is
given. In float32, or --precision bf16. A budget that is too small (3 GiB) must be refused with exit code 6 and a sentence.
The last line is 'N passed, N failed, N skipped'.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

import nn_net

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUDGET_GB, REFUSED_GB = 4, 3
SIZE, SPACING_MM = (512, 512, 800), (0.8, 0.8, 1.0)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("penta", nargs="?", default=ROOT / "build" / "release" / "penta")
    args.add_argument("--work")
    args.add_argument("--whole", action="store_true")
    args.add_argument("--classes", type=int, default=117)
    args.add_argument("--widths", default="32,64,128,256,320,320")
    args.add_argument("--precision", default="f32")
    args.add_argument("--patch", type=int, default=128)
    given = args.parse_args()
    if not nn_net.available():
        print("torch or onnx is not here\n0 passed, 0 failed, 1 skipped")
        return 0
    work = pathlib.Path(given.work or tempfile.mkdtemp())
    widths = [int(w) for w in given.widths.split(",")]
    net = nn_net.network(given.classes, widths)
    nn_net.write_bundle(work / "models" / "ct.random", net, given.classes, given.patch, spacing_mm=[1.5] * 3,
                        skip_empty=not given.whole, precision=given.precision)
    image = work / ("whole.nii.gz" if given.whole else "part.nii.gz")
    if not image.exists():
        nn_net.write_nifti(image, nn_net.ct(SIZE, SPACING_MM, given.whole), SPACING_MM)
    environment = {**os.environ, "PENTA_MODELS": str(work / "models")}

    def segment(budget_gb):
        return subprocess.run([given.penta, "segment", "ct.random", image, "-o", work / "out", "--memory-gb", str(budget_gb), "--quiet"],
                              env=environment, stderr=subprocess.PIPE, text=True)

    refused = segment(REFUSED_GB) if given.precision == "f32" else None
    done = segment(BUDGET_GB)
    if done.returncode != 0:
        print(f"penta: exit code {done.returncode}: {done.stderr.strip()}\n0 passed, 1 failed, 0 skipped")
        return 1
    run = json.loads((work / "out" / "run.json").read_text())
    peak = run["peak_memory_mib"] / 1024
    print(f"{SIZE[0]} x {SIZE[1]} x {SIZE[2]} int16, {given.classes} classes, {'all of it' if given.whole else 'one corner of it'}: "
          f"peak {peak:.2f} GiB inside --memory-gb {BUDGET_GB}, {run['seconds']:.0f} s")
    right = [peak <= BUDGET_GB]
    if refused:
        print(f"--memory-gb {REFUSED_GB}: exit code {refused.returncode}: {refused.stderr.strip()}")
        right.append(refused.returncode == 6 and "memory" in refused.stderr)
    print(f"{sum(right)} passed, {len(right) - sum(right)} failed, 0 skipped")
    return 0 if all(right) else 1


if __name__ == "__main__":
    raise SystemExit(main())
