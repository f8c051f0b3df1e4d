"""The patient's identity stays inside the reader."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.io.identity import Identity, normalised, safe_name, short_hash

JANE = Identity.of(["Müller^Jane Ann^^Dr", "PID-4711", "19570203", "7"])


def test_name_parts_are_found_in_any_spelling() -> None:
    for text in (
        "muller",
        "MÜLLER_scan",
        "x-jane-y",
        "pid4711",
        "PID_4711",
        "19570203",
        "7",
        "study 1957-02-03",
        "03.02.1957",
        "born_02-03-1957",
        "Mueller_2021",
        "hipMu\u0308ller",
        "Dr",
    ):
        assert JANE.appears_in(text), text
    for text in ("pelvis07", "hip", "case71", "case_7", "dream"):
        assert not JANE.appears_in(text), text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("Li^Wu", text) for text in ("Wu_Li", "Li_2021", "LI-2021", "hip li", "WuLi2021", "wuli", "liwu")),
        *(("Müller^Hans", text) for text in ("Mueller_2021", "xmuller", "MÜLLER")),
        *(("Mueller^Hans", text) for text in ("Muller_2021", "Müller_2021", "Mu\u0308ller")),
        *(("Sørensen^Bo", text) for text in ("Soerensen", "Sorensen 2", "t1_bo")),
        ("Aagaard^Per", "Ågård"),
        ("Weiß^Ute", "Weiss1"),
        ("M\u00c3\u00bcller^Hans", "Mueller_2021"),  # UTF-8 in a header that names no character set
        ("Doe^Jane", "Dö 2021"),
        ("Kim^Do-Yun", "yun_2021"),
        ("D'Angelo^Al", "Angelo 3"),
    ],
)
def test_short_names_and_other_spellings_are_found(name: str, text: str) -> None:
    identity = Identity.of([name, "4711"])
    assert identity.appears_in(text)
    assert identity.scrub(text) != text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Li^Wu", "limping slices"),
        ("Haas^Eva", "in_phase planning"),
        ("Doe^Jane", "dorsal_shadow"),
        ("Kim^Do T", "T1_tse_dorsal"),
        ("HIP-001", "left hip"),
        ("07", "case07"),
    ],
)
def test_ordinary_words_that_only_resemble_a_name_are_kept(name: str, text: str) -> None:
    identity = Identity.of([name])
    assert not identity.appears_in(text)
    assert identity.scrub(text) == text


def test_scrubbing_keeps_the_rest_of_a_description() -> None:
    assert JANE.scrub("t1_tse_Muller_cor") == "t1_tse__cor"
    assert JANE.scrub("t1 tse cor") == "t1 tse cor"
    assert Identity.of(["PID-4711"]).scrub("P I D 4 7 1 1") == ""


@given(st.text(max_size=200))
@settings(deadline=None)
def test_no_text_makes_an_unsafe_name(text: str) -> None:
    name = safe_name(text)
    assert re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)?", name)
    assert ".." not in name
    assert len(name) <= 66


@given(st.text(max_size=40), st.lists(st.text(min_size=3, max_size=12), max_size=3))
@settings(deadline=None)
def test_scrubbed_text_never_names_the_patient(text: str, names: list[str]) -> None:
    identity = Identity.of(names)
    scrubbed = identity.scrub(f"{text} {' '.join(names)}")
    assert not identity.appears_in(scrubbed) or not normalised(scrubbed)


def test_device_names_of_windows_are_changed() -> None:
    assert safe_name("con") != "con"
    assert safe_name("AUX.txt").casefold().split(".")[0] != "aux"


def test_the_hash_is_ten_hex_digits_and_stable() -> None:
    assert short_hash("1.2.3") == short_hash("1.2.3")
    assert re.fullmatch(r"[0-9a-f]{10}", short_hash("1.2.3"))
