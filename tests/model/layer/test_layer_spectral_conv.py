"""The convolution by tiles against PyTorch's own, its gradients, its causality, and where it is used."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from ablate.model.layer.causal_conv import CausalConv3d
from ablate.model.layer.spectral_conv import Tiling, choose_tiling, spectral_conv, spectral_pays

SIZES = [
    ((3, 5, 5), (1, 1, 1), (3, 30, 30)),  # two tiles a side
    ((3, 3, 3), (2, 2, 2), (5, 17, 17)),  # dilated, one tile
    ((2, 3, 3), (1, 1, 1), (2, 9, 14)),  # not square
    ((1, 5, 5), (1, 1, 1), (1, 27, 21)),  # tiles reach over the edge
    ((4, 3, 3), (3, 1, 1), (2, 6, 6)),  # most taps lie before the window
    ((1, 4, 4), (1, 1, 1), (2, 10, 10)),  # even kernel
]


def direct(x: torch.Tensor, weight: torch.Tensor, dilation: tuple[int, int, int]) -> torch.Tensor:
    before = (weight.shape[2] - 1) * dilation[0]
    return F.conv3d(F.pad(x, (0, 0, 0, 0, before, 0)), weight, dilation=dilation)


@pytest.mark.parametrize(("kernel", "dilation", "size"), SIZES)
def test_values_and_gradients_are_those_of_the_direct_convolution(kernel: Any, dilation: Any, size: Any) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, *size)
    weight = torch.randn(7, 5, *kernel)
    found, expected = [], []
    for results, function in ((found, spectral_conv), (expected, direct)):
        inputs = (x.clone().requires_grad_(), weight.clone().requires_grad_())
        out = function(*inputs, dilation)
        torch.manual_seed(1)
        results += [out, *torch.autograd.grad((out * torch.randn(out.shape)).sum(), inputs)]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-5 * float(theirs.detach().abs().max()))


def test_a_future_frame_never_changes_a_past_step_to_the_last_bit() -> None:
    x, weight = torch.randn(2, 32, 6, 30, 30), torch.randn(32, 32, 3, 5, 5)
    changed = x.clone()
    changed[:, :, 4:] = 1e6
    before, after = spectral_conv(x, weight, (1, 1, 1)), spectral_conv(changed, weight, (1, 1, 1))
    assert torch.equal(before[:, :, :4], after[:, :, :4])


def test_the_resnets_second_stage_takes_it_and_gives_the_same_numbers() -> None:
    torch.manual_seed(0)
    conv = CausalConv3d(32, 32, (3, 5, 5))
    x = torch.randn(1, 32, 3, 26, 26)
    padded = F.pad(x, (2, 2, 2, 2, 0, 0), mode="replicate")
    assert spectral_pays(padded, conv.conv.weight, (1, 1))
    torch.testing.assert_close(conv(x), conv.in_one(padded), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "weight", "why"),
    [
        ((1, 4, 3, 30, 30), (32, 4, 3, 5, 5), "too few channels"),
        ((1, 32, 3, 17, 17), (32, 32, 3, 3, 3), "a small kernel saves too little"),
        ((4000, 128, 100, 30, 30), (128, 128, 3, 5, 5), "a spectrum too large to keep"),
        ((1, 32, 3, 30, 30), (32, 32, 3, 5, 3), "a kernel that is not square"),
    ],
)
def test_where_it_does_not_pay_it_is_left_alone(shape: tuple[int, ...], weight: tuple[int, ...], why: str) -> None:
    x = torch.zeros(1).expand(shape)
    assert not spectral_pays(x, torch.zeros(1).expand(weight), (1, 1)), why


def test_other_devices_and_lower_precision_are_left_to_pytorch() -> None:
    weight = torch.empty(32, 32, 3, 5, 5, device="meta")
    assert not spectral_pays(torch.empty(1, 32, 3, 30, 30, device="meta"), weight, (1, 1))
    assert not spectral_pays(torch.zeros(1, 32, 3, 30, 30, dtype=torch.float64), weight, (1, 1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not spectral_pays(torch.zeros(1, 32, 3, 30, 30), weight, (1, 1))


def test_the_cheapest_tiling_is_chosen() -> None:
    assert choose_tiling(26, 26, 4) == Tiling((2, 2), size=17, valid=13)
    assert choose_tiling(13, 13, 4) == Tiling((1, 1), size=17, valid=13)
