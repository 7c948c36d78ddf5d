#!/usr/bin/env python3
"""docs/vendors.md: every row of five columns names its tests in its last one, and each of them exists.

usage: check_vendors.py [ROOT]
"""
import pathlib
import re
import sys

TEST = re.compile(r"^TEST(?:_P|_F)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.M)
SOURCES = ("core", "image", "modality", "io", "recon", "nn", "evaluate", "render", "tasks", "engine", "apps")


def faults(root):
    known = {f"{suite}.{name}" for layer in SOURCES for file in (root / layer).rglob("*_test.cpp")
             for suite, name in TEST.findall(file.read_text())}
    for number, line in enumerate((root / "docs/vendors.md").read_text().splitlines(), 1):
        if not line.startswith("|") or line.startswith(("|---", "| quirk")):
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        tests = re.findall(r"`([^`]+)`", cells[-1])
        if len(cells) != 5 or not tests:
            yield f"docs/vendors.md:{number}: a row has five columns and a test in the last"
        for test in tests:
            if test not in known and not (root / test.split()[0]).is_file():
                yield f"docs/vendors.md:{number}: there is no test {test}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = list(faults(root))
    print("\n".join(found) or "every quirk has its test")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
