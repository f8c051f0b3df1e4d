"""One sentence on how the fat is distributed over muscles and sides: what is seen, and nothing about why.

Each rule is a row of `RULES`; the first that fits a side describes it. A muscle counts as fatty from
`FATTY_FROM`, and only when its error leaves no doubt on which side of that edge it lies; with a doubt about
any of the glutei of a side in view the sentence is withheld.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from grading.anatomy import GLUTEI, SIDES, Muscle, Region, Side
from grading.classify.grade import grade
from grading.classify.scales import scale
from grading.measure import MuscleMeasurement

FATTY_FROM = 2  # Quartile stage: a quarter fat or more

_MAXIMUS, _MEDIUS, _MINIMUS = GLUTEI
_TFL = Muscle.TENSOR_FASCIAE_LATAE
_NERVES = "nerve supply of the gluteal muscles, any anatomy textbook [R]"
_LISTED = "a list of what was measured; no source needed"


@dataclass(frozen=True, slots=True)
class Rule:
    """A distribution that has words of its own.

    Attributes:
        fatty: muscles that are fatty.
        spared: muscles that are known not to be; a muscle in neither set may be either, or not known.
        words: how the distribution is described.
        source: where the grouping comes from.
    """

    fatty: frozenset[Muscle]
    spared: frozenset[Muscle]
    words: str
    source: str


RULES: tuple[Rule, ...] = (
    Rule(frozenset(Muscle), frozenset(), "all gluteal muscles and tensor fasciae latae", _LISTED),
    Rule(
        frozenset({_MEDIUS, _MINIMUS, _TFL}), frozenset({_MAXIMUS}),
        "the distribution follows medius, minimus and tensor fasciae latae (supplied by the superior gluteal "
        "nerve) and spares maximus", _NERVES,
    ),
    Rule(
        frozenset({_MAXIMUS}), frozenset({_MEDIUS, _MINIMUS, _TFL}),
        "the distribution follows maximus (supplied by the inferior gluteal nerve) and spares medius, "
        "minimus and tensor fasciae latae", _NERVES,
    ),
    Rule(frozenset(GLUTEI), frozenset({_TFL}), "all gluteal muscles, not tensor fasciae latae", _LISTED),
    Rule(
        frozenset({_MEDIUS, _MINIMUS}), frozenset({_MAXIMUS, _TFL}),
        "medius and minimus; maximus and tensor fasciae latae are spared", _LISTED,
    ),
    Rule(frozenset({_MEDIUS}), frozenset({_MAXIMUS, _MINIMUS, _TFL}), "medius alone", _LISTED),
    Rule(
        frozenset({_MINIMUS}), frozenset({_MAXIMUS, _MEDIUS, _TFL}),
        "minimus alone, which also occurs without symptoms, above all in its anterior part", _LISTED,
    ),
    Rule(frozenset({_TFL}), frozenset(GLUTEI), "tensor fasciae latae alone", _LISTED),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pattern:
    """The sentence, and where it is withheld the reason.

    Attributes:
        sentence: what is seen; None when it is withheld.
        reason: why it is withheld; empty otherwise.
        sources: of the rules used.
    """

    sentence: str | None
    reason: str = ""
    sources: tuple[str, ...] = ()


def pattern(measurements: Sequence[MuscleMeasurement]) -> Pattern:
    """How fat of a quarter or more is distributed over the muscles of one study.

    Args:
        measurements: of both sides, with or without regions.
    """
    if all(m.fat_fraction is None for m in measurements):
        return Pattern(None, "no muscle is graded")
    known = {(m.muscle, m.side, m.region): _is_fatty(m) for m in measurements}
    in_view = [s for s in SIDES if any(m.side is s and m.covered_volume_ml for m in measurements)]
    doubtful = [
        f"{muscle.value.replace('_', ' ')} {side.value}"
        for side in in_view
        for muscle in GLUTEI
        if known.get((muscle, side, Region.WHOLE)) is None
    ]
    if doubtful:
        return Pattern(None, f"not certain for {', '.join(doubtful)}")
    verdicts = {side: {m: known.get((m, side, Region.WHOLE)) for m in Muscle} for side in in_view}
    fatty = {side: {m for m, verdict in verdicts[side].items() if verdict} for side in in_view}
    lean = {side: {m for m, verdict in verdicts[side].items() if verdict is False} for side in in_view}
    ill = [side for side in in_view if fatty[side]]
    spared = all(lean[side] == set(Muscle) for side in in_view if side not in ill)
    extent = _extent(in_view, ill, all_known=spared)
    parts, sources = [], []
    for side in ill:
        words, source = _words(fatty[side], lean[side])
        posterior = known.get((_MINIMUS, side, Region.POSTERIOR))
        if _MINIMUS in fatty[side] and posterior is not None:
            words += f"; posterior minimus is {'fatty as well' if posterior else 'spared'}"
        parts.append(f"{side.value}: {words}")
        sources.append(source)
    sentence = f"Fat of a quarter or more {extent}" + (f" ({'. '.join(parts)})." if parts else ".")
    return Pattern(sentence, sources=tuple(dict.fromkeys(sources)))


def _is_fatty(m: MuscleMeasurement) -> bool | None:
    """Whether a muscle or region is fatty; None where its error leaves both possible, or it is not graded."""
    result = grade(m, scale("quartile"))
    verdicts = {int(stage) >= FATTY_FROM for stage in result.possible}
    return verdicts.pop() if len(verdicts) == 1 else None


def _extent(in_view: Sequence[Side], ill: Sequence[Side], *, all_known: bool) -> str:
    """On which sides there is fat; of the others all muscles are known to have none, or the glutei alone."""
    if not ill:
        muscles = "in no muscle" if all_known else "in no gluteus"
        return muscles if len(in_view) == len(SIDES) else f"{muscles} of the {in_view[0].value} side"
    if len(in_view) < len(SIDES):
        return f"on the {ill[0].value}, the one side in view"
    if len(ill) == len(SIDES):
        return "on both sides"
    return (
        f"on the {ill[0].value} only" if all_known else f"on the {ill[0].value}, in no gluteus on the other"
    )


def _words(fatty: set[Muscle], lean: set[Muscle]) -> tuple[str, str]:
    """Words and source of the first rule that fits; the bare list where none does."""
    for rule in RULES:
        if rule.fatty <= fatty and rule.spared <= lean:
            return rule.words, rule.source
    return ", ".join(m.value.replace("_", " ") for m in Muscle if m in fatty), _LISTED
