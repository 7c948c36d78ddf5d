"""What an enemy or a broken device sends to penta serve: it answers with the right problem, keeps the rest, and lives."""
import json
import pathlib
import shutil
import socket
import sys
import tempfile
import time
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import made_dicom  # noqa: E402
from server_test import Server  # noqa: E402
from tally import DATA, NOT_HERE  # noqa: E402

JSON = {"Accept": "application/dicom+json"}
SCRIPT = "<script>alert(1)</script>"
SECRET = b"the-secret-of-the-parent-folder"
CONNECTIONS, BODY_GB = 40, 0.02
CLIMBS = ["../secret.txt", "../../secret.txt", "..%2fsecret.txt", "..%2f..%2fsecret.txt", "%2e%2e/%2e%2e/secret.txt", "..%5c..%5csecret.txt",
          "%00", "secret.txt%00.dcm", "....//secret.txt", "%252e%252e%252fsecret.txt", "/etc/passwd", "%2fetc%2fpasswd"]
ROOTS = ["/", "/assets/", "/api/", "/api/studies/", "/api/jobs/1/files/", "/api/reports/", "/dicomweb/studies/", "/dicomweb/studies/1.2/series/",
         "/dicomweb/studies/1.2/series/1.3/instances/", "/dicomweb/studies/1.2/series/1.3/instances/1.4/bulk/",
         "/dicomweb/studies/1.2/series/1.3/instances/1.4/frames/"]


