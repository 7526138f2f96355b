"""A map in tiles, and back; rows are ordered step, window, phase, tile."""

import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from ablate.model.layer.winograd.tiling import Tiling


def cut(x: Float[Tensor, "b c t h w"], tiling: Tiling) -> Float[Tensor, "cells rows c"]:
    """Overlapping tiles of each phase of a padded map."""
    step = tiling.dilation
    needed = [(count * tiling.valid + tiling.taps - 1) * step for count in tiling.count]
    x = F.pad(x, (0, needed[1] - x.shape[-1], 0, needed[0] - x.shape[-2]))
    x = rearrange(x, "b c t (h p) (w q) -> b c t p q h w", p=step, q=step)
    tiles = x.unfold(5, tiling.size, tiling.valid).unfold(6, tiling.size, tiling.valid)
    return rearrange(tiles, "b c t p q n m i j -> (i j) (t b p q n m) c")


def paste(tiles: Float[Tensor, "cells rows c"], tiling: Tiling, shape: tuple[int, ...]) -> Float[Tensor, "b c t h w"]:
    """The adjoint of `cut`: tiles are added where they overlap."""
    batch, channels, steps, *_ = shape
    (down, right), step = tiling.count, tiling.dilation
    high, wide = (count * tiling.valid + tiling.taps - 1 for count in tiling.count)
    full = tiles.new_zeros(batch, steps, high, step, wide, step, channels)
    layout = {"i": tiling.size, "t": steps, "b": batch, "n": down, "m": right, "p": step}
    parts = rearrange(tiles, "(i j) (t b p q n m) c -> n m b t i p j q c", **layout)
    for row, column in ((row, column) for row in range(down) for column in range(right)):
        top, left = row * tiling.valid, column * tiling.valid
        full[:, :, top : top + tiling.size, :, left : left + tiling.size] += parts[row, column]
    full = rearrange(full, "b t h p w q c -> b c t (h p) (w q)")
    return full[..., : shape[3], : shape[4]]


def split(grad: Float[Tensor, "b d t h w"], tiling: Tiling) -> Float[Tensor, "cells rows d"]:
    """The output's map in tiles that do not overlap."""
    step = tiling.dilation
    high, wide = (count * tiling.valid * step for count in tiling.count)
    grad = F.pad(grad, (0, wide - grad.shape[-1], 0, high - grad.shape[-2]))
    layout = {"i": tiling.valid, "j": tiling.valid, "p": step, "q": step}
    return rearrange(grad, "b d t (n i p) (m j q) -> (i j) (t b p q n m) d", **layout)


def join(
    tiles: Float[Tensor, "cells rows d"], tiling: Tiling, batch: int, high: int, wide: int
) -> Float[Tensor, "b d t h w"]:
    """The inverse of `split`, channels innermost in memory."""
    step, (down, right) = tiling.dilation, tiling.count
    layout = {"i": tiling.valid, "b": batch, "n": down, "m": right, "p": step, "q": step}
    full = rearrange(tiles, "(i j) (t b p q n m) d -> b t (n i p) (m j q) d", **layout)
    return rearrange(full[:, :, :high, :wide], "b t h w d -> b d t h w")
