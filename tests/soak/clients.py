"""Fifty clients of `penta serve` at once, each doing what viewers, modalities and pages do."""
import collections
import http.client
import itertools
import json
import random
import threading
import time

import made_dicom

CLIENTS = 50
JSON = {"Accept": "application/dicom+json"}
BOUNDARY = "penta-soak"


class Refused(RuntimeError):
    """An answer that is not what it should be."""


class Counts:
    """What the clients did, how long it took, and what went wrong."""

    def __init__(self):
        self.lock, self.times, self.faults = threading.Lock(), collections.defaultdict(list), []

    def add(self, kind, seconds):
        with self.lock:
            self.times[kind].append(seconds)

    def fail(self, text):
        with self.lock:
            self.faults.append(text)

    def lines(self):
        for kind, times in sorted(self.times.items()):
            ordered = sorted(times)
            yield f"{kind}: {len(times)}, median {ordered[len(times) // 2] * 1e3:.0f} ms, p95 {ordered[len(times) * 95 // 100] * 1e3:.0f} ms"


def related(files):
    """Body and headers of a STOW-RS request."""
    parts = b"".join(b"--%s\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % (BOUNDARY.encode(), data) for data in files)
    return (parts + f"--{BOUNDARY}--\r\n".encode(),
            {"Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}', **JSON})


class Client(threading.Thread):
    """Asks for one thing after another over a kept connection until `until`."""

    def __init__(self, number, port, until, counts, job_series):
        super().__init__()
        self.number, self.port, self.until, self.counts, self.job_series = number, port, until, counts, job_series
        self.random, self.slices = random.Random(number), itertools.count(1)
        self.study, self.line, self.job = f"{made_dicom.ROOT}.{number + 1}", None, None

    def run(self):
        kinds = [self.stow, self.qido, self.metadata, self.frame, self.rendered, self.studies, self.jobs, self.events]
        weights = [2, 4, 2, 6, 4, 2, 2, 1]
        self.attempt(self.stow)
        while time.monotonic() < self.until:
            self.attempt(self.random.choices(kinds, weights)[0])
        if self.line:
            self.line.close()

    def attempt(self, kind):
        begin = time.monotonic()
        try:
            kind()
            self.counts.add(kind.__name__, time.monotonic() - begin)
        except (OSError, http.client.HTTPException, Refused, ValueError) as fault:
            self.counts.fail(f"client {self.number}, {kind.__name__}: {fault!r}")
            self.line = None

    def ask(self, method, path, body=None, headers=None, wanted=200):
        if self.line is None:
            self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        self.line.request(method, path, body, headers or {})
        answer = self.line.getresponse()
        data = answer.read()
        if answer.status != wanted:
            raise Refused(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def stow(self):
        files = [made_dicom.ct_slice(self.number + 1, 1, next(self.slices), description=f"client {self.number}")[1]
                 for _ in range(self.random.randint(1, 4))]
        answer = json.loads(self.ask("POST", "/dicomweb/studies", *related(files)))
        if len(answer["00081199"]["Value"]) != len(files):
            raise Refused(f"STOW kept {answer}")

    def qido(self):
        path = self.random.choice(["/dicomweb/studies?limit=20", "/dicomweb/studies?PatientName=Soak*&fuzzymatching=true&limit=10",
                                   f"/dicomweb/studies/{self.study}/series", f"/dicomweb/studies/{self.study}/instances?limit=50"])
        if not json.loads(self.ask("GET", path, headers=JSON)):
            raise Refused(f"nothing found by {path}")

    def instance(self):
        return f"/dicomweb/studies/{self.study}/series/{self.study}.1/instances/{self.study}.1.1"

    def metadata(self):
        if not json.loads(self.ask("GET", f"/dicomweb/studies/{self.study}/series/{self.study}.1/metadata", headers=JSON)):
            raise Refused("no metadata")

    def frame(self):
        data = self.ask("GET", self.instance() + "/frames/1", headers={"Accept": "application/octet-stream"})
        if data != bytes(range(256)) * 32:
            raise Refused("the frame is not the one that was stored")

    def rendered(self):
        if not self.ask("GET", self.instance() + "/rendered", headers={"Accept": "image/png"}).startswith(b"\x89PNG"):
            raise Refused("the picture is no PNG")

    def studies(self):
        if json.loads(self.ask("GET", "/api/studies?limit=20"))["total"] < 1:
            raise Refused("no studies")

    def jobs(self):
        self.ask("GET", "/api/jobs?limit=50")
        if self.number == 0:
            self.keep_a_job()

    def keep_a_job(self):
        """One job at a time is there all the while."""
        if self.job is not None:
            now = json.loads(self.ask("GET", f"/api/jobs/{self.job}"))
            if now["state"] in ("queued", "running"):
                return
            if now["state"] != "done":
                raise Refused(f"the job ended as {now}")
        request = {"task": "segmentation", "method": "ct.body", "inputs": [{"role": "image", "series_uid": self.job_series}]}
        self.job = json.loads(self.ask("POST", "/api/jobs", json.dumps(request), {"Content-Type": "application/json"}, 201))["id"]

    def events(self):
        """Listens for a while, as a page that is open does."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        line.request("GET", "/api/events")
        answer = line.getresponse()
        if answer.status != 200 or answer.getheader("Content-Type") != "text/event-stream":
            raise Refused(f"events: {answer.status}")
        end = time.monotonic() + self.random.uniform(0.2, 2)
        try:
            while time.monotonic() < end and answer.readline():
                pass
        except TimeoutError:
            pass  # nothing happened meanwhile
        line.close()
