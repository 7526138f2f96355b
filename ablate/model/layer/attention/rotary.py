"""Rotary positions: pairs of query and key channels are turned by an angle proportional to the token's place.

    angle[p, i] = p * 10000^(-i / n),  i = 0..n-1;   (x_i, x_{n+i}) -> (x_i cos - x_{n+i} sin, x_i sin + x_{n+i} cos)

The attention score of two tokens then depends on the difference of their places alone.

Reference: Su et al. 2021, RoFormer; axial form (half of the pairs turn with rows, half with columns): Heo et al. 2024.
Differs in: channel pairs lie half a head apart (as in LLaMA and timm's `rotate_half`), and raster order is one axis.
"""

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from ablate.errors import AblateError

BASE = 10_000.0


def rotary_angles(places: Float[Tensor, "s axes"], head_dim: int) -> Float[Tensor, "s pairs"]:
    """The angle of every channel pair of every token; the pairs are shared out evenly over the axes."""
    axes = places.shape[1]
    check_head_dim(head_dim, axes)
    bands = head_dim // (2 * axes)
    frequencies = BASE ** (-torch.arange(bands, device=places.device, dtype=torch.float32) / bands)
    return rearrange(places[:, :, None] * frequencies, "s axes band -> s (axes band)")


def check_head_dim(head_dim: int, axes: int) -> None:
    """Raises AblateError if a head cannot be shared out in pairs over the axes."""
    if head_dim % (2 * axes):
        raise AblateError(
            f"rotary positions over {axes} axes need a head_dim divisible by {2 * axes}, not {head_dim}",
            hint=f"try head_dim: {-(-head_dim // (2 * axes)) * 2 * axes}, or rope: none",
        )


def rotate(x: Float[Tensor, "... e"], angles: Float[Tensor, "... pairs"]) -> Float[Tensor, "... e"]:
    """Turns the pairs of the last axis; in float32 whatever the precision around it."""
    cos, sin = angles.cos(), angles.sin()
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1).to(x.dtype)


def raster_places(size: int, device: torch.device) -> Float[Tensor, "s 1"]:
    """0, 1, 2, ...: time steps, or places in reading order."""
    return torch.arange(size, device=device, dtype=torch.float32)[:, None]


def axial_places(height: int, width: int, device: torch.device) -> Float[Tensor, "s 2"]:
    """Row and column of every place of a grid, in reading order."""
    rows = torch.arange(height, device=device, dtype=torch.float32)
    cols = torch.arange(width, device=device, dtype=torch.float32)
    return rearrange(torch.stack(torch.meshgrid(rows, cols, indexing="ij")), "axes h w -> (h w) axes")


def keep_angles(angles: Float[Tensor, "s pairs"], kept: Int[Tensor, "b keep"]) -> Float[Tensor, "b 1 1 keep pairs"]:
    """The angles of the kept places of each sample, shaped to broadcast over groups and heads."""
    return angles[kept][:, None, None]
