"""The pictures that teach mr.sequence: made ones (simulated.py) of the same planes in all sequences, and real T1 and FLAIR
slices of open-ms-lesion; each looked at through changes of tone, part, size and turn, then as the method prepares it."""
import time

import numpy as np

import anatomy as A
import common as C
import recognition as R
import simulated as S

SIZE, LOOKS = 80, 3
PLANES = {"head": 340, "body": 120, "spine": 45, "blobs": 45}
REAL = 25
MS, MNI = C.DATA / "mr/open-ms-lesion", C.DATA / "mr/nilearn-mni/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"


def prepared(s):
    """What the network sees of a slice: SIZE x SIZE, 0..1."""
    return R.resized(R.content(R.grey(s)), SIZE, SIZE) / np.float32(255)


def close(rng, s):
    """A small part where there is tissue: a joint, an organ, the middle of a brain."""
    from scipy import ndimage
    h, w = (max(18, int(n * rng.uniform(0.2, 0.45))) for n in s.shape)
    filled = ndimage.uniform_filter((s > 0.15 * np.percentile(s, 99)).astype(np.float32), (h, w), mode="constant")
    at = np.argwhere(filled > 0.8)
    if not len(at):
        return s
    y, x = at[rng.integers(len(at))]
    t, l = max(0, y - h // 2), max(0, x - w // 2)
    return s[t:t + h, l:l + w]


def changed(rng, s):
    """Another look of a picture, still of its sequence."""
    kind = rng.random()
    if kind < 0.15:
        s = close(rng, s)
    elif kind < 0.5:
        s = R.cropped(rng, s, 0.45 if rng.random() < 0.3 else 0.7)
    if rng.random() < 0.4:
        s = R.scaled(rng, s, 40, 200)
    s = s[:, ::-1] if rng.random() < 0.5 else s
    s = np.rot90(s, rng.integers(4))
    g = R.grey(s, rng.uniform(0, 2), rng.uniform(98, 100)) / 255
    g = (g ** np.exp(rng.normal(0, 0.15))).astype(np.float32) * 255
    return R.framed(rng, np.ascontiguousarray(g)) if rng.random() < 0.5 else g


def heads():
    """[(shares, {sequence: volume})] of the brains that teach, at anatomy.MM."""
    from scipy import ndimage
    small = lambda f: ndimage.zoom(ndimage.gaussian_filter(R.nifti(f), 0.35 * A.MM), 1 / A.MM, order=1)
    made = []
    for f in [*sorted(MS.glob("derived-uint8/*/T1.nii.gz")), MNI]:
        reals = {"T1": small(f)}
        if (f.parent / "FLAIR.nii.gz").exists():
            reals["FLAIR"] = small(f.parent / "FLAIR.nii.gz")
        made.append((A.shares_of(reals["T1"]), reals))
    return made


def head_plane(rng, brains):
    while True:
        shares, reals = brains[rng.integers(len(brains))]
        axis = rng.choice([2, 2, 2, 1, 0])
        k = int(shares.shape[axis + 1] * rng.uniform(0.12, 0.88))
        cut = np.take(shares, k, axis + 1)
        if cut.sum(0).mean() > 0.12:                         # turned so that the face, where one is drawn, lies below or in front
            turn = int(rng.choice([1, 1, 3])) if axis == 2 else 1
            return A.head(rng, np.rot90(cut, turn, (1, 2)), {n: np.rot90(np.take(v, k, axis), turn) for n, v in reals.items()})


def made(rng):
    """(part, sequence, slice) of one plane after another in turn, so that a bank cut short has a share of each."""
    brains, body = heads(), ["T1", "T2", "diffusion"]
    of = {"head": lambda r: head_plane(r, brains), "body": A.body, "spine": A.spine, "blobs": A.blobs}
    for part in rng.permutation(np.repeat(list(PLANES), list(PLANES.values()))):
        plane = of[part](rng)
        for q in S.SEQUENCES if part in ("head", "spine") else body:
            yield f"made {part}", q, S.slice_of(rng, plane, q)


def real(rng):
    """(part, sequence, slice) of open-ms-lesion."""
    names = {"T1": "T1.nii.gz", "FLAIR": "FLAIR.nii.gz"}
    files = [(q, f) for q, n in names.items() for f in sorted(MS.glob(f"derived-uint8/*/{n}"))]
    for q, f in files + [("FLAIR", f) for f in sorted(MS.glob("longitudinal/raw/*/*FLAIR.nii.gz"))]:
        v = R.nifti(f)
        for _ in range(REAL):
            axis = rng.choice([2, 2, 1, 0])
            s = np.take(v, int(v.shape[axis] * rng.uniform(0.2, 0.8)), axis).T
            if (s > 0).mean() > 0.15:
                yield "open-ms-lesion", q, s


def bank(seed=0, limit=10 ** 9, minutes=60.0):
    """(uint8 [n, SIZE, SIZE], sequence indices, parts)"""
    rng, x, y, parts, start = np.random.default_rng(seed), [], [], [], time.time()
    for pictures in (real(rng), made(rng)):
        for part, q, s in pictures:
            for _ in range(LOOKS):
                p = prepared(changed(rng, s))
                if p.max() > 0:
                    x.append((p * 255).astype(np.uint8)), y.append(S.SEQUENCES.index(q)), parts.append(part)
            if len(x) >= limit or time.time() - start > 60 * minutes:
                break
    return np.stack(x), np.array(y), np.array(parts)
