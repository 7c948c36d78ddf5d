#!/usr/bin/env python3
"""best.py LIMIT_S TRIES [--memory-mib N] COMMAND...: the fastest of some runs must be within the limit."""
import resource
import subprocess
import sys
import time

limit_s, tries, *command = sys.argv[1:]
memory_mib = None
if command[0] == "--memory-mib":
    memory_mib, command = float(command[1]), command[2:]
best_s = None
for _ in range(int(tries)):
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - begin
    best_s = seconds if best_s is None else min(best_s, seconds)
peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"best of {tries}: {best_s:.3f} s (limit {limit_s} s), peak {peak_mib:.0f} MiB (limit {memory_mib} MiB)")
sys.exit(best_s > float(limit_s) or (memory_mib is not None and peak_mib > memory_mib))
