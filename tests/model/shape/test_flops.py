"""FLOPs against torch's own counter."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

from ablate.model.shape.flops import Flops


def attended(x: Tensor) -> Tensor:
    heads = x.reshape(2, 4, 6, 6)
    with sdpa_kernel(SDPBackend.MATH):
        return scaled_dot_product_attention(heads, heads, heads, is_causal=True)


MODULES = {
    "linear": nn.Linear(12, 5),
    "linear without bias": nn.Linear(12, 5, bias=False),
    "convolution": nn.Conv1d(2, 6, 5, stride=2, padding=2),
    "grouped": nn.Conv1d(2, 6, 3, groups=2, dilation=2),
    "transposed": nn.ConvTranspose1d(2, 6, 3, stride=2),
    "recurrent": nn.GRU(12, 7),
    "batched": lambda x: torch.bmm(x, x.mT),
    "added": lambda x: torch.baddbmm(x.new_ones(2, 1, 1), x, x.mT),
    "einsum": lambda x: torch.einsum("a b c, d c -> a d b", x, x[0]),
    "attention": attended,
    "no product": lambda x: x * x + x.exp(),
}
INPUTS = {"attention": (2, 4, 36), "convolution": (3, 2, 17), "grouped": (3, 2, 17), "transposed": (3, 2, 17)}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("name", MODULES)
def test_as_many_as_torch_counts(name: str, device: str):
    module = MODULES[name]
    if isinstance(module, nn.Module):
        module = module.to_empty(device=device)
    x = torch.zeros(INPUTS.get(name, (2, 9, 12)), device=device)
    with Flops() as ours:
        module(x)
    with FlopCounterMode(display=False) as theirs:
        module(x)
    assert ours.total == theirs.get_total_flops()
    assert (ours.total == 0) == (name == "no product")


def test_passes_are_added_up():
    layer, x = nn.Linear(3, 4), torch.zeros(5, 3)
    with Flops() as counted:
        layer(x)
        assert counted.total == 2 * 5 * 3 * 4
        layer(x)
    layer(x)
    assert counted.total == 4 * 5 * 3 * 4
