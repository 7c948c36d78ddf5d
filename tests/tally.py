"""Counts passed, failed and skipped tests, and prints them as they come."""
import os
import pathlib
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = pathlib.Path(os.environ.get("PENTA_DATA", ROOT.parent / "shared" / "data"))
PENTA = ROOT / "build" / "release" / "penta"
NOT_HERE = "data not here"


def data_is_here():
    """Whether the shared data are there: then a test that misses its data is a failure."""
    return (DATA / "README.md").is_file()


class Tally:
    def __init__(self):
        self.passed, self.failures, self.skips = 0, [], []
        self.begin = time.monotonic()

    def section(self, name):
        print(f"\n-- {name} ({time.monotonic() - self.begin:.0f} s)", flush=True)

    def add(self, name, fault=None, seconds=None):
        """One test: passed, or failed with what was wrong."""
        if fault is None:
            self.passed += 1
            print(f"passed  {name}" + (f" ({seconds:.1f} s)" if seconds is not None else ""), flush=True)
        else:
            self.failures.append(name)
            print(f"FAILED  {name}\n        " + str(fault).strip().replace("\n", "\n        "), flush=True)

    def skip(self, name, why):
        """A skip for want of data is a failure where the data are."""
        if NOT_HERE in why and data_is_here():
            self.add(name, f"skipped although the data are in {DATA}: {why}")
            return
        self.skips.append(name)
        print(f"skipped {name}: {why}", flush=True)

    def close(self):
        """Prints the sums; returns the exit code."""
        ran = self.passed + len(self.failures)
        total = ran + len(self.skips)
        if total and ran < 0.7 * total:
            self.add("share of tests that run without the data", f"{ran} of {total} is below 70 %")
        if self.failures:
            print("\nfailed:\n  " + "\n  ".join(self.failures))
        print(f"\n{time.monotonic() - self.begin:.0f} s")
        print(f"{self.passed} passed, {len(self.failures)} failed, {len(self.skips)} skipped", flush=True)
        return 1 if self.failures else 0
