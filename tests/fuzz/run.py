"""Runs every fuzz target for some seconds, from small seeds that are made here."""
import os
import subprocess
from concurrent import futures

from fuzz import seeds
from tally import ROOT

LAYERS = ("core", "image", "modality", "io", "nn", "recon", "evaluate", "render", "tasks", "engine", "server")


def targets():
    """Names of the fuzz targets: one for each *_fuzz.cpp of a layer."""
    return sorted(file.stem for layer in LAYERS for file in (ROOT / layer).rglob("*_fuzz.cpp"))


def run_one(target, seconds):
    """What became of one target: (inputs tried, fault or None)."""
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:alloc_dealloc_mismatch=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    corpus, found = ROOT / "build" / "fuzz" / "corpus" / target, ROOT / "build" / "fuzz" / "found" / target
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    seeds.make(target, corpus)
    kept = ROOT / "tests" / "fuzz" / "kept" / target
    log = ROOT / "build" / "fuzz" / f"{target}.log"
    with open(log, "w") as output:
        code = subprocess.run([ROOT / "build" / "fuzz" / target, f"-max_total_time={seconds}", "-rss_limit_mb=2560", "-timeout=20",
                               "-max_len=65536", "-print_final_stats=1", f"-artifact_prefix={found}/", corpus, *([kept] if kept.is_dir() else [])],
                              cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, timeout=seconds + 300).returncode
    lines = log.read_text(errors="replace").splitlines()
    runs = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
    return runs, f"exit code {code}; inputs kept in {found}\n" + "\n".join(lines[-40:]) if code else None


def run(tally, seconds):
    """Each target has a core to itself."""
    tally.section("fuzzing")
    with futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        names = targets()
        for target, (runs, fault) in zip(names, pool.map(lambda name: run_one(name, seconds), names)):
            tally.add(f"fuzz {target}: {runs} inputs in {seconds} s", fault)
