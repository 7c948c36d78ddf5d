#!/usr/bin/env python3
"""hc18.py NAME: mm per pixel of the halved image; hc18.py NAME OUT: the head circumference is within 6 mm of the table's."""
import csv
import json
import os
import pathlib
import sys

with open(pathlib.Path(os.environ["DATA"]) / "us" / "hc18" / "pixel_size_and_HC.csv", newline="") as file:
    rows = {row[0]: row for row in csv.reader(file)}
name = next(key for key in rows if key.split(".")[0] == sys.argv[1].split(".")[0])
if len(sys.argv) == 2:
    print(2 * float(rows[name][1]))
    sys.exit()
result = json.loads((pathlib.Path(sys.argv[2]) / "result.json").read_text())
found = [m for m in result["measurements"] if m["name"].lower() == "head circumference"]
assert len(found) == 1 and found[0]["unit"] == "mm", result["measurements"]
assert abs(found[0]["value"] - float(rows[name][2])) <= 6, (found[0]["value"], rows[name])
