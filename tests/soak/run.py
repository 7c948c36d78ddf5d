"""./test --soak [SECONDS]: fifty clients at once without an error and with flat memory, then kill -9 in the middle of work."""
import pathlib
import random
import shutil
import signal
import tempfile
import threading
import time

import made_dicom
from server.server_test import Server, sample
from soak.clients import CLIENTS, Client, Counts

FULL_SECONDS = 300
GROWTH, GROWTH_MIB = 1.15, 8          # of the server's memory from 20 % of the time to its end
KILLS_FULL, KILLS_SHORT = 20, 3


def memory_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no VmRSS of {pid}")


def job_series(server):
    server.store(sample("ct-simulated"))
    return server.series("CT")[1]


def clients(tally, folder, seconds):
    server = Server(folder)
    counts, begin = Counts(), time.monotonic()
    series = job_series(server)
    threads = [Client(i, server.port, begin + seconds, counts, series) for i in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(max(0, begin + 0.2 * seconds - time.monotonic()))
    early = memory_mib(server.process.pid)
    time.sleep(max(0, begin + seconds - 1 - time.monotonic()))
    late = memory_mib(server.process.pid)
    for thread in threads:
        thread.join()
    print("\n".join(counts.lines()), flush=True)
    asked = sum(map(len, counts.times.values()))
    tally.add(f"soak: {CLIENTS} clients, {seconds} s, {asked} requests without an error",
              f"{len(counts.faults)} errors, the first: " + "; ".join(counts.faults[:5]) if counts.faults else None)
    tally.add(f"soak: memory of the server {early:.0f} MiB at 20 %, {late:.0f} MiB at the end",
              None if late <= GROWTH * early + GROWTH_MIB else f"more than {GROWTH} times and {GROWTH_MIB} MiB")
    begin, code = time.monotonic(), server.stop()
    tally.add(f"soak: the server ends in {time.monotonic() - begin:.1f} s", None if code == 0 else f"exit code {code}")


class Sender(threading.Thread):
    """Stores slices until the server dies; what was acknowledged is remembered."""

    def __init__(self, server, study):
        super().__init__()
        self.server, self.study, self.sent, self.acknowledged = server, study, {}, []

    def run(self):
        try:
            for batch in range(10_000):
                made = [made_dicom.ct_slice(self.study, 1, 5 * batch + i, side=256) for i in range(1 + batch % 5)]
                self.sent.update(made)
                if self.server.store([data for _, data in made])[0] != 200:
                    return
                self.acknowledged += [uid for uid, _ in made]
        except Exception:  # whatever the client library makes of a server that is killed
            pass


def wait_until_running(server, job):
    for _ in range(1500):
        if server.get(f"/api/jobs/{job}")["state"] != "queued":
            return
        time.sleep(0.02)
    raise RuntimeError(f"job {job} stays queued")


def lost_or_half(server, sender):
    """What is wrong with the instances of a study after a kill."""
    study = f"{made_dicom.ROOT}.{sender.study}"
    status, _, _ = server.ask("GET", f"/dicomweb/studies/{study}/series")
    if status != 200:
        return f"series of {study}: {status}"
    here = set()
    while True:                       # a page at a time
        found = server.get(f"/dicomweb/studies/{study}/instances?limit=1000&offset={len(here)}")
        here.update(one["00080018"]["Value"][0] for one in found)
        if len(found) < 1000:
            break
    lost = [uid for uid in sender.acknowledged if uid not in here]
    if lost:
        return f"{len(lost)} acknowledged instances are lost, the first {lost[0]}"
    for uid in here:
        path = f"/dicomweb/studies/{study}/series/{study}.1/instances/{uid}"
        status, _, data = server.ask("GET", path, headers={"Accept": "application/dicom; transfer-syntax=*"})
        if status != 200 or data != sender.sent[uid]:
            return f"instance {uid} is not what was sent ({status}, {len(data)} bytes)"
    return None


def leftovers(server, folder):
    """Files that no row of the catalogue knows."""
    staging = [p for p in (folder / "staging").iterdir()]
    blobs = sum(1 for p in (folder / "blobs").rglob("*") if p.is_file())
    rows = sum(study["instance_count"] for study in server.get("/api/studies?limit=1000")["studies"])
    if staging or blobs != rows:
        return f"{len(staging)} files in staging/, {blobs} in blobs/ for {rows} instances"
    half = [p.name for p in (folder / "results").iterdir() if p.suffix in (".part", ".in")]
    return f"left in results/: {half}" if half else None


def kill_once(server, folder, number, series):
    """One kill while slices are stored and a job runs; what went wrong, and how many instances were acknowledged."""
    request = {"task": "segmentation", "method": "ct.body", "inputs": [{"role": "image", "series_uid": series}]}
    sender = Sender(server, 1000 + number)
    sender.start()
    while not sender.acknowledged and sender.is_alive():
        time.sleep(0.01)
    _, job = server.post("/api/jobs", request)
    wait_until_running(server, job["id"])
    time.sleep(random.Random(number).uniform(0, 0.15))
    server.stop(signal.SIGKILL)
    sender.join()
    server.start()
    done = server.wait(job["id"], 120)
    fault = None if done["state"] == "done" else f"the job did not resume: {done}"
    return fault or lost_or_half(server, sender) or leftovers(server, folder), len(sender.acknowledged), done["attempts"]


def kills(tally, folder, times):
    server = Server(folder)
    series = job_series(server)
    for number in range(times):
        fault, kept, attempts = kill_once(server, folder, number, series)
        tally.add(f"kill -9 number {number + 1}: {kept} acknowledged instances, job done at attempt {attempts}", fault)
    server.stop()


def run(tally, seconds):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="penta-soak-"))
    try:
        tally.section(f"soak: {CLIENTS} clients")
        clients(tally, folder / "clients", seconds)
        tally.section("soak: kill -9")
        kills(tally, folder / "kills", KILLS_FULL if seconds >= FULL_SECONDS else KILLS_SHORT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
