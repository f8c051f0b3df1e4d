"""Fixtures that several test files share."""

import os
from pathlib import Path

import hypothesis
import pytest

# Read when NumPy is first imported: two threads of linear algebra that share one free core wait for each
# other, which makes a fat map take seconds instead of a quarter of one. Runs of the command have one as well.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

hypothesis.settings.register_profile("project", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("project")

os.environ.setdefault("MPLBACKEND", "Agg")  # plots are drawn without a screen

REPOSITORY = Path(__file__).resolve().parents[1]
REAL_DATA_VARIABLE = "GRADING_REAL_DATA"


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Root of the real development data (never committed); skips where it is absent.

    It is looked for in the folder named by the environment variable `GRADING_REAL_DATA`, else in
    `../shared/data` beside the checkout.
    """
    named = os.environ.get(REAL_DATA_VARIABLE)
    root = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not (root / "mri").is_dir():
        pytest.skip(f"real data absent: no {root}/mri (set {REAL_DATA_VARIABLE} to use another folder)")
    return root


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies are graded here: a test can replace the grading, and no process has to start."""
    from grading.batch import grade, run

    monkeypatch.setattr(run, "local_crew", lambda *_: [])
    monkeypatch.setattr(run, "run_locally", lambda jobs, *_: map(grade.run_job, jobs))
