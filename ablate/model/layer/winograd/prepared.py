"""A kernel transformed once for Winograd's convolution of many maps of one size, zeros around them."""

import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from ablate.model.layer.winograd import convolve
from ablate.model.layer.winograd.tiles import cut, join, paste, split
from ablate.model.layer.winograd.tiling import choose_tiling


def kernel_pays(
    weight: Float[Tensor, "d c k k"], height: int, width: int, rows: int, *, transformed: bool = True
) -> bool:
    """Whether Winograd's tiles are faster here than the direct convolution of `rows` maps, by default once the kernel
    is transformed."""
    return convolve.winograd_pays((rows, 1, height, width), weight, weight[:, :, None], (1, 1), transformed=transformed)


class WinogradKernel:
    """`apply` and its adjoints."""

    def __init__(self, weight: Float[Tensor, "d c k k"], height: int, width: int, rows: int) -> None:
        self.channels, taps = (weight.shape[1], weight.shape[0]), weight.shape[2]
        self.size, self.pad = (height, width), taps // 2
        self.tiling = choose_tiling(height, width, taps, frames=rows, channels=self.channels, transformed=True)
        self.of_input, self.of_kernel, self.back = convolve.transforms(self.tiling.valid, taps)
        flat = rearrange(weight, "d c kh kw -> (kh kw) c d")
        self.kernel = convolve.transform(self.of_kernel, flat)  # places c d

    def apply(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        out = convolve.transform(self.back, self._tiles(x) @ self.kernel)
        return join(out, self.tiling, len(x), *self.size)[:, :, 0]

    def to_input(self, grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "b c h w"]:
        tiles = convolve.transform(self.of_input.T, self._of_output(grad) @ self.kernel.mT)
        height, width = self.size
        padded = (len(grad), self.channels[0], 1, height + 2 * self.pad, width + 2 * self.pad)
        inside = (..., slice(self.pad, self.pad + height), slice(self.pad, self.pad + width))
        return paste(tiles, self.tiling, padded)[:, :, 0][inside]

    def to_weight(self, x: Float[Tensor, "b c h w"], grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "d c k k"]:
        found = convolve.transform(self.of_kernel.T, self._tiles(x).mT @ self._of_output(grad))
        return rearrange(found, "(kh kw) c d -> d c kh kw", kh=self.tiling.taps)

    def _tiles(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "places rows c"]:
        return convolve.transform(self.of_input, cut(F.pad(x, (self.pad,) * 4)[:, :, None], self.tiling))

    def _of_output(self, grad: Float[Tensor, "b d h w"]) -> Float[Tensor, "places rows d"]:
        return convolve.transform(self.back.T, split(grad[:, :, None], self.tiling))
