"""What lies round the muscles and bones: trunk, viscera, vessels, fascia, subcutaneous fat and skin."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.phantom.frame import LATTICE_MM, HalfFrame
from grading.phantom.shapes import Array, Tube

FloatTable = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A column of superelliptic cross-sections.

    Attributes:
        z_mm: heights that the other tables are given at, nominal.
        half_width_mm: left-right.
        half_depth_mm: front-back.
        centre_mm: y of the centre.
        exponent: 2 is an ellipse; larger is boxier.
    """

    z_mm: FloatTable
    half_width_mm: FloatTable
    half_depth_mm: FloatTable
    centre_mm: FloatTable
    exponent: float

    def distance(self, frame: HalfFrame, *, belly_mm: float = 0.0) -> Array:
        """Signed distance (first order) on the lattice; the abdomen bulges forward by up to `belly_mm`."""
        x, y, z = frame.nominal
        tables = (self.half_width_mm, self.half_depth_mm, self.centre_mm)
        a, b, c = (np.interp(z, self.z_mm, table).astype(np.float32) for table in tables)
        rise = np.float32(belly_mm) * np.clip((z - 20) / 80, 0, 1)  # from the bladder up to the navel
        a += np.float32(0.35) * rise
        b += np.where(y > c, np.float32(0.7) * rise, np.float32(0))
        power = np.float32(self.exponent)
        norm = (np.abs(x / a) ** power + np.abs((y - c) / b) ** power) ** (1 / power)
        return np.asarray((norm - 1) * np.minimum(a, b), dtype=np.float32)


# half width, half depth and centre (y) of the abdominal cavity with its wall, at heights z; nominal mm
_TRUNK = Profile(
    z_mm=np.array([-60, -20, 20, 60, 110, 160, 230]),
    half_width_mm=np.array([70, 84, 104, 118, 128, 124, 124]),
    half_depth_mm=np.array([30, 44, 54, 62, 70, 72, 74]),
    centre_mm=np.array([10, 12, 14, 18, 20, 22, 24]),
    exponent=2.4,
)

WALL_MM = 12.0  # three flat muscles of the abdominal wall together
# the trunk and thighs as the deep fascia rounds them, over hollows between muscles; nominal mm
_TORSO = Profile(
    z_mm=np.array([-110, -60, 0, 60, 110, 160, 230]),
    half_width_mm=np.array([120, 140, 150, 140, 132, 122, 118]),
    half_depth_mm=np.array([40, 62, 74, 84, 86, 82, 82]),
    centre_mm=np.array([-15, -14, -14, -6, 0, 6, 10]),
    exponent=2.6,
)

THIGH = Tube(((86, -2, -60, 66), (85, 2, -120, 76), (82, 2, -190, 76), (80, 2, -300, 70)))
PERINEUM = Tube(((0, 42, -30, 26), (0, 0, -48, 30), (0, -40, -40, 40), (0, -62, -6, 34)))
# lower border of the flank muscles: iliac crest behind, inguinal ligament in front; nominal y -> z
_WALL_Y, _WALL_STARTS_Z = np.array([-30, 0, 35, 50, 90]), np.array([134, 130, 100, 82, 96])
_RECTUS_SHEATH_X, _WALL_BACK_Y = 62.0, -28.0  # they span from the rectus sheath to quadratus lumborum
_TRUNK_FLOOR_Z, _TORSO_FLOOR_Z = -42.0, -50.0  # pelvic floor; below it the thighs take over
_CLEFT_TOP_Z, _CROTCH_Z = 62.0, -78.0
# subcutaneous fat at heights z over that of the buttock, and how much less there is in front
_FAT_Z, _FAT_SHARE = [-170, -90, -40, 30, 90, 140, 200], [0.42, 0.66, 0.95, 1.0, 1.0, 0.9, 0.72]
_FRONT_LACKS = np.float32(0.42)
CLOSING_MM = 17.0  # the deep fascia bridges grooves between muscles up to twice this width
SKIN_MM = 2.2

VESSELS = (
    Tube(((14, 8, 205, 8), (15, 8, 140, 7), (38, 14, 100, 5), (52, 32, 60, 5), (64, 50, 20, 4.8),
            (66, 50, -30, 4.5),
          (70, 42, -90, 4), (66, 30, -180, 3.8))),
    Tube(((20, 0, 200, 8), (22, -2, 140, 7), (46, 4, 96, 5.5), (46, 20, 60, 5.5), (54, 46, 18, 5.5),
            (56, 44, -30, 5),
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
    """Signed distance to the outer surface of the abdominal wall, on the lattice."""
    _, _, z = frame.nominal
    side = _TRUNK.distance(frame, belly_mm=frame.parameters.belly_mm)
    return np.asarray(np.maximum(side, _TRUNK_FLOOR_Z - z), dtype=np.float32)


def torso(frame: HalfFrame) -> Array:
    """Signed distance to the rounded form that fascia and fat give the lean body."""
    _, _, z = frame.nominal
    upper = np.maximum(_TORSO.distance(frame), _TORSO_FLOOR_Z - z)
    return np.asarray(np.minimum.reduce([upper, frame.evaluate(THIGH), frame.evaluate(PERINEUM)]), np.float32)


def abdominal_wall(frame: HalfFrame, trunk_mm: Array) -> Array:
    """Signed distance to the flat muscles of the flank."""
    x, y, z = frame.nominal
    sheet = np.abs(trunk_mm + np.float32(WALL_MM / 2 + 1)) - np.float32(WALL_MM / 2)
    below = np.interp(y, _WALL_Y, _WALL_STARTS_Z).astype(np.float32) - z
    medial = np.float32(_RECTUS_SHEATH_X) - x
    behind = np.float32(_WALL_BACK_Y) - y
    return np.asarray(np.maximum.reduce([sheet, below, medial, behind]), dtype=np.float32)


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
    front = np.clip((y + 10) / 90, 0, 1)
    share = np.interp(z, _FAT_Z, _FAT_SHARE).astype(np.float32) * (1 - _FRONT_LACKS * front * front)
    share = ndimage.gaussian_filter(share, 3.0)
    surface = fascia_mm - np.float32(frame.parameters.subcutaneous_mm) * share
    # the natal cleft: a wedge that opens backward, its floor over sacrum, coccyx and perineum
    floor = -94 - 0.9 * np.clip(z - 6, 0, None) - 8 * np.clip((z + 20) / -60, 0, 1)
    half_width = 0.8 + 0.11 * np.clip(floor - y, 0, None)
    cleft = np.maximum.reduce([x - half_width, (y - floor) * 0.8, z - _CLEFT_TOP_Z])
    thighs = np.maximum(x - 1.2 - 0.05 * np.clip(_CROTCH_Z - z, 0, None), z - _CROTCH_Z)
    return np.asarray(np.maximum.reduce([surface, -cleft, -thighs]), dtype=np.float32)
