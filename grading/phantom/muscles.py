"""The muscles round the hip as formulas, in the nominal frame of `shapes` (x lateral).

Origins and insertions are those of the textbooks; where a muscle comes to lie against its neighbour the
border is drawn by `build`, half-way with a fat plane between.
"""

from dataclasses import dataclass

from grading.phantom.bones import BLADE_NORMAL
from grading.phantom.shapes import Shape, Sheet, Tube, Union, Vector


@dataclass(frozen=True)
class MuscleShape:
    """One muscle of the phantom.

    Attributes:
        structure: name in `grading.anatomy.STRUCTURES` it is labelled as.
        shape: where it lies in a healthy adult.
        fibres: where its fascicles run: from this point...
        towards: ...to this one; fan-shaped muscles converge on it.
        fan: True when the fascicles converge on `towards`, False when they run in parallel.
        swell_mm: how far it may grow into free space round it: thigh muscles pack until fascia parts them.
    """

    structure: str
    shape: Shape
    fibres: Vector
    towards: Vector
    fan: bool = False
    swell_mm: float = 0.0


MAXIMUS = Sheet(
    normal=(0.50, -0.87),
    surface=(
        (48, -84, 88, 8), (84, -66, 92, 7), (112, -42, 84, 5),
        (30, -88, 58, 11), (66, -82, 58, 14), (104, -66, 56, 12), (140, -38, 48, 6),
        (28, -86, 28, 12), (60, -84, 26, 17), (104, -72, 22, 17), (144, -46, 16, 10), (162, -20, 14, 4),
        (34, -81, -4, 14), (64, -82, -8, 19), (108, -74, -12, 19), (146, -50, -16, 13), (165, -24, -14, 5),
        (52, -78, -36, 15), (88, -78, -42, 20), (124, -66, -46, 18), (152, -42, -44, 10),
        (76, -70, -68, 14), (108, -66, -78, 16), (140, -46, -80, 11), (134, -44, -108, 9),
        (112, -56, -108, 10),
    ),
    outline=(
        (34, -86, 82), (50, -84, 99), (78, -70, 104), (104, -48, 94), (130, -32, 72), (154, -18, 40),
        (168, -12, 10),
        (170, -14, -20), (160, -28, -56), (148, -36, -94), (134, -42, -126), (118, -52, -124),
        (92, -66, -102),
        (62, -74, -74), (36, -78, -44), (24, -86, -12), (20, -92, 22), (22, -92, 58),
    ),
    edge_mm=12.0,
)  # fmt: skip

MEDIUS = Sheet(
    normal=BLADE_NORMAL,
    surface=(
        (128, 2, 128, 7), (108, -36, 124, 9), (84, -64, 112, 7),
        (138, 26, 98, 9), (126, -12, 96, 14), (106, -48, 92, 14), (78, -74, 90, 7),
        (142, 32, 66, 10), (136, -4, 64, 16), (120, -38, 62, 16), (92, -66, 62, 10),
        (144, 26, 36, 10), (142, -2, 34, 14), (132, -30, 32, 13), (110, -54, 34, 10),
        (148, 14, 8, 8), (149, -6, 6, 9), (142, -28, 6, 8), (153, -4, -16, 5), (150, -18, -16, 5),
    ),
    outline=(
        (58, -78, 90), (70, -70, 116), (98, -44, 133), (122, -6, 137), (134, 26, 120), (140, 44, 92),
        (144, 42, 60),
        (150, 30, 24), (154, 12, -6), (156, -4, -24), (150, -24, -20), (138, -40, 8), (118, -60, 28),
        (92, -76, 50),
        (64, -80, 68),
    ),
    edge_mm=12.0,
)  # fmt: skip

MINIMUS = Sheet(
    normal=BLADE_NORMAL,
    surface=(
        (118, 22, 100, 6), (104, -10, 100, 6), (90, -36, 92, 5),
        (119, 30, 70, 7), (107, 2, 70, 7), (93, -26, 66, 6.5), (80, -44, 60, 4),
        (121, 28, 44, 7.5), (113, 4, 44, 7.5), (103, -22, 42, 6),
        (128, 20, 22, 7), (124, 2, 22, 7), (118, -16, 20, 5.5),
        (138, 16, 2, 5), (138, 4, 0, 5), (146, 12, -14, 3.5),
    ),
    outline=(
        (86, -48, 80), (96, -26, 110), (112, 4, 119), (124, 30, 107), (126, 41, 74), (128, 36, 44),
        (138, 27, 14), (148, 16, -14), (146, 6, -20), (136, -5, -2), (118, -25, 14), (100, -41, 32),
        (80, -53, 54),
    ),
    edge_mm=7.0,
)  # fmt: skip

