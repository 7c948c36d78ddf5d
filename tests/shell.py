"""CLI tests (one shell line each) and the commands of README.md and docs/guide."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile
import time

from tally import DATA, NOT_HERE, PENTA, ROOT, data_is_here

LIMIT_S = 180
FENCE = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)
NOT_RUN = ("./quickstart", "./test", "penta serve", "./penta serve", "git ", "#")


def environment():
    own = {"PENTA": str(PENTA), "DATA": str(DATA), "ROOT": str(ROOT), "SAMPLES": str(ROOT / "build" / "samples"),
           "CLI": str(ROOT / "tests" / "cli"), "SOURCE_DATE_EPOCH": "1704067200"}
    return {**os.environ, **own, "PATH": f"{PENTA.parent}:{os.environ['PATH']}"}


def shell(line, folder):
    """Exit code and output of one line of bash in `folder`."""
    try:
        done = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=folder, env=environment(), timeout=LIMIT_S,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return None, f"stopped after {LIMIT_S} s"


def cli_lines():
    """(file, name, exit code, command) of tests/cli/*.txt: name | exit code | command."""
    for file in sorted((ROOT / "tests" / "cli").glob("*.txt")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                parts = [part.strip() for part in line.split("|", 2)]
                if len(parts) != 3 or not parts[1].isdigit():
                    raise ValueError(f"{file.name}:{number}: expected 'name | exit code | command'")
                yield file.stem, parts[0], int(parts[1]), parts[2]


def run_cli_line(row):
    file, name, wanted, command = row
    if "$DATA" in command and not data_is_here():
        return f"cli/{file}: {name}", "skip", NOT_HERE, 0
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="penta-cli-") as folder:
        code, output = shell(command, folder)
    fault = None if code == wanted else f"exit code {code}, expected {wanted}\n$ {command}\n{output[-2000:]}"
    return f"cli/{file}: {name}", "ran", fault, time.monotonic() - begin


def run_cli(tally, only=""):
    tally.section("command line")
    rows = [row for row in cli_lines() if only in f"{row[0]}: {row[1]}"]
    # Lines that measure time run alone, after the others.
    alone = [row for row in rows if row[0] == "limits"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(run_cli_line, [row for row in rows if row not in alone]))
    for name, state, text, seconds in [*answers, *map(run_cli_line, alone)]:
        if state == "skip":
            tally.skip(name, text)
        else:
            tally.add(name, text, seconds)


def document_commands(document):
    """The lines of the ```sh blocks of a document; a backslash at the end goes on."""
    for block in FENCE.findall(document.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip() and not line.strip().startswith(NOT_RUN):
                yield line.strip()


def run_documents(tally):
    """Commands of a page run in order in one folder that has ./penta and build/samples like a checkout."""
    tally.section("commands of README.md and docs/guide")
    for document in [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]:
        folder = tempfile.mkdtemp(prefix="penta-docs-")
        os.symlink(PENTA, f"{folder}/penta")
        os.symlink(ROOT / "build", f"{folder}/build")
        os.symlink(ROOT / "tools", f"{folder}/tools")
        os.symlink(ROOT / "tests", f"{folder}/tests")
        os.symlink(ROOT / "models", f"{folder}/models")
        for command in document_commands(document):
            name = f"{document.relative_to(ROOT)}: {command}"
            if "$PENTA_DATA" in command and not data_is_here():
                tally.skip(name, NOT_HERE)
                continue
            begin = time.monotonic()
            code, output = shell(f"export PENTA_DATA={DATA}; {command}", folder)
            tally.add(name, None if code == 0 else f"exit code {code}\n{output[-2000:]}", time.monotonic() - begin)
        shutil.rmtree(folder)
