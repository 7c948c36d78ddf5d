"""What the recognition recipes share: the table of real images (source, patient, modality), changes of a slice (slices.py
prepares it), heads on the frozen encoder."""
import gzip
import io
import pickle
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

import common as C
import ultrasound as U
from slices import (places, slices_of, grey, content, resized, prepared, in_hounsfield_units, lung_share, bone_ring,
                    clipped_share, edges_filled)

CT, MR, US, PET, SPECT = MODALITIES = ["CT", "MR", "US", "PET", "SPECT"]


@dataclass
class Item:
    """One image. use: 'train' (may teach a shipped model), 'unclear' (licence: tests only here), 'test'."""
    source: str
    modality: str
    patient: str
    use: str
    slices: list                     # 2-D float32
    volume: bool = False
    facts: dict = field(default_factory=dict)


# ---------------------------------------------------------------- readers

def nifti(path):
    import nibabel as nib
    return np.asarray(nib.load(path).dataobj).astype(np.float32)


def itk(path):
    import SimpleITK as sitk
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T.astype(np.float32)


def picture(path):
    return np.asarray(Image.open(path).convert("L"), np.float32)


def dicom(path):
    """(data set, rescaled pixels: [frames,] rows, columns; colour as luma)."""
    import pydicom
    from pydicom.pixels import apply_color_lut
    raw = Path(path).read_bytes()
    d = pydicom.dcmread(io.BytesIO(gzip.decompress(raw) if str(path).endswith(".gz") else raw), force=True)
    a = d.pixel_array
    if "PALETTE" in d.PhotometricInterpretation:
        a = apply_color_lut(a, d)
        a = a / 257 if a.dtype == np.uint16 else a
    a = np.asarray(a, np.float32)
    if a.ndim >= 3 and a.shape[-1] == 3:
        a = a @ np.float32([0.299, 0.587, 0.114])
    else:
        a = a * float(d.get("RescaleSlope", 1) or 1) + float(d.get("RescaleIntercept", 0) or 0)
    return d, a


def series(files):
    """DICOM slices of one series as [x, y, z], by position."""
    got = [dicom(f) for f in files]
    got.sort(key=lambda p: float(p[0].get("ImagePositionPatient", [0, 0, p[0].get("InstanceNumber", 0)])[2]))
    return np.stack([a for _, a in got], 0).T


def mosaic(a, tiles):
    """[x, y, z] of a Siemens mosaic of tiles x tiles."""
    n = a.shape[0] // tiles
    return np.stack([a[r * n:(r + 1) * n, c * n:(c + 1) * n] for r in range(tiles) for c in range(tiles)], 0).T


def colour_share(a):
    """Pixels whose channels differ by 16 of 255 and more, of a picture [..., 3] of bytes. The twin of tasks/raw_values.h."""
    a = np.asarray(a, np.int16)
    return float((a.max(-1) - a.min(-1) >= 16).mean())


def colours():
    """{(source, patient): colour_share()} of what is stored in colour; all else in the table is grey."""
    import pydicom
    from pydicom.pixels import apply_color_lut
    made = {}
    for source, folder, pattern, _, _ in PICTURES:
        for f in sorted((C.DATA / folder).glob(pattern)):
            with Image.open(f) as im:
                if im.mode in ("RGB", "RGBA", "P"):
                    at = source, f.name[:3] if source == "hc18" else f.stem
                    made[at] = max(made.get(at, 0), colour_share(im.convert("RGB")))
    us = [("dicom-us", f, f.stem[:20]) for f in (C.DATA / "us/dicom-us").glob("*.dcm")]
    us += [("dicom-" + n.split("/")[0], C.DATA / "dicom" / n, Path(n).name[:24]) for n, m in DICOM.items() if m == US]
    for source, f, patient in us:
        d = pydicom.dcmread(f, force=True)
        a = d.pixel_array
        if "PALETTE" in d.PhotometricInterpretation:
            a = apply_color_lut(a, d)
            a = a // 257 if a.dtype == np.uint16 else a
        if a.ndim >= 3 and a.shape[-1] == 3:
            made[source, patient] = colour_share(a)
    return made


# ---------------------------------------------------------------- the table

