"""Causal 3-D convolution by Fourier transforms of small tiles: on a CPU several times fewer products for wide kernels.

    Y[f] = sum_tap X[f, t - delay] conj(W[f, tap])   at each frequency f of a tile: a matrix product over channels

The map is cut into tiles that overlap by the kernel's reach. A 5 x 5 kernel over 26 x 26 cells takes 4 tiles of
17 x 17 cells, 153 frequencies each: 7 times fewer multiplications than 25 taps at every cell. The transforms are so
small that they are matrix products too (no FFT), shared by all taps in time. Taps before the window are left out.

Reference: Mathieu et al. 2013, "Fast training of convolutional networks through FFTs"; overlap-save tiling.
Agrees with the direct convolution to rounding (about 1e-6 relative in float32); times are never mixed in the
transforms, so causality is exact.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

FEWEST_CHANNELS = 32  # below it the products at each frequency are too thin to be fast
LEAST_SAVING = 4.0  # measured: a saving of 2.5 is eaten by the transforms, 5.7 and 6.9 give 1.5 and 2.7 times
LARGEST_TILE = 20  # more cells need so many frequencies that the kernels' transforms cost more than they save
LARGEST_SPECTRUM = 2**28  # numbers (1 GiB): the spectrum is kept for the backward pass


@dataclass(frozen=True)
class Tiling:
    """How a map is cut: `count` tiles (rows, columns) of `size` x `size` cells; each gives `valid` x `valid` cells."""

    count: tuple[int, int]
    size: int
    valid: int

    @property
    def frequencies(self) -> int:
        """Half of the plane: the other half is its conjugate, the input being real."""
        return self.size * (self.size // 2 + 1)

    def products(self) -> int:
        """Real multiplications and additions for each pair of channels."""
        return 8 * self.frequencies * self.count[0] * self.count[1]


def choose_tiling(high: int, wide: int, reach: int) -> Tiling:
    """The cheapest square tiling of an output of `high` x `wide` cells."""
    candidates = []
    for parts in range(1, 5):
        valid = math.ceil(max(high, wide) / parts)
        count = (math.ceil(high / valid), math.ceil(wide / valid))
        if valid + reach <= LARGEST_TILE:
            candidates.append(Tiling(count, valid + reach, valid))
    return min(candidates, key=Tiling.products, default=Tiling((1, 1), max(high, wide) + reach, max(high, wide)))


def spectral_pays(x: Float[Tensor, "b c t h w"], weight: Tensor, dilation: tuple[int, int]) -> bool:
    """Whether this convolution (stride 1, input already padded) is faster here than the direct one."""
    if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
        return False
    reach = [(size - 1) * step for size, step in zip(weight.shape[3:], dilation, strict=True)]
    if reach[0] != reach[1] or min(weight.shape[:2]) < FEWEST_CHANNELS:
        return False
    high, wide = x.shape[-2] - reach[0], x.shape[-1] - reach[1]
    direct = 2 * high * wide * weight.shape[3] * weight.shape[4]
    tiling = choose_tiling(high, wide, reach[0])
    rows = x.shape[0] * x.shape[2] * tiling.count[0] * tiling.count[1]
    fits = tiling.size <= LARGEST_TILE and 2 * tiling.frequencies * rows * max(weight.shape[:2]) <= LARGEST_SPECTRUM
    return fits and direct > LEAST_SAVING * tiling.products()


def spectral_conv(
    x: Float[Tensor, "b c t h w"], weight: Float[Tensor, "d c k kh kw"], dilation: tuple[int, int, int]
) -> Float[Tensor, "b d t h2 w2"]:
    """Stride 1; causal in time with zeros before the window; in space no padding (the input is already padded)."""
    return _SpectralConv.apply(x, weight, dilation)


@lru_cache(maxsize=32)
def _transforms(tiling: Tiling, kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices: the tile's transform, the kernel's (conjugate), back to the valid cells; real rows, then imaginary."""
    size = tiling.size
    up, across = torch.meshgrid(torch.arange(size), torch.arange(size // 2 + 1), indexing="ij")
    rows, cols = up.flatten(), across.flatten()

    def phases(down: Tensor, right: Tensor) -> Tensor:
        at = torch.cartesian_prod(down, right)
        return 2 * torch.pi / size * ((rows[:, None] * at[:, 0] + cols[:, None] * at[:, 1]) % size).double()

    cells = phases(torch.arange(size), torch.arange(size))
    taps = phases(torch.arange(kernel[0]) * dilation[0], torch.arange(kernel[1]) * dilation[1])
    valid = phases(torch.arange(tiling.valid), torch.arange(tiling.valid)).T
    twice = torch.where((cols == 0) | (2 * cols == size), 1.0, 2.0) / size**2  # the half plane left out counts as well
    forward = torch.cat([cells.cos(), -cells.sin()])
    conjugate = torch.cat([taps.cos(), taps.sin()])
    back = torch.cat([valid.cos() * twice, -valid.sin() * twice], dim=1)
    return forward.float(), conjugate.float(), back.float()


class _SpectralConv(torch.autograd.Function):
    """Forward and backward as matrix products over the same transforms."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: tuple[int, int, int]) -> Tensor:
        kernel = (weight.shape[3], weight.shape[4])
        reach = (kernel[0] - 1) * dilation[1]
        high, wide = x.shape[-2] - reach, x.shape[-1] - reach
        tiling = choose_tiling(high, wide, reach)
        forward, conjugate, back = _transforms(tiling, kernel, dilation[1:])
        spectrum = _to_spectrum(forward, _cut(x, tiling), x.shape[2])
        kernels = rearrange(weight, "d c k kh kw -> (kh kw) k c d").flatten(1)
        kernels = rearrange(conjugate @ kernels, "(two f) (k c d) -> two k f c d", two=2, d=len(weight), c=x.shape[1])
        out = _product(spectrum, kernels, dilation[0])
        ctx.save_for_backward(spectrum, kernels)
        ctx.tiling, ctx.kernel, ctx.dilation, ctx.shape = tiling, kernel, dilation, x.shape
        return _join(_from_spectrum(back, out), tiling, len(x), high, wide)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # type: ignore[override]
        spectrum, kernels = ctx.saved_tensors
        tiling: Tiling = ctx.tiling
        forward, conjugate, back = _transforms(tiling, ctx.kernel, ctx.dilation[1:])
        out = _to_spectrum(back.T, _split(grad, tiling), grad.shape[2])
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_spectrum = _product_to_input(out, kernels, ctx.dilation[0])
            grad_x = _paste(_from_spectrum(forward.T, grad_spectrum), tiling, ctx.shape)
        if ctx.needs_input_grad[1]:
            grad_kernels = _product_to_kernels(spectrum, out, kernels, ctx.dilation[0])
            flat = conjugate.T @ rearrange(grad_kernels, "two k f c d -> (two f) (k c d)")
            shape = {"kh": ctx.kernel[0], "k": kernels.shape[1], "c": kernels.shape[3]}
            grad_weight = rearrange(flat, "(kh kw) (k c d) -> d c k kh kw", **shape)
        return grad_x, grad_weight, None


# ------------------------------------------------------------------ products at each frequency; spectra are (2 f t r c)


def _taps(count: int, dilation: int, steps: int) -> list[tuple[int, int]]:
    """(tap, delay) of the taps that lie within the window."""
    delays = [(tap, (count - 1 - tap) * dilation) for tap in range(count)]
    return [(tap, delay) for tap, delay in delays if delay < steps]


def _rows(spectrum: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
    """Real and imaginary part of some steps, (f, rows, c)."""
    real, imaginary = spectrum[:, :, start:stop].flatten(2, 3)
    return real, imaginary


def _product(spectrum: Tensor, kernels: Tensor, dilation: int) -> Tensor:
    steps = spectrum.shape[2]
    out = spectrum.new_zeros(*spectrum.shape[:4], kernels.shape[-1])
    for tap, delay in _taps(kernels.shape[1], dilation, steps):
        (xr, xi), (yr, yi), (wr, wi) = _rows(spectrum, 0, steps - delay), _rows(out, delay, steps), kernels[:, tap]
        yr.baddbmm_(xr, wr).baddbmm_(xi, wi, alpha=-1)
        yi.baddbmm_(xr, wi).baddbmm_(xi, wr)
    return out


def _product_to_input(out: Tensor, kernels: Tensor, dilation: int) -> Tensor:
    steps = out.shape[2]
    spectrum = out.new_zeros(*out.shape[:4], kernels.shape[-2])
    for tap, delay in _taps(kernels.shape[1], dilation, steps):
        (xr, xi), (yr, yi) = _rows(spectrum, 0, steps - delay), _rows(out, delay, steps)
        wr, wi = kernels[:, tap].mT
        xr.baddbmm_(yr, wr).baddbmm_(yi, wi)
        xi.baddbmm_(yi, wr).baddbmm_(yr, wi, alpha=-1)
    return spectrum


def _product_to_kernels(spectrum: Tensor, out: Tensor, kernels: Tensor, dilation: int) -> Tensor:
    steps = out.shape[2]
    grad = torch.zeros_like(kernels)
    for tap, delay in _taps(kernels.shape[1], dilation, steps):
        (xr, xi), (yr, yi), (wr, wi) = _rows(spectrum, 0, steps - delay), _rows(out, delay, steps), grad[:, tap]
        wr.baddbmm_(xr.mT, yr).baddbmm_(xi.mT, yi)
        wi.baddbmm_(xr.mT, yi).baddbmm_(xi.mT, yr, alpha=-1)
    return grad


# ------------------------------------------------------------------ tiles; rows are ordered step, sample, tile


def _to_spectrum(matrix: Tensor, tiles: Tensor, steps: int) -> Tensor:
    """Tiles (cells, t r, c) to (2 f t r c)."""
    spectrum = matrix @ tiles.flatten(1)
    return rearrange(spectrum, "(two f) (t r c) -> two f t r c", two=2, t=steps, c=tiles.shape[-1])


def _from_spectrum(matrix: Tensor, spectrum: Tensor) -> Tensor:
    """(2 f t r c) to tiles (cells, t r, c)."""
    return (matrix @ rearrange(spectrum, "two f t r c -> (two f) (t r c)")).unflatten(1, (-1, spectrum.shape[-1]))


def _cut(x: Tensor, tiling: Tiling) -> Tensor:
    """Overlapping tiles of a padded map."""
    needed = [count * tiling.valid + tiling.size - tiling.valid for count in tiling.count]
    x = F.pad(x, (0, needed[1] - x.shape[-1], 0, needed[0] - x.shape[-2]))
    tiles = x.unfold(3, tiling.size, tiling.valid).unfold(4, tiling.size, tiling.valid)
    return rearrange(tiles, "b c t n m i j -> (i j) (t b n m) c")


def _paste(tiles: Tensor, tiling: Tiling, shape: tuple[int, ...]) -> Tensor:
    """The adjoint of `_cut`: tiles are added where they overlap."""
    batch, channels, steps = shape[:3]
    overlap = tiling.size - tiling.valid
    high, wide = (count * tiling.valid + overlap for count in tiling.count)
    full = tiles.new_zeros(batch, steps, high, wide, channels)
    layout = {"i": tiling.size, "t": steps, "b": batch, "n": tiling.count[0]}
    tiles = rearrange(tiles, "(i j) (t b n m) c -> n m b t i j c", **layout)
    for row, column in ((row, column) for row in range(tiling.count[0]) for column in range(tiling.count[1])):
        top, left = row * tiling.valid, column * tiling.valid
        full[:, :, top : top + tiling.size, left : left + tiling.size] += tiles[row, column]
    return rearrange(full[:, :, : shape[3], : shape[4]], "b t h w c -> b c t h w")


def _split(grad: Tensor, tiling: Tiling) -> Tensor:
    """The output's map in tiles that do not overlap."""
    high, wide = (count * tiling.valid for count in tiling.count)
    grad = F.pad(grad, (0, wide - grad.shape[-1], 0, high - grad.shape[-2]))
    return rearrange(grad, "b d t (n i) (m j) -> (i j) (t b n m) d", i=tiling.valid, j=tiling.valid)


def _join(tiles: Tensor, tiling: Tiling, batch: int, high: int, wide: int) -> Tensor:
    """The inverse of `_split`, channels innermost in memory."""
    layout = {"i": tiling.valid, "b": batch, "n": tiling.count[0], "m": tiling.count[1]}
    full = rearrange(tiles, "(i j) (t b n m) d -> b t (n i) (m j) d", **layout)
    return rearrange(full[:, :, :high, :wide], "b t h w d -> b d t h w")
