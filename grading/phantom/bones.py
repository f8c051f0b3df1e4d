"""The bony pelvis, femur and lowest spine as formulas, in the nominal frame of `shapes` (x lateral).

Sizes follow textbook adult anatomy: femoral head 47 mm across, heads 180 mm apart, neck-shaft angle about
128 degrees, iliac crest 140 mm above the heads, iliac blade 7-9 mm thin in the fossa.
"""

from grading.phantom.shapes import Barrel, Ellipsoid, Sheet, Tube, Union

HEAD_CENTRE = (90.0, 0.0, 0.0)
HEAD_RADIUS_MM = 23.5
JOINT_RADIUS_MM = 26.5  # bony socket: head plus two layers of cartilage
SOCKET_RADIUS_MM = 34.0
SOCKET_OPENING = (0.80, 0.15, -0.58)  # the acetabulum looks lateral, down and a little forward
SOCKET_RIM_MM = 3.0  # how far beyond the head's centre the rim reaches

BLADE_NORMAL = (0.84, -0.54)  # the iliac wing faces lateral and backward

ILIAC_BLADE = Sheet(
    normal=BLADE_NORMAL,
    surface=(
        (116, 2, 132, 6.0), (98, -30, 128, 6.0), (72, -58, 112, 7.0),
        (122, 36, 98, 6.5), (98, 0, 98, 3.8), (80, -30, 96, 4.5), (54, -64, 92, 8.5),
        (113, 42, 68, 6.5), (92, 12, 66, 4.2), (74, -16, 66, 5.5), (50, -58, 66, 10.0),
        (100, 36, 42, 7.0), (84, 8, 40, 9.0), (71, -16, 40, 10.0), (58, -40, 44, 9.0),
        (88, 22, 20, 13.0), (76, -6, 20, 13.0),
    ),
    outline=(
        (42, -76, 84), (52, -72, 108), (78, -54, 126), (104, -24, 139), (117, 4, 139), (125, 30, 118),
        (122, 45, 90), (116, 47, 74), (104, 43, 52), (98, 36, 30), (92, 22, 12), (74, 0, 8), (64, -20, 14),
        (60, -34, 34), (54, -46, 46), (46, -64, 52), (42, -74, 64),
    ),
    edge_mm=5.0,
)  # fmt: skip

HIP_BONE_RODS = Union(
    (
        Tube(
            ((68, -20, 30, 13), (66, -26, 0, 12), (66, -34, -22, 12), (60, -38, -42, 14), (54, -32, -54, 11))
        ),
        Tube(((54, -30, -52, 9), (40, -8, -54, 7), (26, 14, -46, 6.5), (13, 32, -32, 7))),
        Tube(((11, 38, -14, 8), (10, 36, -24, 9), (11, 32, -34, 7))),
        Tube(((12, 39, -12, 8), (32, 42, -2, 7), (54, 34, 10, 8.5), (74, 22, 18, 12))),
        Tube(((62, 4, 24, 10), (58, 4, 0, 8), (58, -10, -22, 9))),  # quadrilateral plate
        Tube(((70, -34, 6, 6), (60, -42, 2, 4))),  # ischial spine
        Tube(((98, 40, 34, 6), (96, 36, 24, 7))),  # anterior inferior iliac spine
    ),
    blend_mm=8.0,
)

FEMUR = Union(
    (
        Ellipsoid(HEAD_CENTRE, (HEAD_RADIUS_MM,) * 3),
        Tube(((92, -1, -1, 15.5), (108, -4, -12, 15), (126, -8, -28, 17))),
        Tube(
            (
                (128, -8, -38, 18),
                (129, -6, -60, 17),
                (127, 0, -110, 14),
                (121, 6, -190, 13.5),
                (114, 8, -270, 14),
            )
        ),
        Ellipsoid((139, -14, -16), (13, 17, 21)),  # greater trochanter
        Ellipsoid((133, -22, 0), (8, 9, 12)),
        Ellipsoid((111, -20, -54), (8, 8, 10)),  # lesser trochanter
    ),
    blend_mm=9.0,
)

_SACRUM_HALF_OUTLINE = (
    (0, 118),
    (28, 117),
    (52, 106),
    (54, 88),
    (43, 66),
    (27, 40),
    (17, 20),
    (9, 2),
    (0, -10),
)
_SACRUM_HALF_SURFACE = (
    (0, -29, 112, 21), (0, -44, 90, 20), (0, -60, 66, 16), (0, -72, 42, 11), (0, -78, 20, 7),
    (0, -73, 0, 5),
    (30, -34, 110, 14), (46, -42, 100, 13), (44, -52, 80, 14), (32, -62, 62, 12), (18, -73, 36, 9),
)  # fmt: skip

SACRUM = Sheet(
    normal=(0.0, 1.0),
    outline=(
        *((x, -50.0, z) for x, z in _SACRUM_HALF_OUTLINE),
        *((-x, -50.0, z) for x, z in _SACRUM_HALF_OUTLINE[-2:0:-1]),
    ),
    surface=(*_SACRUM_HALF_SURFACE, *((-x, y, z, t) for x, y, z, t in _SACRUM_HALF_SURFACE if x)),
    edge_mm=6.0,
)
SACRAL_CREST = Tube(((0, -70, 104, 4), (0, -84, 78, 5), (0, -86, 52, 4)))

_LUMBAR = ((-15.0, 140.0), (-8.0, 175.0), (-8.0, 210.0))  # y and z of the centres of L5, L4, L3
VERTEBRAL_BODIES = tuple(Barrel((0, y, z), (26, 18, 13.5)) for y, z in _LUMBAR)
DISCS = tuple(Barrel((0, y, z), (25, 17, 4.2), 2.0) for y, z in ((-20, 123.0), (-11, 157.5), (-8, 192.5)))
VERTEBRAL_ARCHES = Union(
    (
        *(Tube(((0, y - 34, z - 2, 4), (0, y - 50, z - 6, 5))) for y, z in _LUMBAR),
        *(Tube(((12, y - 16, z, 6), (24, y - 26, z + 2, 5), (40, y - 28, z + 4, 3.5))) for y, z in _LUMBAR),
    ),
    blend_mm=4.0,
)
SPINAL_CANAL = Tube(
    (
        (0, -58, 66, 5),
        (0, -54, 88, 7),
        (0, -48, 112, 9),
        (0, -43, 140, 10),
        (0, -37, 175, 10),
        (0, -37, 215, 10),
    )
)
