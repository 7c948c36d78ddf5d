"""Drawn axial CT slices of the six regions in HU: skull and brain, neck, chest, abdomen, pelvis, limbs; as varied as
possible in size, place, tissue, table, arms, noise and streaks. Not anatomy: what tells regions apart."""
import numpy as np
from scipy import ndimage

REGIONS = ["head", "neck", "chest", "abdomen", "pelvis", "limb"]
N = 128


_FIELDS = {}


def smooth(rng, sigma):
    """A smooth random field of unit variance, N x N: one of a few kept ones of about this width, rolled and turned."""
    key = tuple(float(np.round(np.log2(v) * 2) / 2) for v in np.atleast_1d(sigma))
    if key not in _FIELDS:
        own = np.random.default_rng(int(sum(8 * k + 400 for k in key)))
        made = [ndimage.gaussian_filter(own.normal(size=(N, N)), [2 ** k for k in key] if len(key) > 1 else 2 ** key[0], mode="wrap") for _ in range(4)]
        _FIELDS[key] = [(f / f.std()).astype(np.float32) for f in made]
    f = _FIELDS[key][rng.integers(4)]
    f = np.roll(f, tuple(rng.integers(0, N, 2)), (0, 1)) * rng.choice([-1, 1])
    return f if len(key) > 1 or rng.random() < 0.5 else f.T


class Canvas:
    """HU on N x N pixels over `field` mm; x to the left of the patient, y to the back; lengths in mm from the middle."""

    def __init__(self, rng, field, hu=-1000.0):
        self.rng, self.mm = rng, field / N
        self.y, self.x = (np.mgrid[:N, :N] - N / 2) * self.mm
        self.y, self.x = self.y - rng.normal(0, field * 0.02), self.x - rng.normal(0, field * 0.02)
        self.hu = np.full((N, N), hu)
        self.bent = smooth(rng, 12) * rng.uniform(0, 4), smooth(rng, 12) * rng.uniform(0, 4)

    def inside(self, cx, cy, a, b, tilt=0.0, wobble=0.08):
        """Distance-like map of an irregular ellipse with half axes a (x) and b (y), < 0 inside."""
        x, y = self.x + self.bent[0] - cx, self.y + self.bent[1] - cy
        u, v = x * np.cos(tilt) + y * np.sin(tilt), y * np.cos(tilt) - x * np.sin(tilt)
        angle = np.arctan2(v / b, u / a)
        rim = 1 + sum(self.rng.normal(0, wobble / k) * np.cos(k * angle + self.rng.uniform(0, 6.3)) for k in (2, 3, 4))
        return (np.hypot(u / a, v / b) / np.clip(rim, 0.6, 1.4) - 1) * min(a, b)

    def put(self, where, hu, grain=0.0):
        self.hu = np.where(where, hu + (smooth(self.rng, 2) * grain if grain else 0), self.hu)

    def bone(self, d, thick, cortex=None, marrow=None):
        """A cortex of `thick` mm inside d < 0 around marrow."""
        r = self.rng
        self.put(d < 0, cortex or r.uniform(500, 1500), 60)
        self.put(d < -thick, marrow if marrow is not None else r.uniform(-60, 350), 60)

    def vertebra(self, cy, size, posterior=True):
        r = self.rng
        self.bone(self.inside(0, cy, size * r.uniform(0.9, 1.2), size * r.uniform(0.65, 0.85)), r.uniform(1.5, 3), r.uniform(300, 800), r.uniform(100, 300))
        back = cy + size * 1.15
        if posterior:
            for s in (-1, 1):
                self.put(self.inside(s * size * 0.6, back, size * 0.25, size * 0.5, s * 0.5) < 0, r.uniform(300, 700), 60)
                self.put(self.inside(s * size * 1.1, back - 2, size * 0.6, size * 0.15, -s * 0.3) < 0, r.uniform(300, 700), 60)
            self.put(self.inside(0, back + size * 0.8, size * 0.15, size * 0.7) < 0, r.uniform(300, 700), 60)
        self.put(self.inside(0, back - size * 0.1, size * 0.4, size * 0.35) < 0, r.uniform(10, 40))

    def body(self, a, b, fat, power=1.0):
        """Skin and fat of `fat` mm, muscle within; returns the two maps."""
        r = self.rng
        d = self.inside(0, 0, a, b, 0, 0.05)
        self.put(d < 0, r.uniform(-120, -80), 8)
        m = self.inside(0, 0, a - fat, b - fat * r.uniform(0.5, 1), 0, 0.06)
        self.put((m < 0) & (d < 0), r.uniform(40, 65), 12)
        return d, m


