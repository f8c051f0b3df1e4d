"""What the words of a series description or file name say besides its contrast: side, contrast agent."""

import re

from grading.anatomy import Side

_CAPITAL = (
    r"(?<=[a-z0-9])(?=[A-Z][A-Z]?(?:[^A-Za-z]|$)|[A-Z][a-z])(?!(?<=[Tt][12])W(?![A-Za-z]))"  # "T1W" is one
)
_GLUED = r"\b(t1w?|t2w?|pdw?)(?=(?:f?se|tse|gre|ffe|fl[23]d|fs|fatsat|spa?ir|sag|cor|tra|ax)\b)"  # "t1fs"
_AGENT = r"(?<![0-9] )cm|km|gd|gado\w*|dotarem|contrast|kontrast|post ?(?:gd|contrast|cm|km)"  # not "40 cm"
_BEFORE_AGENT = rf"\b(?:no|non|pre|before|without|w o|wo|ohne|vor|sans|sin) ?(?:iv )?(?:{_AGENT})\b"
_AGENT_SIGN = re.compile(r"\+ ?c(?![a-z0-9])|(?<![a-z0-9])c ?\+")
_SIDE_WORDS = {
    Side.LEFT: r"left|lt|links|gauche|izquierd[ao]|l ?hip|hip l(?! r\b)",
    Side.RIGHT: r"right|rt|rechts|droite?|derech[ao]|r ?hip|hip r(?! l\b)",
}  # "hip R>L" is a phase encoding direction


def words_of(text: str) -> str:
    """Lower-case words of a description or file name: "t1_tseFS" becomes "t1 tse fs", "pdfs" "pd fs"."""
    split = re.sub(_CAPITAL, " ", text)
    words = re.sub(r"[^0-9a-z+*]+", " ", split.casefold()).strip()
    return re.sub(_GLUED, r"\1 ", words)


def finds(pattern: str, text: str) -> str:
    """The first of the words in `pattern` that stands alone in `text`, "" when none does."""
    match = re.search(rf"\b(?:{pattern})\b", text)
    return match.group(0) if match else ""


def names_contrast_agent(text: str) -> bool:
    """Whether a description says that contrast agent was given ("t1_tse CM", "T1 post Gd", "T1+C")."""
    words = re.sub(_BEFORE_AGENT, " ", words_of(text))
    return bool(finds(_AGENT, words) or _AGENT_SIGN.search(text.casefold()))


def is_no_agent(agent: str) -> bool:
    """Whether what stands in the place of a contrast agent's name says that none was given."""
    return bool(re.match(r"(?:none?|no|not|without|w o|nil|n a|0)\b|$", words_of(agent)))


def names_t2(text: str) -> bool:
    """Whether a description says T2-weighted."""
    return bool(finds(r"t2w?|t2 ?weighted", words_of(text)))


def named_side(text: str) -> Side | None:
    """Side named by a description; None when it names none or both."""
    sides = [side for side, pattern in _SIDE_WORDS.items() if finds(pattern, words_of(text))]
    return sides[0] if len(sides) == 1 else None
