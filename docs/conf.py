"""Settings of the documentation site: `sphinx-build -W docs SITE`.

Tables of findings, columns and codes are made from the package itself, so that the site cannot say otherwise.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout, installed or not

from grading import terminology
from grading.findings import FINDINGS
from grading.report.columns import COLUMNS
from grading.report.provenance import package_version
from grading.report.tables import ASYMMETRY_COLUMNS, MEASUREMENT_COLUMNS, STUDY_COLUMNS
from grading.terminology import Code

project = "grading"
author = "the maintainers of grading"
copyright = "the maintainers of grading, Apache-2.0"  # noqa: A001 - Sphinx's name
release = package_version("grading")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "grading"
myst_enable_extensions = ["substitution", "colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_use_ivar = True  # attributes as lines of the class, not once more as members


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _columns(names: tuple[str, ...]) -> str:
    return _table(("column", "unit", "meaning"), ((f"`{n}`", COLUMNS[n].units, _meaning(n)) for n in names))


def _meaning(name: str) -> str:
    levels = "; ".join(f"`{value}` {text}" for value, text in COLUMNS[name].levels.items())
    return f"{COLUMNS[name].description} {levels}".strip()


def _codes(codes: Iterable[tuple[str, Code]]) -> str:
    return _table(("what", "code", "meaning"), ((w, f"({c.value}, {c.scheme})", c.meaning) for w, c in codes))


_NAMED = (
    "VOLUME",
    "LEAN_VOLUME",
    "COVERED_VOLUME",
    "VOLUME_SE",
    "AREA",
    "FAT_FRACTION",
    "FAT_FRACTION_SE",
    "COVERAGE",
)
myst_substitutions = {
    "findings": _table(
        ("code", "severity", "meaning"),
        ((f"`{code}`", kind.severity.value, kind.meaning) for code, kind in sorted(FINDINGS.items())),
    ),
    "measurement_columns": _columns(MEASUREMENT_COLUMNS),
    "asymmetry_columns": _columns(ASYMMETRY_COLUMNS),
    "study_columns": _columns(STUDY_COLUMNS),
    "place_codes": _codes(
        [
            *(
                (f"{muscle.value.replace('_', ' ')}", code)
                for muscle, code in terminology.MUSCLE_CODES.items()
            ),
            *((side.value, code) for side, code in terminology.SIDES.items()),
            *((region.value, code) for region, code in terminology.REGIONS.items()),
        ]
    ),
    "number_codes": _codes(
        [
            *((name.lower().replace("_", " "), getattr(terminology, name)) for name in _NAMED),
            *(
                (f"level area, {muscle.value.replace('_', ' ')}", c)
                for muscle, c in terminology.LEVEL_AREAS.items()
            ),
        ]
    ),
    "method_codes": _codes(terminology.FAT_METHODS.items()),
}
