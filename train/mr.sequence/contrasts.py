"""What a tissue gives in a sequence: the signal equations of spin echo, inversion recovery, spoiled gradient echo and
diffusion, with times of relaxation and diffusion drawn anew for every picture (1.5 and 3 T, ages, people)."""
import numpy as np

SEQUENCES = ["T1", "T2", "FLAIR", "diffusion"]
# T1 ms, T2 ms, protons, diffusion um^2/ms; lowest and highest (Bojorquez 2017, Stanisz 2005, de Bazelaire 2004; rounded)
TABLE = {
    "air": ((1000, 1000), (50, 50), (0, 0), (1, 1)), "cortex": ((400, 1200), (4, 12), (0.05, 0.3), (0.2, 0.5)),
    "marrow": ((280, 600), (50, 130), (0.6, 0.95), (0.2, 0.6)), "fat": ((240, 380), (70, 160), (0.9, 1.0), (0.02, 0.15)),
    "muscle": ((850, 1420), (28, 48), (0.7, 0.85), (1.2, 1.8)), "skin": ((600, 1100), (25, 50), (0.6, 0.8), (0.8, 1.5)),
    "fluid": ((2300, 4500), (400, 2000), (0.95, 1.0), (2.3, 3.1)), "mucosa": ((900, 1400), (80, 160), (0.8, 0.95), (1.3, 2.2)),
    "vessel": ((1200, 1900), (60, 250), (0.0, 0.9), (2.0, 5.0)), "liver": ((550, 900), (34, 55), (0.7, 0.85), (0.9, 1.4)),
    "organ": ((950, 1450), (65, 130), (0.75, 0.95), (0.8, 2.1)), "gut": ((700, 1600), (40, 200), (0.6, 0.95), (1.0, 2.2)),
    "disc": ((800, 1400), (45, 150), (0.7, 0.9), (1.2, 1.9)), "cord": ((750, 1050), (72, 100), (0.7, 0.85), (0.7, 1.0)),
    "lesion": ((1100, 1900), (110, 220), (0.85, 1.0), (0.8, 1.6)), "stroke": ((1000, 1500), (85, 150), (0.8, 0.95), (0.3, 0.6)),
    "tumour": ((1100, 1800), (90, 250), (0.8, 1.0), (0.7, 1.9)), "necrosis": ((1800, 3800), (200, 900), (0.9, 1.0), (1.5, 2.9)),
    "white": ((580, 1050), (65, 86), (0.66, 0.74), (0.62, 0.85)), "grey": ((900, 1500), (82, 112), (0.78, 0.88), (0.7, 0.95)),
    "liquor": ((3200, 4600), (700, 2200), (0.97, 1.0), (2.6, 3.3))}
TISSUES = list(TABLE)
AT = {name: k for k, name in enumerate(TISSUES)}
ENHANCING = {"mucosa": 0.9, "vessel": 0.9, "tumour": 0.75, "organ": 0.9, "liver": 0.7, "gut": 0.5, "lesion": 0.2, "skin": 0.4, "muscle": 0.15}


def tissues_of(rng):
    """[tissues, 4]; white and grey matter keep their order, as they do in every adult."""
    d = np.array([[rng.uniform(lo, hi) for lo, hi in TABLE[name]] for name in TISSUES])
    w, g = d[AT["white"]], d[AT["grey"]]
    g[0] = w[0] * rng.uniform(1.3, 1.65)
    g[1] = w[1] * rng.uniform(1.12, 1.35)
    g[2] = w[2] * rng.uniform(1.1, 1.22)
    return d


def enhanced(rng, d):
    """After a contrast agent: shorter T1 where vessels leak or blood is."""
    d = d.copy()
    for name, chance in ENHANCING.items():
        if rng.random() < chance:
            d[AT[name], 0] = 1 / (1 / d[AT[name], 0] + 1 / rng.uniform(100, 900))
    return d


def inversion(d, tr, ti, te):
    return abs(d[:, 2] * (1 - 2 * np.exp(-ti / d[:, 0]) + np.exp(-tr / d[:, 0]))) * np.exp(-te / d[:, 1])


def echo(d, tr, te):
    return d[:, 2] * (1 - np.exp(-tr / d[:, 0])) * np.exp(-te / d[:, 1])


def spoiled(d, tr, angle, te):
    e = np.exp(-tr / d[:, 0])
    return d[:, 2] * np.sin(angle) * (1 - e) / (1 - np.cos(angle) * e) * np.exp(-te / (0.6 * d[:, 1]))


def suppressed(rng, s, chance):
    if rng.random() < chance:
        s = s.copy()
        s[[AT["fat"], AT["marrow"]]] *= rng.uniform(0.02, 0.3), rng.uniform(0.05, 0.5)
    return s


def t1(rng, d):
    u, kind = rng.uniform, rng.random()
    if rng.random() < 0.35:
        d = enhanced(rng, d)
    if kind < 0.4:
        s = echo(d, u(350, 750), u(7, 20))
    elif kind < 0.75:
        tr = u(1400, 2600)
        s = inversion(d, tr, u(0.36, 0.48) * tr if rng.random() < 0.6 else u(650, 1000), u(2, 12))
    else:
        tr = u(4, 12) if rng.random() < 0.5 else u(90, 250)
        s = spoiled(d, tr, np.arccos(np.exp(-tr / 900)) * u(1.6, 3.2), u(1.5, 5))
    return suppressed(rng, s, 0.2)


def t2(rng, d, planar):
    u = rng.uniform
    if planar:                                               # b = 0 of a diffusion series
        return suppressed(rng, echo(d, u(3000, 12000), u(55, 110)), 1)
    d = d.copy()
    d[AT["fat"], 1] *= u(1, 1.6)                             # trains of echoes keep fat bright
    return suppressed(rng, echo(d, u(2200, 9000), u(72, 140) if rng.random() < 0.8 else u(140, 300)), 0.25)


def flair(rng, d):
    u = rng.uniform
    tr = u(4800, 11500)
    water = d[AT["liquor"], 0]
    null = water * (np.log(2) - np.log(1 + np.exp(-tr / water)))
    d = d.copy()
    d[AT["fluid"], 0] = d[AT["fluid"], 0] if rng.random() < 0.5 else water
    return suppressed(rng, inversion(d, tr, null * u(0.92, 1.06), u(80, 150)), 0.35)


def diffusion(rng, d):
    """Weighted: b from 500 s/mm^2 on, of all directions together or of one."""
    u = rng.uniform
    b = u(0.7, 1.3) if rng.random() < 0.7 else u(0.5, 3)
    return suppressed(rng, echo(d, u(2500, 12000), u(55, 115)) * np.exp(-b * d[:, 3]), 1), b


def signals(rng, sequence):
    """(signal of every tissue, b of a diffusion picture or 0, whether it is echo planar)"""
    d = tissues_of(rng)
    if sequence == "T1":
        return t1(rng, d), 0, False
    if sequence == "T2":
        planar = rng.random() < 0.15
        return t2(rng, d, planar), 0, planar
    if sequence == "FLAIR":
        return flair(rng, d), 0, False
    s, b = diffusion(rng, d)
    return s, b, rng.random() < 0.97
