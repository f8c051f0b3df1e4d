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
MAX_NAME_LENGTH = 64  # characters of a name made here; leaves room for endings on every file system
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))]
)  # device names on Windows


def normalised(text: str) -> str:
    """Lower-case letters and digits only, accents removed: the form in which identity is compared."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())


@dataclass(frozen=True, slots=True)
class Identity:
    """What names the patient, as normalised words; lives only while headers are being read.

    Attributes:
        whole: complete values (patient name, IDs, birth date, accession number).
        parts: the words of those values that have at least `MIN_PART_LENGTH` characters.
    """

    whole: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Iterable[str]) -> "Identity":
        """Identity from header values; names are split at ^, =, comma and blanks."""
        texts = [value for value in values if value]
        whole = {normalised(value) for value in texts}
        words = {normalised(word) for value in texts for word in re.split(r"[\s^=,;]+", value)}
        parts = {word for word in whole | words if len(word) >= MIN_PART_LENGTH}
        return cls(frozenset(whole - {""}), frozenset(parts))

    def __or__(self, other: "Identity") -> "Identity":
        """Both identities together."""
        return Identity(self.whole | other.whole, self.parts | other.parts)

    def appears_in(self, text: str) -> bool:
        """Whether `text` equals or contains the patient's name, ID or birth date."""
        plain = normalised(text)
        return plain in self.whole or any(part in plain for part in self.parts)

    def scrub(self, text: str) -> str:
        """`text` without the words that name the patient; "" when they cannot be cut out."""
        words = [word for word in re.split(r"([\s_^,;/\\]+)", text) if not self._names(word)]
        kept = "".join(words)
        return "" if self.appears_in(kept) else kept

    def _names(self, word: str) -> bool:
        plain = normalised(word)
        return bool(plain) and (plain in self.whole or any(part in plain for part in self.parts))


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
