"""The package is built in floors: a module imports only lower ones, and loads heavy libraries when used."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "grading"

FLOORS = {  # module or package below `grading` -> floor
    "errors": 0,
    "anatomy": 0,
    "terminology": 0,
    "findings": 0,
    "series": 0,
    "settings": 0,
    "wording": 0,
    "volume": 1,
    "resample": 2,
    "masks": 2,
    "io": 2,
    "segment": 3,
    "fat": 3,
    "phantom": 3,
    "field_of_view": 3,
    "mass": 3,
    "volume_error": 3,
    "measure": 4,
    "quality": 5,
    "classify": 5,
    "asymmetry": 5,
    "report": 6,
    "plots": 7,
    "study": 7,
    "batch": 8,
    "option_rules": 8,
    "cli": 9,
    "__init__": 10,
    "__main__": 10,
}
GROUND_FLOOR = 0  # its modules may lean on each other: `findings` speaks of `anatomy`

HEAVY: dict[str, set[str]] = {  # library slow to import -> the modules that may use it
    "onnxruntime": {"segment/model.py"},
    "matplotlib": {"report/figure.py", "plots.py", "report/study_report.py"},  # the last for types only
    "PIL": {"report/drawing.py", "report/numbers.py", "report/overview.py", "report/study_page.py"},
    "contourpy": {"report/drawing.py"},
    "skimage": set(),  # needed by training/ and benchmarks/ only
    "highdicom": {"report/dicom_seg.py", "report/dicom_sr.py"},
    "dask": set(),
    "distributed": {"batch/cluster.py"},
    "torch": set(),  # needed by training/ only
    "totalsegmentator": {"segment/totalsegmentator.py"},
    "SimpleITK": set(),
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def _floor_name(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@cache
def _imports(path: Path) -> list[tuple[str, int, bool]]:
    """Every imported dotted name with its line, and whether it is imported when the module is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    checked_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        at_import = id(node) not in inside and id(node) not in checked_only
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, at_import) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write imports in full, not relative"
            found += [(f"{node.module}.{alias.name}", node.lineno, at_import) for alias in node.names]
    return found


def _id(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_every_module_stands_on_a_floor():
    strangers = {_floor_name(path) for path in MODULES} - FLOORS.keys()
    assert not strangers, f"give {strangers} a floor in FLOORS"


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_imports_only_go_down(path):
    own = _floor_name(path)
    for name, line, _ in _imports(path):
        parts = name.split(".")
        if parts[0] != "grading":
            continue
        target = parts[1] if parts[1] in FLOORS else "__init__"
        siblings = target == own and target != "__init__"
        lower = FLOORS[target] < FLOORS[own] or FLOORS[target] == FLOORS[own] == GROUND_FLOOR
        assert siblings or lower, (
            f"{_id(path)}:{line} (floor {FLOORS[own]}) imports {name} (floor {FLOORS[target]})"
        )


def _loads_heavily(path: Path) -> bool:
    return any(name.split(".")[0] in HEAVY for name, _, at_import in _imports(path) if at_import)


def _module_of(name: str) -> str:
    """`grading.report.overview.draw` -> "report/overview.py"; empty where it is no module of the package."""
    parts = name.split(".")
    candidates = (PACKAGE.parent.joinpath(*parts[:n]).with_suffix(".py") for n in range(len(parts), 1, -1))
    return next((_id(path) for path in candidates if path.is_file()), "")


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_heavy_libraries_are_used_only_in_their_own_modules(path):
    for name, line, _ in _imports(path):
        library = name.split(".")[0]
        if library in HEAVY:
            assert _id(path) in HEAVY[library], f"{_id(path)}:{line} imports {library}"


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_modules_that_load_a_heavy_library_are_imported_where_they_are_used(path):
    heavy = {_id(module) for module in MODULES if _loads_heavily(module)}
    if _id(path) in heavy:
        return
    for name, line, at_import in _imports(path):
        if at_import:
            assert _module_of(name) not in heavy, f"{_id(path)}:{line}: import {name} inside its function"


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_the_package_knows_nothing_of_its_training_tests_or_benchmarks(path):
    for name, line, _ in _imports(path):
        assert name.split(".")[0] not in {"training", "tests", "benchmarks"}, f"{_id(path)}:{line}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=_id)
def test_a_file_is_one_idea_of_at_most_300_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_importing_the_package_and_its_command_loads_no_heavy_library():
    code = "import sys, grading, grading.cli; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own interpreter on our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    loaded = {module.split(".")[0] for module in done.stdout.split()}
    assert not loaded & HEAVY.keys()
