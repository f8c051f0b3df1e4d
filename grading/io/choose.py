"""Which series of a study is graded, and in plain words why each of the others is not.

The rule, in order:
1. A Dixon pair (water and fat on one grid) of short echo time is complete evidence: it needs no reference
   tissue.
2. Otherwise T1 without fat suppression: most of the gluteal region in view, then without contrast agent,
   then as acquired rather than reformatted, then the finest voxel. Where there is none, the in-phase image
   of a T1-weighted spin-echo Dixon, which is such an image.
3. Otherwise a Dixon pair of long echo time, in which T2 makes fat read too high.
4. Otherwise in-phase and opposed-phase images on one grid, whose fractions fold at one half.
5. Otherwise a ready-made fat-fraction map.
`contrast` "t1" or "dixon" leaves only that kind.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile, zip_longest

import numpy as np

from grading.errors import (
    ConfigurationError,
    IncompleteSeries,
    InputError,
    SeriesNotFound,
    UnsupportedContrast,
)
from grading.io.elsewhere import shown_instead
from grading.io.found import SeriesFound
from grading.io.frames import TRAITS
from grading.io.roles import MAX_T1_TE_MS, MAX_T1_TR_MS, MIN_SPIN_ECHO_TR_MS
from grading.series import Role
from grading.volume import Geometry

CONTRASTS = ("auto", "t1", "dixon")
MIN_SLICES = 3  # fewer slices are no volume
GLUTEAL_REGION_MM = (380.0, 220.0, 260.0)  # both hips wide; medius to lower maximus (axial length 184-190 mm)
_COVERAGE_STEP = 0.1  # coverage differences below a tenth do not outweigh contrast agent and resolution

_WHY_NOT: dict[Role, str] = {
    Role.T1_FAT_SUPPRESSED: "T1 with fat suppression: fat is dark, so no fat fraction",
    Role.T2: "T2: no fat fraction from T2 signal",
    Role.T2_FAT_SUPPRESSED: "T2 with fat suppression: no fat fraction",
    Role.PD: "proton density: fat and muscle are too alike",
    Role.PD_FAT_SUPPRESSED: "proton density with fat suppression: no fat fraction",
    Role.STIR: "STIR: fat is nulled, so no fat fraction",
    Role.WATER: "Dixon water image without a fat image on the same grid",
    Role.FAT: "Dixon fat image without a water image on the same grid",
    Role.IN_PHASE: "in-phase image: by itself no fat fraction",
    Role.OPPOSED_PHASE: "opposed-phase image: fat and water cancel",
    Role.FAT_FRACTION: "ready-made fat fraction map: images from which it can be measured come first",
    Role.DWI: "diffusion image",
    Role.LOCALIZER: "localizer",
    Role.CT: "CT is not supported yet",
    Role.DERIVED: "derived object",
    Role.LABEL_MAP: "label map, not an image",
    Role.UNKNOWN: "contrast not known",
}
_SHORT, _ANY = False, True  # whether an echo may be long
_IN_ORDER: tuple[tuple[str, tuple[Role, ...], bool], ...] = (
    ("dixon", (Role.WATER, Role.FAT), _SHORT),
    ("t1", (Role.T1,), _ANY),
    ("dixon", (Role.WATER, Role.FAT), _ANY),
    ("dixon", (Role.IN_PHASE, Role.OPPOSED_PHASE), _ANY),
    ("dixon", (Role.FAT_FRACTION,), _ANY),
)
_NOT_PATIENT_IMAGES = frozenset({Role.LOCALIZER, Role.DERIVED, Role.LABEL_MAP})


def choose(
    series: Sequence[SeriesFound], contrast: str = "auto"
) -> tuple[tuple[SeriesFound, ...], tuple[SeriesFound, ...], InputError | None]:
    """Pick what to grade.

    Args:
        series: of one study; `reason` holds why each has its role.
        contrast: "auto", "t1" or "dixon".

    Returns:
        All series with `chosen` and `reason` filled in, the chosen ones (T1, water then fat, in-phase then
        opposed-phase, or a fat-fraction map), and the error that says why nothing is gradable (None when
        something is).

    Raises:
        ConfigurationError: unknown `contrast`.
    """
    if contrast not in CONTRASTS:
        raise ConfigurationError(f"unknown contrast {contrast!r}; choose one of {', '.join(CONTRASTS)}")
    picked = _first_of(_IN_ORDER[:2], series, contrast)
    if not picked and contrast != "dixon":
        series = [_in_phase_as_t1(s) for s in series]
    picked = picked or _first_of(_IN_ORDER[1:], series, contrast)
    names = {s.info.name for s in picked}
    told = tuple(replace(s, chosen=s.info.name in names, reason=_reason(s, picked, contrast)) for s in series)
    chosen = tuple(next(s for s in told if s.info.name == p.info.name) for p in picked)
    if not chosen:
        return told, (), _problem(told, contrast)
    return told, chosen, None


def coverage(series: SeriesFound) -> float:
    """Share of the gluteal region's box that the field of view could hold, 0-1."""
    return float(np.prod([min(e / n, 1.0) for e, n in zip(series.extent_mm, GLUTEAL_REGION_MM, strict=True)]))


