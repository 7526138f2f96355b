"""A convolution that keeps a map's size, its kernel prepared once for many calls on maps of one size.

`apply` is linear in the map; `to_input` and `to_weight` are its adjoints, so that a recurrence can apply it at every
step, go back step by step, and ask for the weight's gradient once over all steps. Three ways to the same numbers:

    on_cells   one product with the matrix of all cells by all cells: no more products than taps on a map of few cells
    winograd   over Winograd's tiles (`layer/winograd`), the kernel transformed once
    direct     torch's own
"""

from functools import lru_cache
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.grad import conv2d_input, conv2d_weight

from ablate.model.layer.winograd.convolve import convolve as convolve_tiles
from ablate.model.layer.winograd.prepared import WinogradKernel, kernel_pays


@runtime_checkable
class Prepared(Protocol):
    """Maps (b c h w) to maps (b d h w), zeros around them."""

    def apply(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]: ...

    def to_input(self, grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "b c h w"]: ...

    def to_weight(self, x: Float[Tensor, "b c h w"], grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "d c k k"]: ...


def prepare(weight: Float[Tensor, "d c k k"], height: int, width: int, rows: int, calls: int = 2) -> Prepared:
    """The fastest of the three for `rows` maps a call. Odd kernels. calls: a kernel that is asked once is not worth a
    transform that a second call would share."""
    if few_cells(weight, height, width):
        return OnCells(weight, height, width)
    if kernel_pays(weight, height, width, rows, transformed=calls > 1):
        return WinogradKernel(weight, height, width, rows)
    return Direct(weight)


def convolve(conv: nn.Conv2d, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
    """`conv(x)` of a convolution that keeps the map's size with zeros around it, by the fastest of the three."""
    if x.device.type != "cpu" or not few_cells(conv.weight, *x.shape[2:]):  # FLOPs are counted on the meta device
        return convolve_tiles(conv, x)
    matrix = cell_matrix(conv.weight, *x.shape[2:])
    bias = None if conv.bias is None else conv.bias.repeat_interleave(x[0, 0].numel())
    return F.linear(x.flatten(1), matrix, bias).unflatten(1, (-1, *x.shape[2:]))


def few_cells(weight: Float[Tensor, "d c k k"], height: int, width: int) -> bool:
    """Whether a map has no more cells than the kernel has taps: then every cell meets every other in one product."""
    return height * width <= weight.shape[2] * weight.shape[3]


class Direct:
    """torch's own convolution."""

    def __init__(self, weight: Float[Tensor, "d c k k"]) -> None:
        self.weight, self.padding = weight, weight.shape[2] // 2

    def apply(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        return F.conv2d(x, self.weight, padding=self.padding)

    def to_input(self, grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "b c h w"]:
        shape = (len(grad), self.weight.shape[1], *grad.shape[2:])
        return conv2d_input(shape, self.weight, grad, padding=self.padding)

    def to_weight(self, x: Float[Tensor, "b c h w"], grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "d c k k"]:
        return conv2d_weight(x, self.weight.shape, grad, padding=self.padding)


class OnCells:
    """One matrix product of whole maps."""

    def __init__(self, weight: Float[Tensor, "d c k k"], height: int, width: int) -> None:
        self.shape, self.size = weight.shape, (height, width)
        self.taps = _taps(weight.shape[2], height, width).to(weight)
        self.matrix = cell_matrix(weight, height, width)  # (d o) (c i)

    def apply(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        return (x.flatten(1) @ self.matrix.T).unflatten(1, (-1, *self.size))

    def to_input(self, grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "b c h w"]:
        return (grad.flatten(1) @ self.matrix).unflatten(1, (-1, *self.size))

    def to_weight(self, x: Float[Tensor, "b c h w"], grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "d c k k"]:
        found = grad.flatten(1).T @ x.flatten(1)
        cells = self.size[0] * self.size[1]
        pairs = rearrange(found, "(d o) (c i) -> (d c) (o i)", o=cells, i=cells)
        return (pairs @ self.taps.T).view(self.shape)


def cell_matrix(weight: Float[Tensor, "d c k k"], height: int, width: int) -> Float[Tensor, "dcells ccells"]:
    """The convolution as a matrix: rows channel and cell of the output, columns channel and cell of the input."""
    taps = _taps(weight.shape[2], height, width).to(weight)
    pairs = weight.flatten(2).flatten(0, 1) @ taps
    return rearrange(pairs, "(d c) (o i) -> (d o) (c i)", c=weight.shape[1], i=height * width)


@lru_cache(maxsize=16)
def _taps(kernel: int, height: int, width: int) -> Float[Tensor, "taps pairs"]:
    """1 where a tap joins a cell of the output to a cell of the input (output varies slowest), else 0."""
    rows, cols = torch.arange(height).repeat_interleave(width), torch.arange(width).repeat(height)
    down, right = (place[None] - place[:, None] + kernel // 2 for place in (rows, cols))  # o i
    inside = (down >= 0) & (down < kernel) & (right >= 0) & (right < kernel)
    tap = torch.where(inside, down * kernel + right, -1)
    return (torch.arange(kernel**2)[:, None] == tap.flatten()).float()
