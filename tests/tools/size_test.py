"""A file that is too long must be named, and the length of a function must be right."""
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SPEC = importlib.util.spec_from_file_location("size", ROOT / "tools" / "size.py")
size = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(size)


class Size(unittest.TestCase):
    def test_a_planted_long_file_is_named(self):
        for lines, code in ((800, 0), (801, 1)):
            with self.subTest(lines=lines), tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / "core").mkdir()
                (pathlib.Path(folder) / "core" / "long.cpp").write_text("int x;\n" * lines)
                (pathlib.Path(folder) / "layers.toml").write_text("[layers]\ncore = []\n")
                done = subprocess.run([sys.executable, ROOT / "tools" / "size.py", folder], capture_output=True, text=True)
                self.assertEqual(done.returncode, code, done.stdout)
                self.assertEqual("long.cpp" in done.stdout, code == 1)

    def test_function_lengths(self):
        text = 'namespace a {\nint f(int x) {\n  if (x > 0) {\n    return \'{\';\n  }\n  return 0;\n}\n\nvoid g() { }\nvoid h() {\n}\n}\n'
        self.assertEqual(size.function_lengths(text), [(2, 6), (10, 2)])


if __name__ == "__main__":
    unittest.main()
