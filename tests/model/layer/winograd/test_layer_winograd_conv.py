"""The convolution by Winograd's tiles against PyTorch's own, its gradients, its causality, and where it is used."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ablate.model.layer.convolution.causal_conv import CausalConv3d, replicate_pad
from ablate.model.layer.winograd.convolve import convolve, winograd_conv, winograd_pays
from ablate.model.layer.winograd.tiling import Tiling, choose_tiling

SIZES = [
    ((3, 5, 5), (1, 1, 1), (3, 30, 30)),  # many tiles a side
    ((3, 3, 3), (2, 2, 2), (5, 17, 17)),  # dilated: four phases of the map
    ((2, 3, 3), (1, 3, 3), (2, 11, 19)),  # nine phases of unequal size
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
    for results, function in ((found, winograd_conv), (expected, direct)):
        inputs = (x.clone().requires_grad_(), weight.clone().requires_grad_())
        out = function(*inputs, dilation)
        torch.manual_seed(1)
        results += [out, *torch.autograd.grad((out * torch.randn(out.shape)).sum(), inputs)]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-5 * float(theirs.detach().abs().max()))


def padded_before(x: torch.Tensor, weight: torch.Tensor, dilation: tuple[int, int, int]) -> torch.Tensor:
    """Copies of the edge are put around the map first, and the tiles are cut from that."""
    reach = (weight.shape[3] - 1) * dilation[1]
    pad = (reach // 2, reach - reach // 2)
    return winograd_conv(replicate_pad(x, (*pad, *pad)), weight, dilation)


@pytest.mark.parametrize(("kernel", "dilation", "size"), SIZES)
def test_a_maps_edge_is_gathered_with_its_tiles_and_changes_no_bit(kernel: Any, dilation: Any, size: Any) -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(2, 5, *size).to(memory_format=torch.channels_last_3d), torch.randn(7, 5, *kernel)
    found = []
    for function in (padded_before, lambda *given: winograd_conv(*given, edge=True)):
        inputs = (x.clone().requires_grad_(), weight.clone().requires_grad_())
        out = function(*inputs, dilation)
        torch.manual_seed(1)
        found.append([out, *torch.autograd.grad((out * torch.randn(out.shape)).sum(), inputs)])
    assert all(torch.equal(before, now) for before, now in zip(*found, strict=True))


@pytest.mark.parametrize("taps", [3, 4, 5, 6])
def test_rounding_stays_below_a_hundred_thousandth(taps: int) -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(2, 64, 1, 25, 25), torch.randn(64, 64, 1, taps, taps)
    exact = direct(x.double(), weight.double(), (1, 1, 1))
    error = (winograd_conv(x, weight) - exact).square().mean().sqrt() / exact.square().mean().sqrt()
    assert 1e-8 < error < 1e-5


def test_a_future_frame_never_changes_a_past_step_to_the_last_bit() -> None:
    x, weight = torch.randn(2, 32, 6, 30, 30), torch.randn(32, 32, 3, 5, 5)
    changed = x.clone()
    changed[:, :, 4:] = 1e6
    before, after = winograd_conv(x, weight), winograd_conv(changed, weight)
    assert torch.equal(before[:, :, :4], after[:, :, :4])


@pytest.mark.parametrize(("kernel", "dilation", "size"), [((3, 5, 5), (1, 1, 1), 26), ((3, 3, 3), (2, 2, 2), 13)])
def test_the_resnets_later_stages_take_it_and_give_the_same_numbers(kernel: Any, dilation: Any, size: int) -> None:
    torch.manual_seed(0)
    conv = CausalConv3d(64, 64, kernel, dilation=dilation)
    x = torch.randn(4, 64, 3, size, size)
    assert winograd_pays((4, 3, size, size), x, conv.conv.weight, dilation[1:])
    reach = conv.reach[1] // 2
    padded = F.pad(x, (reach, reach, reach, reach, 0, 0), mode="replicate")
    torch.testing.assert_close(conv(x), conv.in_one(padded), rtol=1e-3, atol=5e-5)


def test_a_convolution_with_zeros_around_the_map_and_a_bias_gives_the_same_numbers() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(64, 96, 3, padding=1)
    x = torch.randn(16, 64, 12, 12)
    assert winograd_pays((16, 1, 12, 12), x, conv.weight[:, :, None], (1, 1))
    torch.testing.assert_close(convolve(conv, x), conv(x), rtol=1e-3, atol=5e-5)


@pytest.mark.parametrize(
    ("shape", "weight", "why"),
    [
        ((8, 3, 26, 26), (32, 4, 3, 5, 5), "too few channels"),
        ((1, 1, 12, 12), (64, 64, 3, 3, 3), "one frame does not pay for the kernel's transform"),
        ((8, 3, 26, 26), (64, 64, 3, 1, 1), "nothing to save"),
        ((8, 3, 26, 26), (64, 64, 3, 7, 7), "too many points for float32"),
        ((4000, 100, 26, 26), (128, 128, 3, 5, 5), "a transform too large to keep"),
        ((8, 3, 26, 26), (64, 64, 3, 5, 3), "a kernel that is not square"),
    ],
)
def test_where_it_does_not_pay_it_is_left_alone(shape: tuple[int, ...], weight: tuple[int, ...], why: str) -> None:
    assert not winograd_pays(shape, torch.zeros(1), torch.zeros(1).expand(weight), (1, 1)), why


def test_other_devices_and_lower_precision_are_left_to_pytorch() -> None:
    shape, weight = (8, 3, 26, 26), torch.empty(64, 64, 3, 5, 5, device="meta")
    assert winograd_pays(shape, torch.zeros(1), weight, (1, 1))
    assert not winograd_pays(shape, torch.empty(1, device="meta"), weight, (1, 1))
    assert not winograd_pays(shape, torch.zeros(1, dtype=torch.float64), weight, (1, 1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not winograd_pays(shape, torch.zeros(1), weight, (1, 1))


def test_the_cheapest_tiling_is_chosen() -> None:
    assert choose_tiling(26, 26, 5) == Tiling((7, 7), valid=4, taps=5)
    assert choose_tiling(13, 13, 3) == Tiling((3, 3), valid=5, taps=3)
    assert choose_tiling(13, 13, 3, 2) == Tiling((2, 2), valid=4, taps=3, dilation=2)
