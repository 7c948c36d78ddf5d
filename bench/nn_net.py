"""A random 3-D U-Net of nnU-Net's kind as a bundle of penta, and a random CT to run it on (for nn_memory.py, nn_window.py).

Needs torch and onnx; where they are not here, available() says so.
"""
import gzip
import hashlib
import json
import pathlib

import numpy


def available():
    try:
        import onnx, torch  # noqa: F401
        return True
    except ImportError:
        return False


def network(classes, widths, convolutions=2, seed=0):
    """PlainConvUNet: stages of `convolutions` 3 x 3 x 3 convolutions with instance norm and leaky ReLU, 1 x 1 x 1 at the end."""
    import torch
    from torch import nn

    torch.manual_seed(seed)

    def block(n_in, n_out, stride):
        layers = []
        for i in range(convolutions):
            layers += [nn.Conv3d(n_in if i == 0 else n_out, n_out, 3, stride if i == 0 else 1, 1),
                       nn.InstanceNorm3d(n_out, affine=True), nn.LeakyReLU(0.01)]
        return nn.Sequential(*layers)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.down = nn.ModuleList([block(1 if i == 0 else widths[i - 1], w, 1 if i == 0 else 2) for i, w in enumerate(widths)])
            pairs = list(zip(widths[::-1], widths[-2::-1]))
            self.up = nn.ModuleList([nn.ConvTranspose3d(a, b, 2, 2) for a, b in pairs])
            self.merge = nn.ModuleList([block(2 * b, b, 1) for _, b in pairs])
            self.head = nn.Conv3d(widths[0], classes, 1)

        def forward(self, x):
            skips = []
            for stage in self.down:
                x = stage(x)
                skips.append(x)
            for up, merge, skip in zip(self.up, self.merge, skips[-2::-1]):
                x = merge(torch.cat([up(x), skip], 1))
            return self.head(x)

    net = Net().eval()
    for module in net.modules():
        if isinstance(module, (nn.Conv3d, nn.ConvTranspose3d)):
            nn.init.kaiming_normal_(module.weight, a=0.01)
    # Random logits would hardly ever be those of one class over a region: a wide last layer makes labels differ.
    nn.init.normal_(net.head.weight, std=1.0)
    return net


def write_bundle(folder, net, classes, patch, **words):
    """folder/card.json and model.onnx; `words` go into the card's network.input."""
    import torch

    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(1, 1, *[64] * 3)
    names = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {k: {2: "a", 3: "b", 4: "c"} for k in ("x", "y")}}
    torch.onnx.export(net, (example,), folder / "model.onnx", opset_version=17, dynamo=False, **names)
    mirror, precision = words.pop("mirror", []), words.pop("precision", "f32")
    card = {"id": folder.name, "task": "segmentation", "title": "A random network.", "modalities": ["CT"],
            "network": {"file": "model.onnx", "sha256": hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest(),
                        "precision": precision, "mirror": mirror,
                        "input": {"dims": 3, "patch": [patch] * 3, "pad": "zero_centred",
                                  "normalise": {"kind": "ct", "lower": -1000, "upper": 1000, "mean": 0, "deviation": 400}, **words},
                        "output": {"classes": [f"class {i}" for i in range(classes)]}}}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def ct(size, spacing_mm, body=True, seed=0):
    """int16 [z, y, x]: a noisy ellipse of soft tissue in air with smooth structures, or air with a piece of it in a corner."""
    draw = numpy.random.default_rng(seed)
    nx, ny, nz = size
    y, x = numpy.mgrid[:ny, :nx]
    out = numpy.full((nz, ny, nx), -1000, numpy.int16)
    inside = ((x - nx / 2) / (0.45 * nx)) ** 2 + ((y - ny / 2) / (0.35 * ny)) ** 2 < 1
    if not body:
        inside = (x < nx // 10) & (y < ny // 10)
    for z in range(nz if body else nz // 20):
        wave = 60 * numpy.sin(x * spacing_mm[0] / 17 + z * spacing_mm[2] / 23) + 60 * numpy.cos(y * spacing_mm[1] / 13 - z * spacing_mm[2] / 31)
        plane = 40 + wave + draw.normal(0, 20, (ny, nx)).astype(numpy.float32)
        out[z][inside] = plane[inside]
    return out


def write_nifti(path, voxels, spacing_mm):
    """A plain NIfTI-1 file (gzip level 1) of int16 [z, y, x]."""
    nz, ny, nx = voxels.shape
    header = numpy.zeros(352, numpy.uint8)
    header[0:4] = numpy.frombuffer(numpy.int32(348).tobytes(), numpy.uint8)
    header[40:56] = numpy.frombuffer(numpy.int16([3, nx, ny, nz, 1, 1, 1, 1]).tobytes(), numpy.uint8)
    header[70:74] = numpy.frombuffer(numpy.int16([4, 16]).tobytes(), numpy.uint8)
    header[76:108] = numpy.frombuffer(numpy.float32([1, *spacing_mm, 0, 0, 0, 0]).tobytes(), numpy.uint8)
    header[108:112] = numpy.frombuffer(numpy.float32(352).tobytes(), numpy.uint8)
    header[112:120] = numpy.frombuffer(numpy.float32([1, 0]).tobytes(), numpy.uint8)
    header[123] = 2  # mm
    header[254:256] = numpy.frombuffer(numpy.int16(1).tobytes(), numpy.uint8)  # sform: scanner
    rows = numpy.float32([[-spacing_mm[0], 0, 0, 0], [0, -spacing_mm[1], 0, 0], [0, 0, spacing_mm[2], 0]])
    header[280:328] = numpy.frombuffer(rows.tobytes(), numpy.uint8)
    header[344:348] = numpy.frombuffer(b"n+1\0", numpy.uint8)
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(header.tobytes())
        for plane in voxels:
            out.write(plane.tobytes())


def read_nifti(path):
    """Voxels [z, y, x] of a NIfTI file of one volume."""
    import nibabel

    return numpy.asarray(nibabel.load(path).dataobj).T
