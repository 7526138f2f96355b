"""Gaussian blur, then bilinear sampling of a common grid: the three parameters that place one session's video.

    out[y, x] = sum_ij R[y, i] video[i, j] C[x, j],    R = bilinear(scale_h) @ gauss(sigma),  C likewise over columns.

Blur and bilinear sampling are both separable and linear, so each axis is one small matrix, made anew from the
parameters on every pass: two matrix products instead of a blurred copy of every frame and a gather. Equal to a
convolution followed by `grid_sample(align_corners=True)`.

Reference: Yates-Lab/VisionCore, adapter (sigma, scale). Differs in: sigma gets its gradient (`learn_blur: false` is
the lab's fault, where it had none), the kernel is odd and centred, the scale starts at 1, and the blur is normalised
by the pixels that exist, so that the frame's edge is not darkened.
"""

import math
from typing import Annotated, Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Adapter, FeatureMap
from ablate.model.layer.precision import full_precision, gaussian_weights

Size = Annotated[int, Field(ge=1)]


class AffineConfig(Config):
    """Blur and scale of each session's video onto a common grid (three parameters a session)."""

    type: Literal["affine"] = "affine"
    grid: Size | tuple[Size, Size] = 51
    """Rows and columns of the grid; one number for a square."""
    sigma: float = Field(default=0.5, gt=0)
    """Standard deviation of the blur at the start, in pixels of the session's video."""
    scale: float = Field(default=1.0, gt=0)
    """Half width of the sampled region at the start; 1 spans the video from its first pixel's centre to its last."""
    outside: Literal["zeros", "border"] = "zeros"
    """What is sampled beyond the video: zero (its mean) or the nearest pixel."""
    learn_blur: bool = True
    """False keeps sigma where it starts (the lab's sigma got no gradient)."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return (self.grid, self.grid) if isinstance(self.grid, int) else self.grid

    def build(self, height: int, width: int) -> "AffineAdapter":
        return AffineAdapter(self, height, width)


class AffineAdapter(Adapter):
    """One session's video of any size, down to 1 x 1, onto the common grid."""

    def __init__(self, config: AffineConfig, height: int, width: int) -> None:
        super().__init__()
        self.out = FeatureMap.of_grid(1, *config.size)
        self.outside = config.outside
        self.log_sigma = nn.Parameter(torch.full((), math.log(config.sigma)), requires_grad=config.learn_blur)
        self.log_scale_h = nn.Parameter(torch.full((), math.log(config.scale)))
        self.log_scale_w = nn.Parameter(torch.full((), math.log(config.scale)))

    def forward(self, video: Float[Tensor, "b 1 t h w"]) -> Float[Tensor, "b 1 t gh gw"]:
        height, width = video.shape[-2:]
        with full_precision(video.device):  # places in bfloat16 would be a pixel off
            rows = self._axis(self.log_scale_h, self.out.height, height)
            cols = self._axis(self.log_scale_w, self.out.width, width)
            frames = rearrange(video.float(), "b 1 t h w -> b t h w")
            sampled = rows @ (frames @ cols.T)  # b t gh gw
        return rearrange(sampled, "b t gh gw -> b 1 t gh gw")

    def _axis(self, log_scale: Tensor, out: int, size: int) -> Float[Tensor, "out size"]:
        """One axis of blur and sampling as a matrix."""
        ends = 1.0 if out > 1 else 0.0  # a grid of one pixel reads the middle
        place = log_scale.exp() * torch.linspace(-ends, ends, out, device=log_scale.device)
        source = (place + 1) / 2 * (size - 1)
        if self.outside == "border":
            source = source.clamp(0, size - 1)
        return bilinear_matrix(source, size) @ blur_matrix(self.log_sigma.exp(), size)


def bilinear_matrix(source: Float[Tensor, " out"], size: int) -> Float[Tensor, "out size"]:
    """Weights that read a row of `size` pixels at the fractional pixel indices `source`; nothing beyond the row."""
    pixel = torch.arange(size, device=source.device)
    below = source.detach().floor()
    share = (source - below)[:, None]
    at_below = (pixel == below[:, None]).to(source.dtype)
    at_above = (pixel == below[:, None] + 1).to(source.dtype)
    return (1 - share) * at_below + share * at_above


def blur_matrix(sigma: Float[Tensor, ""], size: int) -> Float[Tensor, "size size"]:
    """Gaussian weights between the pixels of a row; each row sums to one over the pixels that exist."""
    pixel = torch.arange(size, device=sigma.device, dtype=sigma.dtype)
    distance = pixel[:, None] - pixel[None, :]
    return gaussian_weights(-(distance**2) / (2 * sigma**2))
