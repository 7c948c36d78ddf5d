"""penta serve as its users meet it: studies in, jobs, events, results, a kill in the middle, hostile files."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import DATA, NOT_HERE, PENTA, ROOT, data_is_here  # noqa: E402

SAMPLES = ROOT / "build" / "samples"
BOUNDARY = "penta-test-boundary"


class Server:
    """A server on a folder of its own."""

    def __init__(self, folder, config=None):
        self.folder = pathlib.Path(folder)
        if config is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "penta.json").write_text(json.dumps(config))
        self.start()

    def start(self):
        begin = time.monotonic()
        self.process = subprocess.Popen([PENTA, "serve", "--port", "0", "--data", self.folder], stdout=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline()
        self.start_s = time.monotonic() - begin
        self.port = int(self.line.split("/")[2].rsplit(":", 1)[1])

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.process.stdout.close()
        return code

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, body) of one request."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request(method, path, body, headers or {})
        answer = line.getresponse()
        data = answer.read()
        line.close()
        return answer.status, dict(answer.getheaders()), data

    def get(self, path):
        status, _, data = self.ask("GET", path)
        assert status == 200, (path, status, data[:500])
        return json.loads(data)

    def post(self, path, json_body=None):
        body = None if json_body is None else json.dumps(json_body)
        status, _, data = self.ask("POST", path, body, {"Content-Type": "application/json"} if body else {})
        return status, json.loads(data)

    def store(self, files):
        parts = b"".join(b"--%s\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % (BOUNDARY.encode(), data) for data in files)
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        return self.ask("POST", "/dicomweb/studies", parts + f"--{BOUNDARY}--\r\n".encode(),
                        {"Content-Type": kind, "Accept": "application/dicom+json"})

    def wait(self, job, seconds=45):
        """The job once it has ended."""
        for _ in range(seconds * 20):
            now = self.get(f"/api/jobs/{job}")
            if now["state"] not in ("queued", "running"):
                return now
            time.sleep(0.05)
        raise AssertionError(f"job {job} did not end: {now}")

    def series(self, modality):
        for study in self.get("/api/studies")["studies"]:
            for one in self.get(f"/api/studies/{study['study_uid']}")["series"]:
                if one["modality"] == modality:
                    return study["study_uid"], one["series_uid"]
        raise AssertionError(f"no {modality}")


def sample(name):
    return [path.read_bytes() for path in sorted((SAMPLES / name).iterdir())]


def listen(server, path, seen, first):
    """Events of an SSE stream, as (event, data), until it ends."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    line.request("GET", path)
    answer = line.getresponse()
    seen.append(("type", answer.getheader("Content-Type")))
    first.set()
    event = ""
    try:
        for raw in answer:
            text = raw.decode().rstrip("\n")
            if text.startswith("event: "):
                event = text[7:]
            elif text.startswith("data: "):
                seen.append((event, json.loads(text[6:])))
    except (OSError, http.client.HTTPException):
        pass
    line.close()


