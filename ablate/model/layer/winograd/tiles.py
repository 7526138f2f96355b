"""A map in tiles, and back; rows are ordered step, window, phase, tile."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from ablate.model.layer.winograd.tiling import Tiling


def cut(x: Float[Tensor, "b c t h w"], tiling: Tiling, edge: bool = False) -> Float[Tensor, "cells rows c"]:
    """Overlapping tiles of each phase of a map that is padded already, or whose edge is repeated around it.

    The latter are gathered at once: padding, filling up the last tiles and cutting take a copy each.
    """
    batch, channels, steps, high, wide = x.shape
    if not edge:
        needed = [covered(tiling, axis) for axis in (0, 1)]
        return _tiles(F.pad(x, (0, needed[1] - wide, 0, needed[0] - high)), tiling)
    index, outside = _cells(tiling, batch, steps, (high, wide))
    flat = rearrange(x, "b c t h w -> (b t h w) c")
    return flat.index_select(0, index).index_fill_(0, outside, 0.0).view(tiling.size**2, -1, channels)


def covered(tiling: Tiling, axis: int) -> int:
    """Rows (or columns) of a map that its tiles cover, what is around it among them."""
    return (tiling.count[axis] * tiling.valid + tiling.taps - 1) * tiling.dilation


def margins(tiling: Tiling, edge: bool) -> tuple[int, int]:
    """Copies of the edge before and after a map on each axis."""
    reach = (tiling.taps - 1) * tiling.dilation if edge else 0
    return reach // 2, reach - reach // 2


@lru_cache(maxsize=8)  # up to 16 MB each
def _cells(
    tiling: Tiling, batch: int, steps: int, sides: tuple[int, int]
) -> tuple[Int[Tensor, " cells"], Int[Tensor, " outside"]]:
    """Which cell of all frames stands at each place of each tile, and the places beyond the copies of the edge, where
    zero stands."""
    before, after = margins(tiling, edge=True)
    places = [torch.arange(covered(tiling, axis)) - before for axis in (0, 1)]
    rows, columns = (place.clamp(0, side - 1) for place, side in zip(places, sides, strict=True))
    inside = [place < side + after for place, side in zip(places, sides, strict=True)]
    maps = (rows[:, None] * sides[1] + columns, inside[0][:, None] & inside[1])
    tiles = (_tiles(rearrange(one.double(), "h w -> 1 1 1 h w"), tiling) for one in maps)
    within, there = (rearrange(one, "cells tiles 1 -> cells 1 tiles") for one in tiles)
    frames = rearrange(torch.arange(batch * steps).view(batch, steps), "b t -> 1 (t b) 1") * (sides[0] * sides[1])
    outside = (there == 0).expand(-1, batch * steps, -1).flatten().nonzero().flatten()
    return (frames + within.long()).flatten(), outside


def _tiles(x: Float[Tensor, "b c t h w"], tiling: Tiling) -> Float[Tensor, "cells rows c"]:
    """Of a map as large as its tiles."""
    x = rearrange(x, "b c t (h p) (w q) -> b c t p q h w", p=tiling.dilation, q=tiling.dilation)
    tiles = x.unfold(5, tiling.size, tiling.valid).unfold(6, tiling.size, tiling.valid)
    return rearrange(tiles, "b c t p q n m i j -> (i j) (t b p q n m) c")


def paste(
    tiles: Float[Tensor, "cells rows c"], tiling: Tiling, shape: tuple[int, ...], edge: bool = False
) -> Float[Tensor, "b c t h w"]:
    """The adjoint of `cut` of a map of that shape: tiles are added where they overlap."""
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
    for axis, side in ((3, shape[3]), (4, shape[4])):
        full = _without_margins(full, axis, side, *margins(tiling, edge))
    return full


def _without_margins(x: Tensor, axis: int, side: int, before: int, after: int) -> Tensor:
    """The map's own cells; what came to copies of the edge is the edge's."""
    inner = x.narrow(axis, before, side)
    if before:
        inner.narrow(axis, 0, 1).add_(x.narrow(axis, 0, before).sum(axis, keepdim=True))
    if after:
        inner.narrow(axis, side - 1, 1).add_(x.narrow(axis, before + side, after).sum(axis, keepdim=True))
    return inner


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
