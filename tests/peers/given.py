"""What every script here is given: the program, and where the data are."""
import argparse
import csv
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parser_of(text):
    """PENTA (default: the release build) and --data FOLDER (default: PENTA_DATA, or shared/data beside the checkout)."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("penta", nargs="?", type=pathlib.Path, default=ROOT / "build/release/penta")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(os.environ.get("PENTA_DATA", ROOT.parent / "shared/data")))
    return parser


def corpus_parser(text):
    """What parser_of gives, for scripts that go through data/dicom/INDEX.csv."""
    parser = parser_of(text)
    parser.add_argument("--only", default="", help="rows whose file name has this text")
    parser.add_argument("--all", action="store_true", help="print every row")
    return parser


def corpus_files(folder, only):
    """Names in the INDEX.csv of a folder that have the text `only`."""
    return [row["file"] for row in csv.DictReader((folder / "INDEX.csv").open()) if only in row["file"]]


def beside(penta, name):
    """A program of the same build as `penta`."""
    return penta.resolve().parent / name


def skip_all(data):
    print(f"data not here: {data}\n0 passed, 0 failed, 1 skipped")
    return 0
