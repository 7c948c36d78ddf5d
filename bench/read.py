#!/usr/bin/env python3
"""Reading and writing: ours against SimpleITK, pydicom, dcm2niix and nibabel, in one run.

usage: read.py [PENTA] [--only raw,jls,j2k,nifti,write] [--repeats 5] [--series FOLDER]
Needs the environment of tools/peers.sh and the target bench_read_series beside PENTA (default build/release/penta).
DICOM: 400 slices of 512 x 512 from a folder to a volume in memory (dcm2niix: to a file in memory where there is
/dev/shm), each program in a process of its own that has started and read once before; 2 threads; all take turns, and the
best time counts. NIfTI: 256^3 int16, .nii.gz, file to memory and memory to file. Peak memory is that of the process.
Prints a row a case; the last line is 'N passed, N failed, N skipped'.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy

import series

ROOT = pathlib.Path(__file__).resolve().parent.parent
THREADS = "2"
FLOORS = {"raw": 2.5, "jls": 1.8, "j2k": 1.8, "nifti": 1.0, "write": 3.0}
MEMORY_MAX = 1.3  # peak of our process over the volume's size, DICOM only
PEERS = {"raw": ["SimpleITK", "pydicom", "dcm2niix"], "nifti": ["SimpleITK", "nibabel"], "write": ["SimpleITK", "nibabel"]}


# --- the peers, each in a process of its own -------------------------------------------------------------------------

def simpleitk(kind, folder, out):
    import SimpleITK as sitk
    if kind == "write":
        image = sitk.ReadImage(folder / "volume.nii.gz")
        return lambda: sitk.WriteImage(image, out, True)
    if kind == "nifti":
        return lambda: sitk.ReadImage(folder / "volume.nii.gz")

    def run():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder / kind)))
        return reader.Execute()
    return run


def pydicom(kind, folder, out):
    import pydicom

    def run():
        all_sets = sorted(map(pydicom.dcmread, (folder / kind).iterdir()), key=lambda d: d.ImagePositionPatient[2])
        volume = numpy.empty((len(all_sets), all_sets[0].Rows, all_sets[0].Columns), numpy.int16)
        for z, d in enumerate(all_sets):
            volume[z] = d.pixel_array * int(d.RescaleSlope) + int(d.RescaleIntercept)
        return volume
    return run


def nibabel(kind, folder, out):
    import nibabel
    if kind == "nifti":
        return lambda: numpy.asarray(nibabel.load(folder / "volume.nii.gz").dataobj).T
    image = nibabel.load(folder / "volume.nii.gz")
    image = nibabel.Nifti1Image(numpy.asarray(image.dataobj), image.affine)
    return lambda: nibabel.save(image, out)


def dcm2niix(kind, folder, out):
    import dcm2niix as package

    def run():
        for old in out.parent.glob("d2n*"):
            old.unlink()
        subprocess.run([package.bin, "-z", "n", "-b", "n", "-f", "d2n", "-o", out.parent,
                        folder / kind], check=True, capture_output=True)
    return run


def serve(name, kind, folder, out):
    """The protocol of bench/read_series.cpp."""
    import resource
    run, result = globals()[name.lower()](kind, folder, out), None
    for line in map(str.strip, sys.stdin):
        if line == "run":
            result = None
            begin = time.perf_counter()
            result = run()
            print(time.perf_counter() - begin, flush=True)
        elif line.startswith("dump "):
            print(save(name, kind, result, out, pathlib.Path(line[5:])), flush=True)
        elif line == "peak":
            # Of this process since it started; getrusage's own figure starts at that of the judge.
            own = re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text()).group(1)
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if name == "dcm2niix" else own, flush=True)
        else:
            break


def save(name, kind, result, out, path):
    import nibabel as nib
    if name == "dcm2niix":
        found = sorted(out.parent.glob("d2n*.nii"))
        if len(found) != 1:
            return "no volume"
        result = numpy.asarray(nib.load(found[0]).dataobj).T[:, ::-1]  # its rows run from front to back
    elif not isinstance(result, numpy.ndarray):
        import SimpleITK as sitk
        result = sitk.GetArrayFromImage(result)
    result.astype("<i2").tofile(path)
    return " ".join(map(str, result.shape[::-1]))


# --- the judge -------------------------------------------------------------------------------------------------------

class Worker:
    def __init__(self, name, command):
        self.name, self.best = name, float("inf")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={
            **os.environ, "THREADS": THREADS, "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": THREADS, "OMP_NUM_THREADS": THREADS})

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise RuntimeError(f"{self.name} ended without an answer")
        return answer

    def run(self):
        self.best = min(self.best, float(self.ask("run")))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def same_voxels(worker, kind, folder, truth, scratch):
    """Whether what it read (or wrote) is the truth, bit for bit."""
    if kind == "write":
        import nibabel as nib
        return numpy.array_equal(numpy.asarray(nib.load(scratch / f"{worker.name}.nii.gz").dataobj).T, truth)
    shape = worker.ask(f"dump {scratch / 'voxels'}")
    return shape == " ".join(map(str, truth.shape[::-1])) and numpy.array_equal(
        numpy.fromfile(scratch / "voxels", "<i2").reshape(truth.shape), truth)


def start(kind, program, folder, scratch):
    words = {"nifti": ["nifti", folder / "volume.nii.gz"], "write": ["write", folder / "volume.nii.gz", scratch / "ours.nii.gz"]}
    workers = [Worker("ours", [program, *words.get(kind, ["dicom", folder / kind])])]
    for name in PEERS.get(kind, PEERS["raw"]):
        out = scratch / f"{name}.nii.gz"
        workers.append(Worker(name, [sys.executable, __file__, "--serve", name, kind, str(folder), str(out)]))
    return workers


def case(kind, program, folder, repeats, scratch):
    """One row; whether all floors hold."""
    truth = numpy.load(folder / "truth.npy", mmap_mode="r")
    if kind in ("nifti", "write"):
        truth = truth[72:328, ::2, ::2]
    workers = start(kind, program, folder, scratch)
    for turn in range(repeats + 1):
        for worker in workers:
            worker.run()
            if turn == 0:
                worker.best = float("inf")  # it has warmed up
    same = {w.name: same_voxels(w, kind, folder, truth, scratch) for w in workers}
    peak = {w.name: int(w.ask("peak")) / 1024 for w in workers} if kind != "write" else {}
    for worker in workers:
        worker.close()
    ours, *others = workers
    others = [w for w in others if same[w.name] and (kind != "nifti" or w.name == "SimpleITK")] or others
    fastest = min(others, key=lambda w: w.best)
    ratio, size = fastest.best / ours.best, truth.nbytes / 2 ** 20
    memory = peak["ours"] / size if kind in series.KINDS else 0
    good = same["ours"] and ratio >= FLOORS[kind] and memory <= MEMORY_MAX
    print(f"{'passed' if good else 'FAILED'}  {kind:6}" + "".join(
        f"{w.name} {w.best:.3f} s{f' {peak[w.name]:.0f} MiB' if peak else ''}{'' if same[w.name] else ' (other voxels)'}, "
        for w in workers) + f"{ratio:.2f} times {fastest.name} (floor {FLOORS[kind]})"
        + (f", memory {memory:.2f} of the volume (at most {MEMORY_MAX})" if memory else ""), flush=True)
    return good


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]), pathlib.Path(sys.argv[5]))
    parser = argparse.ArgumentParser()
    parser.add_argument("penta", nargs="?", default=ROOT / "build" / "release" / "penta", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(FLOORS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--series", default=ROOT / "build" / "bench" / "series", type=pathlib.Path)
    arguments = parser.parse_args()
    series.make(arguments.series)
    kinds = arguments.only.split(",")
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shm) as scratch:
        program = arguments.penta.parent / "bench_read_series"
        good = [case(kind, program, arguments.series, arguments.repeats, pathlib.Path(scratch)) for kind in kinds]
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed, 0 skipped")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
