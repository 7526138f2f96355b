"""What a CUDA device would refuse, found without one: every shipped variant runs on fake tensors that lie on `cuda`.

Fake tensors know shape, type and device and compute nothing, so full-size models cost only the calls. A tensor left on
the host, or a value read back in the middle of a step, is an error there as on a card. Not covered: the backward pass
and autocast, which need a driver, and the sums of a scorer, which are the host's. Variants that differ from an earlier
one in data amount or training alone are left out. Recipes of recordings are given one of noise, and weights that a
recipe downloads are drawn.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from ablate.contract import Batch, EncodingBatch
from ablate.data.recording import Recording, write_recording
from ablate.model.frontend.learnable_temporal import LearnableTemporal
from ablate.model.video.frame_encoder import FrameEncoder
from ablate.recipe import load_recipe
from ablate.recipe.schema import Configuration
from ablate.study.running.train import build_model, open_data
from ablate.study.setup.chosen import rehearse
from ablate.training.loss import count_entries, entry_nll, summed_loss
from ablate.variant import lay_out

RECIPES = Path(__file__).parents[2] / "recipes"
PLACES = {"retina": (1, 1), "v1_bars": (1, 16), "own_recording": (12, 12)}  # (h, w) of their recordings
WITHOUT_NETWORK = {"eeg_fusion": ["baseline.video.weights=random"]}
DEFAULT = ("vivit_fixes", "audit", "fusion_quickstart", "vit_vs_vivit")
"""All of the other recipes is run with the slow tests; what these lack, by default too."""
CARD, HOST = torch.device("cuda"), torch.device("cpu")


def shipped() -> Iterator[object]:
    for path in sorted(RECIPES.glob("*.yaml")):
        yield pytest.param(path, id=path.stem, marks=() if path.stem in DEFAULT else pytest.mark.slow)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fake tensors cannot do is done by its shapes."""
    monkeypatch.setattr(nn.GRU, "forward", shapes_of_gru)
    monkeypatch.setattr(FrameEncoder, "forward", every_frame)


@pytest.mark.timeout(1200)  # eeg_fusion draws the weights of 20 CLIP encoders: three minutes
@pytest.mark.parametrize("recipe", list(shipped()))
def test_every_variant_of_a_shipped_recipe_runs_on_a_card(card: None, recipe: Path, tmp_path: Path) -> None:
    refused = list(refusals(different_models(recipe, tmp_path)))
    assert not refused, "\n".join(refused)


def test_a_part_that_only_the_other_recipes_hold_runs_on_a_card(card: None, tmp_path: Path) -> None:
    """Of those, the first variant that holds it, so that no shipped part is left to the slow tests."""
    held = {part for name in DEFAULT for _, one in different_models(RECIPES / f"{name}.yaml") for part in parts(one)}
    chosen = []
    for recipe in sorted(RECIPES.glob("*.yaml")):
        for name, configuration in different_models(recipe, tmp_path):
            if new := parts(configuration) - held:
                chosen.append((f"{recipe.stem}, {name}", configuration))
                held |= new
    assert {"readout: pooled", "data: recordings", "video: timm"} <= held
    refused = list(refusals(chosen))
    assert not refused, "\n".join(refused)


def refusals(variants: Iterable[tuple[str, Configuration]]) -> Iterator[str]:
    """What a card refuses, of every variant and not only of the first."""
    for name, configuration in variants:
        try:
            run_on_card(configuration)
        except Exception as error:
            yield f"{name}: {type(error).__name__}: {error}"


def test_a_constant_left_on_the_host_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        return x * torch.ones(x.shape[-1])

    with pytest.raises(RuntimeError, match="on the same device"):
        run_quickstart_with(forward, monkeypatch)


def test_a_value_read_back_from_the_card_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(self: nn.Module, x: Tensor) -> Tensor:
        return x * x.mean().item()

    with pytest.raises(DataDependentOutputException):
        run_quickstart_with(forward, monkeypatch)


# ------------------------------------------------------------------ the card


