#!/usr/bin/env python3
"""schemathesis reads /api/openapi.json of a running server and sends what it makes of it: every answer must be one that
the document has.

usage: openapi.py [PENTA] [--examples 50] [--seed 1]
The server holds a sample study, so that there is something to find. Needs schemathesis.
The last line is 'N passed, N failed, N skipped'.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from server.server_test import Server, sample  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("penta", nargs="?")
    parser.add_argument("--examples", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        server = Server(pathlib.Path(name) / "data")
        server.store(sample("us-simulated"))
        done = subprocess.run([pathlib.Path(sys.executable).parent / "schemathesis", "run", f"http://127.0.0.1:{server.port}/api/openapi.json",
                               "--checks", "all", "--seed", str(options.seed), "--max-examples", str(options.examples),
                               "--request-timeout", "20", "--no-color"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=name, env={**os.environ, "NO_COLOR": "1"})
        alive = server.process.poll() is None
        server.stop()
    print(done.stdout)
    good = done.returncode == 0 and alive
    print("the server " + ("lives" if alive else "died"))
    print("1 passed, 0 failed, 0 skipped" if good else "0 passed, 1 failed, 0 skipped")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