def bomb(bytes_each, times):
    """A deflated file whose pixels are bytes_each * times zeros; small, since the deflated blocks are repeated."""
    sop_uid, whole = made_dicom.ct_slice(700, 1, 1, pixels=b"")
    data_set = whole[whole.index(b"\x08\x00\x05\x00CS"):-4] + (0xFFFFFFF0).to_bytes(4, "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(data_set) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(bytes_each)) + packer.flush(zlib.Z_FULL_FLUSH)
    return made_dicom.file_of(head + block * times + packer.flush(), sop_uid, made_dicom.DEFLATED)


def nested(depth):
    """Sequences within sequences, none of them closed."""
    _, whole = made_dicom.ct_slice(701, 1, 1)
    open_sequence = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    at = whole.index(b"\x20\x00\x0d\x00UI")
    return whole[:at] + open_sequence * depth + whole[at:]


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = pathlib.Path(tempfile.mkdtemp(prefix="penta-hostile-"))
        (cls.temporary / "secret.txt").write_bytes(SECRET)
        cls.server = Server(cls.temporary / "data", {"limits": {"connections": CONNECTIONS, "body_gb": BODY_GB}})
        cls.pid = cls.server.process.pid
        # Their requests end when the server's patience does, while the other tests run.
        cls.slow = [cls.connect(b"GET /api/health HTTP/1.1\r\nHost: local") for _ in range(8)]
        cls.slow_since = time.monotonic()

    @classmethod
    def tearDownClass(cls):
        alive = cls.server.process.poll() is None
        code = cls.server.stop()
        shutil.rmtree(cls.temporary)
        assert alive and code == 0, f"the server did not live: {code}"

    @classmethod
    def connect(cls, data=b""):
        line = socket.create_connection(("127.0.0.1", cls.server.port), timeout=30)
        line.sendall(data)
        return line

    def raw(self, data):
        """Status and whole answer of bytes that no client library would send."""
        with self.connect() as line:
            try:
                line.sendall(data)
                line.shutdown(socket.SHUT_WR)
            except OSError:
                pass                  # refused before the end: the answer says why
            answer = b""
            try:
                while piece := line.recv(65536):
                    answer += piece
            except OSError:
                pass
        return (int(answer.split()[1]) if answer else 0), answer

    def problem(self, answer, statuses, what):
        """A problem of RFC 9457 with one of the statuses and a sentence."""
        status, headers, data = answer
        self.assertIn(status, statuses, (what, data[:300]))
        self.assertEqual(headers["Content-Type"], "application/problem+json", what)
        told = json.loads(data)
        self.assertEqual(told["status"], status)
        self.assertTrue(told["title"] and told["detail"], told)

    def kept(self, files):
        """Stores files; (status, kept SOP Instance UIDs, reasons of the others)."""
        status, headers, data = self.server.store(files)
        self.assertIn(status, (200, 202, 409), data[:500])
        self.assertEqual(headers["Content-Type"], "application/dicom+json")
        answer = json.loads(data)
        items = {tag: answer.get(tag, {}).get("Value", []) for tag in ("00081198", "00081199")}
        self.assertEqual(len(items["00081198"]) + len(items["00081199"]), len(files))
        return status, [one["00081155"]["Value"][0] for one in items["00081199"]], [one["0040A160"]["Value"][0] for one in items["00081198"]]

    def test_addresses_that_climb(self):
        for root in ROOTS:
            for climb in CLIMBS:
                status, answer = self.raw(f"GET {root}{climb} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                self.assertNotIn(SECRET, answer, root + climb)
                self.assertNotIn(b"root:", answer, root + climb)
                self.assertTrue(status in (200, 400, 404, 405, 406), (root + climb, status))
                if status != 200:
                    self.assertIn(b"application/problem+json", answer, root + climb)
                elif root + climb != root:
                    self.assertNotIn(root, ROOTS[2:], f"{root}{climb} was answered")
            self.problem(self.server.ask("DELETE", "/api/studies/..%2f..%2fsecret.txt"), (400, 404), root)
        self.assertEqual((self.temporary / "secret.txt").read_bytes(), SECRET)

    def test_names_in_part_headers_and_uids_that_climb(self):
        good, data = made_dicom.ct_slice(702, 1, 1)
        headers = ("Content-Type: application/dicom\r\nContent-Disposition: attachment; filename=\"../../evil.dcm\"\r\n"
                   "Content-Location: ../../../evil.dcm\r\nContent-ID: <../evil>\r\n")
        body = b"--b\r\n" + headers.encode() + b"\r\n" + data + b"\r\n--b--\r\n"
        kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b', **JSON}
        self.assertEqual(self.server.ask("POST", "/dicomweb/studies", body, kind)[0], 200)
        climbing = [made_dicom.ct_slice(702, 1, 2, x00080018=("UI", "../../../evil"))[1],
                    made_dicom.ct_slice(702, 1, 3, x0020000D=("UI", "..%2f..%2fevil"))[1],
                    made_dicom.ct_slice(702, 1, 4, x0020000E=("UI", "/tmp/evil"))[1]]
        other, more = made_dicom.ct_slice(702, 1, 5)
        status, kept, why = self.kept([*climbing, more])
        self.assertEqual((status, kept, len(why)), (202, [other], 3), why)
        self.assertFalse([p for p in self.temporary.rglob("*") if "evil" in p.name])

    def test_bombs(self):
        good, data = made_dicom.ct_slice(703, 1, 1)
        begin = time.monotonic()
        for hostile in (bomb(64 << 20, 12), nested(20_000)):
            self.assertLess(len(hostile), 8 << 20)
            status, kept, why = self.kept([hostile, data])
            self.assertIn(good, kept)
            for sentence in why:
                self.assertGreater(len(sentence), 10)
        self.assertLess(time.monotonic() - begin, 20)
        lies = [made_dicom.ct_slice(703, 1, 10, x00280010=("US", 65535), x00280011=("US", 65535)),
                made_dicom.ct_slice(703, 1, 11, x00280008=("IS", "2147483647")), made_dicom.ct_slice(703, 1, 12, x00280010=("US", 0)),
                made_dicom.ct_slice(703, 1, 13, x00280100=("US", 64)), made_dicom.ct_slice(703, 1, 14, x00280002=("US", 65535))]
        _, kept, _ = self.kept([file for _, file in lies])
        series = f"{made_dicom.ROOT}.703/series/{made_dicom.ROOT}.703.1"
        for uid in kept:
            for end in ("/rendered", "/frames/1", "/frames/2147483647", "/thumbnail"):
                status, _, answer = self.server.ask("GET", f"/dicomweb/studies/{series}/instances/{uid}{end}")
                self.assertLess(status, 500, (uid, end, answer[:300]))
        self.problem(self.server.ask("POST", "/dicomweb/studies", zlib.compress(bytes(1 << 20)),
                                     {"Content-Type": "application/dicom", "Content-Encoding": "gzip"}), (415,), "gzip")

    def test_scripts_are_shown_nowhere(self):
        name = f'{SCRIPT}^<img src=x onerror="alert(2)">'
        odd = {"name": name, "description": SCRIPT, "x00080050": ("SH", "\r\nSet-Cookie: a"), "x00100020": ("LO", '"><script>')}
        files = [made_dicom.ct_slice(704, 1, i, **odd)[1] for i in range(4)]
        self.assertEqual(self.kept(files)[0], 200)
        study = f"{made_dicom.ROOT}.704"
        _, job = self.server.post("/api/jobs", {"task": "report", "study_uid": study})
        for path in ("/api/studies", f"/api/studies/{study}", "/api/jobs", "/api/audit?limit=100", "/dicomweb/studies", f"/dicomweb/studies/{study}/metadata",
                     f"/api/studies?search={SCRIPT.replace(' ', '')}", f"/api/{SCRIPT}", f"/dicomweb/studies/{SCRIPT}", f"/{SCRIPT}"):
            _, headers, data = self.server.ask("GET", path)
            if "html" in headers["Content-Type"] or "xml" in headers["Content-Type"]:
                self.assertNotIn(SCRIPT.encode(), data, path)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertNotIn("Set-Cookie", headers)
        self.assertEqual(self.server.wait(job["id"], 60)["state"], "done")
        status, headers, page = self.server.ask("GET", f"/api/jobs/{job['id']}/files/report.html")
        self.assertEqual(status, 200)
        self.assertIn(b"&lt;script&gt;", page)
        self.assertNotIn(b"<script", page.lower())
        self.assertNotIn(b"<img src=x", page)
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])

    def test_malformed_files_of_other_people(self):
        if not DATA.is_dir():
            self.skipTest(NOT_HERE)
        paths = sorted(p for folder in ("pydicom", "pydicom-data") for p in (DATA / "dicom" / folder).rglob("*") if p.is_file())
        files = [p.read_bytes() for p in paths if p.stat().st_size < 60_000]
        self.assertGreater(len(files), 50)
        kept = []
        for first in range(0, len(files), 25):
            kept += self.kept(files[first:first + 25])[1]
        for uid in set(kept):
            found = self.server.get(f"/dicomweb/instances?SOPInstanceUID={uid}")[0]
            path = "/dicomweb/studies/{0}/series/{1}/instances/{2}".format(*(found[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")))
            for end in ("/metadata", "/rendered", "/frames/1"):
                status, _, answer = self.server.ask("GET", path + end)
                self.assertTrue(status == 200 or 400 <= status < 500, (path, end, status, answer[:300]))

    def test_what_is_over_its_limit(self):
        self.problem(self.server.ask("GET", "/api/health", headers={"X-Long": "a" * 70_000}), (431,), "a header")
        self.assertEqual(self.raw(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")[0], 431)
        self.problem(self.server.ask("POST", "/api/jobs", "[" * (2 << 20), {"Content-Type": "application/json"}), (413,), "a body of JSON")
        self.problem(self.server.ask("POST", "/api/jobs", "[" * 500_000, {"Content-Type": "application/json"}), (400,), "deep JSON")
        self.problem(self.server.ask("POST", "/dicomweb/studies", bytes(int(BODY_GB * (1 << 30)) + 1), {"Content-Type": "application/dicom"}), (413,), "a body")
        kind = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
        for body in (b"--b\r\n" + b"X: y\r\n" * 20_000 + b"\r\n\r\n--b--", b"--b\r\nX" + b"y" * 200_000, b"--b\r\n: x\r\n\r\n--b--", b"x" * 300_000, b"--b", b""):
            self.problem(self.server.ask("POST", "/dicomweb/studies", body, kind), (400,), body[:20])
        self.problem(self.server.ask("POST", "/dicomweb/studies", b"x", {"Content-Type": "multipart/related; boundary=" + "b" * 1000}), (400, 415), "boundary")

    def test_requests_that_are_no_http(self):
        rest = b"\r\nHost: localhost\r\n"
        for text, wanted in ((b"GET / HTTP/1.1\r\n\r\n", 421), (b"\0\1\2\3\r\n\r\n", 400), (b"GET  /  HTTP/9.9" + rest + b"\r\n", 400),
                             (b"POST /api/jobs HTTP/1.1" + rest + b"Content-Length: -1\r\n\r\n", 400),
                             (b"POST /api/jobs HTTP/1.1" + rest + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
                             (b"POST /api/jobs HTTP/1.1" + rest + b"Content-Type: application/json\r\nContent-Length: 99999\r\n\r\nabc", 400),
                             (b"POST /dicomweb/studies HTTP/1.1" + rest + b"Transfer-Encoding: chunked\r\nContent-Type: application/dicom\r\n\r\nzz\r\n", 400),
                             (b"GET /api/health HTTP/1.1" + rest + b"Host: evil.example\r\n\r\n", 400),
                             (b"GET /api/health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
                             (b"GET /api/health HTTP/1.1" + rest + b"Origin: http://evil.example\r\n\r\n", 403),
                             (b"GET /api/health HTTP/1.1" + rest + b"X: a\0b\r\n\r\n", 400), (b"BREW /api/health HTTP/1.1" + rest + b"\r\n", 405)):
            status, answer = self.raw(text)
            self.assertEqual(status, wanted, (text, answer[:300]))
            self.assertIn(b"application/problem+json", answer)

    def test_slow_and_many_clients(self):
        begin = time.monotonic()
        self.assertEqual(self.server.get("/api/health")["status"], "ok")
        self.assertLess(time.monotonic() - begin, 2)
        many = [self.connect() for _ in range(CONNECTIONS + 4)]
        for line in many:
            self.addCleanup(line.close)
        busy = b"".join(line.recv(4096) for line in many[-2:])
        self.assertIn(b" 503 ", busy)
        self.assertIn(b"Retry-After", busy)
        for line in many:
            line.close()
        self.assertTrue(any(self.is_up() or time.sleep(0.1) for _ in range(50)))
        for line in self.slow:
            answer = line.recv(4096)   # 408 at last
            line.close()
            self.assertIn(b" 408 ", answer)
        self.assertLess(time.monotonic() - self.slow_since, 30)

    def is_up(self):
        try:
            return self.server.ask("GET", "/api/health")[0] == 200
        except OSError:
            return False


if __name__ == "__main__":
    unittest.main()