def _sound(series: SeriesFound) -> bool:
    return series.problem is None and min(series.shape) >= MIN_SLICES


def _rank(series: SeriesFound) -> tuple[float, bool, bool, float, str]:
    steps = -round(coverage(series) / _COVERAGE_STEP)
    return (
        steps,
        bool(series.info.contrast_agent),
        _is_reworked(series),
        round(float(np.prod(series.spacing_mm)), 2),
        series.info.name,
    )


def _first_of(
    order: Sequence[tuple[str, tuple[Role, ...], bool]], series: Sequence[SeriesFound], contrast: str
) -> tuple[SeriesFound, ...]:
    """The best of the first kind in `order` that is there and asked for."""
    for kind, roles, long_echo in order:
        if contrast in ("auto", kind):
            picked = _best([s for s in series if long_echo or not s.info.long_echo], roles)
            if picked:
                return picked
    return ()


def _in_phase_as_t1(series: SeriesFound) -> SeriesFound:
    """An in-phase image of a spin echo of T1 timing as the T1 image that it is; any other as it came."""
    te, tr = series.info.echo_time_ms, series.info.repetition_time_ms
    if series.info.role is not Role.IN_PHASE or not te or not tr:
        return series
    if te > MAX_T1_TE_MS or not MIN_SPIN_ECHO_TR_MS <= tr <= MAX_T1_TR_MS:
        return series
    reason = f"in-phase image of TR {tr:g} ms, TE {te:g} ms ({series.reason})"
    return replace(series, info=replace(series.info, role=Role.T1), reason=reason)


def _is_reworked(series: SeriesFound) -> bool:
    """Whether the header says that the image was made from another one: interpolation adds no detail."""
    kinds = [frame.traits[TRAITS.index("image type")].upper() for frame in series.frames[:1]]
    return any(kind.startswith("DERIVED\\SECONDARY") for kind in kinds)


def _best(series: Sequence[SeriesFound], roles: tuple[Role, ...]) -> tuple[SeriesFound, ...]:
    """The best series of the first role, with one of the second (where there is one) on its grid."""
    for first in sorted((s for s in series if s.info.role is roles[0] and _sound(s)), key=_rank):
        if len(roles) == 1:
            return (first,)
        seconds = [s for s in series if s.info.role is roles[1] and _sound(s) and _same_grid(first, s)]
        if seconds:
            return first, min(seconds, key=lambda second: _apart(first, second))
    return ()


def _same_grid(a: SeriesFound, b: SeriesFound) -> bool:
    return Geometry(a.shape, np.array(a.affine)).same_grid(Geometry(b.shape, np.array(b.affine)))


def _apart(first: SeriesFound, second: SeriesFound) -> tuple[bool, bool, int, int, str]:
    """How far two images are from one scan: time, contrast agent, numbers in their names, then the letters.

    Scans before and after contrast agent have one grid; water of one with fat of the other is no pair.
    """
    a, b = first.info.name, second.info.name
    other_time = bool(first.frames and second.frames and _times(first).isdisjoint(_times(second)))
    other_agent = bool(first.info.contrast_agent) is not bool(second.info.contrast_agent)
    numbers = zip_longest(*(map(int, re.findall(r"\d+", name)) for name in (a, b)), fillvalue=0)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    return other_time, other_agent, sum(abs(m - n) for m, n in numbers), -alike, b


