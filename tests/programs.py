"""Runs the GoogleTest programs of the layers and the Python tests of the tools."""
import json
import os
import re
import subprocess
import time
import unittest

from tally import NOT_HERE, ROOT

LIMIT_S = 900


def run_layer_tests(tally, folder, environment=None):
    """Every <layer>_tests program of a build folder, from the root of the repository."""
    results = ROOT / folder / "test-results"
    results.mkdir(parents=True, exist_ok=True)
    for program in sorted((ROOT / folder).glob("*_tests")):
        tally.section(program.name)
        answer = results / f"{program.name}.json"
        answer.unlink(missing_ok=True)
        with open(results / f"{program.name}.log", "w+") as log:
            try:
                code = subprocess.run([program, f"--gtest_output=json:{answer}"], cwd=ROOT, timeout=LIMIT_S, stdout=log,
                                      stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}).returncode
            except subprocess.TimeoutExpired:
                code = f"stopped after {LIMIT_S} s"
            log.seek(0)
            count_layer(tally, program.name, answer, code, log.read())


def count_layer(tally, name, answer, code, log):
    tail = "\n".join(log.splitlines()[-25:])
    if not answer.is_file():
        tally.add(name, f"ended without an answer (exit code {code}):\n{tail}")
        return
    failed = 0
    for suite in json.loads(answer.read_text())["testsuites"]:
        for test in suite["testsuite"]:
            label = f"{name}: {suite['name']}.{test['name']}"
            if test.get("result") == "SKIPPED":
                tally.skip(label, skip_reason(f"{suite['name']}.{test['name']}", log))
            elif test.get("failures"):
                failed += 1
                tally.add(label, test["failures"][0]["failure"])
            else:
                tally.add(label, seconds=float(test["time"].rstrip("s")))
    if code != 0 and failed == 0:
        tally.add(name, f"exit code {code} although no test failed:\n{tail}")


def skip_reason(name, log):
    """What a test said when it skipped: GoogleTest 1.12 tells it in its log only."""
    found = re.search(rf"^\[ RUN      \] {re.escape(name)}\n(.*?)^\[  SKIPPED \] ", log, re.M | re.S)
    text = found.group(1) if found else ""
    return " ".join(line for line in text.splitlines() if not line.endswith("Skipped")).strip() or f"{NOT_HERE} (no reason given)"


class Counting(unittest.TestResult):
    def __init__(self, tally):
        super().__init__()
        self.tally = tally

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def addSuccess(self, test):
        self.tally.add(test.id(), seconds=time.monotonic() - self.began)

    def addFailure(self, test, err):
        self.tally.add(test.id(), self._exc_info_to_string(err, test))

    addError = addFailure

    def addSkip(self, test, reason):
        self.tally.skip(test.id(), reason)


def run_python_tests(tally, folder):
    """tests/<folder>/*_test.py by unittest."""
    tally.section(f"tests/{folder}")
    suite = unittest.TestLoader().discover(str(ROOT / "tests" / folder), pattern="*_test.py")
    suite.run(Counting(tally))


def run_checks(tally, commands):
    """Each command is one test: its exit code says whether it passed."""
    tally.section("checks")
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
        tally.add(command, None if done.returncode == 0 else done.stdout + done.stderr)
