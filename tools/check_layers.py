#!/usr/bin/env python3
"""Checks the arrows of layers.toml: every include is a path from the root, runs along an arrow, and stays in its fence.

usage: check_layers.py [ROOT]
"""
import pathlib
import re
import sys
import tomllib

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def reach(layers, name, direct_only):
    """The layers that `name` may include, itself among them."""
    seen, open_names = {name}, list(layers[name])
    while open_names:
        other = open_names.pop()
        if other not in seen:
            seen.add(other)
            if name not in direct_only:
                open_names += layers[other]
    return seen


def layer_of(path, layers):
    return next((name for name in layers if path.startswith(name + "/")), None)


def faults(root):
    rules = tomllib.loads((root / "layers.toml").read_text())
    layers, fences = rules["layers"], rules.get("fences", {})
    allowed = {name: reach(layers, name, rules.get("direct_only", {}).get("layers", [])) for name in layers}
    for name in layers:
        for file in sorted([*(root / name).rglob("*.h"), *(root / name).rglob("*.cpp")]):
            here = file.relative_to(root).as_posix()
            for kind, target in INCLUDE.findall(file.read_text()):
                if kind == '"':
                    other = layer_of(target, layers)
                    if not (root / target).is_file():
                        yield f"{here}: includes \"{target}\", which is no path from the root of the repository"
                    elif other not in allowed[name]:
                        yield f"{here}: {name} may not include {other or target} (\"{target}\")"
                    elif name == "tasks" and sister(here, target):
                        yield f"{here}: a task may not include its sister (\"{target}\")"
                library = re.split(r"[/.]", target)[0]
                if library in fences and not here.startswith(tuple(fences[library])):
                    yield f"{here}: <{target}> stays in {', '.join(fences[library])}"


def sister(here, target):
    """Whether one task folder includes another (tasks/<task>/...)."""
    ours, theirs = here.split("/"), target.split("/")
    return len(ours) > 2 and len(theirs) > 2 and theirs[0] == "tasks" and ours[1] != theirs[1]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = list(faults(root))
    print("\n".join(found) if found else "layers: every include runs along an arrow")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
