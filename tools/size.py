#!/usr/bin/env python3
"""Lines and function lengths by folder; fails over files of more than 800 lines.

A function is a line at namespace or class level that opens a brace after a ')'; its length ends at the brace that
closes it. That is a guess that is right for code laid out by our .clang-format.
usage: size.py [ROOT]
"""
import pathlib
import re
import sys
import tomllib

LIMIT = 800
OPENS = re.compile(r"\)[^;()]*\{\s*$")
RAW = re.compile(r'R"(\w|~)*\((?:.|\n)*?\)\1*"')
STRINGS = re.compile(r"""\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])+'|//.*$""")


def function_lengths(text):
    """(first line, number of lines) of every function of one C++ file."""
    depth, stack = 0, []
    found = []
    text = RAW.sub(lambda match: '""' + "\n" * match.group(0).count("\n"), text)
    for number, raw in enumerate(text.splitlines(), 1):
        line = STRINGS.sub('""', raw)
        opens_function = OPENS.search(line) and not re.match(r"\s*(if|for|while|switch|else|catch|namespace)\b", line)
        if opens_function and not any(kind == "function" for kind, _, _ in stack):
            stack.append(("function", depth, number))
        depth += line.count("{") - line.count("}")
        while stack and depth <= stack[-1][1]:
            _, _, first = stack.pop()
            found.append((first, number - first + 1))
    return found


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    layers = list(tomllib.loads((root / "layers.toml").read_text())["layers"])
    folders = [*layers, "web/src", "web/mock", "tools", "tests", "train"]
    too_long, all_files, all_functions = [], [], []
    print(f"{'folder':10} {'files':>5} {'lines':>6} {'file p90':>8} {'functions':>9} {'p90':>4} {'longest':>7}")
    for folder in folders:
        names = [f for f in (root / folder).rglob("*") if f.suffix in (".h", ".cpp", ".py", ".sh", ".ts", ".mjs", ".css")]
        lines, functions = [], []
        for file in names:
            text = file.read_text()
            lines.append(text.count("\n"))
            if lines[-1] > LIMIT:
                too_long.append(f"{file.relative_to(root)}: {lines[-1]} lines, at most {LIMIT} are allowed")
            if file.suffix in (".h", ".cpp"):
                functions += [length for _, length in function_lengths(text)]
        all_files += lines
        all_functions += functions
        print(f"{folder:10} {len(lines):5} {sum(lines):6} {percentile(lines, .9):8} {len(functions):9} "
              f"{percentile(functions, .9):4} {max(functions, default=0):7}")
    print(f"{'all':10} {len(all_files):5} {sum(all_files):6} {percentile(all_files, .9):8} {len(all_functions):9} "
          f"{percentile(all_functions, .9):4} {max(all_functions, default=0):7}")
    print("\n".join(too_long))
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