def _volumes():
    """(source, modality, patient, use, [x, y, z] or a function that gives it)"""
    D = C.DATA
    yield "elastix-ct", CT, "1", "train", itk(D / "ct/elastix-ct/Baselines/3DCT_lung.mha")
    for k in sorted((D / "multi/sts").glob("STS_*")):
        for name, modality in (("CT", CT), ("MR_T1", MR), ("PET", PET)):
            if (k / f"{name}_image.nii.gz").exists():
                yield f"sts-{modality}", modality, k.name, "train", nifti(k / f"{name}_image.nii.gz")
    yield "totalsegmentator", CT, "ct", "test", nifti(D / "ct/totalsegmentator-examples/example_ct.nii.gz")
    yield "totalsegmentator-mr", MR, "mr", "test", nifti(D / "ct/totalsegmentator-examples/example_mr_sm.nii.gz")
    yield "ibsi", CT, "1", "test", nifti(D / "ct/ibsi-phantoms/ibsi_1_ct_radiomics_phantom/nifti/image/phantom.nii.gz")
    for n in ("CT_AVM", "CT_pitch"):
        yield "niivue-ct", CT, n, "test", nifti(D / f"ct/niivue-ct/{n}.nii.gz")
    for f in sorted((D / "mr/msd-hippocampus/images").glob("*.nii.gz")):
        yield "msd-hippocampus", MR, f.name[:15], "train", nifti(f)
    for f in sorted((D / "mr/open-ms-lesion").glob("derived-uint8/*/[FT]*.nii.gz")):
        yield "open-ms-lesion", MR, f.parent.name + f.name[:2], "train", nifti(f)
    for f in sorted((D / "mr/open-ms-lesion").glob("longitudinal/raw/*/*FLAIR.nii.gz")):
        yield "open-ms-lesion", MR, f.name[:6], "train", nifti(f)
    for n, f in {"brainchop": "brainchop-t1/t1_crop", "brainchop-t2": "brainchop-t1/M2265_T2w", "niivue-gd": "niivue-images/MR_Gd",
                 "nilearn": "nilearn-mni/mni_icbm152_t1_tal_nlin_sym_09a_converted", "dipy-s0": "dipy-dwi/S0_10slices",
                 "itk-kmeans": "itk-examples/KmeansTest_T1UCharRaw"}.items():
        yield n, MR, "1", "test", nifti(D / f"mr/{f}.nii.gz")
    yield "nibabel-anat", MR, "1", "test", nifti(D / "mr/nibabel-formats/anatomical.nii")
    for n in ("brain1", "breast1"):
        yield "pyradiomics", MR, n, "test", itk(D / f"multi/pyradiomics/{n}_image.nrrd")
    yield "sts-raw-pet", PET, "STS_001", "test", nifti(D / "pet/sts-raw-dicom/STS_001_wholebody_suv.nii.gz")
    yield "qin-headneck", PET, "1", "test", nifti(D / "pet/qin-headneck/suv_crop.nii.gz")
    for k in (1, 2):
        yield "lu177", SPECT, f"scan{k}", "test", nifti(D / f"spect/lu177-dotatate-michigan/SCAN_00{k}/activity_bqml_crop.nii.gz")


PICTURES = (("head-ct", "ct/head-ct-hemorrhage/derived256", "*.png", CT, "unclear"), ("covid-ct", "ct/covid-ct-2d", "derived256/**/*.[jp]*", CT, "test"),
            ("busi", "us/busi/images", "*.jpg", US, "unclear"), ("usgra", "us/usgra-seg/images", "*.jpg", US, "train"),
            ("hc18", "us/hc18/images", "*.jpg", US, "train"), ("sononet", "us/sononet-examples", "*.jpg", US, "test"),
            ("carotid", "us/carotid-ctu", "**/*.png", US, "test"))