def _times(series: SeriesFound) -> set[str]:
    return {frame.traits[TRAITS.index("acquisition time")] for frame in series.frames}


def _reason(series: SeriesFound, picked: tuple[SeriesFound, ...], contrast: str) -> str:
    role = series.info.role
    if series.info.name in {p.info.name for p in picked}:
        return f"graded: {_advantage(series)} ({series.reason})"
    if series.problem is not None:
        return str(series.problem)
    if role in {Role.T1, Role.WATER, Role.FAT} and min(series.shape) < MIN_SLICES:
        return f"only {_slices(series)}; a volume needs {MIN_SLICES}"
    if picked and role in {Role.T1, Role.WATER, Role.FAT} and (part := shown_instead(series, picked[0])):
        return f"{_kind(role)} of {part}, which {picked[0].info.name} does not show"
    if role is Role.T1:
        if not picked:
            return f"T1, but --contrast {contrast} was asked for"
        if picked[0].info.role is not Role.T1:
            return "T1; the Dixon pair needs no reference tissue and is graded instead"
        return f"T1; {_why_behind(series, picked[0])}"
    if role in {Role.WATER, Role.FAT} and picked:
        if series.info.long_echo:
            return f"{_kind(role)} of a long echo ({series.info.echo_words}): fat reads too high"
        return f"another Dixon {role.value} image" if len(picked) > 1 else f"{_WHY_NOT[role]}; T1 is graded"
    return f"{_WHY_NOT[role]} ({series.reason})" if series.reason else _WHY_NOT[role]


def _advantage(series: SeriesFound) -> str:
    if series.info.role is Role.T1:
        return f"T1, {series.plane}, covers {100 * coverage(series):.0f} % of the gluteal region's size"
    return _kind(series.info.role)


def _kind(role: Role) -> str:
    return "T1" if role is Role.T1 else f"Dixon {role.value.replace('_', ' ')} image"


def _why_behind(series: SeriesFound, best: SeriesFound) -> str:
    """The first point of the rule on which `series` lost against `best`."""
    mine, theirs = _rank(series), _rank(best)
    if mine[0] != theirs[0]:
        share, least = 100 * coverage(best), 100 * coverage(series)
        return f"{best.info.name} covers more ({share:.0f} % against {least:.0f} %)"
    if mine[1] != theirs[1]:
        return f"{best.info.name} is without contrast agent"
    if mine[2] != theirs[2]:
        return f"{best.info.name} is as acquired, this is derived from another image"
    if mine[3] != theirs[3]:
        return f"{best.info.name} has finer voxels ({theirs[3]:.1f} against {mine[3]:.1f} mm3)"
    return f"equal to {best.info.name}, which comes first by name"


def _problem(series: Sequence[SeriesFound], contrast: str) -> InputError:
    """Why a study has nothing to grade: a damaged candidate first, then the contrasts that were found."""
    wanted = {"t1": {Role.T1}, "dixon": {Role.WATER, Role.FAT}}.get(contrast, {Role.T1, Role.WATER, Role.FAT})
    for candidate in series:
        if candidate.info.role in wanted and candidate.problem is not None:
            return candidate.problem
    for candidate in series:
        if candidate.info.role in wanted and min(candidate.shape) < MIN_SLICES:
            return IncompleteSeries(
                f"series {candidate.info.name} has {_slices(candidate)}; "
                f"a volume needs at least {MIN_SLICES}; give the folder with all slices"
            )
    found = "; ".join(f"{s.info.name}: {s.reason}" for s in series) or "no image"
    what = {"t1": "T1 image", "dixon": "Dixon water and fat pair"}.get(contrast, "T1 image or Dixon pair")
    if _only(series, _NOT_PATIENT_IMAGES):
        broken = next((s.problem for s in series if s.problem is not None), None)
        return broken or SeriesNotFound(f"no {what} to grade; found {found}")
    if all(s.problem is not None for s in series):
        return next(s.problem for s in series if s.problem is not None)
    return UnsupportedContrast(f"no {what} to grade; found {found}")


def _slices(series: SeriesFound) -> str:
    count = series.shape[series.info.slice_axis]
    return f"{count} slice{'' if count == 1 else 's'}"


def _only(series: Iterable[SeriesFound], roles: frozenset[Role]) -> bool:
    return all(s.info.role in roles for s in series)
