"""The numbers that describe an adrenal gland's shape: the definition that tasks/classification/ct_adrenal_mass.cpp repeats."""
import numpy as np
from scipy import ndimage

NAMES = (["volume", "surface"] + [f"deviation_{k}" for k in range(3)] + [f"length_{k}" for k in range(3)]
         + ["radius_mean", "radius_deviation", "radius_largest", "radius_1"]
         + ["depth_largest", "depth_mean", "depth_deviation"] + [f"depth_{p}" for p in (50, 75, 90, 95, 99)]
         + [f"{what}_{r}" for r in range(1, 9) for what in ("eroded", "opened")])


def numbers(mask):
    """36 numbers of a binary volume of 1 mm voxels, each as log(1 + value); none depends on place or turn.

    volume; faces between inside and outside; square roots of the eigenvalues of the covariance of the voxel centres
    (ascending) and the 1st to 99th percentile of the centres along each; distances from the centre; depths (distance
    to the nearest voxel outside); voxels deeper than r, and those within r of them, r = 1 to 8 mm."""
    m = np.pad(mask > 0, 1)
    surface = sum(np.abs(np.diff(m.astype(np.int8), axis=a)).sum() for a in range(3))
    p = np.argwhere(m).astype(float)
    q = p - p.mean(0)
    values, vectors = np.linalg.eigh(np.cov(q.T))
    f = [len(p), surface] + list(np.sqrt(np.maximum(values, 0)))
    for k in range(3):
        low, high = np.percentile(q @ vectors[:, k], [1, 99])
        f.append(high - low)
    r = np.sqrt((q ** 2).sum(1))
    f += [r.mean(), r.std(), r.max(), np.percentile(r, 1)]
    depth = ndimage.distance_transform_edt(m)
    d = depth[m]
    f += [d.max(), d.mean(), d.std()] + list(np.percentile(d, [50, 75, 90, 95, 99]))
    for radius in range(1, 9):
        core = depth > radius + 1e-6
        opened = (ndimage.distance_transform_edt(~core) <= radius + 1e-6).sum() if core.any() else 0
        f += [core.sum(), opened]
    return np.log1p(np.array(f, float))
