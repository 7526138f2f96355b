"""A kernel prepared once against torch's own convolution: values, both adjoints, and which way is taken."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from ablate.model.layer.convolution.prepared import Direct, OnCells, convolve, prepare
from ablate.model.layer.winograd.prepared import WinogradKernel

CASES = [  # way, channels in and out, kernel, rows and columns
    (OnCells, (5, 7), 3, (2, 2)),
    (OnCells, (5, 7), 3, (3, 2)),
    (OnCells, (3, 4), 5, (4, 5)),
    (OnCells, (3, 4), 1, (1, 1)),
    (WinogradKernel, (32, 96), 3, (4, 4)),
    (WinogradKernel, (33, 40), 5, (11, 9)),
    (Direct, (5, 7), 3, (4, 4)),
    (Direct, (64, 64), 1, (6, 5)),
]


@pytest.mark.parametrize(("way", "channels", "kernel", "size"), CASES)
def test_each_way_and_its_adjoints_are_those_of_the_direct_convolution(way, channels, kernel, size):
    """Tolerance: 1e-4 of each value and 2e-5 of the largest, which is what Winograd's tiles round to."""
    torch.manual_seed(0)
    x = torch.randn(24, channels[0], *size, requires_grad=True)
    weight = torch.randn(channels[1], channels[0], kernel, kernel, requires_grad=True)
    y = functional.conv2d(x, weight, padding=kernel // 2)
    grad = torch.randn_like(y)
    expected = (y, *torch.autograd.grad(y, (x, weight), grad))
    with torch.no_grad():
        prepared = prepare(weight, *size, rows=len(x))
        assert type(prepared) is way
        found = (prepared.apply(x), prepared.to_input(grad), prepared.to_weight(x, grad))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-5 * float(theirs.detach().abs().max()))


@pytest.mark.parametrize("bias", [True, False])
def test_a_whole_layer_on_few_cells_is_torchs_own_with_its_gradients(bias):
    conv, x = nn.Conv2d(4, 6, 3, padding=1, bias=bias), torch.randn(8, 4, 2, 3, requires_grad=True)
    found, expected = convolve(conv, x), conv(x)
    grad = torch.randn_like(expected)
    inputs = (x, *conv.parameters())
    pairs = zip(torch.autograd.grad(found, inputs, grad), torch.autograd.grad(expected, inputs, grad), strict=True)
    for ours, theirs in [(found, expected), *pairs]:
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
