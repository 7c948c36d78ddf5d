#!/usr/bin/env python3
"""House rules on names in our C++: no macros, no `using namespace`, snake_case functions, PascalCase types, units in the
names of public lengths, times, doses and angles, ASCII, no host names, no note to do later.

usage: check_names.py [ROOT]
"""
import pathlib
import re
import sys
import tomllib

# A double with one of these words in its name needs a unit at the end.
QUANTITY = re.compile(r"(spacing|origin|thickness|distance|length|diameter|radius|volume|weight|height|dose|activity|half_life|"
                      r"voltage|delay|duration|angle|tilt|perimeter|circumference|bandwidth|frequency)$")
DOUBLE = re.compile(r"\b(?:double|float|Vector3|Fact<double>|std::optional<double>|std::array<double, \d>)&?\s+"
                    r"([a-z]\w*(?:,\s*[a-z]\w*)*)\b(?!\s*\()")
DEFINE = re.compile(r"^\s*#\s*define\b", re.M)
USING = re.compile(r"^\s*using\s+namespace\b", re.M)
LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# This machine, names that RFC 2606 keeps for examples, and a scheme alone are no host names.
HOST = re.compile(r"https?://(?!(?:www\.)?(?:doi\.org|w3\.org|dicom\.nema\.org|ismrm\.org|snomed\.info|unitsofmeasure\.org)"
                  r"|localhost\b|127\.0\.0\.1\b|[a-z.]*\.example\b|[<\"])", re.I)
TYPE = re.compile(r"^\s*(?:template\s*<[^>]*>\s*)?(?:class|struct|enum class)\s+([A-Za-z_]\w*)(?=[^;]*\{)", re.M)
FUNCTION = re.compile(r"^\s*(?:\[\[nodiscard\]\]\s*)?(?!\s*(?:return|else|throw|delete|new)\b)\w[\w:<>,&* ]*[ &*]([a-zA-Z_]\w*)\([^;{]*\)"
                      r"(?: const)?(?: noexcept)?(?: override)?\s*[;{]", re.M)
# Names that GoogleTest, libFuzzer or DCMTK and others ask for.
FOREIGN = re.compile(r"^(TEST(_[FP])?|INSTANTIATE_TEST_SUITE_P|LLVMFuzzerTestOneInput|operator.*|[A-Z]\w*|newFactory|createConnection|networkDataAvailable|isTransparentConnection|\w*_callback)$")
STRINGS = re.compile(r'"(?:\\.|[^"\\])*"|R"~*\((?:.|\n)*?\)~*"|//[^\n]*')


def faults_of(here, raw, header):
    code = STRINGS.sub('""', raw)
    if DEFINE.search(code):
        yield "a macro (#define)"
    if USING.search(code):
        yield "'using namespace'"
    if not raw.isascii():
        yield "characters that are not ASCII: " + ", ".join(sorted({c for c in raw if ord(c) > 127})[:5])
    for word in LATER.findall(raw):
        yield f"'{word}': an issue is the place for it"
    if HOST.search(raw):
        yield "a host name: " + HOST.search(raw).group(0)
    for name in TYPE.findall(code):
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name):
            yield f"type '{name}' is not PascalCase"
    for name in FUNCTION.findall(code):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) and not FOREIGN.match(name):
            yield f"function '{name}' is not snake_case"
    if header:
        for names in DOUBLE.findall(code):
            for name in re.split(r",\s*", names):
                if QUANTITY.search(name):
                    yield f"'{name}' has no unit in its name"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = []
    for layer in tomllib.loads((root / "layers.toml").read_text())["layers"]:
        for file in sorted([*(root / layer).rglob("*.h"), *(root / layer).rglob("*.cpp")]):
            here = file.relative_to(root).as_posix()
            found += [f"{here}: {fault}" for fault in faults_of(here, file.read_text(), file.suffix == ".h")]
    print("\n".join(found) if found else "names: every rule is kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
