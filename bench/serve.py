#!/usr/bin/env python3
"""penta serve beside Orthanc (Debian's, with its DICOMweb plug-in), in one run on one disk, interleaved, both durable.

usage: serve.py [PENTA] [--count 500] [--repeats 3] [--instances 100000] [--work FOLDER]
512 x 512 CT slices by STOW-RS (1 and 10 a request, one client and four) and by C-STORE (storescu, one association and
four), then frames, pictures, metadata of 100 instances and QIDO-RS; starting and resting. QIDO-RS at 100,000 instances is
ours alone: its catalogue is filled by bench_store. Rates are the best of the repeats, each into a store of one instance; times are
the 95th of 100 percent. Both sync each file; ours commits with SQLite's synchronous=FULL or what is printed, Orthanc with
the setting in its program. The floors of the issue hold on an idle 2-core machine. Last line: 'N passed, N failed, N skipped'.
"""
import argparse
import collections
import concurrent.futures
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "peers"))  # its dimse.py is another one
import dicom_peers  # noqa: E402
import dimse  # noqa: E402

STUDY = "1.2.826.0.1.3680043.10.1337.1"
SERIES = f"/studies/{STUDY}/series/{STUDY}.1"
JSON = {"Accept": "application/dicom+json"}
OCTETS = {"Accept": 'multipart/related; type="application/octet-stream"'}
SEARCHES = ["?limit=100", "?PatientName=name33*&limit=100", "?PatientID=P33", "?StudyDate=20200105-20200107&limit=100",
            "?ModalitiesInStudy=MR&limit=100", "?PatientName=name33&fuzzymatching=true&limit=100", "?limit=100&offset=300"]