TFL = Tube(
    (
        (121, 48, 70, 4), (133, 45, 44, 9), (146, 38, 8, 13), (155, 28, -32, 13.5), (160, 18, -64, 10),
        (162, 12, -94, 5),
    ),
    flatten=(0.9, 0.43, 0.1),
    flatness=0.62,
)  # fmt: skip

ILIACUS = Sheet(
    normal=BLADE_NORMAL,
    surface=(
        (104, 6, 126, 3), (86, -24, 116, 3), (106, 24, 98, 7), (82, -8, 98, 8), (60, -40, 96, 3),
        (98, 34, 68, 10), (76, 8, 68, 10), (58, -20, 70, 4), (92, 38, 40, 11), (72, 18, 40, 9),
        (92, 34, 20, 9),
    ),
    outline=(
        (62, -44, 106), (84, -28, 126), (106, 6, 133), (114, 34, 106), (112, 46, 72), (104, 46, 40),
        (100, 40, 14),
        (80, 30, 16), (66, 18, 34), (54, -14, 62), (54, -36, 88),
    ),
    edge_mm=6.0,
)  # fmt: skip

ILIOPSOAS = Union(
    (
        Tube(((33, -8, 230, 15), (39, -6, 180, 19), (46, 0, 130, 20), (56, 12, 84, 17), (70, 28, 42, 14),
              (88, 38, 10, 13), (98, 30, -16, 13), (106, 6, -40, 11), (110, -12, -56, 6))),
        ILIACUS,
    ),
    blend_mm=4.0,
)  # fmt: skip

