"""A network in 8 bits answers as it does in 32."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; it is needed only to train")
onnx = pytest.importorskip("onnx", reason="onnx is not installed; it is needed only to train")
onnxruntime = pytest.importorskip("onnxruntime")

from training.export import export, shipped_weights  # noqa: E402
from training.quantise import to_8_bits  # noqa: E402
from training.refiner import Refiner  # noqa: E402


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, np.ndarray]:
    """An untrained fine network as exported, the same in 8 bits, and what they are shown."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(3)
    net = Refiner()
    torch.nn.init.normal_(net.net.unfold.weight, std=0.5)
    average = {f"module.{key}": value for key, value in net.state_dict().items()}
    torch.save({"average": average, "iteration": 1}, folder / "checkpoint.pt")
    shown = np.random.default_rng(1).random((1, net.net.fold.in_channels, 24, 24, 24), dtype=np.float32)
    rounded = export(folder, "fine", "test", bundle=folder)
    exact = rounded.rename(folder / "exact.onnx")
    rounded.write_bytes(exact.read_bytes())
    to_8_bits(rounded, [{"channels": shown}])
    return exact, rounded, shown


def _answer(path: Path, shown: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"channels": shown})[0])


def test_probabilities_differ_by_little(networks):
    exact, rounded, shown = networks
    a, b = (_answer(path, shown) for path in (exact, rounded))
    assert a.std() > 0.1  # it does say something
    assert np.abs(a - b).mean() < 0.02
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.99


def test_weights_are_found_again_to_half_a_step(networks):
    exact, rounded, _ = networks
    before, after = shipped_weights(exact), shipped_weights(rounded)
    assert set(before) <= set(after)
    for name, weight in before.items():
        step = (
            weight.abs().amax(dim=tuple(range(1, weight.ndim)), keepdim=True) / 63 if weight.ndim > 1 else 0
        )
        assert ((after[name] - weight).abs() <= 0.51 * step + 1e-6).all(), name


def test_the_file_is_smaller_and_keeps_its_card(networks):
    exact, rounded, _ = networks
    assert rounded.stat().st_size < 0.7 * exact.stat().st_size
    cards = [{e.key: e.value for e in onnx.load(path).metadata_props} for path in (exact, rounded)]
    assert cards[0].items() <= cards[1].items()


def test_a_network_is_not_rounded_twice(networks):
    _, rounded, shown = networks
    with pytest.raises(ValueError, match="8 bits already"):
        to_8_bits(rounded, [{"channels": shown}])
