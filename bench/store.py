#!/usr/bin/env python3
"""Instances a second into the archive beside plain writing with an fsync each, of 500 CT slices of 512 KiB; and how long
searches of a catalogue of 100,000 instances take (95th of 100 percent). In one run on one disk: the ratio counts.

usage: store.py [PENTA]
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy

import series

FILES, INSTANCES, FLOOR_MS = 500, 100_000, 30


def main():
    penta = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/release/penta")
    program = penta.resolve().parent / "bench_store"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "in").mkdir()
        for z in range(FILES):
            noise = numpy.random.default_rng(z).integers(-1000, 1000, (series.SIDE, series.SIDE))
            data = series.data_set(z, noise.astype("<i2"))
            data.save_as(folder / "in" / f"{z:04}.dcm", enforce_file_format=True)
        print(subprocess.run([program, folder / "in", folder / "work"], check=True, capture_output=True, text=True).stdout, end="")
        asked = subprocess.run([program, "--search", str(INSTANCES), folder / "work"], check=True, capture_output=True, text=True).stdout
        print(asked, end="")
    times = [float(line.split(": ")[1].split()[0]) for line in asked.splitlines() if " ms" in line]
    slow = sum(time > FLOOR_MS for time in times)
    print(f"{len(times) - slow} passed, {slow} failed, 0 skipped")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
