"""bfloat16 autocast on the meta device gives the types that torch's own gives on a processor."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ablate.model.layer.autocasting import MetaAutocast
from ablate.model.layer.precision import full_precision

CALLS: dict[str, Callable[[Tensor], Tensor]] = {
    "a product": lambda x: x @ x.transpose(1, 2),
    "a linear map": lambda x: functional.linear(x, x.new_ones(5, 8)),
    "a convolution": lambda x: functional.conv1d(x, x.new_ones(5, 6, 3)),
    "an einsum": lambda x: torch.einsum("b s d, b s e -> b d e", x, x),
    "a sum of both": lambda x: x @ x.transpose(1, 2) + 1,
    "a gate": lambda x: functional.silu(x @ x.transpose(1, 2)),
    "single with half": lambda x: (x @ x.transpose(1, 2)) * x[:, :, :6],
    "whole numbers": lambda x: x.long() + 1,
}


@pytest.mark.parametrize("name", CALLS)
def test_types_are_those_of_autocast(name: str):
    with torch.autocast("cpu", torch.bfloat16):
        real = CALLS[name](torch.ones(2, 6, 8))
    with MetaAutocast():
        shape = CALLS[name](torch.ones(2, 6, 8, device="meta"))
    assert (shape.dtype, shape.shape) == (real.dtype, real.shape)


@pytest.mark.parametrize("call", [lambda x: functional.layer_norm(x, (2,)), lambda x: x.softmax(-1), Tensor.sum])
def test_norms_and_sums_are_single_as_on_a_card(call: Callable[[Tensor], Tensor]):
    x = torch.ones(2, 3, device="meta")
    with MetaAutocast():
        assert call(x @ x.T).dtype is torch.float32


def test_where_autocast_is_off_it_is_off_here_too():
    x = torch.ones(2, 3, device="meta")
    with MetaAutocast():
        with full_precision(x.device):
            assert (x @ x.T).dtype is torch.float32
        assert (x @ x.T).dtype is torch.bfloat16
    assert (x @ x.T).dtype is torch.float32


def test_a_weight_is_cast_once():
    layer, kept = nn.Linear(3, 3, bias=False, device="meta"), set()
    x = torch.ones(2, 3, device="meta", requires_grad=True) * 1
    hooks = torch.autograd.graph.saved_tensors_hooks(lambda one: kept.add(one.untyped_storage()._cdata) or one, id)
    with hooks, MetaAutocast():
        held = [layer(x), layer(x)]
    assert len(held) == 2
    assert len(kept) == 3  # the weight, and x both times
