"""Every code stands for what the package means by it."""

import pytest
from pydicom.sr._concepts_dict import concepts

from grading import terminology
from grading.anatomy import Muscle, Region, Side
from grading.classify.scale_files import shipped_scales
from grading.findings import FINDINGS
from grading.settings import Settings
from grading.terminology import MEANING_CHARACTERS, OWN_SCHEME, Code

NAMED = [value for value in vars(terminology).values() if isinstance(value, Code)]
TABLES = [table for table in vars(terminology).values() if isinstance(table, dict)]
CODES = [*NAMED, *(code for table in TABLES for code in table.values() if isinstance(code, Code))]

DICOM_WORDS = {  # what pydicom's copy of DICOM PS3.16 calls them, where our words differ
    "UCUM cm2": "Centimeter**2",
}
PUBLISHED = {  # SNOMED CT, by published value sets; not among the concepts that DICOM itself uses
    Muscle.GLUTEUS_MAXIMUS: "206007",  # Structure of gluteus maximus muscle (body structure)
    Muscle.GLUTEUS_MEDIUS: "78333006",  # Structure of gluteus medius muscle (body structure)
    Muscle.GLUTEUS_MINIMUS: "75297007",  # Gluteus minimus muscle
}


def meanings_in_dicom(code: Code) -> set[str]:
    """Meanings under which PS3.16 lists a code."""
    listed = concepts[code.scheme].values()
    return {entry[code.value][0] for entry in listed if code.value in entry}


@pytest.mark.parametrize("code", sorted(set(CODES), key=str), ids=lambda c: f"{c.scheme} {c.value}")
def test_a_code_of_a_standard_means_there_what_it_means_here(code):
    if code.scheme == OWN_SCHEME or code.value in PUBLISHED.values():
        return
    assert DICOM_WORDS.get(f"{code.scheme} {code.value}", code.meaning) in meanings_in_dicom(code)


def test_the_glutei_carry_the_snomed_codes_of_published_value_sets():
    assert {m: terminology.MUSCLE_CODES[m].value for m in PUBLISHED} == PUBLISHED
    assert {terminology.MUSCLE_CODES[m].scheme for m in PUBLISHED} == {"SCT"}


def test_no_two_muscles_sides_or_regions_share_a_code():
    for table, names in (
        (terminology.MUSCLE_CODES, Muscle),
        (terminology.SIDES, Side),
        (terminology.REGIONS, set(Region) - {Region.WHOLE}),
    ):
        assert set(table) == set(names)
        assert len({(code.scheme, code.value) for code in table.values()}) == len(table)


def test_every_meaning_fits_the_64_characters_that_dicom_gives_it():
    stages = [
        code
        for scale in shipped_scales(Settings())
        for stage in scale.stages
        for code in (
            terminology.stage_name(scale.name),
            terminology.possible_stage_name(scale.name),
            terminology.stage_code(scale.name, stage.number),
        )
    ]
    findings = [terminology.finding_code(code) for code in FINDINGS]
    for code in [*CODES, *stages, *findings]:
        assert 0 < len(code.meaning) <= MEANING_CHARACTERS, code
        assert not set(code.value) & set("\\^"), code
