"""The table of grading scales in the terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from grading.classify.scale import Scale
from grading.report.summary import literal


def scale_table(scales: Sequence[Scale]) -> RenderableType:
    """Each scale with its stages in words, the fat fractions they span in percent, and its edges' source."""
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title="Scales for --scale; stages follow from measured fat fraction",
    )
    table.add_column("scale", no_wrap=True)
    table.add_column("stages and their fat, %", ratio=4, overflow="fold")
    table.add_column("edges", no_wrap=True)
    table.add_column("source", ratio=3, overflow="fold")
    for scale in scales:
        stages = [
            f"{stage.number} {stage.meaning}: {span}"
            for stage, span in zip(scale.stages, _spans(scale), strict=True)
        ]
        edges = "published" if scale.calibrated else "uncalibrated"
        about = Text("\n").join(map(literal, (f"{scale.title}, {scale.variant}", *stages)))
        table.add_row(literal(scale.name), about, literal(edges), literal(scale.source))
        table.add_section()
    return table


def _spans(scale: Scale) -> list[str]:
    """Fat of each stage in percent, such as "< 25", "25 to < 50", "> 55"."""
    edges = scale.edges
    texts = [f"{100 * edge.fat_fraction:g}" for edge in edges]
    below = [f"{'<' if edge.belongs_above else '<='} {text}" for edge, text in zip(edges, texts, strict=True)]
    above = [f"{'>=' if edge.belongs_above else '>'} {text}" for edge, text in zip(edges, texts, strict=True)]
    between = [f"{low} to {high}" for low, high in zip(above, below[1:], strict=False)]
    return [*below[:1], *between, *above[-1:]] if edges else ["any"]
