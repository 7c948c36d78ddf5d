#!/usr/bin/env python3
"""Seconds of a sliding window, and its share of the processor's peak FLOP/s, measured in the same run.

usage: nn_window.py [PENTA] [--model ID] [--size N] [--repeats N]
Runs bench_nn_window (beside PENTA) with a network of models/ on a noisy phantom of N^3 voxels; the best repeat counts. The
FLOP are those of the convolutions as plain sums: where fewer are done (Winograd), the share can pass 100 %. The last line is
'N passed, N failed, N skipped'.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    args = argparse.ArgumentParser()
    args.add_argument("penta", nargs="?", default=ROOT / "build" / "release" / "penta")
    args.add_argument("--model", default="mr.brain")
    args.add_argument("--size", type=int, default=128)
    args.add_argument("--repeats", type=int, default=2)
    given = args.parse_args()
    program = pathlib.Path(given.penta).parent / "bench_nn_window"
    try:
        import nn_net
    except ImportError as missing:
        print(f"{missing.name} is not here\n0 passed, 0 failed, 1 skipped")
        return 0
    if not program.exists():
        print(f"{program} is not here (ninja bench_nn_window)\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        image = pathlib.Path(folder) / "image.nii.gz"
        nn_net.write_nifti(image, nn_net.ct((given.size,) * 3, (1.0,) * 3), (1.0,) * 3)
        command = [program, ROOT / "models", given.model, image, pathlib.Path(folder) / "labels.raw", str(given.repeats)]
        run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    looked_at = run["windows"] - run["skipped"]
    rate = run["gflop"] * looked_at / min(run["seconds"])
    share = rate / run["peak_gflops"] if run["peak_gflops"] else 0
    print(f"{given.model} on {given.size}^3: {min(run['seconds']):.2f} s, {looked_at} windows of {run['gflop']:.1f} GFLOP in "
          f"{'bf16' if run['bf16'] else 'f32'}: {rate:.0f} GFLOP/s, {share:.0%} of this processor's {run['peak_gflops']:.0f}")
    right = rate > 0 and (share > 0 or run["peak_gflops"] == 0)
    print(f"{int(right)} passed, {int(not right)} failed, 0 skipped")
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())