def head(rng):
    c = Canvas(rng, rng.uniform(190, 320))
    a, b = rng.uniform(62, 80), rng.uniform(78, 105)
    k = rng.uniform(0.3, 1)                                   # how near to the vertex
    a, b = a * np.sqrt(1 - (1 - k) ** 2 + 0.05), b * np.sqrt(1 - (1 - k) ** 2 + 0.05)
    scalp, skull = rng.uniform(2, 9), rng.uniform(3, 10)
    d = c.inside(0, 0, a, b, 0, 0.05)
    c.put(d < scalp, rng.uniform(-90, 50), 15)
    c.put(d < 0, rng.uniform(800, 1700), 100)
    if rng.random() < 0.5:
        c.put((d < -skull * 0.3) & (d > -skull * 0.7), rng.uniform(300, 700), 80)
    brain = d < -skull
    c.put(brain, rng.uniform(25, 38), rng.uniform(1, 5))
    folds = smooth(rng, rng.uniform(2, 4))
    c.put(brain & (d > -skull - rng.uniform(4, 15)) & (folds > rng.uniform(0.3, 1.5)), rng.uniform(2, 15))
    kind = rng.choice(["ventricles", "ventricles", "base", "top", "orbits"])
    if kind == "ventricles":
        w = rng.uniform(3, 12)
        for s in (-1, 1):
            c.put(brain & (c.inside(s * rng.uniform(8, 14), -b * 0.25, w, b * 0.2, s * 0.3, 0.2) < 0), rng.uniform(2, 15))
            c.put(brain & (c.inside(s * rng.uniform(15, 30), b * 0.3, w, b * 0.18, -s * 0.4, 0.2) < 0), rng.uniform(2, 15))
    if kind in ("base", "orbits"):
        for s in (-1, 1):
            c.put(brain & (c.inside(s * a * 0.62, 5, a * 0.38, rng.uniform(6, 14), s * rng.uniform(0.3, 0.8), 0.3) < 0), rng.uniform(500, 1400), 300)
            c.put(c.inside(s * a * 0.75, 15, 9, 12, 0, 0.3) < 0, rng.uniform(-900, 200), 300)
            if kind == "orbits":
                c.put(c.inside(s * a * 0.42, -b * 0.75, 17, 20, s * 0.2) < 0, rng.uniform(-100, -60))
                c.put(c.inside(s * a * 0.42, -b * 0.85, 12, 12) < 0, rng.uniform(5, 30))
        c.put(c.inside(0, -b * rng.uniform(0.7, 0.9), rng.uniform(8, 18), rng.uniform(8, 22), 0, 0.2) < 0, rng.uniform(-1000, -500), 200)
    if rng.random() < 0.6:                                    # falx, blood, calcium
        c.put(brain & (abs(c.x + c.bent[0]) < rng.uniform(0.5, 1.5)), rng.uniform(40, 80))
    for _ in range(rng.integers(0, 3)):
        c.put(brain & (c.inside(*rng.uniform(-0.6, 0.6, 2) * (a, b), rng.uniform(3, 25), rng.uniform(3, 18), rng.uniform(0, 3), 0.25) < 0), rng.uniform(5, 90), 5)
    return c


def neck(rng):
    c = Canvas(rng, rng.uniform(200, 420))
    wide = rng.random() < 0.3                                 # at the shoulders
    a, b = (rng.uniform(170, 210), rng.uniform(60, 85)) if wide else (rng.uniform(55, 80), rng.uniform(52, 75))
    c.body(a, b, rng.uniform(4, 18))
    for s in (-1, 1):                                         # fat between muscles, vessels, thyroid, clavicles
        for _ in range(rng.integers(2, 5)):
            c.put(c.inside(s * rng.uniform(15, 50), rng.uniform(-30, 30), rng.uniform(4, 16), rng.uniform(3, 9), rng.uniform(0, 3), 0.25) < 0, rng.uniform(-110, -60))
        for _ in range(2):
            c.put(c.inside(s * rng.uniform(20, 34), rng.uniform(-16, 6), rng.uniform(3, 7), rng.uniform(3, 7)) < 0, rng.uniform(40, 300))
        if rng.random() < 0.3:
            c.put(c.inside(s * rng.uniform(12, 18), -18, rng.uniform(7, 13), rng.uniform(8, 14)) < 0, rng.uniform(80, 220))
        if wide:
            c.bone(c.inside(s * rng.uniform(130, 150), 0, 24, 22), 4)
            c.bone(c.inside(s * rng.uniform(60, 90), -b * 0.6, 40, 7, s * 0.3), 2)
    c.vertebra(rng.uniform(8, 20), rng.uniform(10, 15))
    c.put(c.inside(0, -rng.uniform(15, 30), rng.uniform(6, 12), rng.uniform(6, 12), 0, 0.15) < 0, -1000)
    if rng.random() < 0.4 and not wide:                       # mandible and teeth
        arc = np.abs(np.hypot(c.x / rng.uniform(30, 42), (c.y + 5) / rng.uniform(40, 55)) - 1) < rng.uniform(0.08, 0.16)
        c.put(arc & (c.y < 0), rng.uniform(700, 2500), 400)
    elif rng.random() < 0.3:                                  # hyoid, cartilage
        arc = np.abs(np.hypot(c.x / 18, (c.y + 20) / 16) - 1) < 0.12
        c.put(arc & (c.y < -18), rng.uniform(100, 600), 60)
    return c


