"""The package's front door: its names, its speed, and one name that is a function and a folder."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import grading

AFTER = """
import grading
assert callable(grading.segment)
import grading.segment.masks
from grading.segment import masks
assert callable(grading.segment) and masks.MasksSegmenter
"""
BEFORE = """
import grading.segment.masks
import grading, sys
assert callable(grading.segment) and sys.modules["grading.segment.masks"].MasksSegmenter
"""


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)  # noqa: S603


@pytest.mark.parametrize("code", [AFTER, BEFORE], ids=["package first", "submodule first"])
def test_segment_is_the_function_in_any_order_of_imports(code):
    done = run(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", grading.__all__)
def test_every_public_name_is_there(name):
    assert getattr(grading, name) is not None
    assert name in dir(grading)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'heal'"):
        grading.heal  # noqa: B018


def test_type_checkers_see_every_name_that_loads_when_used():
    tree = ast.parse(Path(grading.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(grading._LOADED_WHEN_USED)


def test_importing_the_package_reads_no_images_and_draws_nothing_yet():
    loaded = run("import sys, grading; print(*sys.modules)").stdout.split()
    assert "grading" in loaded
    assert not {"pandas", "onnxruntime", "matplotlib", "pydicom", "nibabel", "rich", "cyclopts"} & set(loaded)
