"""Planted faults: tools/check_layers.py must name each."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def check(files):
    """Output and exit code of check_layers.py on a tree of ours with these files in it."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "layers.toml").write_text((ROOT / "layers.toml").read_text())
        for name, text in {"core/a.h": "", "io/a.h": "", "tasks/analysis/a.h": "", "tasks/method.h": "", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        done = subprocess.run([sys.executable, ROOT / "tools" / "check_layers.py", root], capture_output=True, text=True)
        return done.stdout + done.stderr, done.returncode


class CheckLayers(unittest.TestCase):
    def test_a_right_tree_passes(self):
        output, code = check({"io/b.cpp": '#include "core/a.h"\n', "tasks/analysis/b.cpp": '#include "tasks/method.h"\n'})
        self.assertEqual(code, 0, output)

    def test_planted_faults_are_named(self):
        planted = {
            "core includes io": {"core/b.cpp": '#include "io/a.h"\n'},
            "a task includes io": {"tasks/analysis/b.cpp": '#include "io/a.h"\n'},
            "a task includes its sister": {"tasks/segmentation/b.cpp": '#include "tasks/analysis/a.h"\n'},
            "a path that is not from the root": {"io/b.cpp": '#include "a.h"\n'},
            "the command line includes io": {"apps/cli/b.cpp": '#include "io/a.h"\n'},
            "a fenced header": {"tasks/analysis/b.cpp": "#include <dcmtk/dcmdata/dctk.h>\n"},
            "JSON outside its file": {"core/b.cpp": "#include <nlohmann/json.hpp>\n"},
        }
        for fault, files in planted.items():
            with self.subTest(fault):
                output, code = check(files)
                self.assertEqual(code, 1, output)
                self.assertIn(next(iter(files)), output)


if __name__ == "__main__":
    unittest.main()
