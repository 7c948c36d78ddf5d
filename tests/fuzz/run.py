"""Runs every fuzz target for some seconds, from small seeds that are made here."""
import os
import subprocess

from fuzz import seeds
from tally import ROOT

LAYERS = ("core", "image", "modality", "io", "nn", "recon", "evaluate", "render", "tasks", "engine", "server")


def targets():
    """Names of the fuzz targets: one for each *_fuzz.cpp of a layer."""
    return sorted(file.stem for layer in LAYERS for file in (ROOT / layer).rglob("*_fuzz.cpp"))


def run(tally, seconds):
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:alloc_dealloc_mismatch=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
    for target in targets():
        tally.section(target)
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
        fault = f"exit code {code}; inputs kept in {found}\n" + "\n".join(lines[-40:]) if code else None
        tally.add(f"fuzz {target}: {runs} inputs in {seconds} s", fault)
