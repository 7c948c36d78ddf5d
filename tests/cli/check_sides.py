#!/usr/bin/env python3
"""check_sides.py OUT [--none]: whole hippocampus left and right, 2-5 ml each (or nothing at all)."""
import json
import pathlib
import sys

out = pathlib.Path(sys.argv[1])
result = json.loads((out / "result.json").read_text())
volumes = [m for m in result["measurements"] if "volume" in m["name"].lower()]
if "--none" in sys.argv:
    assert not [m for m in volumes if m["value"] > 0] and not [f for a in result["artifacts"] for f in a.get("segments", []) if f.get("volume_ml")], volumes
    sys.exit()
for side in ("left", "right"):
    parts = [m["value"] for m in volumes if m["side"] == side and m["region"] in ("whole hippocampus", "hippocampus", "whole")]
    assert len(parts) == 1 and 2 <= parts[0] <= 5, volumes
sides = [a for a in result["artifacts"] if a.get("role") == "sides"]
assert len(sides) == 1 and sides[0]["file"] == "sides.nii.gz" and (out / "sides.nii.gz").is_file(), result["artifacts"]
assert [s["value"] for s in sides[0]["segments"]] == [1, 2], sides