def _pictures():
    """(source, modality, patient, use, [rows, columns])"""
    D = C.DATA
    for source, folder, pattern, modality, use in PICTURES:
        for f in sorted((D / folder).glob(pattern)):
            patient = f.name[:3] if source == "hc18" else f.stem
            yield source, modality, patient, use, picture(f)
    for f in sorted((D / "mr/brain-tumor-classification").glob("**/*.jpg")):
        if "notumor" not in str(f):                       # that class holds CT slices
            yield "brain-tumor", MR, f.stem, "unclear", picture(f)
    for f in sorted((D / "multi/medscribble").glob("*/*/image.png")):
        kind = f.parent.parent.name
        yield "medscribble-" + kind, {"BTCV": CT, "CHAOS": CT, "CAMUS": US}.get(kind, MR), f.parent.name, "test", picture(f)
    seen = {}
    for f in sorted((D / "spect/mpi-lv-masks/images").glob("*.png")):
        parts = f.stem.split("_")
        copy = "copy" if "copy" in f.stem.lower() else ""
        seen.setdefault("_".join(parts[:-1]) + copy, []).append(f)
    for acquisition, files in sorted(seen.items()):
        for f in files[::max(1, len(files) // 6)][:6]:
            yield "mpi-lv", SPECT, acquisition, "test", picture(f)
    for n in ("BrainT1Slice", "BrainProtonDensitySlice", "BrainMidSagittalSlice"):
        yield "itk-brainweb", MR, n, "test", picture(D / f"mr/itk-examples/{n}.png")
    for n in ("fixed", "moving"):
        yield "elastix-mr", MR, n, "test", itk(D / f"ct/elastix-ct/itkelastix/CT_2D_head_{n}.mha").squeeze().T
    yield "pysap", MR, "1", "test", np.abs(next(iter(np.load(D / "mr/pysap-data/example_mri_ref_image_2d_f32.npz").values()))).astype(np.float32)
    liver = itk(D / "us/rf-itk/MouseLiverB.mha")
    yield "rf-itk", US, "1", "test", liver[..., 0].T


# one real file each of data/dicom that holds an image of a patient: (file, modality)
DICOM = {
    "cornerstone3d/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm": CT,
    "cornerstone3d/CT0012.fragmented_no_bot_jpeg_baseline.51.dcm": CT, "dicom-test-files/WG04/J2KI/CT1_J2KI": CT,
    "dicom-test-files/WG04/J2KI/CT2_J2KI": CT, "highdicom/ct_image.dcm": CT, "pydicom-data/693_J2KR.dcm": CT,
    "pydicom-data/bad_sequence.dcm": CT, "pydicom-data/explicit_VR-UN.dcm": CT, "pydicom/test_files/J2K_pixelrep_mismatch.dcm": CT,
    "dicom-test-files/WG04/J2KI/MR1_J2KI": MR, "dicom-test-files/WG04/J2KI/MR3_J2KI": MR, "dicom-test-files/WG04/J2KI/MR4_J2KI": MR,
    "pydicom/test_files/MR_small.dcm": MR, "pydicom-data/emri_small.dcm": MR, "pydicom/test_files/examples_overlay.dcm": MR,
    "nibabel-testdata/slicethickness_empty_string.dcm": MR,
    "dcm_qa/In/Orientation/cor/corasc35/MR.1.3.12.2.1107.5.2.32.35131.2014031012570555283988916": MR,
    "dcm_qa/In/Orientation/sag/sagasc35/MR.1.3.12.2.1107.5.2.32.35131.2014031013000537156690252": MR,
    "dicom-test-files/WG04/J2KI/US1_J2KI": US, "dicom-test-files/WG04/J2KI/NM1_J2KI": SPECT}


def _files():
    D = C.DATA
    for name, modality in DICOM.items():
        try:
            d, a = dicom(D / "dicom" / name)
        except Exception as fault:                        # a codec that this machine lacks
            print("left out:", name, str(fault)[:60])
            continue
        if name.startswith("dcm_qa/"):
            yield "dicom-dcm_qa", modality, name.split("/")[3], "test", slices_of(mosaic(a, 6)), True
            continue
        a = a[len(a) // 2] if a.ndim == 3 else a
        yield "dicom-" + name.split("/")[0], modality, Path(name).name[:24], "test", [a], False
    for f in sorted((D / "us/dicom-us").glob("*.dcm")):
        d, a = dicom(f)
        frames = a if a.ndim == 3 else a[None]
        yield "dicom-us", US, f.stem[:20], "test", list(frames[::max(1, len(frames) // 4)][:4]), False
    d, a = dicom(D / "spect/dicom-nm-planar/lung_kidney_static_2view_anon.dcm")
    yield "nm-planar", SPECT, "1", "test", list(a), False
    d, a = dicom(D / "spect/mpi-gated-kuwait/gated_tomo_projections_anon.dcm")
    yield "mpi-kuwait", SPECT, "1", "test", list(a[20:480:60]), False
    breast = _tar(D / "mr/breast-dce-ucsf/dce_3dfgre_mid.tar.xz")
    yield "breast-dce", MR, "1", "test", slices_of(np.stack(breast[:17], 0).T), True
    for n, a in _study():
        yield "mr-study", MR, n, "test", [a], False


def _tar(path):
    import tarfile
    import tempfile
    with tempfile.TemporaryDirectory() as t, tarfile.open(path) as tar:
        tar.extractall(t, filter="data")
        got = [dicom(f) for f in sorted(Path(t).rglob("*")) if f.is_file()]
    return [a for _, a in sorted(got, key=lambda p: (p[0].SeriesInstanceUID, float(p[0].ImagePositionPatient[2])))]


def _study():
    import tarfile
    import tempfile
    with tempfile.TemporaryDirectory() as t, tarfile.open(C.DATA / "multi/mr-study-multisequence/sequences-2slices.tar.xz") as tar:
        tar.extractall(t, filter="data")
        for f in sorted(Path(t).rglob("*.dcm")):
            d, a = dicom(f)
            yield f.parent.name + f.stem, a


def items(cache):
    """The whole table; kept in `cache` (a file) once made."""
    cache = Path(cache)
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    made = []
    for source, modality, patient, use, a in _volumes():
        a = a[..., 0] if a.ndim == 4 else a
        made.append(Item(source, modality, patient, use, slices_of(a), True))
    for source, modality, patient, use, a in _pictures():
        made.append(Item(source, modality, patient, use, [a]))
    for source, modality, patient, use, slices, volume in _files():
        made.append(Item(source, modality, patient, use, slices, volume))
    cache.write_bytes(pickle.dumps(made))
    return made


# ---------------------------------------------------------------- changes of a slice

WINDOWS = [(-1000, 1000), (-160, 240), (-1350, 150), (-500, 1300), (-20, 100), (-100, 300), (-200, 500)]


def windowed(rng, s):
    """A CT slice in HU through a usual window, moved a little; as it is for 30 %."""
    if s.min() > -300 or rng.random() < 0.3:
        return s
    lo, hi = WINDOWS[rng.integers(len(WINDOWS))]
    wide = hi - lo
    return np.clip(s, lo + rng.normal(0, 0.05) * wide, hi + rng.normal(0, 0.1) * wide)


def cropped(rng, s, least=0.5):
    h, w = s.shape
    ch, cw = (max(min(16, n), int(n * rng.uniform(least, 1))) for n in (h, w))
    t, l = rng.integers(0, h - ch + 1), rng.integers(0, w - cw + 1)
    return s[t:t + ch, l:l + cw]


def scaled(rng, s, smallest=40, largest=320):
    """Other resolution: down by area means, or up with blur; pixels of another aspect now and then."""
    from scipy import ndimage
    longest = max(s.shape)
    want = np.exp(rng.uniform(np.log(smallest), np.log(largest)))
    z = np.clip(want / longest, 0.15, 3)
    zy, zx = z * np.exp(rng.normal(0, 0.15)), z * np.exp(rng.normal(0, 0.15))
    h, w = max(16, round(s.shape[0] * zy)), max(16, round(s.shape[1] * zx))
    if z > 1 and rng.random() < 0.6:
        return ndimage.zoom(s, (h / s.shape[0], w / s.shape[1]), order=int(rng.choice([1, 3])))
    return resized(s, w, h)


def toned(rng, s):
    """0..255 with other tones: gamma, contrast, now and then inverted, steps of 8 bits or fewer, a little noise."""
    g = grey(s, rng.uniform(0, 3), rng.uniform(98.5, 100)) / 255
    g = g ** np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.2:
        g = np.clip(g * rng.uniform(0.5, 1.4) + rng.uniform(-0.1, 0.1), 0, 1)
    if rng.random() < 0.3:
        g = np.round(g * rng.choice([31, 63, 127, 255])) / 255
    return g.astype(np.float32) * 255


def framed(rng, g):
    """Margins of one tone around a picture, and letters on it."""
    from PIL import ImageDraw
    if rng.random() < 0.25:
        t, b, l, r = (int(rng.uniform(0, 0.25) * n) for n in (*g.shape, *g.shape))
        g = np.pad(g, ((t, b), (l, r)), constant_values=rng.choice([0, 0, 0, 255, rng.uniform(0, 60)]))
    if rng.random() < 0.2:
        im = Image.fromarray(g.astype(np.uint8))
        d = ImageDraw.Draw(im)
        for _ in range(rng.integers(1, 5)):
            text = "".join(rng.choice(list("ABCDEFGHRL0123456789 .:/"), rng.integers(1, 12)))
            d.text((rng.uniform(0, 0.9) * g.shape[1], rng.uniform(0, 0.95) * g.shape[0]), text, fill=int(rng.choice([255, 200, 0])))
        g = np.asarray(im, np.float32)
    return g


def changed(rng, s, modality):
    """A random other look of a slice, still of its modality."""
    s = np.asarray(s, np.float32)
    if modality == CT:
        s = windowed(rng, s)
    if rng.random() < 0.6:
        s = cropped(rng, s)
    if rng.random() < 0.7:
        s = scaled(rng, s)
    s = s[:, ::-1] if rng.random() < 0.5 else s
    if modality != US:
        s = np.rot90(s, rng.integers(4))
    return framed(rng, toned(rng, np.ascontiguousarray(s)))


# ---------------------------------------------------------------- heads

def head(inputs, classes, hidden=0, dropout=0.3):
    import torch.nn as nn
    if not hidden:
        return nn.Sequential(nn.Linear(inputs, classes))
    return nn.Sequential(nn.Dropout(dropout), nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, classes))


def taught(x, y, weight, classes, hidden=0, steps=400, decay=3e-2, seed=0, lr=2e-3):
    """A head on features x [n, d] with class indices y and weights of the rows; its first layer holds the scaling."""
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
    torch.manual_seed(seed)
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    net = head(x.shape[1], classes, hidden)
    xs, ys = torch.from_numpy((x - mean) / deviation), torch.from_numpy(y).long()
    p = torch.from_numpy(weight / weight.sum()).double()
    opt = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=decay)
    net.train()
    for k in range(steps):
        for g in opt.param_groups:
            g["lr"] = lr * (0.5 + 0.5 * np.cos(np.pi * k / steps))
        pick = torch.multinomial(p, 512, replacement=True)
        loss = F.cross_entropy(net(xs[pick]), ys[pick], label_smoothing=0.05)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    first = next(m for m in net if isinstance(m, nn.Linear))
    with torch.no_grad():
        s = torch.from_numpy(1 / deviation).float()
        first.bias.sub_(first.weight @ (torch.from_numpy(mean).float() * s))
        first.weight.mul_(s[None])
    return net


class Judge:
    """What is exported: logits of a head, and how strange the features are (mean of squared deviations, each at most 25)."""

    def __new__(cls, net, x):
        import torch
        import torch.nn as nn

        class Both(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = net
                self.register_buffer("mean", torch.from_numpy(x.mean(0)))
                self.register_buffer("scale", torch.from_numpy(1 / (x.std(0) + 1e-3)))

            def forward(self, image):
                return self.net(image), torch.clamp(((image - self.mean) * self.scale) ** 2, max=25).mean(1, keepdim=True)
        return Both()


def strangeness(x, mean, deviation):
    return np.minimum(((x - mean) / (deviation + 1e-3)) ** 2, 25).mean(1)


def fitted_temperature(logits, labels):
    """The temperature of the least log loss of held-aside rows."""
    best = None
    for t in np.exp(np.linspace(np.log(0.3), np.log(5), 60)):
        z = logits / t
        z = z - z.max(1, keepdims=True)
        loss = -(z[np.arange(len(z)), labels] - np.log(np.exp(z).sum(1))).mean()
        best = min(best or (loss, t), (loss, t))
    return round(float(best[1]), 4)


def logits_of(net, x):
    import torch
    with torch.no_grad():
        return net(torch.from_numpy(np.ascontiguousarray(x, np.float32))).numpy()


def probabilities(net, x, temperature=1.0):
    import torch
    with torch.no_grad():
        return torch.softmax(net(torch.from_numpy(np.ascontiguousarray(x, np.float32))) / temperature, 1).numpy()


def balanced(labels, sources):
    """Row weights: every class the same, and in a class every source."""
    labels, sources = np.asarray(labels), np.asarray(sources)
    w = np.zeros(len(labels))
    for c in np.unique(labels):
        names = np.unique(sources[labels == c])
        for s in names:
            rows = (labels == c) & (sources == s)
            w[rows] = 1 / len(names) / rows.sum()
    return w


def macro_f1(truth, said):
    """Mean F1 of the classes of `truth`; said may hold None (abstained: an error)."""
    f = []
    for c in sorted(set(truth)):
        tp = sum(t == c and s == c for t, s in zip(truth, said))
        wrong = sum((t == c) != (s == c) for t, s in zip(truth, said))
        f.append(2 * tp / (2 * tp + wrong) if tp + wrong else 0)
    return float(np.mean(f))


def frugal(x):
    """Border and histogram alone: 32 bins of a prepared picture, means of its four edges and corners."""
    bins = np.histogram(x, 32, (0, 1))[0] / x.size
    edge = [x[:8].mean(), x[-8:].mean(), x[:, :8].mean(), x[:, -8:].mean(), x[:24, :24].mean(), x[:24, -24:].mean(),
            x[-24:, :24].mean(), x[-24:, -24:].mean()]
    return np.concatenate([bins, edge]).astype(np.float32)


# ---------------------------------------------------------------- one recipe of a head, from pictures to the card

@dataclass
class Seen:
    """What a head sees of one image that is asked: [k, 224, 224], and what it is."""
    source: str
    label: str
    use: str                         # as of an Item; 'context': helps to judge others of its scan, is not asked
    pictures: np.ndarray
    scan: tuple = None               # (name, mm along the body) of a slice of a volume


def features_of(pictures, threads):
    import encoder as E
    return np.concatenate([E.features(np.asarray(pictures[k:k + 256], np.float32), threads=threads)[1] for k in range(0, len(pictures), 256)])


def parted(work, parts, add):
    """A bank of parts {name: function(rng) that yields (label, picture)}: each is made once and kept in `work`.
    Its generator is seeded by its name, so that a new part changes no other."""
    made = []
    for name, of in parts.items():
        rng = np.random.default_rng(sum(name.encode()) * 7919)
        file = Path(work) / f"part {name}.pkl"
        got = kept(file, lambda: [(label, add(rng, s, label).astype(np.float16)) for label, s in of(rng)])
        made += [(name, label, p) for label, p in got if p.max() > 0]
    return np.stack([p for _, _, p in made]), [label for _, label, _ in made], np.array([name for name, _, _ in made])


def borrowed(work, names, label):
    """Parts that another recipe made (in work/../<recipe>), all of one label here."""
    made = []
    for name in names:
        recipe, part = name.split(":")
        made += [(part, label, p) for _, p in pickle.loads((Path(work).parent / recipe / f"part {part}.pkl").read_bytes())]
    return np.stack([p for _, _, p in made]), [label] * len(made), np.array([part for part, _, _ in made])


def joined(*banks):
    return np.concatenate([b[0] for b in banks]), sum((b[1] for b in banks), []), np.concatenate([b[2] for b in banks])


def kept(file, make):
    file = Path(file)
    if not file.exists():
        file.write_bytes(pickle.dumps(make()))
    return pickle.loads(file.read_bytes())


def cached(work, pictures, threads):
    import hashlib
    key = hashlib.sha256(np.ascontiguousarray(pictures).tobytes()).hexdigest()[:24]
    return kept(Path(work).parent / f"x {key}.pkl", lambda: features_of(pictures, threads))


def mean_p(logits, t):
    made = []
    for z in logits:
        e = np.exp((z - z.max(1, keepdims=True)) / t)
        made.append((e / e.sum(1, keepdims=True)).mean(0))
    return np.stack(made)


class Trial:
    """Features of a bank (pictures, labels, sources) and of the asked images; every source left out once.

    family(source): what is left out together. Test sets never teach. Every third image of a set whose licence is unclear
    stands aside: it chooses temperature and abstention and is not reported."""

    def __init__(self, args, name, classes, bank, asked, family=lambda s: s):
        self.args, self.classes, self.family = args, classes, family
        work = args.work / name
        work.mkdir(parents=True, exist_ok=True)
        self.pictures, labels, self.sources = bank(work)
        self.labels = np.array([classes.index(c) for c in labels])
        self.asked = kept(work / "asked.pkl", asked)
        self.x = np.concatenate([cached(work, self.pictures[self.sources == s], args.threads) for s in dict.fromkeys(self.sources)])
        flat = cached(work, np.concatenate([a.pictures for a in self.asked]), args.threads)
        self.asked_x = np.split(flat, np.cumsum([len(a.pictures) for a in self.asked])[:-1])
        self.aside = [k for k, a in enumerate(self.asked) if a.use == "unclear" and k % 3 == 0]
        self.reported = [k for k, a in enumerate(self.asked) if k not in set(self.aside) and a.use != "context"]
        print(name, self.x.shape, {s: int((self.sources == s).sum()) for s in sorted(set(self.sources))}, len(self.asked), flush=True)

    def taught(self, x, rows, **how):
        return taught(x[rows], self.labels[rows], balanced(self.labels[rows], self.sources[rows]), len(self.classes), **how)

    def left_out(self, x, asked_x, decays=None, **how):
        """Logits of every asked image by a head that never saw its source; decays: those of nested()."""
        families, nets, logits = np.array([self.family(s) for s in self.sources]), {}, []
        for a, z in zip(self.asked, asked_x):
            out = self.family(a.source)
            out = out if (families == out).any() else None
            if out not in nets:
                inner = {"decay": decays.get(out, decays[None])} if decays else {}
                nets[out] = self.taught(x, families != out, **how | inner)
            logits.append(logits_of(nets[out], z))
        self.shipped = nets.get(None) or self.taught(x, np.ones(len(x), bool), **how)
        return logits

    def nested(self, decays, **how):
        """{family or None: decay}, chosen inside the sources that teach when that family is left out: every other family
        of real images that teaches is left out too, and the decay of the best balanced accuracy on it (mean of the
        classes' and sources' shares, mean of the families) is taken. No asked image has a say."""
        of = np.array([self.family(s) for s in self.sources])
        real = sorted({self.family(a.source) for a in self.asked} & set(of))
        right = {}
        for a in range(len(real)):
            for b in range(a, len(real)):
                for decay in decays:
                    net = self.taught(self.x, (of != real[a]) & (of != real[b]), decay=decay, **how)
                    for held in {real[a], real[b]}:
                        rows = of == held
                        good = logits_of(net, self.x[rows]).argmax(1) == self.labels[rows]
                        right[real[a], real[b], held, decay] = float(np.average(good, weights=balanced(self.labels[rows], self.sources[rows])))
        score = lambda out, decay: np.mean([right[tuple(sorted((out or g, g))) + (g, decay)] for g in real if g != out])
        # where no other real family teaches there is nothing to choose by: the middle one
        made = {out: max(decays, key=lambda decay: score(out, decay)) if set(real) - {out} else decays[len(decays) // 2] for out in [None, *real]}
        print("decay chosen inside", made, {d: round(score(None, d), 4) for d in decays}, flush=True)
        return made

    def temperature(self, logits):
        """Of the images that stand aside; 1 where there are none."""
        if not self.aside:
            return 1.0
        z = np.concatenate([logits[k].mean(0, keepdims=True) for k in self.aside])
        return fitted_temperature(z, [self.classes.index(self.asked[k].label) for k in self.aside])

    def network(self):
        """What the card says of the network that is shipped: its input, and above which strangeness it abstains."""
        strange = strangeness(self.x, self.x.mean(0), self.x.std(0))
        return {"backbone": {"id": "any.image_encoder", "output": "pooled"}, "input": input_of(224), "ood": {"threshold": round(float(strange.max() * 1.25), 3)}}

    def export(self, file):
        C.export(Judge(self.shipped, self.x), (1, self.x.shape[1]), file, outputs=("logits", "ood"))

    def said(self, p, keep, below=0.0):
        return [self.classes[p[k].argmax()] if p[k].max() >= below else None for k in keep]

    def by_source(self, said, keep):
        made = {}
        for k, s in zip(keep, said):
            made.setdefault((self.asked[k].label, self.asked[k].source), []).append(s)
        return made

    def show(self, said, keep):
        for (label, source), got in sorted(self.by_source(said, keep).items()):
            others = {c: got.count(c) for c in {*self.classes, None} if c != label and c in got}
            print(f"  {label:10}{source:26}{len(got):4} {np.mean([g == label for g in got]):.3f}", others or "", flush=True)

    def frugal(self):
        """Macro-F1 by border and histogram alone, the same way."""
        x = np.stack([frugal(p.astype(np.float32)) for p in self.pictures])
        z = [np.stack([frugal(p.astype(np.float32)) for p in a.pictures]) for a in self.asked]
        shipped, p = self.shipped, mean_p(self.left_out(x, z), 1.0)
        self.shipped = shipped
        return macro_f1([self.asked[k].label for k in self.reported], self.said(p, self.reported))


def input_of(size):
    """The input block of a card of slices that are prepared as prepared() does."""
    return {"dims": 2, "axes": "yx", "orientation": None, "spacing_mm": None, "size": [size, size], "resize": "area",
            "crop": {"kind": "content_box", "level": 16, "share": 0.03}, "pad_multiple": 1, "pad": "edge",
            "normalise": {"kind": "unit", "scale": 255}}


def report(trial, card, requirement, data, used_by, hidden=0, abstain_below=0.0, decay=3e-2, decays=None, rules=None, scans=None):
    """Leave one source out, the baseline, the shipped head: model.onnx, parity.json and card.json in args.out.

    decays: the choice is made inside the sources that teach (nested). rules(asked image, p) -> p: what the method knows
    besides the head; scans(asked images, p of all) -> p: what it knows of slices from their neighbours. The number with and the
    number without them are reported."""
    args, keep = trial.args, trial.reported
    inner = trial.nested(decays, hidden=hidden) if decays else None
    logits = trial.left_out(trial.x, trial.asked_x, inner, hidden=hidden, decay=decay)
    temperature = trial.temperature(logits)
    p = mean_p(logits, temperature)
    alone = macro_f1([trial.asked[k].label for k in keep], trial.said(p, keep, abstain_below))
    if rules:
        p = np.stack([rules(a, row) for a, row in zip(trial.asked, p)])
        p = scans(trial.asked, p) if scans else p
    said, truth = trial.said(p, keep, abstain_below), [trial.asked[k].label for k in keep]
    trial.show(said, keep)
    pairs = np.array(list(zip(truth, [s or "" for s in said])), dtype=object)
    f1 = lambda rows: macro_f1([r[0] for r in rows], [r[1] for r in rows])
    command = f"python train/{card['id']}/train.py --evaluate-only"
    few = trial.frugal()
    sources = sorted({trial.asked[k].source for k in keep})
    rows = [result_of(requirement, data, "macro-F1", pairs, f1, command, [(trial.asked[k].label, trial.asked[k].source) for k in keep]),
            result_of(f"{card['id']}.accuracy", data, "accuracy", pairs, lambda r: float(np.mean(r[:, 0] == r[:, 1])), command),
            {"requirement": f"{card['id']}.coverage", "data": data, "n": len(keep), "metric": "share not abstained",
             "value": round(float(np.mean([s is not None for s in said])), 4), "ci95": [0, 1], "class": "Q", "command": command},
            {"requirement": f"{card['id']}.border_and_histogram", "data": data, "n": len(keep),
             "metric": f"macro-F1 of border and histogram alone (chance {1 / len(set(truth)):.2f})", "value": round(few, 4), "ci95": [0, 1],
             "class": "Q", "command": command}]
    if rules:
        rows.append({"requirement": f"{card['id']}.head_alone", "data": data, "n": len(keep), "metric": "macro-F1 of the head without the rules",
                     "value": round(alone, 4), "ci95": [0, 1], "class": "Q", "command": command})
    confidence, right = np.array([p[k].max() for k in keep]), np.array([s == t for s, t in zip(said, truth)])
    rows.append({"requirement": f"{card['id']}.ece", "data": data, "n": len(keep), "metric": "ECE (15 equal-mass bins)",
                 "value": round(ece(confidence, right), 4), "ci95": C.bootstrap(np.arange(len(keep)), lambda i: ece(confidence[i], right[i]), n=300),
                 "class": "Q", "command": command})
    print(len(sources), "sources; temperature", temperature, "border and histogram", few, flush=True)
    card = dict(card)
    card["results"] = rows
    card["network"] = {
        "file": "model.onnx", "used_by": used_by, **trial.network(),
        "output": {"kind": "logits", "classes": trial.classes, "names": {"logits": "logits", "ood": "ood"}},
        "abstain_below": abstain_below, "mirror": [], "temperature": temperature}
    if not args.evaluate_only:
        trial.export(args.out / "model.onnx")
    C.write_card(args.out, card)
    return p


def result_of(requirement, data, metric, rows, statistic, command, groups=None):
    return {"requirement": requirement, "data": data, "n": len(rows), "metric": metric, "value": round(statistic(rows), 4),
            "ci95": clustered(rows, groups, statistic) if groups is not None else C.bootstrap(rows, statistic, n=500), "class": "Q",
            "command": command}


def clustered(rows, groups, statistic, n=500, seed=0):
    """95 % interval: inside every class its sources are drawn again, and in each drawn source its images.
    groups: (class, source) of the rows."""
    rng, by, values = np.random.default_rng(seed), {}, []
    for k, (label, source) in enumerate(groups):
        by.setdefault(label, {}).setdefault(source, []).append(k)
    for _ in range(n):
        drawn = [k for sources in by.values() for s in rng.choice(list(sources), len(sources)) for k in rng.choice(sources[s], len(sources[s]))]
        values.append(statistic(rows[drawn]))
    return [round(float(v), 4) for v in np.percentile(values, [2.5, 97.5])]


def ece(confidence, right, bins=15):
    order = np.argsort(confidence)
    return float(sum(abs(confidence[b].mean() - right[b].mean()) * len(b) for b in np.array_split(order, bins) if len(b)) / len(order))


def least_of_sources(trial, p, out, requirement, data, real, drawn, drawn_requirement):
    """Adds to the card: accuracy of the worst source of 5 images or more (smaller ones count together), and of drawn ones."""
    import json
    card = json.loads((out / "card.json").read_text())
    keep, by = trial.reported, {}
    for k, s in zip(keep, trial.said(p, keep, card["network"]["abstain_below"])):
        a = trial.asked[k]
        by.setdefault((a.source == drawn, a.source, a.label), []).append(s == a.label)
    groups = {}
    for (is_drawn, source, label), right in by.items():
        if not is_drawn and label in real:
            groups.setdefault((source, label) if len(right) >= 5 else ("small sources", "all"), []).extend(right)
    worst = min(groups, key=lambda g: np.mean(groups[g]))
    command = f"python train/{card['id']}/train.py --evaluate-only"
    total = sum(len(v) for v in groups.values())
    row = C.result(requirement, f"{data}; worst: {worst[0]} ({worst[1]})", "accuracy, least of the sources", np.array(groups[worst], float), command)
    row["n"] = total
    simulated = C.result(drawn_requirement, drawn, "accuracy", np.array([r for g, v in by.items() if g[0] for r in v], float), command)
    simulated["class"] = "E"
    card["results"] += [row, simulated]
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n")
    print({g: (len(v), round(float(np.mean(v)), 3)) for g, v in groups.items()}, flush=True)
    return row, simulated
