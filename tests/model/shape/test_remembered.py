"""What is remembered of operations gives the forms that torch gives; what shares or changes tensors is left alone."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from ablate.contract import EncodingSpec, SessionSpec
from ablate.model import cost
from ablate.model.encoder import EncoderConfig
from ablate.model.glm import GlmConfig
from ablate.model.shape import remembered
from ablate.model.shape.remembered import Remembered

SPEC = EncodingSpec(sessions=(SessionSpec("one", 13, 11, 3, 2, 120.0, (0.1,) * 3),), window=24, score_every=8, warmup=8)
MODELS = {
    "vivit": EncoderConfig.model_validate({"type": "encoder"}),
    "resnet": EncoderConfig.model_validate({"type": "encoder", "core": {"type": "resnet"}}),
    "hybrid": EncoderConfig.model_validate({"type": "encoder", "core": {"type": "hybrid_cnn_transformer"}}),
    "glm": GlmConfig(),
}

CALLS: dict[str, Callable[[Tensor], object]] = {
    "a sum over one axis": lambda x: x.sum(1),
    "a sum over another": lambda x: x.sum(2),
    "times a whole number": lambda x: x.long() * 1,
    "times a truth": lambda x: x.long() * True,
    "times a number": lambda x: x.long() * 1.0,
    "channels last": lambda x: x.to(memory_format=torch.channels_last) + 1,
    "of another type": lambda x: x.double() + 1,
    "compared": lambda x: x > 0,
    "broadcast": lambda x: x + x[:, :1],
    "joined": lambda x: torch.cat([x, x], 1),
    "joined otherwise": lambda x: torch.cat([x, x, x], 1),
    "several results": lambda x: torch.var_mean(x, (2, 3)),
    "some results": lambda x: torch.max(x, 1),
    "convolved": lambda x: functional.conv2d(x, x.new_ones(5, 4, 3, 3), stride=2),
    "normed": lambda x: functional.group_norm(x, 2),
    "a view": lambda x: x.transpose(1, 2)[:, ::2].softmax(1),
    "a view that shares": lambda x: x.flatten(1),
}


def test_forms_are_those_of_real_tensors_also_the_second_time():
    here, nowhere = torch.zeros(2, 4, 6, 8), torch.zeros(2, 4, 6, 8, device="meta")
    for _ in range(2):
        for name, call in CALLS.items():
            with Remembered():
                found = call(nowhere)
            assert forms(found) == forms(call(here)), name


def test_what_is_remembered_is_not_asked_again():
    x, asked = torch.zeros(3, 7, device="meta"), Asked()
    with asked, Remembered():  # who was entered last is asked first
        for _ in range(5):
            functional.gelu(x + 0.125)
    assert asked.names.count("aten::gelu") == asked.names.count("aten::add") == 1


def test_what_shares_or_changes_a_tensor_still_does():
    x = torch.zeros(3, 7, device="meta")
    with Remembered():
        for _ in range(2):
            for shared in (x.view(21), x.t(), x[1:], x.detach(), x.add_(1)):
                assert shared.untyped_storage()._cdata == x.untyped_storage()._cdata
            assert (x + 1).untyped_storage()._cdata != x.untyped_storage()._cdata


def test_gradients_reach_what_they_reach():
    weight = torch.zeros(7, 5, device="meta", requires_grad=True)
    with Remembered():
        for _ in range(2):
            (torch.zeros(3, 7, device="meta") @ weight).relu().sum().backward()
    assert weight.grad is not None
    assert weight.grad.shape == weight.shape


def test_nothing_is_drawn_where_there_are_no_numbers():
    x, real = torch.zeros(4, device="meta"), torch.zeros(4)
    asked = Asked()
    with asked, Remembered():
        assert x.normal_() is x
        assert x.clamp_(max=torch.ones(4, device="meta")) is x  # whose shape has to fit
        real.fill_(2)
    assert real.tolist() == [2] * 4
    assert "aten::normal_" not in asked.names
    assert "aten::clamp_" in asked.names


def test_real_numbers_are_worked_out():
    with Remembered():
        assert [(torch.tensor([value]) * 2).item() for value in (1, 2, 3)] == [2, 4, 6]


@pytest.mark.parametrize("name", MODELS)
def test_a_description_is_the_same_without_and_once_all_is_remembered(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remembered, "_known", {})
    described = [cost._describe(MODELS[name], SPEC) for _ in range(2)]
    assert remembered._known
    monkeypatch.setattr(cost, "Remembered", nullcontext)
    assert described == [cost._describe(MODELS[name], SPEC)] * 2


class Asked(TorchDispatchMode):
    """Notes which operations come through."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func._schema.name)
        return func(*args, **(kwargs or {}))


def forms(result: object) -> object:
    if isinstance(result, Tensor):
        return tuple(result.shape), result.stride(), result.dtype
    return [forms(one) for one in result]
