"""MR header rules on the real DICOM files of data/dicom: what penta's mr.sequence says of each file against a table by hand
(TR, TE, TI, sequence, variant and image type looked through, file by file). Prints one result line; 1 where any is wrong.

    python3 tests/quality/mr_headers.py [PENTA]"""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = pathlib.Path(os.environ.get("PENTA_DATA", ROOT.parent / "shared" / "data")) / "dicom"
PENTA = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "build" / "release" / "penta"
NAMES = {"T1", "T2", "PD", "FLAIR", "STIR", "T2*", "EPI", "diffusion", "TOF", "angiography", "cine"}
# (glob, sequence; "" where the header does not say enough)
TRUTH = [("dcm_qa/In/Orientation/*/*asc35/MR*", "EPI"), ("dcm_qa_nih/In/20180918Si/mr_*/*.dcm", "EPI"),
         ("dicom-test-files/WG04/*/MR1_*", "T2"), ("dicom-test-files/WG04/*/MR3_*", "T1"), ("dicom-test-files/WG04/*/MR4_*", "STIR"),
         ("nibabel-testdata/siemens_dwi_*.dcm.gz", "diffusion"), ("nibabel-testdata/0.dcm", "diffusion"),
         ("nibabel-testdata/decimal_rescale.dcm", ""), ("nibabel-testdata/philips_mprage.dcm.gz", "T1"),
         ("nibabel-testdata/slicethickness_empty_string.dcm", "TOF"), ("pydicom-data/emri_small*[!t].dcm", "T1"),
         ("pydicom/test_files/MR_small*.dcm", "T2"), ("pydicom/test_files/dicomdirtests/98892003/MR1/*", "T1"),
         ("pydicom/test_files/dicomdirtests/98892003/MR2/15970", "T1"), ("pydicom/test_files/dicomdirtests/98892003/MR2/[4-6]*", "T2*"),
         ("pydicom/test_files/dicomdirtests/98892003/MR700/*", "angiography"), ("pydicom/test_files/examples_overlay.dcm", "T1")]


def said(file):
    """The sequence label of one file, or a sentence of what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        if file.suffix == ".gz":
            plain = pathlib.Path(folder) / "file.dcm"
            plain.write_bytes(gzip.decompress(file.read_bytes()))
            file = plain
        done = subprocess.run([PENTA, "recognize", "any.header", file, "-o", out, "--quiet"], capture_output=True, text=True)
        if done.returncode != 0:
            return "failed: " + (done.stderr + done.stdout)[-200:]
        labels = [s["label"] for s in json.loads((out / "result.json").read_text())["scores"]]
    return next((name for name in labels if name in NAMES), "")


def main():
    files = [(f, truth) for pattern, truth in TRUTH for f in sorted(DATA.glob(pattern))]
    wrong = [(str(f.relative_to(DATA)), truth, got) for f, truth in files if (got := said(f)) != truth]
    for row in wrong:
        print("wrong:", *row, sep=" | ")
    right = 100 * (len(files) - len(wrong)) / max(len(files), 1)
    print(json.dumps({"requirement": "mr.recognition.header_rules", "data": "data/dicom (dcm_qa, dcm_qa_nih and others)", "n": len(files),
                      "metric": "right %", "value": round(right, 2)}))
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
