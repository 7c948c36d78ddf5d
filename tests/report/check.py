"""Reports on real studies: each tests/report/*.json says what its report must contain and must not.

{"study": path below the data, "options": [...], "exit": 0, "within_s": 60,
 "must_contain": [{"in": "measurements", "where": {"name": "~SUVmax", "region": "GTV_Mass"}, "count": 1, "value": 7.91, "tolerance": 0.00791},
                  {"in": "html", "text": "..."}], "must_not_contain": [...]}
`in` is an array of result.json (series, artifacts, segments, measurements, findings, scores, remarks), or html or csv.
In `where`, "~text" means holds the text, in any case; "null" means null.
"""
import csv
import html
import json
import re
import subprocess
import sys
import tempfile
import time
import pathlib

from tally import DATA, NOT_HERE, PENTA, ROOT


def rows_in(result, name):
    if name == "segments":
        return [segment for artifact in result["artifacts"] for segment in artifact.get("segments", [])]
    return result.get(name, [])


def fits(value, wanted):
    if wanted == "null":
        return value is None
    if isinstance(wanted, str) and wanted.startswith("~"):
        return wanted[1:].lower() in json.dumps(value).lower()
    return value == wanted


def matches(entry, result, texts):
    """How often what `entry` describes is there, and the rows."""
    if entry["in"] in texts:
        return texts[entry["in"]].lower().count(entry["text"].lower()), []
    rows = [row for row in rows_in(result, entry["in"]) if all(fits(row.get(k), v) for k, v in entry["where"].items())]
    return len(rows), rows


def fault_of(entry, result, texts):
    """What is wrong with one must_contain entry, or None."""
    count, rows = matches(entry, result, texts)
    wanted = entry.get("count")
    if count == 0 or (wanted is not None and count != wanted):
        near = [str(row)[:200] for row in rows_in(result, entry["in"])[:12]] if entry["in"] not in texts else []
        return f"{entry}: found {count} times\n" + "\n".join(near)
    if "value" in entry:
        for row in rows:
            if not abs(row["value"] - entry["value"]) <= entry["tolerance"]:
                return f"{entry}: the value is {row['value']}"
    if "range" in entry:
        for row in rows:
            if not entry["range"][0] <= row["value"] <= entry["range"][1]:
                return f"{entry}: the value is {row['value']}"
    return None


def general_faults(out, result, page):
    """What holds for every report."""
    for artifact in result["artifacts"]:
        if not (out / artifact["file"]).is_file():
            yield f"the artefact {artifact['file']} is not there"
    for row in [*result["measurements"], *result["artifacts"]]:
        for key in ("made_by", "series_uid"):
            if key not in row:
                yield f"no '{key}' in {str(row)[:200]}"
    for row in result["measurements"]:
        for key in ("name", "value", "unit", "region", "side"):
            if key not in row:
                yield f"no '{key}' in {str(row)[:200]}"
    if re.search(r'(?:src|href)\s*=\s*"?(?:https?:)?//', page, re.I):
        yield "report.html has a link to the outside"
    if "not a medical device" not in page:
        yield "report.html does not say 'not a medical device'"
    with open(out / "measurements.csv", newline="") as file:
        rows = sum(1 for _ in csv.DictReader(file))
    if rows != len(result["measurements"]):
        yield f"measurements.csv has {rows} rows, result.json {len(result['measurements'])} measurements"


def run_case(tally, case, out):
    begin = time.monotonic()
    done = subprocess.run([PENTA, "report", DATA / case["study"], "-o", out, *case.get("options", [])], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    seconds, name = time.monotonic() - begin, f"report {case['study']}"
    wanted = case.get("exit", 0)
    tally.add(f"{name}: exit code {wanted}", None if done.returncode == wanted else f"{done.returncode}: {done.stdout[-1500:]}", seconds)
    if not (out / "result.json").is_file():
        tally.add(f"{name}: result.json", "is not there")
        return
    result = json.loads((out / "result.json").read_text())
    page = (out / "report.html").read_text()
    texts = {"html": html.unescape(page), "csv": (out / "measurements.csv").read_text()}
    found = list(general_faults(out, result, page))
    tally.add(f"{name}: whole", "\n".join(found) if found else None)
    for entry in case.get("must_contain", []):
        tally.add(f"{name}: has {entry.get('say') or entry.get('text') or entry['where']}", fault_of(entry, result, texts))
    for entry in case.get("must_not_contain", []):
        count, rows = matches(entry, result, texts)
        tally.add(f"{name}: has no {entry.get('say') or entry.get('text') or entry['where']}",
                  f"found {count} times: {str(rows)[:600]}" if count else None)


def run(tally, only=""):
    tally.section("reports on real studies")
    for file in sorted((ROOT / "tests" / "report").glob("*.json")):
        case = json.loads(file.read_text())
        if only not in case["study"]:
            continue
        if not (DATA / case["study"]).exists():
            tally.skip(f"report {case['study']}", f"{NOT_HERE}: {case['study']}")
            continue
        with tempfile.TemporaryDirectory(prefix="penta-report-") as folder:
            run_case(tally, case, pathlib.Path(folder) / "out")


if __name__ == "__main__":
    sys.exit("run by ./test")
