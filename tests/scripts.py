"""Runs the Python scripts that judge us against other programs: tests/peers/ and bench/."""
import os
import re
import subprocess
import time

from tally import DATA, PENTA, ROOT

LIMIT_S = 1800
# Only by name (--peers=nnunet): they need torch.
BY_NAME = ("nnunet", "monai")
LAST_LINE = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$")


def run_scripts(tally, folder, only=""):
    """Every script of a folder that starts with #!, by the pinned environment; its last line says what became of it."""
    made = subprocess.run([ROOT / "tools" / "peers.sh"], stdout=subprocess.PIPE, text=True)
    if made.returncode != 0:
        tally.add("the environment of the peers", "tools/peers.sh failed, see above")
        return
    for script in sorted((ROOT / folder).glob("*.py")):
        by_name = script.stem.startswith(BY_NAME) and not only.startswith(BY_NAME)
        if only in script.stem and not by_name and script.read_text().startswith("#!"):
            run_script(tally, script, made.stdout.strip())


def run_script(tally, script, python):
    name = script.relative_to(ROOT).as_posix()
    tally.section(name)
    begin = time.monotonic()
    try:
        done = subprocess.run([python, script, PENTA], cwd=ROOT, timeout=LIMIT_S, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={**os.environ, "PENTA_DATA": str(DATA)})
    except subprocess.TimeoutExpired:
        tally.add(name, f"stopped after {LIMIT_S} s")
        return
    print(done.stdout, end="", flush=True)
    lines = done.stdout.splitlines()
    found = LAST_LINE.match(lines[-1]) if lines else None
    if not found:
        tally.add(name, f"its last line is not 'N passed, N failed, N skipped' (exit code {done.returncode})")
        return
    passed, failed, skipped = map(int, found.groups())
    tally.passed += max(passed - 1, 0)
    for i in range(skipped):
        tally.skip(f"{name} {i + 1}", "see above")
    fault = f"{failed} failed, see above" if failed else None if done.returncode == 0 else f"exit code {done.returncode}"
    if passed or fault:
        tally.add(name, fault, time.monotonic() - begin)
    tally.failures += [name] * max(failed - 1, 0)
