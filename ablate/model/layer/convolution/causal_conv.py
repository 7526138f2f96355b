"""3-D convolution that is causal in time and keeps the size in space: y[j] sees frames up to its own, never later.

Outputs end at frames t-1, t-1-stride, ... whatever t is, so that the newest output always stands at the newest frame.
In time the window is preceded by zeros; in space the edge is replicated, since zeros would draw a frame around a movie.
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ablate.model.layer.winograd.convolve import winograd_conv, winograd_pays

Size3 = tuple[int, int, int]
FEWEST_CHANNELS = 16  # below it the taps of a CPU's convolution are stacked, since each alone is too thin to be fast


class CausalConv3d(nn.Module):
    """Video `b c t h w` to `b d t2 h2 w2`, each axis divided by its stride, rounded up; no bias."""

    def __init__(
        self, channels: int, out_channels: int, kernel: Size3, stride: Size3 = (1, 1, 1), dilation: Size3 = (1, 1, 1)
    ):
        super().__init__()
        self.conv = nn.Conv3d(channels, out_channels, kernel, stride, dilation=dilation, bias=False)
        self.kernel, self.stride, self.dilation = kernel, stride, dilation
        self.reach = tuple((size - 1) * step for size, step in zip(kernel, dilation, strict=True))

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        _, high, wide = self.reach
        shape = (x.shape[0], *x.shape[2:])
        if self.stride == (1, 1, 1) and winograd_pays(shape, x, self.conv.weight, self.dilation[1:]):
            return winograd_conv(x, self.conv.weight, self.dilation, edge=True)
        padded = replicate_pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2))
        if x.device.type != "cpu":
            return self.in_one(padded)
        return self.by_stack(padded) if x.shape[1] < FEWEST_CHANNELS else self.by_taps(padded)

    def in_one(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        """One 3-D convolution, zeros before the window."""
        missing = self.reach[0] - newest_phase(x.shape[2], self.stride[0])
        return self.conv(F.pad(x, (0, 0, 0, 0, missing, 0)))  # a negative number crops the oldest frames

    def by_stack(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        """The same numbers as one 2-D convolution of the frames of all taps, stacked as channels."""
        batch, _, frames, *_ = x.shape
        x = F.pad(x, (0, 0, 0, 0, self.reach[0], 0))
        first = newest_phase(frames, self.stride[0])
        starts = [first + tap * self.dilation[0] for tap in range(self.kernel[0])]
        last = self.reach[0] - (self.kernel[0] - 1) * self.dilation[0] + frames - 1
        taps = [x[:, :, start : last + start - first + 1 : self.stride[0]] for start in starts]
        stacked = rearrange(taps, "k b c t h w -> (b t) h w (k c)").movedim(-1, 1)  # channels innermost in memory
        weight = rearrange(self.conv.weight, "d c k h w -> d (k c) h w")
        y = F.conv2d(stacked, weight, None, self.stride[1:], 0, self.dilation[1:])
        return rearrange(y, "(b t) d h w -> b d t h w", b=batch)

    def by_taps(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        """The same numbers as a sum over time taps of 2-D convolutions, taps on the zeros before the window left out.

        On a CPU this is faster than the 3-D convolution, the more so the shorter the window: over 5 frames a
        kernel of 3 with dilation 2 touches zeros in 6 of its 15 products.
        """
        _, *stride = self.stride
        _, *dilation = self.dilation
        batch, newest = x.shape[0], range(newest_phase(x.shape[2], self.stride[0]), x.shape[2], self.stride[0])
        total = None
        for tap in range(self.kernel[0]):
            delay = (self.kernel[0] - 1 - tap) * self.dilation[0]
            skipped = sum(frame < delay for frame in newest)  # output steps for which this tap lies before the window
            if skipped == len(newest):
                continue
            frames = x[:, :, newest[skipped] - delay : newest[-1] - delay + 1 : self.stride[0]]
            y = F.conv2d(
                rearrange(frames, "b c t h w -> (b t) c h w"), self.conv.weight[:, :, tap], None, stride, 0, dilation
            )
            y = F.pad(rearrange(y, "(b t) d h w -> b d t h w", b=batch), (0, 0, 0, 0, skipped, 0))
            total = y if total is None else total + y
        assert total is not None  # the newest tap never lies before the window
        return total


def newest_phase(frames: int, stride: int) -> int:
    """Index of the first frame of every `stride`-th one, counted so that the newest frame is among them."""
    return (frames - 1) % stride


def replicate_pad(x: Float[Tensor, "b c t h w"], pad: tuple[int, int, int, int]) -> Float[Tensor, "b c t h2 w2"]:
    """Repeats the edge (left, right, top, bottom); by concatenation, which keeps the memory format."""
    left, right, top, bottom = pad
    if left or right:
        x = torch.cat([x[..., :1].expand(*x.shape[:-1], left), x, x[..., -1:].expand(*x.shape[:-1], right)], dim=-1)
    if top or bottom:
        first, last = x[..., :1, :], x[..., -1:, :]
        rows = [first.expand(*x.shape[:-2], top, -1), x, last.expand(*x.shape[:-2], bottom, -1)]
        x = torch.cat(rows, dim=-2)
    return x
