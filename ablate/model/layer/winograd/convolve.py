"""Convolution over small tiles by Winograd's minimal filtering: on a CPU several times fewer multiplications.

    y = A^T [(G w G^T) * (B^T x B)] A     a tile of n x n cells, n = valid + taps - 1, gives valid x valid cells
    A = V_valid,  G = V_taps,  B = V_n^-1,  V_k[i, j] = point_i^j   (the last point is infinity: 0, ..., 0, 1)

At each of the n x n places of a transformed tile the channels meet in one matrix product. A 3 x 3 kernel over 13 x 13
cells takes 9 tiles of 7 x 7: 441 products for each pair of channels instead of 1521; a 5 x 5 kernel over 26 x 26 takes
3136 instead of 16900. The transforms are matrix products too, shared by all taps in time; taps before the window are
left out. A dilated kernel sees each phase of the map as a map of its own.

Reference: Lavin and Gray 2016, "Fast algorithms for convolutional neural networks"; Toom-Cook construction by
interpolation. Agrees with the direct convolution to rounding (1 to 4e-6 relative in float32, against 2e-7 of the
direct one); times are never mixed, so causality is exact.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from ablate.model.layer.winograd.tiles import cut, join, paste, split
from ablate.model.layer.winograd.tiling import POINTS, Tiling, choose_tiling

FEWEST_CHANNELS = 32  # below it the products at each place are too thin to be fast
LEAST_SAVING = 1.3  # measured: a saving of 2 to 3 gives 1.7 to 2.4 times, one of 5 gives 3 times
LARGEST_TRANSFORM = 2**28  # numbers (1 GiB): the transformed map is kept for the backward pass


def winograd_pays(
    shape: tuple[int, ...],
    x: Tensor,
    weight: Float[Tensor, "d c k kh kw"],
    dilation: tuple[int, int],
    *,
    transformed: bool = False,
) -> bool:
    """Whether a convolution of stride 1 that gives the map `shape` (b t h w) is faster here than the direct one.

    transformed: the kernel is, already.
    """
    if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    (out, channels, _, taps, across), (batch, steps, high, wide) = weight.shape, shape
    square = taps == across and dilation[0] == dilation[1]
    if not square or not 2 < taps <= len(POINTS) - 1 or min(out, channels) < FEWEST_CHANNELS:
        return False
    frames = batch * steps
    pair = (channels, out)
    tiling = choose_tiling(high, wide, taps, dilation[0], frames=frames, channels=pair, transformed=transformed)
    fits = tiling.places * tiling.rows(frames) * max(out, channels) <= LARGEST_TRANSFORM
    return fits and frames * high * wide * taps**2 > LEAST_SAVING * tiling.products(frames, pair, transformed)


def winograd_conv(
    x: Float[Tensor, "b c t h w"],
    weight: Float[Tensor, "d c k kh kh"],
    dilation: tuple[int, int, int] = (1, 1, 1),
    edge: bool = False,
) -> Float[Tensor, "b d t h2 w2"]:
    """Stride 1; causal in time with zeros before the window; in space a map is padded already, or keeps its size by
    copies of its `edge` around it.

    Channels are innermost in the memory of the output.
    """
    return _WinogradConv.apply(x, weight, dilation, edge)


def convolve(conv: nn.Conv2d, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
    """`conv(x)` of a convolution that keeps the map's size with zeros around it, by the faster of the two ways."""
    weight, (pad, _) = conv.weight[:, :, None], conv.kernel_size
    if not winograd_pays((len(x), 1, *x.shape[2:]), x, weight, (1, 1)):
        return conv(x)
    y = winograd_conv(F.pad(x, (pad // 2,) * 4)[:, :, None], weight)[:, :, 0]
    return y if conv.bias is None else y + conv.bias[:, None, None]


@lru_cache(maxsize=32)
def transforms(valid: int, taps: int) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices over flattened tiles: input (places, cells), kernel (places, taps), and back (cells, places)."""
    size = valid + taps - 1
    points = np.array(POINTS[: size - 1])

    def evaluate(terms: int) -> np.ndarray:
        """Values of the `terms` powers at the points; the highest power alone counts at infinity."""
        infinity = np.eye(terms)[-1:]
        return np.concatenate([points[:, None] ** np.arange(terms), infinity])

    inverse = np.linalg.inv(evaluate(size)).T
    pairs = [np.kron(matrix, matrix) for matrix in (inverse, evaluate(taps), evaluate(valid).T)]
    of_input, of_kernel, back = (torch.from_numpy(pair).float() for pair in pairs)
    return of_input, of_kernel, back


class _WinogradConv(torch.autograd.Function):
    """Forward and backward as matrix products over the same transforms. ctx is torch's and takes any attribute."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: tuple[int, int, int], edge: bool) -> Tensor:
        taps, step = weight.shape[3], dilation[1]
        lost = 0 if edge else (taps - 1) * step
        high, wide = (side - lost for side in x.shape[3:])
        frames, channels = x.shape[0] * x.shape[2], (weight.shape[1], weight.shape[0])
        tiling = choose_tiling(high, wide, taps, step, frames=frames, channels=channels)
        of_input, of_kernel, back = transforms(tiling.valid, taps)
        tiles = transform(of_input, cut(x, tiling, edge))
        kernels = transform(of_kernel, rearrange(weight, "d c k kh kw -> (kh kw) (k c) d"))
        kernels = kernels.unflatten(1, (-1, channels[0]))  # places k c d
        delays = _delays(weight.shape[2], dilation[0], x.shape[2])
        out = _product(tiles, kernels, delays, x.shape[2])
        ctx.save_for_backward(tiles, kernels)
        ctx.tiling, ctx.delays, ctx.shape, ctx.edge = tiling, delays, x.shape, edge
        return join(transform(back, out), tiling, x.shape[0], high, wide)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:  # type: ignore[override]
        tiles, kernels = ctx.saved_tensors
        tiling: Tiling = ctx.tiling
        steps = grad.shape[2]
        of_input, of_kernel, back = transforms(tiling.valid, tiling.taps)
        out = transform(back.T, split(grad, tiling))
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_tiles = _product_to_input(out, kernels, ctx.delays, steps)
            grad_x = paste(transform(of_input.T, grad_tiles), tiling, ctx.shape, ctx.edge)
            grad_x = grad_x.contiguous(memory_format=torch.channels_last_3d) if ctx.edge else grad_x
        if ctx.needs_input_grad[1]:
            taps = [
                transform(of_kernel.T, tap) if tap is not None else tiles.new_zeros(tiling.taps**2, *kernels.shape[2:])
                for tap in _product_to_kernels(tiles, out, ctx.delays, steps, kernels.shape[1])
            ]
            grad_weight = rearrange(torch.stack(taps), "k (kh kw) c d -> d c k kh kw", kh=tiling.taps)
        return grad_x, grad_weight, None, None


# ------------------------------------------------------------------ products at each place; rows are ordered by step

Delays = tuple[tuple[int, int], ...]


def _delays(count: int, dilation: int, steps: int) -> Delays:
    """(tap, delay in steps), newest first, of the taps that lie within the window."""
    delays = [(tap, (count - 1 - tap) * dilation) for tap in reversed(range(count))]
    return tuple((tap, delay) for tap, delay in delays if delay < steps)


def _product(
    tiles: Float[Tensor, "places rows c"], kernels: Float[Tensor, "places k c d"], delays: Delays, steps: int
) -> Float[Tensor, "places rows d"]:
    (newest, _), *older = delays
    out = torch.bmm(tiles, kernels[:, newest])
    for tap, delay in older:
        skipped = tiles.shape[1] // steps * delay
        out[:, skipped:].baddbmm_(tiles[:, : tiles.shape[1] - skipped], kernels[:, tap])
    return out


def _product_to_input(
    out: Float[Tensor, "places rows d"], kernels: Float[Tensor, "places k c d"], delays: Delays, steps: int
) -> Float[Tensor, "places rows c"]:
    (newest, _), *older = delays
    tiles = torch.bmm(out, kernels[:, newest].mT)
    for tap, delay in older:
        skipped = out.shape[1] // steps * delay
        tiles[:, : out.shape[1] - skipped].baddbmm_(out[:, skipped:], kernels[:, tap].mT)
    return tiles


def _product_to_kernels(
    tiles: Float[Tensor, "places rows c"], out: Float[Tensor, "places rows d"], delays: Delays, steps: int, count: int
) -> list[Float[Tensor, "places c d"] | None]:
    """One gradient a tap; None where the tap lies before the window."""
    grads: list[Tensor | None] = [None] * count
    for tap, delay in delays:
        skipped = out.shape[1] // steps * delay
        grads[tap] = torch.bmm(tiles[:, : out.shape[1] - skipped].mT, out[:, skipped:])
    return grads


def transform(matrix: Float[Tensor, "m n"], tiles: Float[Tensor, "n rows c"]) -> Float[Tensor, "m rows c"]:
    return (matrix @ tiles.flatten(1)).unflatten(1, tiles.shape[1:])
