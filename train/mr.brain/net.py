"""The network of mr.brain: a U-Net on cells of 2 x 2 x 2 voxels (the eight voxels are its input channels), whose answers
a small net at full resolution sharpens; three outputs. A U-Net at full resolution would cost eight times as much.
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


class Brain(nn.Module):
    """[n, 1, z, y, x] in 0..1 to logits in the order of HEADS."""

    def __init__(self, widths=(32, 64, 96, 128), fine=16):
        super().__init__()
        self.sizes = [len(names) for names in HEADS.values()]
        self.net = C.UNet(3, widths, sum(self.sizes), inputs=8)
        self.answer, self.net.head = self.net.head, nn.Identity()
        self.up = nn.ConvTranspose3d(widths[0], fine, 2, 2)
        self.look = nn.Conv3d(1, fine, 3, padding=1)
        self.mix = nn.Conv3d(fine, fine, 3, padding=1)
        self.sharpen = nn.Conv3d(fine, sum(self.sizes), 1)
        nn.init.zeros_(self.sharpen.weight)             # at first the fine answer is the coarse one
        nn.init.zeros_(self.sharpen.bias)

    def cells(self, x):
        """Features, one a cell."""
        return self.net(to_cells(x))

    def coarse(self, cells):
        return self.answer(cells).split(self.sizes, 1)

    def fine(self, cells, x):
        """Of a box of cells and its voxels."""
        y = F.leaky_relu(self.up(cells) + self.look(x), 0.01)
        y = self.sharpen(F.leaky_relu(self.mix(y), 0.01))
        y = y + F.interpolate(self.answer(cells), scale_factor=2, mode="trilinear", align_corners=False)
        return y.split(self.sizes, 1)

    def forward(self, x):
        return self.fine(self.cells(x), x)
