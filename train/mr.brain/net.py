"""The network of mr.brain: brainchop's MeshNets on every second voxel, three outputs.

After its first layer a MeshNet's dilations are even (2, 4, 8, 16, 8, 4, 2), so the eight cosets of even and odd voxels do
not speak to each other: on one of them (first layer with stride 2, halved dilations) the features are exactly the
teacher's, for an eighth of the work. The last two layers then work on features interpolated between these, as one kernel
on the even voxels for each of the eight voxels of a cell. The mask has a head of its own on the same hidden features.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from distil import SUBCORTICAL, weights

STRUCTURES = ("background", "cerebral white matter", "cerebral cortex", "lateral ventricle",
              "inferior lateral ventricle", "cerebellar white matter", "cerebellar cortex", "thalamus", "caudate",
              "putamen", "pallidum", "third ventricle", "fourth ventricle", "brain stem", "hippocampus", "amygdala",
              "accumbens area", "ventral diencephalon")
HEADS = {"structures": STRUCTURES, "tissue": ("background", "white matter", "grey matter"),
         "mask": ("background", "brain")}


def between(kernel):
    """A layer [o, i, 3, 3, 3] on features known on the even voxels only: those of the voxels between are the means of
    their neighbours. One kernel on the even grid for each of the 8 voxels of a cell."""
    half = torch.tensor([[[.5, .5, 0], [0, 1, 0], [0, .5, .5]], [[0, 1, 0], [0, .5, .5], [0, 0, 1.]]])   # p, fine, even
    return [torch.einsum("oizyx,za,yb,xc->oiabc", kernel, half[p], half[q], half[r])
            for p in (0, 1) for q in (0, 1) for r in (0, 1)]


class Cells(nn.Module):
    """A teacher on cells of 2 x 2 x 2 voxels: [n, 1, z, y, x] (even sizes, 0..1) to its logits on every voxel."""

    def __init__(self, name, activation):
        super().__init__()
        layers, self.act, self.convs = weights(name), activation, nn.ModuleList()
        for k, d in enumerate(SUBCORTICAL[:-1]):
            w, b = layers[k]
            step = dict(padding=1, stride=2) if k == 0 else dict(padding=d // 2, dilation=d // 2)
            conv = nn.Conv3d(w.shape[1], w.shape[0], 3, **step)
            conv.weight.data.copy_(w)
            conv.bias.data.copy_(b)
            self.convs.append(conv)
        (w, b), (last, bias) = layers[-2:]
        c = w.shape[0]
        mix = nn.Conv3d(w.shape[1], 8 * c, 3, padding=1)
        mix.weight.data.copy_(torch.cat(between(w)))
        mix.bias.data.copy_(b.repeat(8))
        self.convs.append(mix)
        self.head = nn.ConvTranspose3d(8 * c, last.shape[0], 2, 2)
        self.head.weight.data.zero_()
        for p in range(8):
            self.head.weight.data[c * p:c * p + c, :, p // 4, p // 2 % 2, p % 2] = last[:, :, 0, 0, 0].T
        self.head.bias.data.copy_(bias)

    def hidden(self, x):
        for conv in self.convs:
            x = self.act(conv(x))
        return x

    def forward(self, x):
        return self.head(self.hidden(x))


class Whole(nn.Module):
    """What is exported; outputs in the order of HEADS."""

    def __init__(self):
        super().__init__()
        self.structures, self.tissue = Cells("subcortical", F.elu), Cells("tissue_fast", F.relu)
        self.mask = nn.ConvTranspose3d(240, 2, 2, 2)

    def forward(self, x):
        h = self.structures.hidden(x)
        return self.structures.head(h), self.tissue(x), self.mask(h)
