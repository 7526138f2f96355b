"""Cuts a video into tubelets and embeds each: Conv3d -> RMSNorm -> Linear -> RMSNorm.

    P = channels * kernel frames * rows * columns;   Conv3d(channels -> P, kernel, stride), Linear(P -> D)

Reference: tubelet embedding of Arnab et al. 2021, with the wide convolution of VisionCore's tokenizer.
Differs in: the window is cropped at its old end, so that the last token always ends at the newest frame, and in space
around its centre; what is cropped is reported (`pixels_never_seen`). Where tokens do not overlap, the convolution is
computed as one matrix product over the cut-out tubelets: the same weights, the same numbers, several times faster.
"""

import math

import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from pydantic import field_validator
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import FeatureMap
from ablate.errors import AblateError
from ablate.model.layer.norm import RmsNorm
from ablate.model.layer.place import coarser

Size3 = tuple[int, int, int]


class TokenizerConfig(Config):
    """How a video is cut into tubelets, (frames, rows, columns)."""

    kernel_size: Size3 = (8, 8, 8)
    """Extent of one token."""
    stride: Size3 = (8, 8, 8)
    """Distance between tokens; smaller than the kernel makes them overlap. `stride[0]` is the core's time step."""

    @field_validator("kernel_size", "stride")
    @classmethod
    def _positive(cls, size: Size3) -> Size3:
        if min(size) < 1:
            raise ValueError("needs three numbers of at least 1: frames, rows, columns")
        return size

    def build(self, input: FeatureMap, width: int) -> "Tokenizer":
        return Tokenizer(self, input, width)


class Tokenizer(nn.Module):
    """Video `b c t h w` to tokens `b t2 s d`, places s in reading order.

    pixels_never_seen: share of the map's cells that no token covers. receptive_field: extent of one token.
    """

    def __init__(self, config: TokenizerConfig, input: FeatureMap, width: int):
        super().__init__()
        kernel, stride = config.kernel_size, config.stride
        self.kernel, self.stride = kernel, stride
        self.receptive_field = {"frames": kernel[0], "pixels": kernel[1]}
        rows = _starts(input.height, kernel[1], stride[1], "rows")
        cols = _starts(input.width, kernel[2], stride[2], "columns")
        self.crop = (rows[0], rows[-1] + kernel[1], cols[0], cols[-1] + kernel[2])
        seen = _covered(rows, kernel[1]) * _covered(cols, kernel[2])
        self.pixels_never_seen = 1 - seen / (input.height * input.width)

        patch = input.channels * math.prod(kernel)
        self.conv = nn.Conv3d(input.channels, patch, kernel, stride)
        self.patch_norm = RmsNorm(patch)
        self.project = nn.Linear(patch, width)
        self.norm = RmsNorm(width)
        self.out = coarser(
            input,
            channels=width,
            time_stride=stride[0],
            rows=[start + (kernel[1] - 1) / 2 for start in rows],
            cols=[start + (kernel[2] - 1) / 2 for start in cols],
        )

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b t2 s d"]:
        oldest = self.frames_cropped(video.shape[2])
        top, bottom, left, right = self.crop
        patches = self._convolve(video[:, :, oldest:, top:bottom, left:right])
        return self.norm(self.project(self.patch_norm(patches)))

    def frames_cropped(self, frames: int) -> int:
        """Frames at the old end of a window that no token sees. Raises AblateError if there is not one token."""
        if frames < self.kernel[0]:
            raise AblateError(
                f"a token spans {self.kernel[0]} frames, but only {frames} reach the core",
                where="core.tokenizer.kernel_size",
                hint="lengthen the data's window, shorten the tokens, or give the frontend padding: causal",
            )
        return (frames - self.kernel[0]) % self.stride[0]

    def _convolve(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b t2 s p"]:
        """The convolution, tokens last-axis: one matrix product where the tubelets tile the video."""
        if self.kernel != self.stride:
            return rearrange(self.conv(video), "b p t h w -> b t (h w) p")
        kt, kh, kw = self.kernel
        tubelets = rearrange(video, "b c (t kt) (h kh) (w kw) -> b t (h w) (c kt kh kw)", kt=kt, kh=kh, kw=kw)
        return F.linear(tubelets, self.conv.weight.flatten(1), self.conv.bias)


def _starts(size: int, kernel: int, stride: int, axis: str) -> tuple[int, ...]:
    """First pixel of each token along one axis, the row of tokens centred on the map."""
    if size < kernel:
        raise AblateError(
            f"a token spans {kernel} {axis}, but the map has only {size}",
            where="core.tokenizer.kernel_size",
            hint="make the tokens smaller, or the adapter's grid larger",
        )
    count = (size - kernel) // stride + 1
    first = (size - kernel - (count - 1) * stride) // 2
    return tuple(first + index * stride for index in range(count))


def _covered(starts: tuple[int, ...], kernel: int) -> int:
    """Pixels along one axis that at least one token covers (a stride above the kernel leaves gaps)."""
    return len({pixel for start in starts for pixel in range(start, start + kernel)})
