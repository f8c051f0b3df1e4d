"""Parquet holds what the CSV holds, with its types."""

import pandas as pd
import pytest
from report_factory import absent, measured, report_of

from grading.anatomy import Muscle, Side
from grading.report import parquet
from grading.report.tables import MEASUREMENT_COLUMNS, csv_text, measurement_rows

ROWS = [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat=0.24), absent(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)]


@pytest.fixture
def out(tmp_path):
    text = csv_text(measurement_rows([report_of("007", ROWS)]), MEASUREMENT_COLUMNS)
    (tmp_path / "measurements.csv").write_text(text)
    return tmp_path


def test_numbers_truths_and_names_keep_their_types_and_empty_cells_are_null(out):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    (written,) = parquet.write_parquet(out)
    table = pd.read_parquet(written)
    assert tuple(table) == MEASUREMENT_COLUMNS
    found, missing = (row for _, row in table.iterrows())
    assert (found["study"], found["fat_fraction"], found["quartile"]) == ("007", 0.24, 1)
    assert (found["quartile_possible"], bool(found["gradable"])) == ("1|2", True)
    assert pd.isna(missing["fat_fraction"]) and pd.isna(missing["quartile"])
    assert not missing["gradable"]


def test_only_an_empty_cell_is_missing_whatever_a_text_says(tmp_path):
    source = tmp_path / "studies.csv"
    source.write_text("study,status,seconds,note\nNA,graded,1.50,None\n007,pending,,\n")
    first, second = (row for _, row in parquet.table_of(source).iterrows())
    assert (first["study"], first["seconds"], first["note"]) == ("NA", 1.5, "None")
    assert second["study"] == "007"
    assert pd.isna(second["seconds"]) and pd.isna(second["note"])


def test_without_pyarrow_there_is_only_the_csv(out, monkeypatch):
    monkeypatch.setattr(parquet, "find_spec", lambda _: None)
    assert parquet.write_parquet(out) == ()
    assert [path.name for path in out.iterdir()] == ["measurements.csv"]
