"""Plots put each number where it belongs, leave out what is not known, and need only the tables."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from report_factory import absent, measured, report_of

from grading.anatomy import Muscle, Region, Side
from grading.errors import ConfigurationError
from grading.plots import asymmetry_plot, bland_altman, cohort_strip
from grading.report.tables import (
    ASYMMETRY_COLUMNS,
    MEASUREMENT_COLUMNS,
    asymmetry_rows,
    csv_text,
    frame,
    measurement_rows,
)


@pytest.fixture(autouse=True)
def _no_figure_stays_open():
    yield
    plt.close("all")


def table(reports) -> pd.DataFrame:
    """The measurements as a user reads them back from the file."""
    return pd.read_csv(io.StringIO(csv_text(measurement_rows(reports), MEASUREMENT_COLUMNS)))


def points(axes) -> list[tuple[float, float]]:
    """Every point of a strip plot, from left to right."""
    dots = [c for c in axes.collections if isinstance(c, PathCollection)]
    return sorted((float(x), float(y)) for c in dots for x, y in c.get_offsets())


def test_a_strip_has_a_point_for_every_known_value():
    reports = [
        report_of(
            name, [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat), absent(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)]
        )
        for name, fat in (("a", 0.1), ("b", 0.3), ("c", 0.6))
    ]
    axes = cohort_strip(table(reports))
    assert sorted(y for _, y in points(axes)) == pytest.approx([10.0, 30.0, 60.0])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["medius"]


def test_a_strip_of_volumes_is_in_millilitres_and_right_stands_first():
    rows = [
        measured(Muscle.GLUTEUS_MEDIUS, s, volume_ml=v) for s, v in ((Side.LEFT, 300.0), (Side.RIGHT, 200.0))
    ]
    axes = cohort_strip(table([report_of(measurements=rows)]), "volume_ml")
    assert [y for _, y in points(axes)] == [200.0, 300.0]


def test_fat_from_t1_and_from_dixon_images_stands_in_strips_of_its_own_and_volume_in_one():
    both = table(
        [
            report_of(method, [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat, fat_method=method)])
            for method, fat in (("dixon", 0.1), ("t1", 0.3))
        ]
    )
    axes = cohort_strip(both)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["medius, t1", "medius, dixon"]
    assert [y for _, y in points(axes)] == pytest.approx([30.0, 10.0])
    axes = cohort_strip(both, "volume_ml")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["medius"]


def test_regions_are_not_mixed_with_whole_muscles():
    assert points(cohort_strip(table([report_of()]), region=Region.POSTERIOR)) == []


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(ConfigurationError, match=r"'fat'.*volume_ml"):
        cohort_strip(table([report_of()]), "fat")


@pytest.mark.parametrize(("quantity", "at"), [("fat", -1.0), ("volume", 1.5)])
def test_asymmetry_is_drawn_at_left_minus_right(quantity, at):
    axes = asymmetry_plot(frame(asymmetry_rows([report_of()]), ASYMMETRY_COLUMNS), quantity)
    drawn = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert drawn == pytest.approx([at] * len(Muscle))
    assert "left − right" in axes.get_xlabel()
    assert "bars: error exceeded once in 20 times" in axes.get_xlabel()


def test_differences_of_fat_from_t1_and_from_dixon_images_stand_in_rows_of_their_own():
    sides = (Side.LEFT, Side.RIGHT)
    reports = [
        report_of(method, [measured(m, side, fat_method=method) for m in Muscle for side in sides])
        for method in ("t1", "dixon")
    ]
    both = frame(asymmetry_rows(reports), ASYMMETRY_COLUMNS)
    labels = [label.get_text() for label in asymmetry_plot(both).get_yticklabels()]
    assert labels[:1] + labels[len(Muscle) : len(Muscle) + 1] == ["maximus, t1", "maximus, dixon"]
    assert len(asymmetry_plot(both, "volume").get_yticklabels()) == len(Muscle)


def test_limits_of_agreement_are_those_of_bland_and_altman_1986():
    """Peak flow by two meters (Lancet 1986; 327:307, table): mean difference -2.1, SD 38.8 l/min."""
    large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    axes = bland_altman(large, mini)
    levels = sorted(float(line.get_ydata()[0]) for line in axes.lines)
    assert levels == pytest.approx([-2.1 - 1.96 * 38.8, -2.1, -2.1 + 1.96 * 38.8], abs=0.1)


def test_pairs_with_a_missing_reading_are_left_out_and_too_few_are_refused():
    axes = bland_altman([1.0, 2.0, np.nan, 4.0], [1.5, np.nan, 3.0, 4.5])
    assert len(axes.collections[0].get_offsets()) == 2
    with pytest.raises(ConfigurationError, match="1 pairs"):
        bland_altman([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(ConfigurationError, match="do not pair up"):
        bland_altman([1.0], [1.0, 2.0])
