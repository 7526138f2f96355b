"""How a map is cut into tiles for Winograd's convolution, and which cut is the cheapest."""

import math
from dataclasses import dataclass

POINTS = (0.0, 1.0, -1.0, 0.5, -2.0, -0.5, 2.0)  # in the order of use: small fractions round least
KERNEL_COPIES = 4  # the transform of a kernel is held up by memory: it takes as long as four times its products


@dataclass(frozen=True)
class Tiling:
    """How a map is cut: `count` tiles (rows, columns) of `size` x `size` cells; each gives `valid` x `valid` cells."""

    count: tuple[int, int]
    valid: int
    taps: int
    dilation: int = 1

    @property
    def size(self) -> int:
        """Cells on a side of a tile, of one phase of the map."""
        return self.valid + self.taps - 1

    @property
    def places(self) -> int:
        """Places of a transformed tile."""
        return self.size**2

    def rows(self, frames: int) -> int:
        """Tiles of all frames (windows x steps)."""
        return frames * self.count[0] * self.count[1] * self.dilation**2

    def products(self, frames: int, channels: tuple[int, int], transformed: bool = False) -> float:
        """Multiplications for each pair of channels (in, out): at the places, and the share of the transforms; that of
        the kernel is left out where it is `transformed` already."""
        transforms = self.places / channels[1] + self.valid**2 / channels[0]
        kernels = 0 if transformed else KERNEL_COPIES * self.taps**2  # one transform for all tiles
        return self.places * (self.rows(frames) * (1 + transforms) + kernels)


def choose_tiling(
    high: int,
    wide: int,
    taps: int,
    dilation: int = 1,
    *,
    frames: int = 40,
    channels: tuple[int, int] = (128, 128),
    transformed: bool = False,
) -> Tiling:
    """The cheapest square tiling of an output of `high` x `wide` cells."""
    sides = [math.ceil(side / dilation) for side in (high, wide)]
    candidates = [
        Tiling((math.ceil(sides[0] / valid), math.ceil(sides[1] / valid)), valid, taps, dilation)
        for valid in range(2, len(POINTS) + 3 - taps)
    ]
    return min(candidates, key=lambda tiling: tiling.products(frames, channels, transformed))