def ribs(c, a, b, count, hu):
    rng = c.rng
    for t in rng.uniform(0, 2 * np.pi, count):
        x, y = a * np.cos(t), b * np.sin(t)
        c.bone(c.inside(x, y, rng.uniform(7, 16), rng.uniform(3.5, 6), np.arctan2(b * np.cos(t), -a * np.sin(t))), 1.5, hu, rng.uniform(50, 250))


def arms(c, a):
    rng = c.rng
    for s in (-1, 1):
        x = s * (a + rng.uniform(45, 60))
        c.put(c.inside(x, rng.uniform(-20, 40), rng.uniform(35, 48), rng.uniform(35, 50)) < 0, rng.uniform(-90, 50), 20)
        c.bone(c.inside(x, rng.uniform(-10, 30), 11, 11), 4)


def chest(rng):
    c = Canvas(rng, rng.uniform(300, 520))
    a, b = rng.uniform(130, 200), rng.uniform(95, 140)
    if rng.random() < 0.2:
        arms(c, a)
    fat = rng.uniform(5, 35)
    c.body(a, b, fat)
    la, lb = a - fat - rng.uniform(8, 20), b - fat - rng.uniform(8, 20)
    ribs(c, la + 5, lb + 5, rng.integers(9, 17), rng.uniform(400, 900))
    lung = (c.inside(0, 0, la, lb, 0, 0.06) < 0) & (abs(c.x + c.bent[0]) > rng.uniform(8, 30))
    if rng.random() < 0.15:
        lung &= c.x * rng.choice([-1, 1]) > -20
    c.put(lung, rng.uniform(-920, -760), rng.uniform(10, 60))
    vessels = smooth(rng, rng.uniform(1.5, 3)) > rng.uniform(1.6, 2.6)
    c.put(lung & vessels, rng.uniform(-100, 100))
    if rng.random() < 0.35:                                   # disease
        c.put(lung & (smooth(rng, rng.uniform(6, 18)) > rng.uniform(0.3, 1.5)), rng.uniform(-700, 30), 80)
    heart = rng.uniform(0.2, 1)
    c.put(c.inside(rng.uniform(0, 30), -lb * rng.uniform(0.1, 0.4), 25 + 40 * heart, 22 + 35 * heart, rng.uniform(-0.6, 0.6)) < 0, rng.uniform(30, 250), 15)
    for _ in range(rng.integers(1, 4)):
        c.put(c.inside(rng.normal(0, 18), rng.normal(0, 20), rng.uniform(9, 17), rng.uniform(9, 17)) < 0, rng.uniform(30, 300))
    if rng.random() < 0.4:
        side = rng.choice([-1, 1])                            # dome of liver or spleen
        c.put(c.inside(side * la * 0.5, 0, la * rng.uniform(0.2, 0.45), lb * rng.uniform(0.2, 0.6)) < 0, rng.uniform(45, 120), 8)
    c.vertebra(lb * rng.uniform(0.6, 0.8), rng.uniform(14, 19))
    c.put(c.inside(0, -rng.uniform(5, 25), 8, 8) < 0, -1000 if rng.random() < 0.6 else 40)
    c.bone(c.inside(0, -lb - 4, rng.uniform(10, 25), 6), 1.5, marrow=120)
    return c


