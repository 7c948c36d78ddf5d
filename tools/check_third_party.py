#!/usr/bin/env python3
"""THIRD_PARTY.md must have a row for every part that CMake looks for, every wheel, and every data set that taught a model.

usage: check_third_party.py [ROOT]
"""
import json
import pathlib
import re
import sys

# Parts of the build tools themselves, or of a part that has its own row.
NOT_A_PART = {"PkgConfig"}


def wanted(root):
    for file in [root / "CMakeLists.txt", *(root / "cmake").glob("*.cmake")]:
        text = file.read_text()
        yield from ((name, file.name) for name in re.findall(r"find_package\(\s*(\w+)", text) if name not in NOT_A_PART)
        yield from ((name, file.name) for name in re.findall(r"pkg_check_modules\(\s*\w+[^)]*?(lib\w+)\s*\)", text))
    for file in (root / "tools").glob("requirements-*.txt"):
        yield from ((name, file.name) for name in re.findall(r"^([\w-]+)==", file.read_text(), re.M))
    for file in root.glob("models/*/card.json"):
        yield from ((item["name"].split(" (")[0], file.relative_to(root).as_posix()) for item in json.loads(file.read_text())["training_data"])


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    rows = [line.lower() for line in (root / "THIRD_PARTY.md").read_text().splitlines() if line.startswith("|")]
    missing = sorted({f"THIRD_PARTY.md has no row for {name} ({where})" for name, where in wanted(root)
                      if not any(name.lower() in row for row in rows)})
    print("\n".join(missing) if missing else f"third party: {len(rows) - 2} rows, nothing is missing")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
