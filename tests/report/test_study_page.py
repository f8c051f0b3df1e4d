"""The report of a study: findings first, numbers as in the tables, and nothing from a file as markup."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from ellipsoid_hip import grid, hips
from report_factory import absent, measured, report_of

from grading.anatomy import Muscle, Region, Side
from grading.classify.pattern import Pattern
from grading.fat import FatMap
from grading.findings import FINDINGS, Finding
from grading.report.columns import COLUMNS
from grading.report.study_page import study_html, thumbnail_png
from grading.report.study_report import StudyImages
from grading.report.study_rows import muscle_rows, sides_rows
from grading.report.tables import MEASUREMENT_COLUMNS, csv_text, measurement_rows

LARGEST_BYTES = 8_000_000
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'"


class Page(HTMLParser):
    """The elements of a page with their attributes, and the texts of table cells by their class."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements, self.cells = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):  # noqa: D102
        self.elements.append((tag, dict(attrs)))
        if tag in {"td", "th"}:
            self.cells.append((dict(attrs), ""))

    def handle_data(self, data):  # noqa: D102
        if self.cells:
            attrs, text = self.cells[-1]
            self.cells[-1] = (attrs, text + data)

    def every(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every element of that name."""
        return [attrs for name, attrs in self.elements if name == tag]

    def texts(self, kind: str) -> list[str]:
        """Texts of the cells of that class."""
        return [text.strip() for attrs, text in self.cells if kind in (attrs.get("class") or "").split()]


@pytest.fixture(scope="module")
def images():
    volume, labels = hips(geometry=grid((6.0, 6.0, 8.0)), shading=0.0)
    fraction = np.full(volume.geometry.shape, 0.3, dtype=np.float32)
    return StudyImages(volume, labels, FatMap(fraction, volume.valid, volume.geometry, "t1"))


def html_of(images, *args, **options):
    return study_html(replace(report_of(*args, **options), images=images))


@pytest.fixture(scope="module")
def html(images):
    return html_of(images, findings=(Finding("laterality_contradiction", "header left, anatomy right"),))


def test_the_page_is_one_file_that_loads_nothing(html):
    page = Page(html)
    assert len(html.encode()) < LARGEST_BYTES
    loaded = [attrs.get(key) for _, attrs in page.elements for key in ("src", "href") if attrs.get(key)]
    assert all(address.startswith(("data:", "#")) for address in loaded)
    (policy,) = [m["content"] for m in page.every("meta") if "http-equiv" in m]
    assert "default-src 'none'" in policy


def test_findings_come_before_the_numbers(html):
    meaning = FINDINGS["laterality_contradiction"].meaning
    assert (
        html.index(meaning) < html.index("header left, anatomy right") < html.index('<table class="muscles">')
    )


def test_the_first_sentence_says_what_the_gravest_finding_means(images):
    weak = Finding("contrast_assumed")
    for findings, sentence in (
        ((), "Nothing was noticed that weakens"),
        ((Finding("contrast_agent"),), "Nothing was noticed that weakens"),
        ((Finding("contrast_agent"), weak), "weaker than their errors say"),
        ((weak, Finding("water_fat_swap")), "Some numbers are withheld"),
        ((Finding("laterality_contradiction"), Finding("water_fat_swap")), "may be of the other side"),
    ):
        assert sentence in html_of(images, findings=findings)


def test_the_line_on_the_pattern_in_studies_csv_stands_on_the_page(images):
    said = Pattern("Fat of a quarter or more in no muscle.")
    report = replace(report_of(), images=images, pattern=said)
    assert f"<p>{said.sentence}</p>" in study_html(report)
    assert "doubtful" not in study_html(replace(report, pattern=Pattern(None, "doubtful")))


def test_no_text_of_the_study_becomes_markup(images):
    rows = [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT)]
    hostile = html_of(images, HOSTILE, rows, series=HOSTILE, findings=(Finding("contrast_assumed", HOSTILE),))
    plain = html_of(images, "study", rows, findings=(Finding("contrast_assumed", "detail"),))
    kinds = [tag for tag, _ in Page(hostile).elements]
    assert kinds == [tag for tag, _ in Page(plain).elements]
    assert HOSTILE not in hostile
    assert not [a for _, attrs in Page(hostile).elements for a in attrs if a.startswith("on")]


def test_the_headline_numbers_are_those_of_the_table(images):
    report = replace(
        report_of(measurements=[measured(m, s, 0.1234) for m in Muscle for s in Side]), images=images
    )
    rows = csv.DictReader(io.StringIO(csv_text(measurement_rows([report]), MEASUREMENT_COLUMNS)))
    wanted = [f"{100 * float(r['fat_fraction']):.1f} ± {100 * float(r['fat_fraction_se']):.1f}" for r in rows]
    page = Page(study_html(report))
    assert sorted(page.texts("fat")) == sorted(wanted)


def test_the_page_and_the_column_say_why_a_fraction_is_not_the_mean_of_the_map(html):
    """A reader who averages fat_fraction.nii.gz over a muscle finds more fat: its outer voxels mix it in."""
    correction = "less what fat beside"
    assert correction in " ".join(html.split())
    assert correction in COLUMNS["fat_fraction"].description


def test_every_cell_of_the_tables_stands_on_the_page_as_written(images):
    report = replace(report_of(), images=images)
    page = study_html(report)
    part = page[page.index('<table id="measurements-csv">') : page.index('<table id="asymmetry-csv">')]
    cells = re.findall(r"<td>(.*?)</td>", part)
    lines = list(csv.reader(io.StringIO(csv_text(measurement_rows([report]), MEASUREMENT_COLUMNS))))[1:]
    assert cells == [cell for line in lines for cell in line]


def test_posterior_minimus_leads_where_it_was_measured(images):
    whole = [measured(m, s) for m in Muscle for s in Side]
    parts = [replace(measured(Muscle.GLUTEUS_MINIMUS, s), region=Region.POSTERIOR) for s in Side]
    page = html_of(images, measurements=whole + parts)
    table = page[page.index('<table class="muscles">') :]
    assert table.index("minimus, posterior") < table.index("maximus</th>")
    assert "Posterior minimus stands first" in page
    assert "Posterior minimus stands first" not in html_of(images, measurements=whole)


def test_an_interval_is_drawn_where_its_numbers_are(images):
    page = Page(html_of(images, measurements=[measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, 0.4)]))
    (interval,) = [r for r in page.every("rect") if r.get("class") == "interval"]
    assert float(interval["x"]) == pytest.approx(40 - 1.96 * 2)
    assert float(interval["width"]) == pytest.approx(2 * 1.96 * 2)
    edges = [float(line["x1"]) for line in page.every("line") if line.get("class") == "edge"]
    assert edges == [25.0, 50.0, 75.0]
    (drawing,) = page.every("svg")
    assert drawing["aria-label"] == "fat fraction 40.0 %, 95 % interval 36.1 to 43.9 %"


def test_the_edges_in_a_bar_are_of_the_scale_that_heads_a_column(html):
    assert "edges of the Quartile stages" in html
    assert '<th scope="col">Quartile</th>' in html


def test_a_fraction_that_rounds_to_zero_has_no_sign(images):
    page = Page(html_of(images, measurements=[measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, -0.0002)]))
    assert page.texts("fat") == ["0.0 ± 2.0"]
    assert page.every("svg")[0]["aria-label"].startswith("fat fraction 0.0 %")


def test_what_was_compared_is_told_where_fat_alone_was_compared():
    report = report_of()
    cut = replace(report.asymmetries[0], volume_asymmetry_percent=None, common_slab_mm=40.0)
    rows = sides_rows(replace(report, asymmetries=(cut, replace(cut, common_slab_mm=None))))
    assert [row.compared for row in rows] == ["common slab, 40 mm", "–"]


@pytest.mark.parametrize(("fat", "interval"), [(0.01, "0.0 to 4.9 %"), (0.98, "94.1 to 100.0 %")])
def test_no_interval_holds_less_than_no_fat_or_more_than_all(fat, interval):
    (row,) = muscle_rows(report_of(measurements=[measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat)]))
    assert row.bar.text.endswith(f"95 % interval {interval}")


def test_a_muscle_that_was_not_found_has_no_bar_and_no_zero(images):
    page = html_of(images, measurements=[absent(Muscle.GLUTEUS_MINIMUS, Side.LEFT)])
    parsed = Page(page)
    assert not parsed.every("svg")
    assert parsed.texts("fat") == ["–"]
    assert "not known" in page


def test_every_picture_has_a_text_and_every_control_a_label(html):
    page = Page(html)
    assert len(page.every("img")) == 9  # four slices twice, and the scale
    assert all(picture["alt"] for picture in page.every("img"))
    assert all(drawing["aria-label"] for drawing in page.every("svg"))
    for control in ("input", "select"):
        for place in re.finditer(f"<{control} ", html):
            assert html.rfind("<label", 0, place.start()) > html.rfind("</label", 0, place.start())


def test_a_thumbnail_is_small(images):
    assert 500 < len(thumbnail_png(images)) < 60_000


def test_a_report_from_disk_has_no_page():
    with pytest.raises(ValueError, match="without them"):
        study_html(report_of())
