"""What lies round the muscles and bones: trunk, viscera, vessels, fascia, subcutaneous fat and skin."""

import numpy as np
from scipy import ndimage

from grading.phantom.frame import LATTICE_MM, HalfFrame
from grading.phantom.shapes import Array, Tube

# half width, half depth and centre (y) of the abdominal cavity with its wall, at heights z; nominal mm
_TRUNK_Z = np.array([-60, -20, 20, 60, 110, 160, 230])
_TRUNK_WIDTH = np.array([70, 84, 104, 118, 128, 124, 124])
_TRUNK_DEPTH = np.array([30, 44, 54, 62, 70, 72, 74])
_TRUNK_CENTRE = np.array([10, 12, 14, 18, 20, 22, 24])
_TRUNK_EXPONENT = 2.4
WALL_MM = 12.0  # three flat muscles of the abdominal wall together
# the trunk and thighs as the deep fascia rounds them, over hollows between muscles; nominal mm
_TORSO_Z = np.array([-110, -60, 0, 60, 110, 160, 230])
_TORSO_WIDTH = np.array([120, 140, 150, 140, 132, 122, 118])
_TORSO_DEPTH = np.array([40, 62, 74, 84, 86, 82, 82])
_TORSO_CENTRE = np.array([-15, -14, -14, -6, 0, 6, 10])
_TORSO_EXPONENT = 2.6
THIGH = Tube(((86, -2, -60, 66), (85, 2, -120, 76), (82, 2, -190, 76), (80, 2, -300, 70)))
PERINEUM = Tube(((0, 42, -30, 26), (0, 0, -48, 30), (0, -40, -40, 40), (0, -62, -6, 34)))
_WALL_STARTS_Z = 72.0  # their lower border at the iliac crest and inguinal ligament
CLOSING_MM = 17.0  # the deep fascia bridges grooves between muscles up to twice this width
SKIN_MM = 2.2

VESSELS = (
    Tube(((14, 8, 205, 8), (15, 8, 140, 7), (38, 14, 100, 5), (52, 32, 60, 5), (64, 50, 20, 4.8), (66, 50, -30, 4.5),
          (70, 42, -90, 4), (66, 30, -180, 3.8))),
    Tube(((20, 0, 200, 8), (22, -2, 140, 7), (46, 4, 96, 5.5), (46, 20, 60, 5.5), (54, 46, 18, 5.5), (56, 44, -30, 5),
          (62, 36, -90, 4.5), (60, 26, -180, 4))),
    Tube(((110, 36, -30, 2.2), (118, 22, -50, 2.2), (136, 20, -70, 2.0))),
    Tube(((56, -44, 34, 3.0), (70, -58, 20, 2.4), (90, -58, 0, 1.8))),  # inferior gluteal
    Tube(((54, -46, 52, 3.0), (82, -52, 60, 2.2), (104, -34, 70, 1.8))),  # superior gluteal
)  # fmt: skip
SCIATIC_NERVE = Tube(
    ((46, -52, 40, 5), (74, -56, 6, 5), (86, -42, -36, 5), (88, -40, -90, 5), (86, -38, -180, 5)),
    (0.2, 1, 0),
    0.5,
)


def trunk(frame: HalfFrame) -> Array:
    """Signed distance (approximate) to the outer surface of the abdominal wall, on the lattice."""
    x, y, z = frame.nominal
    belly = np.float32(frame.parameters.belly_mm)
    a, b, c = (
        np.interp(z, _TRUNK_Z, table).astype(np.float32)
        for table in (_TRUNK_WIDTH, _TRUNK_DEPTH, _TRUNK_CENTRE)
    )
    rise = np.clip((z - 20) / 80, 0, 1)
    b = b + np.where(y > c, belly * rise * 0.7, 0)
    a = a + belly * rise * 0.35
    norm = (np.abs(x / a) ** _TRUNK_EXPONENT + np.abs((y - c) / b) ** _TRUNK_EXPONENT) ** (
        1 / _TRUNK_EXPONENT
    )
    side = (norm - 1) * np.minimum(a, b)
    return np.maximum(side, -42 - z).astype(np.float32)


def torso(frame: HalfFrame) -> Array:
    """Signed distance to the rounded form that fascia and fat give the lean body."""
    x, y, z = frame.nominal
    a, b, c = (
        np.interp(z, _TORSO_Z, table).astype(np.float32)
        for table in (_TORSO_WIDTH, _TORSO_DEPTH, _TORSO_CENTRE)
    )
    norm = (np.abs(x / a) ** _TORSO_EXPONENT + np.abs((y - c) / b) ** _TORSO_EXPONENT) ** (
        1 / _TORSO_EXPONENT
    )
    upper = np.maximum((norm - 1) * np.minimum(a, b), -50 - z)
    return np.minimum.reduce([upper, frame.evaluate(THIGH), frame.evaluate(PERINEUM)]).astype(np.float32)


def abdominal_wall(frame: HalfFrame, trunk_mm: Array) -> Array:
    """Signed distance to the flat muscles of the flank."""
    x, y, z = frame.nominal
    sheet = np.abs(trunk_mm + WALL_MM / 2 + 1) - WALL_MM / 2
    medial = 62 - x  # lateral border of the rectus sheath
    behind = np.where(y < 0, -28 - y, -FAR)
    return np.maximum.reduce(
        [sheet, _WALL_STARTS_Z + np.clip(y - 40, 0, 40) * 0.4 - z, medial * 0.8, behind]
    ).astype(np.float32)


FAR = np.float32(100.0)


def fascia(nearest: Array) -> Array:
    """Signed distance to the deep fascia: the smooth hull of muscles, bones and trunk.

    Args:
        nearest: signed distance to the nearest of them, on the lattice.
    """
    reach = CLOSING_MM / LATTICE_MM
    outside = ndimage.distance_transform_edt(nearest > 2.0)
    inside = ndimage.distance_transform_edt(outside < reach)
    hull = np.where(outside < reach, reach - inside, outside)
    return np.asarray(ndimage.gaussian_filter(hull * LATTICE_MM, 2.0), dtype=np.float32)


def skin(frame: HalfFrame, fascia_mm: Array) -> Array:
    """Signed distance to the surface of the body."""
    x, y, z = frame.nominal
    p = frame.parameters
    share = np.interp(z, [-170, -90, -40, 30, 90, 140, 200], [0.42, 0.66, 0.95, 1.0, 1.0, 0.9, 0.72]).astype(
        np.float32
    )
    front = np.clip((y + 10) / 90, 0, 1)
    share = share * (1 - 0.42 * front * front)
    share = np.asarray(ndimage.gaussian_filter(share, 3.0), dtype=np.float32)
    surface = fascia_mm - np.float32(p.subcutaneous_mm) * share
    deep = -94 - 0.9 * np.clip(z - 6, 0, None) - 8 * np.clip((z + 20) / -60, 0, 1)  # floor of the natal cleft
    half_width = 0.8 + 0.11 * np.clip(deep - y, 0, None)
    cleft = np.maximum(np.maximum(x - half_width, (y - deep) * 0.8), z - 62)
    thighs = np.maximum(x - 1.2 - 0.05 * np.clip(-78 - z, 0, None), z + 78)
    return np.maximum(np.maximum(surface, -cleft), -thighs).astype(np.float32)
