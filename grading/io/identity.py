"""Keeping the patient's identity inside the reader.

Names for files, tables and messages are made here: file-safe, and free of the name, ID and birth date
found in the header. Nothing else in the package ever sees those.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

MIN_PART_LENGTH = 3  # characters: shorter parts of a name ("Li", "de") would match inside any word
MIN_FOLDED_LENGTH = 4  # the same for a folded part: "Haas" folds to "has", which is inside "phase"
MAX_NAME_LENGTH = 64  # characters of a name made here; leaves room for endings on every file system
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))]
)  # device names on Windows
_WORD = re.compile(r"[^\W_]+")
_LETTERS_ONLY = re.compile(r"[^\W\d_]{2,}")  # a single one beside a digit ("T1") is no name
_CAPITAL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])")  # where the second word of "WuLi" begins
_DATE = re.compile(r"\d{8}")  # year, month, day
_LETTERS = str.maketrans({"ø": "o", "œ": "o", "æ": "a", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "þ": "th"})
_SPELT_OUT = re.compile(r"(?<=[aou])e|(?<=a)a")  # ä, ö, ü and å written as ae, oe, ue and aa


def normalised(text: str) -> str:
    """Lower-case letters and digits only, accents removed: the form in which identity is compared."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _forms(text: str) -> set[str]:
    """`text` as it is compared: normalised, and folded so that Müller, Mueller and Muller are one word."""
    plain = normalised(text)
    return {plain, _SPELT_OUT.sub("", plain.translate(_LETTERS))}


def _words(text: str) -> set[str]:
    """Every form of the words of a text; "WuLi2021" holds Wu and Li as "Wu_Li" does."""
    composed = unicodedata.normalize("NFC", text)  # an accent stored by itself would end the word
    apart = _WORD.findall(composed)
    pieces = _LETTERS_ONLY.findall(_CAPITAL.sub(" ", composed))
    return {form for word in {*apart, *pieces} for form in _forms(word)}


def _as_utf8(text: str) -> str:
    """Text read as Latin-1, as of a header that names no character set, in UTF-8; "" where it is none."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What names the patient, in the forms that are compared; lives only while headers are being read.

    Attributes:
        whole: complete values (patient name, IDs, birth date, accession number).
        parts: values and their words that are long enough to name the patient inside another word.
        words: their words of any length that hold a letter, which name the patient where they stand alone.
    """

    whole: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Iterable[str]) -> "Identity":
        """Identity from header values; they are split at ^, =, comma and blanks, names at hyphens too."""
        whole: set[str] = set()
        words: set[str] = set()
        joined: set[str] = set()
        given = tuple(filter(None, values))
        for value in (*given, *filter(None, map(_as_utf8, given))):
            whole |= _forms(value)
            first, *rest = re.split(r"[\s^=,;]+", value)
            words |= {first, *rest}
            joined |= {value, "".join((*rest, first))}  # the family name stands first in a header
            if _DATE.fullmatch(value):
                joined |= {value[6:] + value[4:6] + value[:4], value[4:] + value[:4]}  # day or month first
            if "^" in value:
                words |= set(_WORD.findall(unicodedata.normalize("NFC", value)))
        parts = {normalised(word) for word in words | joined}
        folded = {form for word in words | joined for form in _forms(word)}
        return cls(
            frozenset(whole - {""}),
            frozenset(
                {part for part in parts if len(part) >= MIN_PART_LENGTH}
                | {form for form in folded if len(form) >= MIN_FOLDED_LENGTH}
            ),
            frozenset(form for word in words for form in _forms(word) if not form.isdecimal() and form),
        )

    def __or__(self, other: "Identity") -> "Identity":
        """Both identities together."""
        return Identity(self.whole | other.whole, self.parts | other.parts, self.words | other.words)

    def appears_in(self, text: str) -> bool:
        """Whether `text` equals or contains the patient's name, ID or birth date."""
        forms = _forms(text)
        return (
            not self.whole.isdisjoint(forms)
            or any(part in form for form in forms for part in self.parts)
            or not self.words.isdisjoint(_words(text))
        )

    def scrub(self, text: str) -> str:
        """`text` without the words that name the patient; "" when they cannot be cut out."""
        kept = "".join(word for word in re.split(r"([\s_^,;/\\]+)", text) if not self.appears_in(word))
        return "" if self.appears_in(kept) else kept


def safe_name(text: str) -> str:
    """`text` as a file name: [A-Za-z0-9._-] only, never hidden, never a path, at most 64 characters.

    Returns "" when nothing of the text survives; callers then use a hash.
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", ascii_text)
    name = re.sub(r"\.{2,}", ".", re.sub(r"_{2,}", "_", name)).strip("._-")[:MAX_NAME_LENGTH].strip("._-")
    return f"x_{name}" if name.casefold().split(".")[0] in _RESERVED else name


def short_hash(text: str) -> str:
    """Ten hex digits of the SHA-256 of `text`: stable, and not traceable to the patient by reading it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def short_uid(uid: str) -> str:
    """The tail of a UID, enough to tell series apart in a message."""
    return f"…{uid[-6:]}" if len(uid) > 6 else uid