def run_on_card(configuration: Configuration) -> None:
    """A training batch, its loss and penalty; a batch of the validation sweep in double precision."""
    dataset = open_data(configuration, HOST)
    model = build_model(configuration, dataset, 0, HOST)
    for module in model.modules():
        if isinstance(module, FrameEncoder):
            module.cached = False  # a look into the cache is a look at the disk
    with fake_card():
        move(model)
        data = dataset.to(CARD)
        batch = next(iter(data.train(seed=0, batch_size=configuration.training.micro_batch_size)))
        on_card(*tensors_of(batch))
        predictions = model(batch)
        on_card(*predictions, summed_loss(predictions, batch, data.spec.task) / count_entries(batch), model.penalty())
        model.eval()
        with torch.no_grad():
            batch = next(iter(data.sweep("validation", batch_size=4)))
            for prediction, target in zip(model(batch), batch.targets, strict=True):
                on_card(entry_nll(prediction, target, data.spec.task, torch.float64))


@contextmanager
def fake_card() -> Iterator[None]:
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield


def move(model: nn.Module) -> None:
    """`Module.to` swaps parameters in place, which fake tensors do not allow."""
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            module._parameters[name] = nn.Parameter(parameter.to(CARD), parameter.requires_grad)
        for name, buffer in module.named_buffers(recurse=False):
            module._buffers[name] = buffer.to(CARD)


def on_card(*tensors: Tensor) -> None:
    assert {tensor.device.type for tensor in tensors} == {"cuda"}


def tensors_of(batch: Batch) -> list[Tensor]:
    """What the model reads, and the targets."""
    targets = [tensor for target in batch.targets for tensor in (target.values, target.valid)]
    return [*targets, *(w.stimulus for w in batch.sessions)] if isinstance(batch, EncodingBatch) else targets


def shapes_of_gru(self: nn.GRU, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """torch's own GRU has no fake kernel for CUDA; its inputs and weights are looked at, its output has its shape."""
    on_card(x, *self.parameters())
    width = self.hidden_size * (2 if self.bidirectional else 1)
    return x.new_zeros(*x.shape[:-1], width), x.new_zeros(self.num_layers, x.shape[0], self.hidden_size)


def every_frame(self: FrameEncoder, frames: Tensor, mask: Tensor, keys: Tensor | None) -> Tensor:
    """The encoder of frames picks those that are there, which waits for the card once a batch and pays for it by the
    frames that need not be encoded. How many there are cannot be known of fake tensors: all are encoded."""
    on_card(frames, mask)
    return self._pass(frames.flatten(0, 2)).unflatten(0, mask.shape)


# ------------------------------------------------------------------ variants


def different_models(recipe: Path, made: Path | None = None) -> Iterator[tuple[str, Configuration]]:
    """made: a folder for the recordings of a recipe that ships none."""
    seen, overrides = set(), WITHOUT_NETWORK.get(recipe.stem, [])
    if places := PLACES.get(recipe.stem):
        assert made is not None
        overrides = [f"data.path={noise(made / recipe.stem, *places)}"]
    for variant in lay_out(load_recipe(recipe, overrides)).variants:
        configuration = rehearse(variant.configuration)
        data = configuration.data.model_dump_json(exclude={"fraction", "seed"})
        what = configuration.model.model_dump_json() + data
        if what not in seen:
            seen.add(what)
            yield variant.name, configuration


def noise(folder: Path, height: int, width: int) -> Path:
    """A folder with one recording of noise in it, if it is not there yet."""
    if not folder.exists():
        random, frames = np.random.default_rng(0), 6000
        stimulus = random.integers(0, 256, (frames, height, width), dtype=np.uint8)
        spikes = random.poisson(0.2, (frames, 3)).astype(np.uint8)
        write_recording(folder / "noise", Recording("noise", 100.0, stimulus, spikes))
    return folder


def parts(configuration: Configuration) -> set[str]:
    """`section: type` of data, model and every part of it."""
    return {*types_in("data", configuration.data.model_dump()), *types_in("model", configuration.model.model_dump())}


def types_in(section: str, options: dict[str, Any]) -> Iterator[str]:
    if "type" in options:
        yield f"{section}: {options['type']}"
    for name, value in options.items():
        if isinstance(value, dict):
            yield from types_in(name, value)


def run_quickstart_with(forward: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quickstart's baseline with a part whose forward has a fault."""
    configuration = dict(different_models(RECIPES / "quickstart.yaml"))["baseline"]
    monkeypatch.setattr(LearnableTemporal, "forward", forward)
    run_on_card(configuration)