def bowel(c, a, b, count):
    rng = c.rng
    for _ in range(count):
        d = c.inside(rng.uniform(-0.7, 0.7) * a, rng.uniform(-0.8, 0.2) * b, rng.uniform(8, 32), rng.uniform(8, 24), rng.uniform(0, 3), 0.2)
        c.put(d < 0, rng.uniform(10, 60), 12)
        if rng.random() < 0.45:
            c.put((d < -2) & (c.y < rng.normal(-20, 40)), rng.uniform(-1000, -600))
        elif rng.random() < 0.3:
            c.put(d < -2.5, rng.uniform(-30, 350), 60)


def trunk(rng, fat):
    c = Canvas(rng, rng.uniform(300, 520))
    a, b = rng.uniform(130, 205), rng.uniform(90, 150)
    if rng.random() < 0.15:
        arms(c, a)
    c.body(a, b, fat)
    wall = rng.uniform(7, 16)
    ia, ib = a - fat - wall, b - fat * 0.8 - wall
    c.put(c.inside(0, -6, ia, ib * 0.95, 0, 0.05) < 0, rng.uniform(-115, -85), 8)
    return c, ia, ib


def abdomen(rng):
    c, a, b = trunk(rng, rng.uniform(5, 45))
    high = rng.random() < 0.6
    if high:
        ribs(c, a + 5, b + 5, rng.integers(4, 12), rng.uniform(400, 900))
    bowel(c, a, b, rng.integers(2 if high else 6, 8 if high else 16))
    blood = rng.uniform(0, 1)
    if high:
        c.put(c.inside(-a * rng.uniform(0.4, 0.6), -b * rng.uniform(0, 0.2), a * rng.uniform(0.35, 0.6), b * rng.uniform(0.45, 0.85), rng.uniform(-0.4, 0.4), 0.12) < 0,
              rng.uniform(45, 70) + 60 * blood, 8)
        c.put(c.inside(a * rng.uniform(0.65, 0.8), b * rng.uniform(0.1, 0.4), rng.uniform(18, 35), rng.uniform(25, 50), rng.uniform(-0.5, 0.5), 0.12) < 0,
              rng.uniform(40, 60) + 70 * blood, 8)
        if rng.random() < 0.7:
            d = c.inside(a * rng.uniform(0.1, 0.5), -b * rng.uniform(0.4, 0.7), rng.uniform(20, 50), rng.uniform(15, 30), rng.uniform(-0.5, 0.5), 0.15)
            c.put(d < 0, rng.uniform(10, 70))
            c.put((d < -3) & (c.y < rng.uniform(-90, -30)), -950)
    for s in (-1, 1):
        if rng.random() < 0.75:
            d = c.inside(s * rng.uniform(45, 70), b * rng.uniform(0.3, 0.55), rng.uniform(20, 32), rng.uniform(22, 36), s * 0.5, 0.1)
            c.put(d < 0, rng.uniform(30, 45) + 140 * blood, 6)
            c.put(c.inside(s * rng.uniform(42, 55), b * 0.42, rng.uniform(4, 12), rng.uniform(4, 12)) < 0, rng.uniform(-90, 20))
        c.put(c.inside(s * rng.uniform(28, 40), b * rng.uniform(0.55, 0.7), rng.uniform(12, 24), rng.uniform(12, 22)) < 0, rng.uniform(45, 65))
        c.put(c.inside(s * rng.uniform(25, 40), b * 1.0, rng.uniform(18, 30), rng.uniform(14, 24)) < 0, rng.uniform(40, 60), 15)
        c.put(c.inside(s * rng.uniform(6, 18), b * 0.3, 8, 8) < 0, rng.uniform(35, 50) + 180 * blood)
    c.vertebra(b * rng.uniform(0.5, 0.65), rng.uniform(18, 25))
    return c


