#!/usr/bin/env python3
"""check_result.py OUT: result.json is whole, and every file that it names is there."""
import json
import pathlib
import sys

out = pathlib.Path(sys.argv[1])
result = json.loads((out / "result.json").read_text(), parse_constant=lambda name: sys.exit(f"{name} in result.json"))
for key in ("penta", "task", "artifacts", "measurements", "remarks"):
    assert key in result, f"'{key}' is missing"
for artifact in result["artifacts"]:
    assert (out / artifact["file"]).is_file(), f"{artifact['file']} is not there"
    assert artifact.get("made_by"), artifact
for row in result["measurements"]:
    assert row["unit"] and row["name"] and row["made_by"] and isinstance(row["value"], (int, float)), row
