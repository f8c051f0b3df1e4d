"""Weights of two networks, mixed."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; it is needed only to train")
pytest.importorskip("onnx", reason="onnx is not installed; it is needed only to train")

from training.export import blend  # noqa: E402


def test_a_blend_lies_between_both_networks_in_its_share(tmp_path: Path):
    a, b = (torch.nn.Conv3d(1, 2, 3) for _ in range(2))
    other = {f"module.{key}": value for key, value in b.state_dict().items()}
    torch.save({"average": other, "iteration": 5}, tmp_path / "checkpoint.pt")
    expected = 0.3 * b.weight.detach() + 0.7 * a.weight.detach()
    blend(a, tmp_path / "checkpoint.pt", share=0.3)
    torch.testing.assert_close(a.weight.detach(), expected)
