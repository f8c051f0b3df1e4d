"""The pages in a real browser: the viewer shows the study, the switches work, the text is the tables'."""

import csv
import io
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from ellipsoid_hip import grid, hips
from PIL import Image

import grading
from grading.anatomy import Muscle, Side
from grading.report.decisions import Verdict, read_decisions
from grading.report.palette import COLOURS

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'grading[dev]'")

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FRACTIONS = {(Muscle.GLUTEUS_MEDIUS, Side.RIGHT): 0.6, (Muscle.GLUTEUS_MAXIMUS, Side.RIGHT): 0.3}
STUDIES = ("b_right_fatty", "a_lean &amp; 'x' #1")
WIDE_ELEMENTS = """width => Array.from(document.body.querySelectorAll("*"))
    .filter((element) => !element.closest(".wide, .skip"))
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => element.tagName + "." + element.className)"""
PATIENCE_MS = 300_000  # a software renderer on a busy machine


@pytest.fixture(scope="module")
def browser():
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: install one of {', '.join(BROWSERS)} (Debian: apt-get install chromium)")
    options = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium refuses root otherwise
    with sync_api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=program, args=options)
        yield running
        running.close()


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """Two graded studies; one has a name made of what HTML would take for markup."""
    folder = tmp_path_factory.mktemp("out")
    for name, fractions in zip(STUDIES, (FRACTIONS, 0.05), strict=True):
        volume, labels = hips(fractions, geometry=grid((3.0, 6.0, 3.0)), slice_axis=1)
        report = grading.grade_study(volume, segmentation=labels, name=name)
        report.save(folder)
    return folder


class Visit:
    """An open page, and everything that went wrong in it."""

    def __init__(self, browser, path: Path, **options) -> None:
        self.page = browser.new_context(**options).new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url[:200]))
        self.page.goto(path.as_uri())

    def _console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def wait(self, mark: str) -> None:
        """Wait until the page's script says that it is done."""
        self.page.wait_for_function(f"document.documentElement.dataset.{mark} === 'ready'")

    def picture(self, selector: str) -> np.ndarray:
        """What an element looks like, int (rows, columns, 3)."""
        content = self.page.locator(selector).screenshot()
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def report(browser, out):
    visit = Visit(
        browser, out / "studies" / STUDIES[0] / "report.html", viewport={"width": 1000, "height": 800}
    )
    visit.wait("viewer")
    return visit


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def coloured(picture: np.ndarray, muscle: Muscle) -> int:
    """Number of pixels whose hue is the muscle's."""
    colour = np.array([int(COLOURS[muscle][i : i + 2], 16) for i in (1, 3, 5)], dtype=float)
    strong = picture.max(axis=2) - picture.min(axis=2) > 40
    unit = picture / np.maximum(np.linalg.norm(picture, axis=2, keepdims=True), 1)
    return int((strong & (unit @ (colour / np.linalg.norm(colour)) > 0.99)).sum())


def test_the_viewer_shows_the_study_and_its_switches_work(report):
    page = report.page
    assert page.locator("#viewer").is_visible()
    first = report.picture("#canvas")
    assert (first.max(axis=2) > 60).mean() > 0.1  # the body, on black
    assert coloured(first, Muscle.GLUTEUS_MEDIUS) > 20
    page.locator("#outlines").uncheck()
    bare = report.picture("#canvas")
    assert coloured(bare, Muscle.GLUTEUS_MEDIUS) == 0
    page.locator("#fat").check()
    fat = report.picture("#canvas")
    changed = np.abs(fat - bare).sum(axis=2) > 30
    assert 0.01 < changed.mean() < 0.5
    page.locator("#reset").click()
    assert np.abs(report.picture("#canvas") - first).max() < 30
    assert report.complaints == []


def test_slices_scroll_and_the_window_opens(report):
    page = report.page
    page.locator("#reset").click()
    page.locator("#planes").select_option("1")
    before = report.picture("#canvas")
    page.locator("#slice").press("ArrowRight")
    page.locator("#slice").press("ArrowRight")
    scrolled = report.picture("#canvas")
    assert np.abs(scrolled - before).max() > 60
    page.locator("#level").press("End")
    assert report.picture("#canvas").mean() < 0.6 * scrolled.mean()
    page.locator("#reset").click()
    assert "signal" in page.locator("#place").inner_text()
    assert report.complaints == []