class Serving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.mkdtemp(prefix="penta-serve-")
        cls.server = Server(pathlib.Path(cls.temporary) / "data")
        cls.heard, heard_first = [], threading.Event()
        cls.listening = threading.Thread(target=listen, args=(cls.server, "/api/events", cls.heard, heard_first))
        cls.listening.start()
        heard_first.wait(10)
        for name in ("ct-simulated", "us-simulated"):
            status, _, data = cls.server.store(sample(name))
            assert status == 200, (status, data[:1000])

    @classmethod
    def tearDownClass(cls):
        begin = time.monotonic()
        code = cls.server.stop()
        cls.listening.join(20)
        shutil.rmtree(cls.temporary)
        assert code == 0, code
        assert time.monotonic() - begin < 10

    def test_starts_quickly_and_small(self):
        self.assertIn("http://127.0.0.1:", self.server.line)
        self.assertLess(self.server.start_s, 0.9)  # three times the limit

    def test_health_and_description(self):
        self.assertEqual(self.server.get("/api/health")["status"], "ok")
        self.assertEqual(self.server.get("/api/openapi.json")["openapi"], "3.1.0")
        self.assertTrue(any(card["id"] == "ct.body" for card in self.server.get("/api/methods")["methods"]))

    def test_studies_are_listed_and_found(self):
        everything = self.server.get("/api/studies")
        self.assertGreaterEqual(everything["total"], 2)
        ct, _ = self.server.series("CT")
        found = self.server.get("/api/studies?modality=CT")
        self.assertIn(ct, [s["study_uid"] for s in found["studies"]])
        self.assertTrue(all("CT" in s["modalities"] for s in found["studies"]))
        study = self.server.get(f"/api/studies/{ct}")
        series = next(one for one in study["series"] if one["modality"] == "CT")
        self.assertEqual(series["instance_count"], len(sample("ct-simulated")))
        self.assertEqual(len(series["instances"]), series["instance_count"])
        self.assertEqual(self.server.get("/api/studies?search=nobody-of-this-name")["total"], 0)
        name = study["patient_name"].replace("^", " ").split()[0]
        self.assertIn(ct, [s["study_uid"] for s in self.server.get(f"/api/studies?search={name}")["studies"]])
        self.assertTrue(any(event == "study" and data["study_uid"] == ct for event, data in self.heard))

    def test_rendered_frames_say_that_they_are_synthetic(self):
        study, series = self.server.series("CT")
        instance = self.server.get(f"/api/studies/{study}")["series"][0]["instances"][0]["sop_uid"]
        path = f"/dicomweb/studies/{study}/series/{series}/instances/{instance}"
        for kind, first in (("image/png", b"\x89PNG"), ("image/jpeg", b"\xff\xd8")):
            status, headers, data = self.server.ask("GET", f"{path}/rendered?window=5000,2,linear", headers={"Accept": kind})
            self.assertEqual((status, headers["Content-Type"], data[:len(first)]), (200, kind, first), data[:300])
            black = self.server.ask("GET", f"{path}/frames/1/rendered?window=9000,2,linear", headers={"Accept": kind})[2]
            self.assertEqual(data, black)
            self.assertGreater(len(data), 700)  # more than a black picture: the stamp
        self.assertEqual(self.server.ask("GET", f"{path}/frames/2/rendered")[0], 404)

    def test_a_job_with_its_events_and_results(self):
        study, series = self.server.series("CT")
        status, job = self.server.post("/api/jobs", {"task": "segmentation", "method": "ct.body",
                                                     "inputs": [{"role": "image", "series_uid": series}]})
        self.assertEqual(status, 201, job)
        seen, first = [], threading.Event()
        listen(self.server, f"/api/jobs/{job['id']}/events", seen, first)  # ends with the job
        self.assertEqual(seen[0], ("type", "text/event-stream"))
        self.assertEqual(seen[-1][1]["state"], "done", seen[-1])
        self.assertTrue(any(data["state"] == "running" for event, data in seen[1:]))
        done = self.server.wait(job["id"])
        self.assertEqual((done["state"], done["progress"], done["review"], done["study_uid"]), ("done", 1, "pending", study))
        result = self.server.get(f"/api/jobs/{job['id']}/result")
        self.assertEqual(result["method"], "ct.body")
        files = {file["name"]: file for file in self.server.get(f"/api/jobs/{job['id']}/files")["files"]}
        status, headers, data = self.server.ask("GET", f"/api/jobs/{job['id']}/files/labels.nii.gz")
        self.assertEqual((status, headers["Content-Type"], len(data)), (200, "application/gzip", files["labels.nii.gz"]["bytes"]))
        self.accept(job["id"], study)

    def accept(self, job, study):
        before = self.server.get(f"/api/studies/{study}")["series_count"]
        status, accepted = self.server.post(f"/api/jobs/{job}/accept")
        self.assertEqual((status, accepted["review"], accepted["problem"]), (200, "accepted", ""))
        self.assertGreater(self.server.get(f"/api/studies/{study}")["series_count"], before)
        self.assertEqual(self.server.post(f"/api/jobs/{job}/accept")[0], 409)
        self.assertEqual(self.server.post(f"/api/jobs/{job}/retry")[0], 409)
        actions = [event["action"] for event in self.server.get("/api/audit?limit=1000")["events"]]
        for wanted in ("job.submit", "job.end", "job.accept"):
            self.assertIn(wanted, actions)

    def test_a_report_is_a_page_without_scripts(self):
        study, _ = self.server.series("US")
        _, job = self.server.post("/api/jobs", {"task": "report", "study_uid": study})
        self.assertEqual(self.server.wait(job["id"])["state"], "done")
        self.assertEqual(self.server.get(f"/api/reports/{study}")["job_id"], job["id"])
        status, headers, data = self.server.ask("GET", f"/api/jobs/{job['id']}/files/report.html")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertNotIn("script-src", headers["Content-Security-Policy"])
        self.assertIn(b"research use", data.lower())

    def test_cancel_and_retry(self):
        _, series = self.server.series("CT")
        request = {"task": "segmentation", "method": "ct.body", "inputs": [{"role": "image", "series_uid": series}]}
        first, second = (self.server.post("/api/jobs", {**request, "priority": "batch"})[1]["id"] for _ in range(2))
        status, cancelled = self.server.post(f"/api/jobs/{second}/cancel")
        self.assertEqual(status, 200, cancelled)
        self.assertEqual(self.server.wait(second)["state"], "cancelled")
        self.assertEqual(self.server.post(f"/api/jobs/{second}/cancel")[0], 409)
        status, again = self.server.post(f"/api/jobs/{second}/retry")
        self.assertEqual((status, again["state"]), (200, "queued"))
        for job in (first, second):
            self.assertEqual(self.server.wait(job)["state"], "done")
        self.assertEqual(self.server.post(f"/api/jobs/{first}/reject")[1]["review"], "rejected")

    def test_a_job_that_runs_is_stopped(self):
        study, _ = self.server.series("CT")
        _, job = self.server.post("/api/jobs", {"task": "report", "study_uid": study})
        while self.server.get(f"/api/jobs/{job['id']}")["state"] == "queued":
            time.sleep(0.02)
        begin = time.monotonic()
        self.server.post(f"/api/jobs/{job['id']}/cancel")
        self.assertEqual(self.server.wait(job["id"])["state"], "cancelled")
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(self.server.get(f"/api/jobs/{job['id']}/files")["files"], [])

    def test_requests_that_make_no_sense(self):
        _, series = self.server.series("CT")
        for body, wanted in (
                     ({"task": "report", "study_uid": "1.2.3"}, 404), ({"task": "segmentation", "method": "ct.nonsense"}, 404),
                     ({"task": "segmentation", "method": "ct.body", "inputs": [{"role": "image", "series_uid": "1.2"}]}, 404),
                     ({"task": "segmentation", "method": "ct.body", "send_to": ["nobody"]}, 404),
                     ({"task": "segmentation", "method": "ct.body", "memory_gb": 1e5}, 409)):
            status, problem = self.server.post("/api/jobs", body)
            self.assertEqual((status, problem["status"]), (wanted, wanted), body)
        for body in ({}, {"task": "cooking", "method": "x"}, {"task": "report"},
                     {"task": "segmentation", "method": "ct.body", "inputs": [{"role": "spoon", "series_uid": series}]},
                     {"task": "segmentation", "method": "ct.body", "memory_gb": -1}, {"task": "segmentation", "method": "ct.body", "colour": 1}):
            status, problem = self.server.post("/api/jobs", body)
            self.assertEqual((status, problem["status"]), (400, 400), body)
            self.assertTrue(problem["detail"])
        for path, wanted in (("/api/studies?limit=0", 400), ("/api/studies?limit=x", 400), ("/api/studies?nonsense=1", 400),
                             ("/api/jobs?state=cooking", 400), ("/api/jobs/999999", 404), ("/api/jobs/x", 400),
                             ("/api/studies/1.2.3", 404), ("/api/studies/a", 400), ("/api/nothing", 404),
                             ("/api/jobs/1/files/..%2f..%2fcatalogue.sqlite", 404), ("/api/jobs/1/files/../../catalogue.sqlite", 400)):
            status, headers, data = self.server.ask("GET", path)
            self.assertEqual(status, wanted, (path, data))
            self.assertEqual(headers["Content-Type"], "application/problem+json", path)
        self.assertEqual(self.server.ask("POST", "/api/jobs", "{}", {"Content-Type": "text/plain"})[0], 415)
        self.assertEqual(self.server.ask("POST", "/api/jobs", "{", {"Content-Type": "application/json"})[0], 400)

    def test_hostile_files_are_refused_and_the_server_lives(self):
        hostile = [b"", b"DICM", bytes(128) + b"DICM", bytes(128) + b"DICM" + os.urandom(4096)]
        whole = sample("ct-simulated")[0]
        hostile += [whole[:n] for n in (132, 200, 400, len(whole) // 2)]
        hostile += [whole[:300] + b"\xff" * 64 + whole[364:]]
        if data_is_here():
            hostile += [(DATA / "dicom" / name).read_bytes() for name in ("pydicom/test_files/badVR.dcm", "pydicom-data/bad_sequence.dcm")]
        total = self.server.get("/api/studies")["total"]
        for data in hostile:
            status, _, answer = self.server.store([data])
            self.assertIn(status, (200, 202, 400, 409), answer)
        # Workers that die cost nothing but the request that they had.
        for line in pathlib.Path(f"/proc/{self.server.process.pid}/task").glob("*/children"):
            for child in line.read_text().split():
                os.kill(int(child), signal.SIGSEGV)
        self.assertGreaterEqual(self.server.get("/api/studies")["total"], total)
        status, _, answer = self.server.store(sample("us-simulated"))
        self.assertEqual(status, 200, answer)


class Starting(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.mkdtemp(prefix="penta-serve-")
        self.addCleanup(shutil.rmtree, self.temporary)
        self.folder = pathlib.Path(self.temporary) / "data"

    def refused(self, *arguments):
        done = subprocess.run([PENTA, "serve", "--port", "0", "--data", self.folder, *arguments], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_other_machines_are_refused(self):
        self.assertIn("loopback", self.refused("--address", "0.0.0.0"))

    def test_an_unknown_setting_is_named(self):
        self.folder.mkdir()
        (self.folder / "penta.json").write_text('{"http": {"prot": 1}}')
        self.assertIn("http.prot", self.refused())

    def test_a_killed_server_goes_on_with_its_job(self):
        """PENTA_KILLS times (the issue asks for 20; each takes some seconds)."""
        kills = int(os.environ.get("PENTA_KILLS", "2"))
        server = Server(self.folder)
        server.store(sample("ct-simulated"))
        _, series = server.series("CT")
        _, job = server.post("/api/jobs", {"task": "segmentation", "method": "ct.body", "inputs": [{"series_uid": series}]})
        for _ in range(kills):
            for _ in range(500):
                if server.get(f"/api/jobs/{job['id']}")["state"] != "queued":
                    break
                time.sleep(0.01)
            self.assertEqual(server.get(f"/api/jobs/{job['id']}")["state"], "running")
            server.stop(signal.SIGKILL)
            server.start()
        done = server.wait(job["id"])
        self.assertEqual((done["state"], done["attempts"]), ("done", kills + 1))
        self.assertFalse([p for p in (self.folder / "results").iterdir() if p.suffix in (".part", ".in")])
        self.assertEqual(server.get("/api/studies")["studies"][0]["instance_count"], len(sample("ct-simulated")))
        self.assertEqual(server.stop(), 0)

    def test_import_stores_a_folder_once(self):
        for taken, there in ((1, 0), (0, 1)):
            process = subprocess.Popen([PENTA, "serve", "--port", "0", "--data", self.folder, "--import", SAMPLES / "us-simulated"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertIn("http://127.0.0.1:", process.stdout.readline())
            process.terminate()
            _, said = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 0)
            self.assertIn(f"{taken} instances of", said)
            self.assertIn(f"{there} were there already, 0 files refused", said)

    def test_rules_run_what_came(self):
        server = Server(self.folder, {"limits": {"quiet_seconds": 0.5}, "rules": [
            {"when": {"modality": "CT"}, "run": ["segmentation/ct.body"], "review": "automatic"},
            {"when": {"modality": "MR"}, "run": ["report"]}]})
        server.store(sample("ct-simulated"))
        study, _ = server.series("CT")
        for _ in range(400):
            jobs = server.get("/api/jobs")["jobs"]
            if jobs and jobs[0]["state"] == "done" and jobs[0]["review"] == "accepted":
                break
            time.sleep(0.1)
        self.assertEqual([(j["method"], j["state"], j["review"]) for j in jobs], [("ct.body", "done", "accepted")])
        self.assertIn("SEG", server.get(f"/api/studies/{study}")["modalities"])
        time.sleep(1)
        self.assertEqual(len(server.get("/api/jobs")["jobs"]), 1)
        self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
