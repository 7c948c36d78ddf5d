#!/usr/bin/env python3
"""make_onnx.py FILE OPERATOR: a network of one operator, [1, 1, y, x] to the same, as ONNX (written by hand: protobuf)."""
import sys


def number(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(place, value):
    if isinstance(value, int):
        return number(place << 3) + number(value)
    data = value.encode() if isinstance(value, str) else value
    return number(place << 3 | 2) + number(len(data)) + data


def image(name):
    sizes = [field(1, field(1, 1)), field(1, field(1, 1)), field(1, field(2, "y")), field(1, field(2, "x"))]
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, b"".join(sizes))))


node = field(1, "image") + field(2, "logits") + field(4, sys.argv[2])
graph = field(1, node) + field(2, "g") + field(11, image("image")) + field(12, image("logits"))
with open(sys.argv[1], "wb") as file:
    file.write(field(1, 8) + field(7, graph) + field(8, field(2, 17)))