def test_the_text_on_the_page_is_that_of_the_tables(report, out):
    page = report.page
    for table in ("measurements", "asymmetry"):
        heading, *lines = rows(out / f"{table}.csv")
        written = [line for line in lines if line[0] == STUDIES[0]]
        page.locator("details").evaluate_all("all => all.forEach((details) => (details.open = true))")
        shown = page.locator(f"#{table}-csv tbody tr").evaluate_all(
            "lines => lines.map((line) => Array.from(line.cells, (cell) => cell.textContent))"
        )
        assert page.locator(f"#{table}-csv thead th").all_text_contents() == heading
        assert shown == written
    assert page.title().startswith(STUDIES[0])


def test_it_prints_on_two_pages(report):
    printed = report.page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2


def test_without_scripts_the_key_slices_remain(browser, out):
    visit = Visit(browser, out / "studies" / STUDIES[0] / "report.html", java_script_enabled=False)
    assert not visit.page.locator("#viewer").is_visible()
    assert visit.page.get_by_text("The interactive viewer is not running").is_visible()
    assert visit.page.locator(".pictures img").count() == 8
    assert visit.picture(".pictures figure >> nth=0").max() > 150


def test_a_phone_shows_it_without_scrolling_sideways(browser, out):
    phone = {"viewport": {"width": 390, "height": 800}, "is_mobile": True}
    for path in (out / "studies" / STUDIES[0] / "report.html", out / "index.html"):
        visit = Visit(browser, path, **phone)
        width = visit.page.evaluate("document.documentElement.clientWidth")
        wide = visit.page.evaluate(WIDE_ELEMENTS, width)
        assert wide == []


def test_decisions_on_the_cohort_page_are_kept_exported_and_read(browser, out, tmp_path):
    visit = Visit(browser, out / "index.html")
    visit.wait("page")
    page = visit.page
    assert page.locator("tbody tr:visible").count() == 2
    page.locator("tbody tr img").evaluate_all("all => Promise.all(all.map((image) => image.decode()))")
    page.locator("tbody tr").first.locator("select").select_option("reject")
    note = page.locator("tbody tr").last.locator("input")
    page.locator("tbody tr").last.locator("select").select_option("fix")
    note.fill('=left "minimus", 3 mm')
    note.blur()
    assert page.locator("#unsaved").inner_text() == "2 not yet in the tables"
    page.locator("tbody tr").last.locator("select").select_option("")
    assert "1 with a note but no decision, which is not exported" in page.locator("#unsaved").inner_text()
    page.locator("tbody tr").last.locator("select").select_option("fix")
    page.reload()
    visit.wait("page")
    assert page.locator("tbody tr").first.locator("select").input_value() == "reject"
    with page.expect_download() as download:
        page.locator("#export").click()
    file = tmp_path / "decisions.csv"
    download.value.save_as(file)
    decided = read_decisions(file)
    first, second = sorted(decided)
    assert (decided[first].verdict, decided[second].verdict) == (Verdict.REJECT, Verdict.FIX)
    assert decided[second].note == '=left "minimus", 3 mm'
    assert second == STUDIES[0]
    assert visit.complaints == []


def test_the_cohort_is_sorted_and_filtered(browser, out):
    visit = Visit(browser, out / "index.html")
    visit.wait("page")
    page = visit.page

    def names():
        return page.locator("tbody tr:visible th").all_text_contents()

    medius = page.locator("thead button", has_text=re.compile("^medius$"))
    medius.click()
    leanest_first = names()
    medius.click()
    assert names() == leanest_first[::-1]
    assert leanest_first[-1] == STUDIES[0]
    page.locator("#find").fill("right_fatty")
    assert names() == [STUDIES[0]]
    page.locator("#find").fill("reject")  # one of the choices in every row
    assert names() == []
    page.locator("#find").fill("")
    page.locator("#decided").select_option("good")
    assert names() == []
    page.locator("#decided").select_option("")
    page.get_by_role("link", name=STUDIES[0]).first.click()
    page.wait_for_url("**/report.html")
    assert visit.complaints == []
