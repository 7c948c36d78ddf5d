"""The network of mr.brain: brainchop's subcortical MeshNet on every second voxel as the trunk, decoders of our own.

After its first layer the MeshNet's dilations are even (2, 4, 8, 16, 8, 4, 2), so the eight cosets of even and odd
voxels do not speak to each other: on one of them (first layer with stride 2, halved dilations) the features are
exactly the teacher's, for an eighth of the work. The teacher's last two layers then work on features interpolated between these,
and a small branch on the fine image learns what the interpolation lost.
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
FINE, WIDTH = 24, 48


class Trunk(nn.Module):
    """[n, 1, z, y, x] in 0..1 (even sizes) to the teacher's 30 features of its eighth layer on the even voxels."""

    def __init__(self):
        super().__init__()
        layers, self.convs = weights("subcortical"), nn.ModuleList()
        for k, d in enumerate(SUBCORTICAL[:-1]):
            w, b = layers[k]
            step = dict(padding=1, stride=2) if k == 0 else dict(padding=d // 2, dilation=d // 2)
            conv = nn.Conv3d(w.shape[1], w.shape[0], 3, **step)
            conv.weight.data.copy_(w)
            conv.bias.data.copy_(b)
            self.convs.append(conv)

    def forward(self, x):
        for conv in self.convs:
            x = F.elu(conv(x))
        return x


def between(kernel):
    """The teacher's ninth layer [30, 30, 3, 3, 3] on features known on the even voxels only: those of the voxels
    between are the means of their neighbours. One kernel on the even grid for each of the 8 voxels of a cell."""
    half = torch.tensor([[[.5, .5, 0], [0, 1, 0], [0, .5, .5]], [[0, 1, 0], [0, .5, .5], [0, 0, 1.]]])   # p, fine, even
    return [torch.einsum("oizyx,za,yb,xc->oiabc", kernel, half[p], half[q], half[r])
            for p in (0, 1) for q in (0, 1) for r in (0, 1)]


class Decoder(nn.Module):
    """Features on the even voxels and the fine image to the logits of all heads on the fine grid.

    It begins as the teacher's last two layers on interpolated features; what the image adds is learned."""

    def __init__(self):
        super().__init__()
        (w, b), (last, bias) = weights("subcortical")[-2:]
        self.mix = nn.Conv3d(30, 240, 3, padding=1)
        self.mix.weight.data.copy_(torch.cat(between(w)))
        self.mix.bias.data.copy_(b.repeat(8))
        self.mix.requires_grad_(False)
        self.fine = nn.Sequential(nn.Conv3d(1, FINE, 4, 2, 1), nn.ELU(), nn.Conv3d(FINE, WIDTH, 3, padding=1), nn.ELU(),
                                  nn.Conv3d(WIDTH, 240, 1))
        self.fine[-1].weight.data.mul_(0.1)
        self.fine[-1].bias.data.zero_()
        self.heads = nn.ModuleDict({k: nn.ConvTranspose3d(240, len(v), 2, 2) for k, v in HEADS.items()})
        start = torch.zeros(240, 18, 2, 2, 2)
        for p in range(8):
            start[30 * p:30 * p + 30, :, p // 4, p // 2 % 2, p % 2] = last[:, :, 0, 0, 0].T
        self.heads["structures"].weight.data.copy_(start)
        self.heads["structures"].bias.data.copy_(bias)

    def forward(self, features, image, heads=tuple(HEADS)):
        y = F.elu(self.mix(features) + self.fine(image))
        return [self.heads[k](y) for k in heads]
