"""Copies between host and device in a training step, counted without a device: models and data lie on `meta`.

On a card each copy that is not asked for as non-blocking from pinned memory, and each value read back, makes the host
wait for all work under way. What the forward pass, the loss, the penalty, the backward pass, the clipping and the
average ask for is seen by PyTorch's own hooks; the optimizer's fused step on a card is not the one that runs here.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ablate.data.encoding.reading import rows
from ablate.data.encoding.reading.inputs import WindowInputs
from ablate.data.encoding.reading.past import CountReader
from ablate.model.frontend.learnable_temporal import LearnableTemporal
from ablate.model.history import HistoryConfig
from ablate.recipe import load_recipe
from ablate.study.running.train import build_model, open_data
from ablate.training.optimization.step import Learner
from ablate.variant import lay_out

RECIPES = Path(__file__).parents[2] / "recipes"
SESSIONS = 4
META, HOST = torch.device("meta"), torch.device("cpu")


class Crossings(TorchDispatchMode):
    """Every operation that reads a tensor of the host and one of the device, or gives one for the other."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.waits = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        out = func(*args, **(kwargs or {}))
        # A host tensor without axes is passed to a kernel as a number, which is no copy.
        devices = {one.device.type for one in given if one.ndim} | {out.device.type for out in tensors(out)}
        if len(devices) > 1:
            self.found.append(str(func))
            self.waits += not (kwargs or {}).get("non_blocking", False)
        return out


class Constants(TorchFunctionMode):
    """`torch.tensor([...], device=...)`, `as_tensor` of a list: copied to the device before any operation is seen."""

    def __init__(self, crossings: Crossings) -> None:
        super().__init__()
        self.crossings = crossings

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        copies = func is torch.tensor or (func is torch.as_tensor and isinstance(args[0], list))
        if copies and out.device.type == "meta":
            self.crossings.found.append("torch.tensor")
            self.crossings.waits += 1
        return out


def tensors(out: object) -> Iterator[Tensor]:
    return (one for one in tree_leaves(out) if isinstance(one, Tensor))


@pytest.fixture(scope="module")
def configurations() -> dict[str, Any]:
    small = {"sessions": SESSIONS, "sessions_per_batch": SESSIONS, "frames": 6000, "units": 6}
    recipe = load_recipe(RECIPES / "quickstart.yaml", [f"data.{name}={value}" for name, value in small.items()])
    found = {variant.name: variant.configuration for variant in lay_out(recipe).variants}
    for name, of in {"glm with history": "glm", "with history": "baseline"}.items():
        model = found[of].model.model_copy(update={"history": HistoryConfig(lags=5, coupling=True)})
        found[name] = found[of].model_copy(update={"model": model})
    return found


def crossings_of(configuration: Any) -> Crossings:
    """Of the second step: the first may place what then stays."""
    dataset = open_data(configuration, HOST)
    model = build_model(configuration, dataset, 0, HOST).to(META)
    learner = Learner(model, dataset.to(META), configuration.training, seed=0, device=META)
    learner.step(0)
    counted = Crossings()
    with Constants(counted), counted:
        learner.step(1)
    return counted


@pytest.mark.parametrize("variant", ["baseline", "p1+p2+p3", "resnet", "glm", "glm with history", "with history"])
def test_a_step_of_four_sessions_copies_once_and_waits_for_nothing(configurations: Any, variant: str) -> None:
    counted = crossings_of(configurations[variant])
    assert counted.found == ["aten._to_copy.default"]
    assert counted.waits == 0


TRIALS = {"train_trials": 24, "validation_trials": 8, "test_trials": 8}
AUGMENTED = {"drop_video": 0.2, "drop_eeg": 0.2, "eeg_noise": 0.1, "eeg_shift": 2}


@pytest.mark.parametrize(("augment", "copies"), [({}, 6), (AUGMENTED, 8)], ids=["as they are", "augmented"])
def test_a_step_of_trials_copies_each_kind_of_thing_once_and_waits_for_nothing(
    augment: dict[str, float], copies: int
) -> None:
    """EEG, frames, mask; labels, which of them count, and whose they are; what is drawn to change them."""
    changed = {f"data.{name}": value for name, value in TRIALS.items()}
    changed |= {f"data.augment.{name}": value for name, value in augment.items()}
    recipe = load_recipe(RECIPES / "fusion_quickstart.yaml", [f"{name}={value}" for name, value in changed.items()])
    counted = crossings_of(lay_out(recipe).variants[0].configuration)
    assert counted.found == ["aten._to_copy.default"] * copies
    assert counted.waits == 0


def test_the_copy_is_from_pinned_memory(configurations: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Tensor] = []
    monkeypatch.setattr(rows, "pinned", lambda values: asked.append(values) or values)
    dataset = open_data(configurations["baseline"], HOST).to(META)
    next(dataset.train(seed=0, batch_size=8))
    (sent,) = asked
    assert sent.dtype == torch.int64
    assert sent.ndim == 1


# ------------------------------------------------------------------ planted faults


def frontend_that(spoil: Callable[[Tensor], Tensor]) -> Callable[[nn.Module, Tensor], Tensor]:
    filtered = LearnableTemporal.forward
    return lambda self, video: spoil(filtered(self, video))  # type: ignore[arg-type]


def test_past_bins_looked_up_on_the_host_are_counted(configurations: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they once were: which bins are read, and whether each is known, looked up on the host in the forward pass."""
    read = CountReader.__call__

    def looked_up(self: CountReader, bins: Tensor, count: int) -> Tensor:
        return read(self, torch.zeros(bins.shape, dtype=bins.dtype).to(bins.device), count)

    monkeypatch.setattr(CountReader, "__call__", looked_up)
    counted = crossings_of(configurations["with history"])
    assert counted.found == ["aten._to_copy.default"] * (1 + SESSIONS)
    assert counted.waits == SESSIONS


@pytest.mark.parametrize(
    "spoil",
    [
        lambda x: x * torch.tensor([1.0, 1.0], device=x.device)[:, None, None, None],
        lambda x: x * torch.ones(2).to(x.device)[:, None, None, None],
        lambda x: x * torch.as_tensor([1.0, 1.0], device=x.device)[:, None, None, None],
    ],
    ids=["constant", "copy", "as_tensor"],
)
def test_a_planted_copy_in_a_part_is_counted(
    configurations: Any, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Tensor], Tensor]
) -> None:
    monkeypatch.setattr(LearnableTemporal, "forward", frontend_that(spoil))
    counted = crossings_of(configurations["baseline"])
    assert len(counted.found) == 2
    assert counted.waits == 1


def test_a_planted_item_is_refused(configurations: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LearnableTemporal, "forward", frontend_that(lambda x: x * x.mean().item()))
    with pytest.raises(RuntimeError, match="item"):
        crossings_of(configurations["baseline"])


def test_a_planted_constant_on_the_host_is_refused(configurations: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LearnableTemporal, "forward", frontend_that(lambda x: x * torch.ones(x.shape[-1])))
    with pytest.raises(RuntimeError, match="device"):
        crossings_of(configurations["baseline"])


def test_statistics_that_are_copied_at_every_step_are_counted(
    configurations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they once were: mean and deviation of behaviour, each session, each step."""

    def moments(self: WindowInputs) -> tuple[Tensor, Tensor]:
        told = self.statistics
        return tuple(torch.as_tensor(one, device=self.device) for one in (told.behavior_mean, told.behavior_std))  # type: ignore[return-value]

    monkeypatch.setattr(WindowInputs, "_moments", property(moments))
    assert len(crossings_of(configurations["baseline"]).found) == 1 + 2 * SESSIONS