def pelvis(rng):
    c, a, b = trunk(rng, rng.uniform(8, 45))
    low = rng.random() < 0.5
    bowel(c, a * 0.8, b, rng.integers(1, 8))
    for s in (-1, 1):
        c.put(c.inside(s * a * 0.5, b * 0.7, a * 0.42, b * 0.4, -s * 0.3) < 0, rng.uniform(40, 60), 20)          # gluteal
        c.put(c.inside(s * a * 0.45, -b * 0.5, rng.uniform(15, 28), rng.uniform(15, 28)) < 0, rng.uniform(45, 65))
        if low:
            x = s * rng.uniform(80, 100) * a / 170
            c.bone(c.inside(x, rng.uniform(0, 15), rng.uniform(20, 28), rng.uniform(20, 28)), 2.5, marrow=rng.uniform(150, 350))
            c.bone(c.inside(x - s * 24, 5, rng.uniform(7, 12), rng.uniform(22, 40), s * rng.uniform(0, 0.5)), 2.5)
            if rng.random() < 0.6:
                c.bone(c.inside(x + s * 30, 12, rng.uniform(10, 18), rng.uniform(10, 16)), 2.5)
            if rng.random() < 0.4:
                c.bone(c.inside(s * 25, -b * 0.35, 26, 7, s * 0.4), 2)
        else:
            c.bone(c.inside(s * a * rng.uniform(0.5, 0.62), b * 0.15, rng.uniform(5, 9), rng.uniform(40, 62), -s * rng.uniform(0.4, 0.9)), 2)
    if low:
        c.put(c.inside(0, -b * 0.3, rng.uniform(20, 50), rng.uniform(15, 38)) < 0, rng.uniform(0, 15) + rng.choice([0, 0, 200]))
        c.put(c.inside(0, b * 0.45, rng.uniform(14, 24), rng.uniform(12, 20)) < 0, rng.uniform(-200, 60), 60)
        c.bone(c.inside(0, b * 0.75, rng.uniform(6, 14), 6), 1.5)
    else:
        c.bone(c.inside(0, b * 0.5, rng.uniform(35, 52), rng.uniform(14, 24), 0, 0.15), 2, marrow=rng.uniform(80, 250))
    return c


def limb(rng):
    c = Canvas(rng, rng.uniform(110, 420))
    two, thigh = rng.random() < 0.6, rng.random() < 0.5
    r = rng.uniform(60, 100) if thigh else rng.uniform(28, 60)
    gap = r + rng.uniform(1, 30)
    middle = 0 if not two else rng.choice([0, gap, -gap])
    for s in (-1, 1) if two else (0,):
        cx, cy = s * gap + middle * (rng.random() < 0.5), rng.normal(0, 6)
        d = c.inside(cx, cy, r * rng.uniform(0.85, 1.1), r, rng.uniform(0, 3), 0.07)
        c.put(d < 0, rng.uniform(-120, -85), 8)
        c.put(d < -rng.uniform(2, 0.35 * r), rng.uniform(45, 65), 8)
        planes = abs(smooth(rng, rng.uniform(6, 14))) < rng.uniform(0.02, 0.12)
        c.put((d < -4) & planes, rng.uniform(-100, -40))
        joint = rng.random() < 0.25
        bones = [(0.0, 0.0)] if thigh else [(0.0, -0.25), (0.5, 0.2)] if rng.random() < 0.6 else list(rng.uniform(-0.5, 0.5, (rng.integers(1, 6), 2)))
        for k, (bx, by) in enumerate(bones):
            size = r * rng.uniform(0.16, 0.25) * (0.6 if k else 1) * (2 if joint else 1)
            c.bone(c.inside(cx + bx * r + rng.normal(0, 4), cy + by * r, size, size * rng.uniform(0.8, 1.1), rng.uniform(0, 3)),
                   size * rng.uniform(0.25, 0.5) if not joint else 1.5, rng.uniform(1000, 1700), rng.uniform(150, 400) if joint else rng.uniform(-110, 60))
    return c


def scanned(rng, c):
    """Table, blur, noise that grows with the path, streaks; HU, N x N or a part of it."""
    hu = c.hu
    if rng.random() < 0.6:
        at, bend = np.nonzero((hu > -300).any(1))[0].max() * c.mm + rng.uniform(0, 25) - N / 2 * c.mm, rng.uniform(0, 0.002)
        line = c.y - at + bend * c.x ** 2
        hu = np.where((abs(line) < rng.uniform(1, 4)) & (hu < -500), rng.uniform(-700, 200), hu)
    hu = ndimage.gaussian_filter(hu, rng.uniform(0.3, 1.1))
    grain = rng.uniform(0.4, 1.2)
    hu = hu + ndimage.gaussian_filter(rng.normal(size=(N, N)), grain) * 2 * grain * 10 ** rng.uniform(0.3, 1.8) * (hu > -950)
    if rng.random() < 0.3:
        hu = hu + smooth(rng, (0.6, rng.uniform(8, 30))) * rng.uniform(5, 40) * (hu > -950)
    if rng.random() < 0.3:                                    # outside of the round field
        hu = np.where(np.hypot(*(np.mgrid[:N, :N] - N / 2)) < N / 2, hu, rng.choice([-1000, -1024, -2000]))
    return np.clip(hu, -2000, 3000).astype(np.float32)


def slice_of(rng, region):
    return scanned(rng, {"head": head, "neck": neck, "chest": chest, "abdomen": abdomen, "pelvis": pelvis, "limb": limb}[region](rng))
