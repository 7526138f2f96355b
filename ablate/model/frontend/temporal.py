"""A short convolution over time at every pixel, as matrix products: shared by the frontends of this folder.

    out[c2, t] = sum_c sum_n K[c2, c, n] video[c, t - (taps - 1) + n]

Time is cut into blocks of `BLOCK` frames; each block of outputs is one banded (Toeplitz) matrix times the block and
the taps - 1 frames before it. A convolution kernel of few channels and one pixel's width leaves most of a processor
idle; a product with pixels as columns does not (see tests/benchmarks).
"""

from typing import Literal

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ablate.errors import AblateError

BLOCK = 32  # frames a block: measured fastest of 8..64 on two cores at windows of 25 and of 300 frames


class TemporalFilter(nn.Module):
    """Applies kernels (c2, c, taps) to a video; without parameters of its own."""

    def __init__(self, padding: Literal["causal", "valid"]) -> None:
        super().__init__()
        self.padding = padding

    def forward(
        self, video: Float[Tensor, "b c t h w"], kernels: Float[Tensor, "c2 c taps"]
    ) -> Float[Tensor, "b c2 t2 h w"]:
        frames, taps = video.shape[2], kernels.shape[-1]
        if self.padding == "causal":
            return filter_time(video, kernels, frames)
        if frames < taps:
            raise AblateError(
                f"the frontend needs {taps} frames and the window has {frames}",
                where="baseline.frontend.padding",
                hint="lengthen `data.window`, shorten `frontend.taps`, or set `frontend.padding: causal`",
            )
        return filter_time(video, kernels, frames - taps + 1)


def filter_time(
    video: Float[Tensor, "b c t h w"], kernels: Float[Tensor, "c2 c taps"], frames: int
) -> Float[Tensor, "b c2 t2 h w"]:
    """The newest `frames` filtered frames; zeros stand where the kernel reaches beyond the oldest frame."""
    height, taps = video.shape[3], kernels.shape[-1]
    block = min(BLOCK, frames)
    blocks = -(-frames // block)
    reach = blocks * block + taps - 1  # input frames that the blocks read; the surplus lies at the old end
    pixels = rearrange(video, "b c t h w -> b c t (h w)")
    pixels = functional.pad(pixels, (0, 0, reach - video.shape[2], 0))  # a negative pad crops
    banded = toeplitz(kernels, block)
    outputs = [
        banded @ rearrange(pixels[:, :, start : start + block + taps - 1], "b c n p -> b (c n) p")
        for start in range(0, blocks * block, block)
    ]
    newest = torch.cat([rearrange(out, "b (c2 t) p -> b c2 t p", t=block) for out in outputs], dim=2)
    return rearrange(newest[:, :, -frames:], "b c2 t (h w) -> b c2 t h w", h=height)


def toeplitz(kernels: Float[Tensor, "c2 c taps"], block: int) -> Float[Tensor, "rows cols"]:
    """The banded matrix ((c2 block), (c (block + taps - 1))) whose row t holds the kernel shifted by t."""
    reach = block + kernels.shape[-1] - 1
    padded = functional.pad(kernels, (0, block))  # one longer than `reach`, so that each turn shifts by one
    rows = repeat(padded, "c2 c n -> c2 c (t n)", t=block)[..., : block * reach]
    return rearrange(rows, "c2 c (t m) -> (c2 t) (c m)", m=reach)


def initial_kernels(channels: int, inputs: int, taps: int) -> Float[Tensor, "channels inputs taps"]:
    """A Gaussian, its first and second derivative, then random kernels under that Gaussian; unit norm each."""
    place = torch.linspace(-2.5, 2.5, taps)  # standard deviations: the ends are 4 % of the peak
    gauss = torch.exp(-(place**2) / 2)
    shapes = [gauss, -place * gauss, (place**2 - 1) * gauss]
    rows = [shapes[c] if c < len(shapes) else torch.randn(taps) * gauss for c in range(channels)]
    kernels = torch.stack(rows)[:, None].expand(channels, inputs, taps)
    return kernels / kernels.flatten(1).norm(dim=1)[:, None, None]
