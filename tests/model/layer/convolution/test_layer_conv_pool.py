"""Causal convolution, pools and norms against hand loops and PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F
from timm.layers import BlurPool2d
from timm.layers import SqueezeExcite as TimmSqueezeExcite
from torch import nn

from ablate.model.layer.convolution.anti_aliased_pool import Blur, SpatialPool, SqueezeExcite
from ablate.model.layer.convolution.causal_conv import CausalConv3d, newest_phase, replicate_pad
from ablate.model.layer.convolution.channel_norm import ChannelRmsNorm


@pytest.mark.parametrize("frames", [1, 2, 5, 6, 9])
@pytest.mark.parametrize("stride", [(1, 1, 1), (2, 2, 2), (4, 1, 2)])
@pytest.mark.parametrize("dilation", [(1, 1, 1), (2, 2, 2)])
def test_the_causal_convolution_is_conv3d_on_a_padded_window(
    frames: int, stride: tuple[int, int, int], dilation: tuple[int, int, int]
) -> None:
    torch.manual_seed(0)
    conv = CausalConv3d(3, 4, (3, 5, 5), stride, dilation)
    x = torch.randn(2, 3, frames, 13, 11)
    edge = (4 * dilation[2] // 2, 4 * dilation[2] // 2, 4 * dilation[1] // 2, 4 * dilation[1] // 2, 0, 0)
    padded = F.pad(F.pad(x, edge, mode="replicate"), (0, 0, 0, 0, 2 * dilation[0], 0))
    every_frame = F.conv3d(padded, conv.conv.weight, stride=(1, stride[1], stride[2]), dilation=dilation)
    expected = every_frame[:, :, newest_phase(frames, stride[0]) :: stride[0]]
    torch.testing.assert_close(conv(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 2, 7, 8])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_path_of_other_devices_gives_the_same_numbers(frames: int, stride: int) -> None:
    torch.manual_seed(0)
    conv = CausalConv3d(3, 4, (3, 3, 3), (stride, 2, 2), (2, 1, 1))
    x = torch.randn(2, 3, frames, 9, 9)
    padded = replicate_pad(x, (1, 1, 1, 1))
    torch.testing.assert_close(conv.by_taps(padded), conv.in_one(padded), rtol=1e-4, atol=1e-5)


def test_replicate_padding_is_that_of_pytorch() -> None:
    x = torch.randn(2, 3, 4, 5, 6)
    expected = F.pad(x, (2, 1, 3, 0, 0, 0), mode="replicate")
    assert torch.equal(replicate_pad(x, (2, 1, 3, 0)), expected)


def aablur_by_hand(x: torch.Tensor, stride: int) -> torch.Tensor:
    """One map, cell by cell: blur, then the exp-weighted mean of 2 x 2 cells."""
    high, wide = x.shape

    def at(values: torch.Tensor, row: int, col: int) -> torch.Tensor:
        return values[min(max(row, 0), high - 1), min(max(col, 0), wide - 1)]

    taps = (1, 2, 1)
    blurred = torch.zeros_like(x)
    for row in range(high):
        for col in range(wide):
            for i, down in enumerate(taps):
                for j, across in enumerate(taps):
                    blurred[row, col] += down * across / 16 * at(x, row + i - 1, col + j - 1)
    out = torch.zeros(-(-high // stride), -(-wide // stride))
    for row in range(out.shape[0]):
        for col in range(out.shape[1]):
            window = torch.stack([at(blurred, row * stride + i, col * stride + j) for i in (0, 1) for j in (0, 1)])
            out[row, col] = (window.exp() * window).sum() / window.exp().sum()
    return out


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(6, 6), (5, 7)])
def test_aablur_is_a_blur_then_a_soft_pool(stride: int, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    pooled = SpatialPool("aablur", 3, stride, se_ratio=0)(x)
    for frame in range(2):
        for channel in range(3):
            torch.testing.assert_close(pooled[frame, channel], aablur_by_hand(x[frame, channel], stride))


def test_the_gate_is_squeeze_and_excite() -> None:
    pool = SpatialPool("aablur", 16, 2, se_ratio=8)
    bare = SpatialPool("aablur", 16, 2, se_ratio=0)
    x = torch.randn(3, 16, 6, 6)
    y = bare(x)
    first, second = pool.gate.fc1, pool.gate.fc2
    hidden = F.silu(y.mean((2, 3)) @ first.weight.flatten(1).T + first.bias)
    gate = torch.sigmoid(hidden @ second.weight.flatten(1).T + second.bias)
    torch.testing.assert_close(pool(x), y * gate[:, :, None, None])


LIKE_TIMM = {
    "blur": (lambda: Blur(5), lambda: BlurPool2d(5, 3, stride=1, pad_mode="replicate")),
    "gate": (lambda: SqueezeExcite(5, 2), lambda: TimmSqueezeExcite(5, rd_channels=2, act_layer=nn.SiLU)),
}


@pytest.mark.parametrize("name", LIKE_TIMM)
def test_blur_and_gate_are_timms_to_the_last_bit(name: str) -> None:
    found = []
    for make in LIKE_TIMM[name]:
        torch.manual_seed(3)
        module = make()
        torch.manual_seed(4)
        x = torch.randn(3, 5, 7, 6, requires_grad=True)
        y = module(x)
        y.square().sum().backward()
        found.append((module.state_dict(), [y, x.grad, *(p.grad for p in module.parameters())]))
    (weights, values), (their_weights, their_values) = found
    assert list(weights) == list(their_weights)
    assert all(torch.equal(weights[key], their_weights[key]) for key in weights)
    assert all(torch.equal(one, other) for one, other in zip(values, their_values, strict=True))


@pytest.mark.parametrize("kind", ["aablur", "blur", "softpool", "avg", "max", "stride"])
@pytest.mark.parametrize(("size", "stride", "out"), [(26, 2, 13), (13, 1, 13), (13, 2, 7)])
def test_every_pool_covers_the_map(kind: str, size: int, stride: int, out: int) -> None:
    assert SpatialPool(kind, 4, stride, 0)(torch.randn(2, 4, size, size)).shape == (2, 4, out, out)


def test_plain_pools_are_those_of_pytorch() -> None:
    x = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(SpatialPool("avg", 4, 2, 0)(x), F.avg_pool2d(x, 2))
    torch.testing.assert_close(SpatialPool("max", 4, 2, 0)(x), F.max_pool2d(x, 2))


def test_a_soft_pool_of_huge_activations_stays_finite() -> None:
    assert SpatialPool("softpool", 1, 2, 0)(torch.full((1, 1, 4, 4), 1e4)).isfinite().all()


def test_the_channel_norm_is_rms_norm_with_a_bias() -> None:
    torch.manual_seed(0)
    norm = ChannelRmsNorm(6)
    torch.nn.init.normal_(norm.gain)
    torch.nn.init.normal_(norm.bias)
    x = torch.randn(2, 6, 3, 4, 5)
    expected = F.rms_norm(x.movedim(1, -1), (6,), norm.gain, 1e-6) + norm.bias
    torch.testing.assert_close(norm(x), expected.movedim(-1, 1))
