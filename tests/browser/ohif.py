"""The built OHIF (tools/ohif.sh) against `penta serve`, in Chromium: cases in ohif.mjs; called by tests/run.py."""
import json
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.request

from browser import run as page
from tally import ROOT

JOBS_S = 120


def fetch(tally):
    made = subprocess.run([ROOT / "tools" / "ohif.sh"], capture_output=True, text=True)
    tally.add("OHIF is here", None if made.returncode == 0 else made.stdout + made.stderr)
    return made.returncode == 0


def run_job(server, task, method, role, series):
    """Runs a method on a series and accepts what it made."""
    def post(path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        request = urllib.request.Request(server.address + path, data=data, headers={"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    job = post("/api/jobs", {"task": task, "method": method, "inputs": [{"role": role, "series_uid": series}]})
    end = time.monotonic() + JOBS_S
    while job["state"] in ("queued", "running") and time.monotonic() < end:
        time.sleep(0.2)
        job = server.ask(f"/api/jobs/{job['id']}")
    if job["state"] != "done":
        raise RuntimeError(f"{method}: {job['state']} {job['problem']}")
    post(f"/api/jobs/{job['id']}/accept")
    while server.ask(f"/api/jobs/{job['id']}")["review"] != "accepted" and time.monotonic() < end:
        time.sleep(0.2)


def site_of(server, folder):
    site = page.site_of(server, folder)
    series = next(one["series_uid"] for one in server.ask(f"/api/studies/{site['ct']}")["series"] if one["modality"] == "CT")
    run_job(server, "segmentation", "ct.lungs", "image", series)
    site["ohif"] = re.search(r"OHIF (http://\S+?)/?[\s,]", server.line).group(1)
    site["studies"] = server.ask("/api/studies?limit=1")["total"]
    return site


def run(tally):
    tally.section("OHIF in Chromium")
    if not fetch(tally):
        return
    with tempfile.TemporaryDirectory(prefix="penta-ohif-") as name:
        folder = pathlib.Path(name)
        server = page.Server(folder / "data", "--ohif-port", "0")
        try:
            page.fill(server, ROOT / "build" / "samples")
            for wanted in ("multi/sts-dicom/from-multi/dicom/STS_025", "us/dicom-us"):
                if (page.DATA / wanted).is_dir():
                    page.fill(server, page.DATA / wanted)
                else:
                    tally.skip(f"OHIF: {wanted}", f"{page.NOT_HERE}: {page.DATA / wanted}")
            site = folder / "site.json"
            site.write_text(json.dumps(site_of(server, folder)))
            page.run_cases(tally, site, "ohif.mjs")
        finally:
            server.close()
