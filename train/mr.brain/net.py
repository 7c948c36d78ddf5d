"""The network of mr.brain: a U-Net on cells of 2 x 2 x 2 voxels (the eight voxels are its input channels, and its
outputs are dealt out to them again), three outputs on one backbone. At full resolution it would cost eight times as much.
"""
import torch.nn as nn
import torch.nn.functional as F

import common as C

STRUCTURES = ("background", "cerebral white matter", "cerebral cortex", "lateral ventricle",
              "inferior lateral ventricle", "cerebellar white matter", "cerebellar cortex", "thalamus", "caudate",
              "putamen", "pallidum", "third ventricle", "fourth ventricle", "brain stem", "hippocampus", "amygdala",
              "accumbens area", "ventral diencephalon")
HEADS = {"structures": STRUCTURES, "tissue": ("background", "white matter", "grey matter"),
         "mask": ("background", "brain")}
MULTIPLE = 16                    # voxels: cells of 2, then three poolings
PATCH = 112                      # voxels, in training and in use: instance norm sees as much of a head in both


def to_cells(x):
    n, c, z, y, w = x.shape
    x = x.reshape(n, c, z // 2, 2, y // 2, 2, w // 2, 2)
    return x.permute(0, 1, 3, 5, 7, 2, 4, 6).reshape(n, 8 * c, z // 2, y // 2, w // 2)


def from_cells(x):
    n, c, z, y, w = x.shape
    x = x.reshape(n, c // 8, 2, 2, 2, z, y, w)
    return x.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, c // 8, 2 * z, 2 * y, 2 * w)


class Brain(nn.Module):
    """[n, 1, z, y, x] in 0..1 to logits in the order of HEADS."""

    def __init__(self, widths=(24, 48, 96, 128)):
        super().__init__()
        self.sizes = [len(names) for names in HEADS.values()]
        self.net = C.UNet(3, widths, 8 * sum(self.sizes), inputs=8)

    def forward(self, x):
        return from_cells(self.net(to_cells(x))).split(self.sizes, 1)
