#!/usr/bin/env python3
"""check_crop.py OUT SIDE|null: labels 1 anterior and 2 posterior, with this side."""
import json
import pathlib
import sys

result = json.loads((pathlib.Path(sys.argv[1]) / "result.json").read_text())
wanted = None if sys.argv[2] == "null" else sys.argv[2]
labels = next(a for a in result["artifacts"] if a["role"] == "labels" and a["kind"] == "labelmap")
assert [s["value"] for s in labels["segments"]] == [1, 2], labels
assert "anterior" in labels["segments"][0]["name"].lower() and "posterior" in labels["segments"][1]["name"].lower(), labels
assert result["measurements"] and all(m["side"] == wanted for m in result["measurements"]), result["measurements"]