MUSCLE_SHAPES: dict[str, MuscleShape] = {
    "gluteus_maximus": MuscleShape("gluteus_maximus", MAXIMUS, (40, -88, 60), (150, -50, -60)),
    "gluteus_medius": MuscleShape("gluteus_medius", MEDIUS, (105, -20, 130), (152, -12, -40), fan=True),
    "gluteus_minimus": MuscleShape("gluteus_minimus", MINIMUS, (100, 0, 105), (146, 10, -34), fan=True),
    "tensor_fasciae_latae": MuscleShape("tensor_fasciae_latae", TFL, (122, 47, 74), (160, 12, -80)),
    "iliopsoas": MuscleShape("iliopsoas", ILIOPSOAS, (50, 0, 140), (108, -10, -60), fan=True, swell_mm=1.5),
    "piriformis": MuscleShape(
        "piriformis",
        Tube(((20, -64, 62, 7), (44, -62, 54, 12), (74, -52, 36, 11), (104, -36, 18, 7),
                (130, -20, 8, 3.5))),
        (30, -62, 58), (130, -20, 8), swell_mm=2.0,
    ),
    "erector_spinae": MuscleShape(
        "erector_spinae",
        Union((
            Tube(((13, -88, 62, 4), (18, -82, 88, 10), (26, -76, 116, 18), (32, -70, 150, 22),
                    (36, -66, 230, 24))),
            Tube(((10, -78, 90, 8), (13, -68, 130, 11), (14, -62, 230, 11))),
        ), 4.0),
        (15, -85, 60), (34, -66, 230), swell_mm=3.0,
    ),
    "quadratus_lumborum": MuscleShape(
        "other_muscle", Tube(((84, -46, 130, 8), (68, -40, 170, 14), (58, -38, 230, 14))), (84, -46, 130),
        (58, -38, 230)
    ),
    "rectus_abdominis": MuscleShape(
        "other_muscle",
        Tube(((14, 46, -8, 5), (24, 66, 30, 12), (30, 80, 80, 22), (34, 88, 150, 26), (36, 90, 230, 28)),
             flatten=(0.2, 1.0, -0.15), flatness=0.30),
        (14, 46, -8), (36, 90, 230),
    ),
    "obturator_internus": MuscleShape(
        "other_muscle",
        Union((
            Tube(((30, 22, -22, 6), (40, 8, -22, 11), (47, -12, -14, 14), (50, -34, -10, 10)),
                (1.0, 0.25, 0.2), 0.55),
            Tube(((40, 10, 12, 7), (47, -12, 14, 10), (52, -34, 2, 9)), (1.0, 0.25, 0.2), 0.55),
            Tube(((50, -36, -10, 8), (62, -46, -8, 6), (86, -42, -6, 7), (112, -30, -4, 6),
                    (130, -20, 0, 3.5))),
        ), 4.0),
        (30, 20, -20), (50, -36, -10), swell_mm=4.0,
    ),
    "levator_ani": MuscleShape(
        "other_muscle",
        Tube(((46, -8, 4, 8), (32, -22, -12, 13), (14, -36, -28, 12)), (0.5, 0.0, 0.86), 0.22),
        (46, -8, 4), (14, -36, -28),
    ),
    "obturator_externus": MuscleShape(
        "other_muscle",
        Tube(((28, 24, -36, 9), (46, 14, -42, 13), (72, -4, -40, 12), (98, -22, -28, 8),
                (124, -20, -14, 4))),
        (28, 24, -36), (124, -20, -14), swell_mm=4.0,
    ),
    "quadratus_femoris": MuscleShape(
        "other_muscle",
        Tube(((68, -36, -44, 12), (92, -38, -44, 14), (120, -26, -44, 9)), (0.1, 1.0, 0.0), 0.5),
        (68, -36, -44), (120, -26, -44), swell_mm=4.0,
    ),
    "pectineus": MuscleShape(
        "other_muscle",
        Tube(((34, 44, -4, 6), (50, 36, -22, 12), (76, 20, -48, 12), (108, -2, -76, 6))), (34, 44, -4),
        (108, 0, -76), swell_mm=5.0,
    ),
    "adductor_longus": MuscleShape(
        "other_muscle",
        Tube(((18, 38, -30, 6), (34, 38, -58, 14), (58, 30, -104, 19), (86, 18, -170, 14),
                (98, 10, -230, 8))),
        (18, 38, -30), (98, 10, -230), swell_mm=6.0,
    ),
    "adductor_brevis": MuscleShape(
        "other_muscle",
        Tube(((24, 26, -40, 7), (44, 18, -66, 14), (76, 6, -102, 15), (108, -2, -140, 7))), (24, 26, -40),
        (108, 0, -140), swell_mm=6.0,
    ),
    "adductor_magnus": MuscleShape(
        "other_muscle",
        Union((
            Tube(((42, -12, -58, 8), (50, -14, -84, 20), (66, -16, -124, 27), (84, -14, -190, 28),
                    (92, -10, -280, 20))),
            Tube(((62, -28, -56, 8), (82, -28, -80, 15), (98, -26, -120, 19), (104, -20, -190, 16))),
        ), 4.0),
        (42, -12, -58), (92, -10, -280), swell_mm=8.0,
    ),
    "gracilis": MuscleShape(
        "other_muscle",
        Tube(((15, 24, -36, 4), (19, 16, -70, 12), (26, 4, -130, 14), (38, -8, -280, 11)), (1.0, 0.2, 0.1),
            0.5),
        (15, 24, -36), (38, -8, -280), swell_mm=3.0,
    ),
    "hamstrings": MuscleShape(
        "other_muscle",
        Union((
            Tube(((60, -46, -50, 7), (74, -52, -96, 15), (84, -54, -150, 20), (90, -52, -280, 24))),
            Tube(((56, -44, -60, 6), (64, -50, -110, 13), (60, -50, -180, 20), (58, -46, -280, 22))),
        ), 2.0),
        (60, -46, -50), (80, -52, -280), swell_mm=6.0,
    ),
    "sartorius": MuscleShape(
        "other_muscle",
        Tube(((117, 52, 70, 4), (111, 60, 40, 8), (98, 62, -10, 11), (78, 54, -80, 11), (52, 34, -180, 12),
              (42, 12, -280, 13)), (0.3, 1.0, 0.1), 0.6),
        (117, 52, 70), (42, 12, -280), swell_mm=2.0,
    ),
    "rectus_femoris": MuscleShape(
        "other_muscle",
        Tube(((101, 46, 32, 4), (110, 56, 0, 9), (118, 56, -44, 17), (120, 56, -110, 21),
                (122, 54, -280, 20))),
        (101, 46, 32), (122, 54, -280), swell_mm=4.0,
    ),
    "vastus_lateralis": MuscleShape(
        "other_muscle",
        Tube(((146, 2, -36, 8), (150, 6, -66, 18), (149, 6, -120, 28), (145, 8, -280, 31))), (146, 0, -40),
        (148, 10, -280), swell_mm=6.0,
    ),
    "vastus_intermedius": MuscleShape(
        "other_muscle",
        Tube(((128, 16, -56, 6), (130, 24, -96, 17), (127, 28, -180, 21), (118, 30, -280, 22))),
        (128, 16, -56), (118, 30, -280), swell_mm=8.0,
    ),
    "vastus_medialis": MuscleShape(
        "other_muscle",
        Tube(((110, 10, -76, 5), (106, 18, -130, 14), (96, 26, -220, 22), (88, 26, -280, 26))),
        (110, 10, -76), (88, 26, -280), swell_mm=6.0,
    ),
}  # fmt: skip
