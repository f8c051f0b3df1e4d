"""The report page of one study: one HTML file that opens offline, prints on two pages and needs no script."""

import base64
import csv
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from grading.anatomy import SIDES, Muscle
from grading.findings import Severity
from grading.report.drawing import fat_bar, fat_panel, outlined_panel, panel_size, png
from grading.report.embed import PLANE_STEP, STRUCTURES, embed
from grading.report.palette import COLOURS, FAT_SCALE
from grading.report.render import render
from grading.report.slices import grey_window, key_slices
from grading.report.study_report import DISCLAIMER, StudyImages, StudyReport
from grading.report.study_rows import SEVERITY_WORDS, FindingRow, finding_rows, muscle_rows, sides_rows
from grading.report.tables import (
    ASYMMETRY_COLUMNS,
    MEASUREMENT_COLUMNS,
    Row,
    asymmetry_rows,
    csv_text,
    measurement_rows,
)
from grading.report.words import SHORT

_PANEL_PX, _TALLEST, _BAR_PX = 460, 1.2, 560


def study_html(report: StudyReport) -> str:
    """The page of a report that still has its images.

    Raises:
        ValueError: the report was read back from disk and has none.
    """
    if report.images is None:
        raise ValueError("the page needs the images, and this report was read from disk without them")
    images, findings = report.images, finding_rows(report)
    return render(
        "report.html.jinja",
        report=report,
        notice=DISCLAIMER,
        source=_source(report, images),
        methods=sorted({m.measurement.fat_method for m in report.muscles if m.measurement.fat_method}),
        findings=findings,
        gravest=_gravest(findings),
        scales=[grade.scale for grade in report.muscles[0].grades] if report.muscles else [],
        sources={grade.scale: grade.source for muscle in report.muscles[:1] for grade in muscle.grades},
        rows=muscle_rows(report),
        sides=sides_rows(report),
        legend=[(SHORT[muscle], colour) for muscle, colour in COLOURS.items()],
        pictures=_pictures(images),
        fat_bar=_png(fat_bar(_BAR_PX)),
        viewer=_viewer(images),
        tables=(
            (
                "measurements.csv",
                MEASUREMENT_COLUMNS,
                _as_written(measurement_rows([report]), MEASUREMENT_COLUMNS),
            ),
            ("asymmetry.csv", ASYMMETRY_COLUMNS, _as_written(asymmetry_rows([report]), ASYMMETRY_COLUMNS)),
        ),
    )


def thumbnail_png(images: StudyImages, width_px: int = 240) -> bytes:
    """A small picture of the outlines, for a list of studies."""
    cut = key_slices(images)[1]
    panel = outlined_panel(images, cut, panel_size(images, cut, width_px, 1.0), grey_window(images.volume))
    return png(panel.quantize(64))


def _gravest(findings: Sequence[FindingRow]) -> str:
    """What the worst finding means for the study, in one sentence; findings come the gravest first."""
    worst = findings[0].severity if findings else ""
    return {
        SEVERITY_WORDS[Severity.ALARM]: "Every number may be of the other side: settle this first.",
        SEVERITY_WORDS[Severity.STOP]: "Some numbers are withheld.",
        SEVERITY_WORDS[Severity.CAUTION]: "Some numbers are weaker than their errors say.",
    }.get(worst, "Nothing was noticed that weakens the numbers.")


def _source(report: StudyReport, images: StudyImages) -> list[tuple[str, str]]:
    """What was read, as names and texts."""
    geometry, series = images.volume.geometry, images.volume.series
    shape = " × ".join(str(n) for n in geometry.shape)
    spacing = " × ".join(f"{s:.2f}" for s in geometry.spacing_mm)
    plane = ("sagittal", "coronal", "axial")[series.slice_axis]
    field = f", {series.field_strength_t:g} T" if series.field_strength_t else ""
    found = {g.measurement.side for g in report.muscles if g.measurement.covered_volume_ml}
    return [
        ("Series", report.series),
        ("Contrast", f"{series.role.value.replace('_', ' ')}{field}"),
        ("Grid", f"{shape} voxels of {spacing} mm (right, anterior, superior), {plane} slices"),
        ("Sides in view", " and ".join(side.value for side in SIDES if side in found) or "none"),
        ("Outlines by", images.segmentation.method),
    ]


def _as_written(rows: Sequence[Row], columns: Sequence[str]) -> list[list[str]]:
    """The texts that stand in the CSV files, without their heading."""
    return list(csv.reader(io.StringIO(csv_text(rows, columns))))[1:]


def _pictures(images: StudyImages) -> list[tuple[str, str, str]]:
    """Title, outlines and fat fraction of each key slice, the pictures as data addresses."""
    window = grey_window(images.volume)
    pictures = []
    for cut in key_slices(images):
        size = panel_size(images, cut, _PANEL_PX, _TALLEST)
        outlined, fat = (_png(draw(images, cut, size, window)) for draw in (outlined_panel, fat_panel))
        pictures.append((cut.title, outlined, fat))
    return pictures


def _png(picture: Image.Image) -> str:
    """A picture as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(png(picture)).decode()


def _viewer(images: StudyImages) -> dict[str, object]:
    """What the interactive viewer is told: images, colours, window, and where to look first."""
    embedded = embed(images)
    names = [f"{SHORT[muscle]} {side.value}" for muscle, side in STRUCTURES]
    colours = [COLOURS[muscle] for muscle, _ in STRUCTURES]
    files = {"image": embedded.image, "outlines": embedded.outlines, "fat": embedded.fat}
    return {
        "files": {name: base64.b64encode(content).decode() for name, content in files.items()},
        "structures": names,
        "colours": colours,
        "planeStep": PLANE_STEP,
        "fatScale": FAT_SCALE,
        "window": embedded.window,
        "range": embedded.range,
        "sliceAxis": images.volume.series.slice_axis,
        "start": _start_mm(images),
    }


def _start_mm(images: StudyImages) -> list[float]:
    """World position shown first: the middle of a gluteus medius, or of the image where there is none."""
    geometry = images.volume.geometry
    for side in reversed(SIDES):
        voxels = np.argwhere(images.segmentation.mask(Muscle.GLUTEUS_MEDIUS, side))
        if voxels.size:
            at = geometry.affine @ [*voxels.mean(axis=0), 1.0]
            return [float(mm) for mm in at[:3]]
    return [float(mm) for mm in geometry.centre_mm]
