"""What activation checkpointing leaves as it was, to the last bit, and what it saves."""

import functools
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ablate.contract import FeatureMap, Model, Recomputing, recompute
from ablate.model.core.frame_vit import FrameViTConfig
from ablate.model.core.hybrid_cnn_transformer import HybridCnnTransformerConfig
from ablate.model.core.resnet import ResNetConfig
from ablate.model.core.vivit import ViViTConfig

GRID = FeatureMap.of_grid(2, 12, 14)
TOKENS = {"embedding_dim": 8, "num_heads": 2, "head_dim": 4, "ff_dim": 8, "dropout": 0.3, "drop_path": 0.3}
CORES = {
    "vivit": ViViTConfig.model_validate(
        {**TOKENS, "tokenizer": {"kernel_size": (2, 4, 4), "stride": (2, 4, 4)}, "num_spatial_blocks": 2}
    ),
    "resnet": ResNetConfig(channels=(4, 4, 8), squeeze_excite=(2, 2)),
    "winograd": ResNetConfig(channels=(32, 32, 32), squeeze_excite=(2, 2)),
    "hybrid": HybridCnnTransformerConfig.model_validate({**TOKENS, "channels": (4, 4, 8), "squeeze_excite": (2, 2)}),
    "frame_vit": FrameViTConfig.model_validate({**TOKENS, "num_spatial_blocks": 2}),
}


class Whole(Model):
    """A model that is a core alone."""

    def __init__(self, core: nn.Module):
        super().__init__()
        self.core = core

    def forward(self, batch: Any) -> tuple[Tensor, ...]:
        return (self.core(batch),)


def trained(name: str, *, recomputes: bool, precision: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Gradients of a step, what was given, and the random number that would be drawn next."""
    torch.manual_seed(0)
    model = Whole(CORES[name].build(GRID)).train()
    if recomputes:
        assert model.recompute() > 0
    video = torch.randn(2, 2, 12, 12, 14, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision is torch.bfloat16):
        (out,) = model(video)
    out.float().square().sum().backward()
    found = {parameter_name: one.grad for parameter_name, one in model.named_parameters()}
    return {**found, "video": video.grad, "out": out.detach(), "next": torch.rand(3)}  # type: ignore[dict-item]


def kept_bytes(model: Model, video: Tensor, monkeypatch: pytest.MonkeyPatch) -> int:
    """Of all that is kept between the passes, inputs of pieces too, parameters left out: each storage once."""
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    def noted(piece: Any, *inputs: Tensor | None, use_reentrant: bool) -> Any:
        for one in inputs:
            if one is not None:
                pack(one)
        return checkpoint(piece, *inputs, use_reentrant=use_reentrant)

    monkeypatch.setattr(recompute, "checkpoint", noted)
    parameters = {one.untyped_storage().data_ptr() for one in model.parameters()}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model(video)
    return sum(size for place, size in storages.items() if place not in parameters)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("name", CORES)
def test_gradients_and_the_next_random_number_have_the_same_bits(name, precision):
    plain, again = (trained(name, recomputes=one, precision=precision) for one in (False, True))
    assert plain.keys() == again.keys()
    assert [part for part in plain if not torch.equal(plain[part], again[part])] == []


@pytest.mark.parametrize("name", ["vivit", "hybrid"])
def test_a_pass_that_draws_other_numbers_the_second_time_is_caught(name, monkeypatch):
    """Planted: dropout's random numbers are not drawn again as they were."""
    monkeypatch.setattr(recompute, "checkpoint", functools.partial(checkpoint, preserve_rng_state=False))
    plain, again = (trained(name, recomputes=one) for one in (False, True))
    assert [part for part in plain if not torch.equal(plain[part], again[part])] != []


@pytest.mark.parametrize("name", CORES)
def test_less_is_kept_for_the_backward_pass(name, monkeypatch):
    video, kept = torch.randn(2, 2, 12, 12, 14), []
    for recomputes in (False, True):
        torch.manual_seed(0)
        model = Whole(CORES[name].build(GRID)).train()
        if recomputes:
            model.recompute()
        kept.append(kept_bytes(model, video, monkeypatch))
    assert kept[1] < 0.6 * kept[0]


def test_in_an_evaluation_nothing_is_kept_and_nothing_computed_again():
    class Piece(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return x.sin()

    holder, piece = Recomputing(), Piece()
    holder.recomputes = True
    with torch.no_grad():
        holder.through(piece, torch.ones(2, requires_grad=True))
    assert piece.calls == 1
    holder.through(piece, torch.ones(2, requires_grad=True)).sum().backward()
    assert piece.calls == 3


def test_a_model_without_such_pieces_has_none():
    assert Whole(nn.Linear(2, 2)).recompute() == 0
