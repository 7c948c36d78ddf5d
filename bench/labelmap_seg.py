#!/usr/bin/env python3
"""A LABELMAP segmentation of 100 segments on 512 x 512 x 400: seconds and size, best of N runs.

usage: labelmap_seg.py [PENTA] [--repeats 5]
Runs the test DicomLabelmap.hundred_segments_in_time_and_size of io_tests beside PENTA (default build/release/penta),
which writes labels in memory to bytes on 2 threads, reads them back and compares the voxels. Limits of an idle 2-core machine: 3 s, 30 MB.
The last line is 'N passed, N failed, N skipped'.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT_S, LIMIT_MB = 3.0, 30.0
TEST = "DicomLabelmap.hundred_segments_in_time_and_size"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("penta", nargs="?", type=pathlib.Path, default=ROOT / "build/release/penta")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for _ in range(options.repeats):
        done = subprocess.run([options.penta.resolve().parent / "io_tests", "--gtest_filter=" + TEST], capture_output=True, text=True)
        found = re.search(r"written in (\S+) s, (\S+) MB, read in (\S+) s", done.stdout)
        if done.returncode != 0 or not found:
            print(done.stdout[-500:] + done.stderr[-500:])
            print("0 passed, 1 failed, 0 skipped")
            sys.exit(1)
        rows.append([float(value) for value in found.groups()])
    seconds, size, read = (min(row[k] for row in rows) for k in range(3))
    print(f"LABELMAP of 100 segments, 512 x 512 x 400: written in {seconds:.2f} s (limit {LIMIT_S:g}), "
          f"{size:.1f} MB (limit {LIMIT_MB:g}), read in {read:.2f} s")
    good = seconds <= LIMIT_S and size <= LIMIT_MB
    print("1 passed, 0 failed, 0 skipped" if good else "0 passed, 1 failed, 0 skipped")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
