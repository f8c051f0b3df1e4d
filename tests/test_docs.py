"""The documentation site says what the program does, and no link in it is broken."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(repository, tmp_path_factory) -> Path:
    """The built site; a warning, such as a link that leads nowhere, is an error."""
    pytest.importorskip("sphinx", reason="the site needs the extra: pip install 'grading[docs]'")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(out)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_built_and_every_local_link_leads_somewhere(site, repository):
    pages = {path.stem for path in (repository / "docs").glob("*.md")}
    assert pages <= {path.stem for path in site.glob("*.html")}
    for page in pages:
        text = (site / f"{page}.html").read_text(encoding="utf-8")
        ids = set(re.findall(r'id="([^"]+)"', text))
        for link in re.findall(r'href="([^"]+)"', text):
            if link.startswith(("http:", "https:", "mailto:", "data:")):
                continue
            path, _, anchor = link.partition("#")
            path = path.split("?")[0]
            assert not path or Path(os.path.normpath(site / path)).exists(), f"{page}: {link}"
            assert path or not anchor or anchor in ids, f"{page}: #{anchor}"


def test_tables_made_from_the_package_hold_its_rows(site):
    from grading.findings import FINDINGS
    from grading.report.tables import MEASUREMENT_COLUMNS

    text = (site / "reading.html").read_text(encoding="utf-8")
    assert all(code in text for code in FINDINGS)
    assert all(column in text for column in MEASUREMENT_COLUMNS)
    assert "75297007" in (site / "dicom.html").read_text(encoding="utf-8")