class Ours:
    """penta serve on a folder, with DIMSE; ends with its 'with'."""
    root, up = "/dicomweb", "/api/health"

    def __init__(self, penta, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen([penta, "serve", "--port", "0", "--dicom-port", "0", "--data", folder], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.http = int(re.search(r":(\d+)/", line).group(1))
        self.port = int(re.search(r"at port (\d+)", line).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


class Orthanc(dicom_peers.Orthanc):
    root, up = "/dicom-web", "/system"

    def __init__(self, folder):
        super().__init__(folder, extra={"Plugins": ["/usr/share/orthanc/plugins"], "DicomWeb": {"Enable": True}})


def memory_mib(pid):
    """Resident memory of a process and its children."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    children = [c for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for c in task.read_text().split()]
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024 + sum(memory_mib(child) for child in children)


class Line:
    """A kept connection; raises for a refusal (204: nothing found)."""

    def __init__(self, server):
        self.line, self.root = http.client.HTTPConnection("127.0.0.1", server.http, timeout=300), server.root

    def ask(self, path, headers=None, body=None, method="GET"):
        self.line.request(method, path, body, headers or {})
        answer = self.line.getresponse()
        data = answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data


def started(start):
    """A server that answers, and how long that took."""
    begin = time.monotonic()
    server = start()
    while time.monotonic() - begin < 60:
        try:
            Line(server).ask(server.up)
            return server, time.monotonic() - begin
        except OSError:
            time.sleep(0.002)
    raise RuntimeError("a server does not answer within 60 s")


def send(server, files, batch):
    line = Line(server)
    kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=bench', **JSON}
    for first in range(0, len(files), batch):
        body = b"".join(b"--bench\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n" for data in files[first:first + batch])
        line.ask(server.root + "/studies", kind, body + b"--bench--\r\n", "POST")


def stow_rate(server, files, clients, batch):
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(send, server, files[i::clients], batch) for i in range(clients)]:
            done.result()
    return len(files) / (time.monotonic() - begin)


def times_ms(server, paths, headers):
    line, out = Line(server), []
    for path in paths:
        begin = time.monotonic()
        line.ask(server.root + path, headers)
        out.append((time.monotonic() - begin) * 1e3)
    return out


def p95(times):
    return sorted(times)[len(times) * 95 // 100]


def retrievals(count):
    """Name, paths and headers of what is asked for of a store of `count` slices."""
    uids = [f"{STUDY}.1.{i + 1}" for i in range(count)]
    instances = [f"{SERIES}/instances/{uid}" for uid in uids]
    return [("frame", [path + "/frames/1" for path in instances], OCTETS),
            ("rendered", [path + "/rendered" for path in instances], {"Accept": "image/jpeg"}),
            (f"study metadata of {count} instances", [f"/studies/{STUDY}/metadata"] * 20, JSON),
            ("QIDO, studies", ["/studies" + search for search in SEARCHES] * 5, JSON),
            (f"QIDO, {count} instances", [f"/studies/{STUDY}/instances?limit=100"] * 20, JSON)]


class Results:
    def __init__(self):
        self.rates, self.times, self.idle_mib, self.floors = collections.defaultdict(float), collections.defaultdict(list), {}, []

    def rate(self, name, who, value):
        self.rates[name, who] = max(self.rates[name, who], value)
        print(f"  {who}, {name}: {value:.0f}/s", flush=True)

    def print_rates(self):
        for name in dict.fromkeys(name for name, _ in self.rates):
            ours, theirs = self.rates[name, "ours"], self.rates[name, "Orthanc"]
            print(f"{name}, instances/s: ours {ours:.0f}, Orthanc {theirs:.0f} ({ours / theirs:.1f} x)")

    def print_times(self):
        for name in dict.fromkeys(name for name, _ in self.times):
            ours, theirs = p95(self.times[name, "ours"]), p95(self.times[name, "Orthanc"])
            print(f"{name}, p95: ours {ours:.2f} ms, Orthanc {theirs:.2f} ms ({theirs / ours:.1f} x as quick)")

    def floor(self, text, value, good):
        self.floors.append(good)
        print(f"{'passed' if good else 'FAILED'}  {text}: {value:.2f}")


def warm(start, folder, file):
    """A server on an empty store that has stored one instance: what it starts for its first one is started."""
    server, _ = started(lambda: start(folder / "store"))
    send(server, [file], 1)
    return server


def rates(results, starts, files, paths, folder):
    *files, first = files
    paths = paths[:-1]
    for clients in (1, 4):
        for batch in (1, 10):
            for who, start in starts.items():
                with warm(start, folder, first) as server:
                    results.rate(f"STOW, {clients} client(s), {batch} a request", who, stow_rate(server, files, clients, batch))
                shutil.rmtree(folder / "store")
        for who, start in starts.items():
            with warm(start, folder, first) as server:
                parts = [paths[i::clients] for i in range(clients)]
                results.rate(f"C-STORE, {clients} association(s)", who, len(paths) / dimse.seconds_of(server.port, parts))
            shutil.rmtree(folder / "store")


def retrieve(results, starts, files, folder, repeats):
    """Both servers hold the same slices and are asked in turns."""
    count = min(100, len(files))
    running = {who: started(lambda: start(folder / who))[0] for who, start in starts.items()}
    for server in running.values():
        send(server, files[:count], 10)
    for _ in range(repeats):
        for name, paths, headers in retrievals(count):
            for who, server in running.items():
                results.times[name, who] += times_ms(server, paths, headers)
    for server in running.values():
        server.__exit__()


def start_and_rest(results, starts, folder, repeats):
    for _ in range(max(3, repeats)):
        for who, start in starts.items():
            server, seconds = started(lambda: start(folder / "rest" / who))
            results.times["start", who].append(seconds * 1e3)
            time.sleep(0.5)
            results.idle_mib[who] = memory_mib(server.process.pid)
            server.__exit__()


def large_catalogue(results, penta, folder, instances):
    """QIDO-RS of ours over a catalogue of so many instances."""
    subprocess.run([penta.parent / "bench_store", "--search", str(instances), folder / "large"], check=True, stdout=subprocess.DEVNULL)
    some = str(instances // 300)
    paths = ["/studies" + search.replace("33", some) for search in SEARCHES]
    paths += [f"/studies/1.2.{some}/series", f"/studies/1.2.{some}/instances?limit=100", "/series?limit=100", "/instances?limit=100",
              f"/instances?SOPInstanceUID=1.4.{instances // 2}"]
    server, seconds = started(lambda: Ours(penta, folder / "large"))
    with server:
        slowest = max((p95(times_ms(server, [path] * 20, JSON)), path) for path in paths)
    print(f"QIDO at {instances} instances, p95 of the slowest of {len(paths)} searches: {slowest[0]:.1f} ms ({slowest[1]}); start {seconds:.2f} s")
    return slowest[0]


def check(results, slowest_ms):
    for name in [name for name, who in results.rates if name.startswith("STOW") and who == "ours"]:
        ratio = results.rates[name, "ours"] / results.rates[name, "Orthanc"]
        results.floor(f"{name}: at least 2 x Orthanc", ratio, ratio >= 2)
    rate = results.rates["C-STORE, 1 association(s)", "ours"]
    results.floor("C-STORE on one association: at least 200/s", rate, rate >= dimse.FLOOR_PER_S)
    for name in ("frame", "rendered"):
        value = p95(results.times[name, "ours"])
        results.floor(f"{name} p95: at most 10 ms", value, value <= 10)
    results.floor("QIDO p95 of the large catalogue: at most 30 ms", slowest_ms, slowest_ms <= 30)
    start = min(results.times["start", "ours"])
    results.floor("start: at most 300 ms", start, start <= 300)
    print(f"idle: ours {results.idle_mib['ours']:.0f} MiB, Orthanc {results.idle_mib['Orthanc']:.0f} MiB")
    results.floor("idle: at most 64 MiB", results.idle_mib["ours"], results.idle_mib["ours"] <= 64)


def say_durability():
    program = pathlib.Path(shutil.which("Orthanc")).read_bytes()
    theirs = sorted({found.decode() for found in re.findall(rb"PRAGMA (?:SYNCHRONOUS|JOURNAL_MODE)=\w+", program)})
    source = (dicom_peers.ROOT / "engine" / "store" / "sqlite_catalogue.cpp").read_text()
    ours = sorted(set(re.findall(r"PRAGMA (?:synchronous|journal_mode)\s*=\s*\w+", source)))
    print(f"SQLite: ours {', '.join(ours)}; Orthanc {', '.join(theirs)}; both sync each file before they answer")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("penta", nargs="?", type=pathlib.Path, default=dicom_peers.ROOT / "build" / "release" / "penta")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    missing = [p for p in ("storescu", "Orthanc") if not shutil.which(p)]
    if missing:
        print(f"not on this machine: {', '.join(missing)} (install dcmtk, orthanc, orthanc-dicomweb)\n0 passed, 0 failed, 1 skipped")
        return 0
    say_durability()
    results, starts = Results(), {"ours": lambda folder: Ours(options.penta, folder), "Orthanc": Orthanc}
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = pathlib.Path(name)
        paths = dicom_peers.make_ct(folder / "ct", options.count + 1)
        files = [path.read_bytes() for path in paths]
        start_and_rest(results, starts, folder, options.repeats)
        retrieve(results, starts, files, folder, options.repeats)
        for _ in range(options.repeats):
            rates(results, starts, files, paths, folder)
        slowest_ms = large_catalogue(results, options.penta.resolve(), folder, options.instances)
    results.print_rates()
    results.print_times()
    check(results, slowest_ms)
    failed = results.floors.count(False)
    print(f"{len(results.floors) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
