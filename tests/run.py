#!/usr/bin/env python3
"""The tiers of ./test (design.md, 'Tests say a truth'); called by it once the machine is set up."""
import os
import subprocess
import sys

import browser.ohif
import browser.run
import cells.run
import fuzz.run
import programs
import report.check
import scripts
import shell
import soak.run
from tally import PENTA, ROOT, Tally

CHECKS = ["tools/check_layers.py", "tools/check_cards.py", "tools/check_names.py", "tools/size.py",
          "tools/check_third_party.py", "tools/check_vendors.py", "tools/cells.py --check"]


def build(tally, preset, targets=()):
    """Builds a preset; a failure is a failed test and ends the tier."""
    tally.section(f"building {preset}")
    done = subprocess.run([ROOT / "tools" / "build.sh", preset, *targets])
    tally.add(f"build {preset}", None if done.returncode == 0 else "see above")
    return done.returncode == 0


def make_samples(tally):
    made = subprocess.run([ROOT / "tools" / "samples.sh", ROOT / "build" / "samples", PENTA], capture_output=True, text=True)
    tally.add("sample studies", None if made.returncode == 0 else made.stdout + made.stderr)
    return made.returncode == 0


def default_tier(tally):
    programs.run_checks(tally, CHECKS)
    programs.run_python_tests(tally, "tools")
    if not build(tally, "release"):
        return
    programs.run_layer_tests(tally, "build/release")
    make_samples(tally)
    programs.run_python_tests(tally, "server")
    shell.run_cli(tally)
    shell.run_documents(tally)
    report.check.run(tally)
    cells.run.run(tally)


def sanitize_tier(tally):
    # OpenVINO and TBB keep memory until the process ends, which the leak checker takes for ours.
    quiet = {"ASAN_OPTIONS": "detect_leaks=0:alloc_dealloc_mismatch=0", "UBSAN_OPTIONS": "print_stacktrace=1",
             "TBB_ENABLE_SANITIZERS": "1"}           # else TBB opens its helper in a way that the checker refuses
    if build(tally, "dev"):
        programs.run_layer_tests(tally, "build/dev", {**quiet, "PENTA_SANITIZED": "1"})


def main():
    tier, *rest = sys.argv[1:] or [""]
    os.chdir(ROOT)
    tally = Tally()
    if tier == "":
        default_tier(tally)
    elif tier == "--sanitize":
        sanitize_tier(tally)
    elif tier == "--fuzz":
        if build(tally, "fuzz", fuzz.run.targets()):
            fuzz.run.run(tally, int(rest[0]) if rest else 20)
    elif tier == "--browser":
        if build(tally, "release", ["penta"]) and make_samples(tally):
            browser.run.run(tally)
            browser.ohif.run(tally)
    elif tier == "--soak":
        if build(tally, "release", ["penta"]) and make_samples(tally):
            soak.run.run(tally, int(rest[0]) if rest else 60)
    elif tier == "--bench" or tier.split("=")[0] == "--peers":
        programs_of_ours = ["dicom_frames", "dicom_objects", "dicom_index", "dimse_server", "bench_nn_window", "bench_store"]
        if build(tally, "release") and build(tally, "release", programs_of_ours):
            scripts.run_scripts(tally, "bench" if tier == "--bench" else "tests/peers", tier.partition("=")[2])
    else:
        print(f"{tier}: not built yet")
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())
