"""Every column of every table is explained."""

import json

import pytest
from report_factory import report_of

from grading.report.columns import COLUMNS, DICTIONARIES, dictionary_text
from grading.report.tables import DECIMALS, csv_text, measurement_rows


@pytest.mark.parametrize("file", DICTIONARIES)
def test_a_dictionary_explains_each_column_in_the_tables_order(file):
    told = json.loads(dictionary_text(DICTIONARIES[file]))
    assert tuple(told) == DICTIONARIES[file]
    assert all(entry["Description"].endswith(".") for entry in told.values())


def test_no_column_is_explained_that_no_table_has():
    assert set(COLUMNS) == {name for columns in DICTIONARIES.values() for name in columns}


def test_each_measured_number_has_a_unit_and_each_text_has_none():
    assert {name for name, column in COLUMNS.items() if column.units} == set(DECIMALS)


def test_values_of_a_table_are_among_the_levels_named():
    rows = measurement_rows([report_of()])
    text = csv_text(rows, ["side", "fat_method", "gradable"]).splitlines()[1:]
    for line in text:
        for name, value in zip(["side", "fat_method", "gradable"], line.split(","), strict=True):
            assert value in COLUMNS[name].levels
