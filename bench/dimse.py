#!/usr/bin/env python3
"""C-STORE of CT slices: instances a second, ours beside Orthanc and storescp in one run.

usage: dimse.py [PENTA] [--count 500] [--repeats 3] [--work FOLDER]
512 x 512 slices of 16 bits by DCMTK's storescu on one association and, a quarter each, on four at once. All three keep
files on the same disk; ours and Orthanc sync each before they answer, storescp does not. Best of N interleaved runs, each
into an empty store. Floor: 200 a second on one association on an idle 2-core machine.
The last line is 'N passed, N failed, N skipped'.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "peers"))
import dicom_peers  # noqa: E402

FLOOR_PER_S = 200
SERVERS = {"ours": dicom_peers.ours, "orthanc": dicom_peers.Orthanc, "storescp": dicom_peers.storescp}


def seconds_of(port, parts):
    begin = time.monotonic()
    clients = [subprocess.Popen(["storescu", "127.0.0.1", str(port), *part]) for part in parts]
    codes = [client.wait() for client in clients]
    if any(codes):
        raise RuntimeError(f"storescu ended with {codes}")
    return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("penta", nargs="?")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    missing = [p for p in ("storescu", "storescp", "Orthanc") if not shutil.which(p)]
    if missing:
        print(f"not on this machine: {', '.join(missing)} (install dcmtk, orthanc)\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = pathlib.Path(name)
        files = dicom_peers.make_ct(folder / "ct", options.count)
        best = {}
        for repeat in range(options.repeats):
            for associations in (1, 4):
                parts = [files[i::associations] for i in range(associations)]
                for server, start in SERVERS.items():
                    store = folder / "store" / "one"
                    with start(store) as running:
                        rate = len(files) / seconds_of(running.port, parts)
                    shutil.rmtree(folder / "store")
                    best[server, associations] = max(best.get((server, associations), 0), rate)
                    print(f"  run {repeat + 1}: {server}, {associations} association(s): {rate:.0f} a second", flush=True)
    for associations in (1, 4):
        mine = best["ours", associations]
        print(f"C-STORE on {associations} association(s), instances a second: ours {mine:.0f}, "
              + ", ".join(f"{s} {best[s, associations]:.0f} ({mine / best[s, associations]:.1f} x)" for s in SERVERS if s != "ours"))
    good = best["ours", 1] >= FLOOR_PER_S
    print(f"floor: {FLOOR_PER_S} on one association\n" + ("1 passed, 0 failed, 0 skipped" if good else "0 passed, 1 failed, 0 skipped"))
    return not good


if __name__ == "__main__":
    sys.exit(main())
