"""The example notebooks run from top to bottom, and show what they showed when they were written."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install 'grading[dev]'")
nbclient = pytest.importorskip("nbclient", reason="needs nbclient: pip install 'grading[dev]'")

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
LARGEST_BYTES = 2_000_000  # pictures inside them stay in the history for ever


def kinds_of_output(notebook) -> list[list[str]]:
    """Kinds of what each code cell shows, such as text or a picture."""
    return [
        sorted(kind for output in cell.outputs for kind in output.get("data", {}))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_there_are_notebooks_for_one_study_and_for_a_cohort():
    assert {path.stem for path in NOTEBOOKS} == {"one_study", "cohort"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_executed_and_light(path):
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size < LARGEST_BYTES
    assert any("image/png" in kinds for kinds in kinds_of_output(notebook))
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_the_same_kinds_of_output(path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # a notebook draws into itself
    notebook = nbformat.read(path, as_version=4)
    shown = kinds_of_output(notebook)
    nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(EXAMPLES)}}).execute()
    assert kinds_of_output(notebook) == shown
