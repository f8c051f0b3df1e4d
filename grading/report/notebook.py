"""A report as a notebook shows it: what to know, the leading numbers, the picture."""

import base64

from grading.report.render import render
from grading.report.study_report import DISCLAIMER, StudyReport
from grading.report.study_rows import finding_rows, muscle_rows


def notebook_html(report: StudyReport) -> str:
    """A piece of HTML without scripts; the picture is left out where the report has no images."""
    picture = ""
    if report.images is not None:
        from grading.report.overview import overview_png

        picture = "data:image/png;base64," + base64.b64encode(overview_png(report)).decode()
    return render(
        "notebook.html.jinja",
        report=report,
        notice=DISCLAIMER,
        findings=finding_rows(report),
        scales=[grade.scale for grade in report.muscles[0].grades] if report.muscles else [],
        rows=muscle_rows(report),
        picture=picture,
    )
