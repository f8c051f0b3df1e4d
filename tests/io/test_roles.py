"""What an image shows follows from physics first, and from words where physics is silent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.anatomy import Side
from grading.io.roles import (
    Acquisition,
    is_spin_echo,
    opposes_fat_and_water,
    role_of,
    series_text,
)
from grading.io.words import is_no_agent, named_side, names_contrast_agent, words_of
from grading.series import Role


def spin_echo(te: float, tr: float, text: str = "", **more: object) -> Role:
    return role_of(Acquisition(spin_echo=True, echo_time_ms=te, repetition_time_ms=tr, text=text, **more))[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("te", "tr", "role"),
    [(8, 450, Role.T1), (15, 800, Role.T1), (100, 4000, Role.T2), (30, 2500, Role.PD), (60, 3000, Role.T2)],
)
def test_spin_echo_weighting_follows_te_and_tr(te: float, tr: float, role: Role) -> None:
    assert spin_echo(te, tr) is role


def test_physics_overrules_a_wrong_word() -> None:
    assert spin_echo(100, 4000, "t1_tse_cor") is Role.T2


def test_proton_density_in_three_dimensions_is_not_t1_for_its_short_repetition_time() -> None:
    assert spin_echo(33, 1000, "pd_space_cor_iso") is Role.PD
    assert spin_echo(28, 1100, "3D PD SPAIR") is Role.PD_FAT_SUPPRESSED
    assert spin_echo(20, 700, "t1_space_cor") is Role.T1


def test_the_first_echo_of_a_t2_measurement_is_not_t1() -> None:
    assert spin_echo(10, 1000, "t2_se_8echo_sag") is Role.T2
    assert spin_echo(10, 1000, "T2 mapping sag") is spin_echo(10, 1000, "T1rho") is Role.DERIVED


def test_timing_tells_the_weighting_where_neither_echo_nor_words_do() -> None:
    def timed(te: float, tr: float, text: str = "cor pelvis") -> Role:
        return role_of(Acquisition(text=text, echo_time_ms=te, repetition_time_ms=tr))[0]

    assert [timed(85, 4500), timed(10, 600), timed(30, 3000)] == [Role.T2, Role.T1, Role.PD]
    assert timed(85, 4500, "t1 cor") is Role.T2  # no echo of that time is T1-weighted
    assert timed(2, 5) is Role.UNKNOWN


def test_research_mode_is_neither_echo_and_leaves_the_weighting_to_words() -> None:
    assert [is_spin_echo(said) for said in (["SE", "RM"], ["EP", "GR"], ["RM"], [])] == [
        True,
        False,
        None,
        None,
    ]
    timing = {"echo_time_ms": 8, "repetition_time_ms": 600, "field_strength_t": 3.0}
    assert role_of(Acquisition(text="COR T1 FSE", spin_echo=is_spin_echo(["RM"]), **timing))[0] is Role.T1  # type: ignore[arg-type]


def test_inversion_time_tells_stir_t1_and_flair_apart() -> None:
    found = [spin_echo(30, 4000, inversion=True, inversion_time_ms=ti) for ti in (150, 220, 900, 2200)]
    assert found == [Role.STIR, Role.STIR, Role.T1, Role.T2]


@pytest.mark.parametrize(
    "text",
    ["t1_tse_fs_cor", "T1 FatSat", "t1 tse spair", "T1w FS", "t1 fat sat ax", "t1 SPIR", "COR T1 FSAT",
     "Ax T1 F/S", "t1fs cor", "T1FATSAT", "T1WFS", "T1W FAT SUP", "T1 ASPIR", "T1 SPEC-IR", "eTHRIVE",
     "Ax LAVA", "3D WATSc"],
)  # fmt: skip
def test_fat_suppression_is_recognised(text: str) -> None:
    assert spin_echo(10, 500, text) is Role.T1_FAT_SUPPRESSED


@pytest.mark.parametrize(
    "text",
    ["t1_tse_cor", "T1 no fs", "t1 non FS", "t1 without fat sat", "t1 offset", "T1FSE", "T1 FATSAT OFF"],
)
def test_its_absence_is_recognised_too(text: str) -> None:
    assert spin_echo(10, 500, text) is Role.T1


@pytest.mark.parametrize(
    ("te", "field", "opposed"),
    [(2.3, 1.5, True), (4.6, 1.5, False), (1.15, 3.0, True), (2.3, 3.0, False), (1.42, 3.0, True)],
)
def test_gradient_echoes_alternate_between_opposed_and_in_phase(
    te: float, field: float, opposed: bool
) -> None:
    assert opposes_fat_and_water(te, field) is opposed
    acquisition = Acquisition(
        spin_echo=False, echo_time_ms=te, repetition_time_ms=5, flip_angle_deg=15, field_strength_t=field
    )
    assert (role_of(acquisition)[0] is Role.OPPOSED_PHASE) is opposed


@pytest.mark.parametrize(
    ("value", "role"),
    [("WATER", Role.WATER), ("F", Role.FAT), ("IP", Role.IN_PHASE), ("OPP_PHASE", Role.OPPOSED_PHASE),
     ("FF", Role.FAT_FRACTION), ("LOCALIZER", Role.LOCALIZER), ("ADC", Role.DWI), ("MPR", Role.DERIVED),
     ("OUT_OF_PHASE", Role.OPPOSED_PHASE), ("MAX_IP", Role.DERIVED), ("R", Role.DERIVED),
     ("B0 MAP", Role.DERIVED)],
)  # fmt: skip
def test_image_type_decides_before_timing(value: str, role: Role) -> None:
    assert spin_echo(10, 500, image_type=("ORIGINAL", "PRIMARY", value)) is role


@pytest.mark.parametrize(
    "text",
    [
        "t1_vibe_q-dixon_R2*_W",
        "t1_vibe_q-dixon_T2s_Wat",
        "R2*: IDEAL IQ",
        "mDIXON_Quant_T2*",
        "T2_Star: IDEAL",
    ],
)
def test_a_relaxation_map_beside_a_dixon_pair_is_not_one_of_it(text: str) -> None:
    timing = {"echo_time_ms": 4.6, "repetition_time_ms": 9, "flip_angle_deg": 10, "field_strength_t": 1.5}
    assert role_of(Acquisition(text=text, spin_echo=False, **timing))[0] is Role.DERIVED  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["Ax Dual Echo In/Out Phase", "T1 in and out of phase", "T1 FFE opp/in-phase"]
)
def test_where_a_series_is_named_after_both_phases_each_echo_is_known_by_its_time(text: str) -> None:
    scan = {"spin_echo": False, "repetition_time_ms": 150, "flip_angle_deg": 80, "field_strength_t": 1.5}
    found = [role_of(Acquisition(text=text, echo_time_ms=te, **scan))[0] for te in (2.3, 4.6)]  # type: ignore[arg-type]
    assert found == [Role.OPPOSED_PHASE, Role.T1]


def test_a_dixon_image_of_which_nothing_tells_whether_it_is_water_is_not_graded_as_t1() -> None:
    assert (
        spin_echo(10, 500, "t1_tse_mDIXON", image_type=("ORIGINAL", "PRIMARY", "T1", "MIXED")) is Role.UNKNOWN
    )
    assert spin_echo(10, 500, "t1_tse flex coil") is Role.T1


def test_derived_secondary_alone_says_nothing() -> None:
    assert spin_echo(10, 500, image_type=("DERIVED", "SECONDARY", "OTHER")) is Role.T1


@pytest.mark.parametrize(
    ("name", "role"),
    [("p1_T1w", Role.T1), ("p1-t2", Role.T2), ("p1_water", Role.WATER), ("fat", Role.FAT),
     ("p_inphase", Role.IN_PHASE), ("x_dixon_W", Role.WATER), ("x_dixon_F", Role.FAT), ("x_W", Role.UNKNOWN),
     ("t1_fatsat", Role.T1_FAT_SUPPRESSED), ("x_dwi", Role.DWI), ("scout", Role.LOCALIZER), ("ct", Role.CT),
     ("reader_labels", Role.LABEL_MAP), ("p1_seg", Role.LABEL_MAP), ("tumour_mask", Role.LABEL_MAP),
     ("hip", Role.UNKNOWN), ("fat_fraction", Role.FAT_FRACTION), ("p1_STIR_cor", Role.STIR),
     ("p1_pd_fs", Role.PD_FAT_SUPPRESSED), ("p1_pdfs", Role.PD_FAT_SUPPRESSED), ("p1_T2TSE", Role.T2),
     ("hip_t1fs", Role.T1_FAT_SUPPRESSED), ("t1tse", Role.T1), ("pdff", Role.FAT_FRACTION),
     ("3D_GRE_TRA_W", Role.WATER), ("t1_vibe_cor_F", Role.FAT), ("3D_GRE_TRA_opp", Role.OPPOSED_PHASE),
     ("gre_quick3d_wfi_W", Role.WATER), ("p1_F_t1_vibe", Role.T1), ("x_t1_tse_W", Role.WATER),
     ("p1_t1_ROI1", Role.LABEL_MAP), ("t1_mask2", Role.LABEL_MAP), ("CT_01_t1w", Role.T1), ("CT_01", Role.CT),
     ("p1_t1_e1_ph", Role.DERIVED), ("sub-01_part-phase_T1w", Role.DERIVED), ("sub-01_part-mag_T1w", Role.T1),
     ("pilot_03_T1w", Role.T1), ("pilot", Role.LOCALIZER), ("ax_T1_ASSET", Role.T1),
     ("ASSET", Role.LOCALIZER), ("T1W_mDIXON_F", Role.FAT), ("T1W_mDIXON_W", Role.WATER),
     ("T1W_mDIXON_TSE", Role.UNKNOWN), ("T1WI", Role.T1), ("T1W", Role.T1),
     ("GT_left_t1", Role.T1), ("sub_gt_01_t1", Role.T1)],
)  # fmt: skip
def test_file_names_tell_the_role(name: str, role: Role) -> None:
    assert role_of(Acquisition(text=name), names_labels=True)[0] is role


def test_ct_and_other_modalities_are_not_mr() -> None:
    assert role_of(Acquisition(modality="CT"))[0] is Role.CT
    assert role_of(Acquisition(modality="PT"))[0] is Role.DERIVED
    assert role_of(Acquisition(modality="MR", is_image=False))[0] is Role.DERIVED


@pytest.mark.parametrize(
    "text",
    [
        "t1_tse_cor CM",
        "T1 post Gd",
        "Ax T1 +C",
        "t1 C+ tra",
        "t1 gadovist",
        "AX T1+C",
        "T1 FS+C",
        "T1 Dotarem",
    ],
)
def test_contrast_agent_in_words(text: str) -> None:
    assert names_contrast_agent(text)
    assert not names_contrast_agent("t1_tse_cor acc2")


@pytest.mark.parametrize(
    "text",
    [
        "HIP WITHOUT CONTRAST",
        "T1 W/O CONTRAST",
        "T1 non-contrast",
        "t1 pre GD",
        "t1 vor KM",
        "FOV 40 cm",
        "t1+cor",
    ],
)
def test_words_that_say_there_was_no_contrast_agent(text: str) -> None:
    assert not names_contrast_agent(text)


def test_a_header_may_say_in_words_that_no_agent_was_given() -> None:
    assert all(map(is_no_agent, ("NONE", "NO CONTRAST", "Without", "N/A", "None given", "non-contrast")))
    assert not any(map(is_no_agent, ("GADAVIST", "Dotarem", "Nofast")))


def test_the_protocol_names_a_series_only_where_it_is_its_own() -> None:
    assert series_text("COR T1", "BILAT HIPS T1 STIR", "GE MEDICAL SYSTEMS") == "COR T1"
    assert series_text("COR T1", "BILAT HIPS T1 STIR", "") == "COR T1"
    assert series_text(" ", "BILAT HIPS T1 STIR", "GE MEDICAL SYSTEMS").strip() == "BILAT HIPS T1 STIR"
    assert series_text("t1_ND", "t1_tse_fs", "SIEMENS") == "t1_ND t1_tse_fs"
    assert series_text("T1W", "T1W SPIR", "Philips Medical Systems") == "T1W T1W SPIR"


def test_side_in_words() -> None:
    assert named_side("t1 cor LEFT hip") is Side.LEFT
    assert named_side("hip rt t1") is Side.RIGHT
    assert named_side("COR T1 R HIP") is named_side("hip_R_t1") is named_side("RHIP") is Side.RIGHT
    assert named_side("AX T1 L-Hip") is named_side("cadera izquierda") is Side.LEFT
    assert named_side("T1 HIP R>L") is named_side("T1 hip L-R") is named_side("R/L hips") is None
    assert named_side("t1 left and right") is named_side("bright t1") is None


def test_words_split_at_case_and_punctuation() -> None:
    assert words_of("t1_tseFS-Cor") == "t1 tse fs cor"


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_text_has_a_role_and_a_reason(text: str) -> None:
    role, reason = role_of(Acquisition(text=text), names_labels=True)
    assert isinstance(role, Role)
    assert reason
