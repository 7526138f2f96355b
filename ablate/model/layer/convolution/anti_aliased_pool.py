"""Pools of a map, one frame at a time; the smallest map that covers the larger one: size / stride, rounded up.

aablur: blur [1 2 1] x [1 2 1] / 16 -> soft-pool 2x2 -> squeeze-and-excite gate.
    soft-pool  y = sum_i exp(x_i) x_i / sum_i exp(x_i)   over the window
    gate       y_c * sigmoid(W2 silu(W1 mean_hw y + b1) + b2)_c,   C -> C/r -> C, one a frame

Reference: Zhang 2019 (blur), Stergiou et al. 2021 (soft-pool), Hu et al. 2018 (gate); put together in VisionCore.
Differs in: edges are replicated, so that a stride of 1 keeps the size. Blur and gate give the same bits as timm's
`BlurPool2d` and `SqueezeExcite` (a test compares them), without the seconds that importing timm takes.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

PoolKind = Literal["aablur", "blur", "softpool", "avg", "max", "stride"]


class SpatialPool(nn.Module):
    """Frames `n c h w` to `n c h2 w2`. `se_ratio` 0 leaves the gate out.

    offset: how far the middle of a cell lies from cell `stride * i` of the input, in cells of the input.
    reach: how many cells beyond one a cell of the output sees, the gate left aside.
    """

    def __init__(self, kind: PoolKind, channels: int, stride: int, se_ratio: int):
        super().__init__()
        self.kind = kind
        self.stride = stride
        self.offset = 0.5 if kind in ("aablur", "softpool", "avg", "max") else 0.0
        blurs = kind in ("aablur", "blur")
        self.reach = 2 * blurs + round(2 * self.offset)
        self.blur: nn.Module = nn.Identity()
        self.gate: nn.Module = nn.Identity()
        if blurs:
            self.blur = Blur(channels)
        if se_ratio:
            self.gate = SqueezeExcite(channels, max(1, channels // se_ratio))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
        x = self.blur(x)
        if self.kind in ("blur", "stride"):
            return self.gate(x[..., :: self.stride, :: self.stride])
        corners = _corners(x, self.stride)
        if self.kind == "avg":
            return self.gate(corners.mean(0))
        if self.kind == "max":
            return self.gate(corners.amax(0))
        return self.gate((corners.float().softmax(0) * corners).sum(0).to(x.dtype))

    def middle(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
        """The plain mean of what each cell is pooled from, gate and blur aside: `x` where the pool's cells lie."""
        return _corners(x, self.stride).mean(0) if self.offset else x[..., :: self.stride, :: self.stride]


class Blur(nn.Module):
    """Each channel over [1 2 1] x [1 2 1] / 16."""

    taps: Float[Tensor, "c 1 3 3"]

    def __init__(self, channels: int):
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("taps", (line[:, None] * line).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), self.taps, groups=len(self.taps))


class SqueezeExcite(nn.Module):
    """Scales each channel of a frame by what the means of all say of it; weights are called as timm calls them."""

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.fc2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        hidden = F.silu(self.fc1(x.mean((2, 3), keepdim=True)), inplace=True)
        return x * self.fc2(hidden).sigmoid()


def _corners(x: Float[Tensor, "n c h w"], stride: int) -> Float[Tensor, "4 n c h2 w2"]:
    """The four cells of each 2x2 window, the last row and column repeated where a window reaches over the edge."""
    high, wide = (-(-size // stride) for size in x.shape[-2:])
    bottom, right = (
        max(0, (out - 1) * stride + 2 - size) for out, size in zip((high, wide), x.shape[-2:], strict=True)
    )
    if bottom or right:
        x = F.pad(x, (0, right, 0, bottom), mode="replicate")
    height, width = (high - 1) * stride + 1, (wide - 1) * stride + 1
    return torch.stack(
        [x[..., row : row + height : stride, col : col + width : stride] for row in (0, 1) for col in (0, 1)]
    )
