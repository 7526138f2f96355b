"""A Gaussian over the map for each unit, then a weight for each channel.

    log-rate_u = sum_d a[u, d] sum_yx g_u[y, x] features[d, y, x] + c_u
    g_u = exp(-|S^-1 R(angle) (place[y, x] - mean)|^2 / 2), normalised over the map;   S = diag(std)

C + 6 parameters a unit: C channel weights, mean 2 (row, column), log std 2, angle 1, bias 1.

Reference: Lurz et al. 2021, "Generalization in data-driven models of primary visual cortex"; Yates-Lab/VisionCore,
dynamic Gaussian readout. Differs from the latter in: place, mean and std are stimulus coordinates [-1, 1], so that a
bound on std is the same visual angle on every map (`bound: map_pixels` is the lab's); the bound is kept by
projecting after each step, where a clamp in the forward pass would leave a unit at the bound without gradient; the
bias starts at the log mean rate.
"""

import math
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import FeatureMap, Readout, no_decay
from ablate.model.layer.precision import full_precision, gaussian_weights
from ablate.model.readout.base import feature_weights, rate_bias, read_places

Bounds = {"stimulus": (3.2, 0.48), "map_pixels": (10.0, 1.5)}
"""Largest std at the start and at the end of training. The lab's 10 and 1.5 map pixels are 3.2 and 0.48 of the half
width on the baseline's map, whose cells are 8 of 51 pixels: 8 * 2 / 50 = 0.32."""
SMALLEST_STD = 0.04  # one pixel of a 51 grid; below it a unit reads one cell and no longer feels where it is


class GaussianConfig(Config):
    """A Gaussian over the map for each unit, then a weight for each channel."""

    type: Literal["gaussian"] = "gaussian"
    bound: Literal["stimulus", "map_pixels"] = "stimulus"
    """Unit of the bound on std: half widths of the stimulus, or cells of the map (the lab's: a finer map then forces
    smaller receptive fields)."""
    std_bound: tuple[float, float] | None = None
    """Largest std at the start and at the end of training, in that unit; by default 3.2 to 0.48 half widths, or 10
    to 1.5 cells."""
    bound_reached: float = Field(default=0.5, gt=0, le=1)
    """Share of training after which the bound has its end value; it shrinks geometrically until then."""
    std: float = Field(default=0.6, gt=0)
    """Std at the start, in half widths of the stimulus."""
    mean_spread: float = Field(default=0.1, ge=0)
    """Standard deviation of the means at the start, in half widths of the stimulus."""
    l1: float = Field(default=1e-7, ge=0)
    """Weight of the summed absolute channel weights in the loss."""

    def build(self, input: FeatureMap, mean_rate: tuple[float, ...]) -> "GaussianReadout":
        return GaussianReadout(self, input, mean_rate)


class GaussianReadout(Readout):
    """One session's units."""

    places: Float[Tensor, "p 2"]
    cell: Float[Tensor, " 2"]

    def __init__(self, config: GaussianConfig, input: FeatureMap, mean_rate: tuple[float, ...]) -> None:
        super().__init__()
        units = len(mean_rate)
        self.features = feature_weights(units, input.channels)
        self.mean = no_decay(nn.Parameter(torch.randn(units, 2) * config.mean_spread))
        self.log_std = no_decay(nn.Parameter(torch.full((units, 2), math.log(config.std))))
        self.angle = nn.Parameter(torch.zeros(units))
        self.bias = rate_bias(mean_rate)
        places = torch.tensor([(row, col) for row in input.row_centers for col in input.col_centers])
        self.register_buffer("places", places, persistent=False)
        cell = (1.0, 1.0) if config.bound == "stimulus" else (spacing(input.row_centers), spacing(input.col_centers))
        self.register_buffer("cell", torch.tensor(cell), persistent=False)
        self.first, self.last = config.std_bound or Bounds[config.bound]
        self.reached, self.l1 = config.bound_reached, config.l1
        self.config, self.input = config, input
        self.progress(0.0)

    def forward(self, features: Float[Tensor, "b d n h w"]) -> Float[Tensor, "b n u"]:
        return read_places(features, self.gaussians(), self.features, self.bias)

    def gaussians(self) -> Float[Tensor, "u p"]:
        """Each unit's weights over the cells of the map (row by row), which sum to one; float32."""
        with full_precision(self.mean.device):  # a place in bfloat16 is a cell off
            row, col = rearrange(self.places - self.mean[:, None], "u p two -> two u p")
            cos, sin = self.angle.cos()[:, None], self.angle.sin()[:, None]
            std_row, std_col = rearrange(self.log_std.exp(), "u two -> two u 1")
            along = (cos * row + sin * col) / std_row
            across = (cos * col - sin * row) / std_col
            return gaussian_weights(-(along**2 + across**2) / 2)

    def bound_at(self, fraction: float) -> float:
        """Largest std when `fraction` of training is done, in the unit of `bound`."""
        done = min(fraction / self.reached, 1.0)
        return float(self.first ** (1 - done) * self.last**done)

    @torch.no_grad()
    def progress(self, fraction: float) -> None:
        """Tightens the bound on std, and keeps the means on the stimulus."""
        largest = torch.log(self.bound_at(fraction) * self.cell)
        smallest = torch.full_like(largest, math.log(SMALLEST_STD))
        self.log_std.copy_(torch.maximum(torch.minimum(self.log_std, largest), torch.minimum(smallest, largest)))
        self.mean.clamp_(-1, 1)

    def penalty(self) -> Float[Tensor, ""]:
        return self.l1 * self.features.abs().sum()

    def lints(self) -> tuple[str, ...]:
        """Bounds on the width that mean another angle, or less than the map can tell apart."""
        config, map_ = self.config, self.input
        if config.bound == "map_pixels":
            return (
                f"bound: map_pixels counts cells of this {map_.height} x {map_.width} map, "
                "so the same number is another visual angle on another map",
            )
        cells = [abs(centers[1] - centers[0]) for centers in (map_.row_centers, map_.col_centers) if len(centers) > 1]
        if config.std_bound is None or not cells or config.std_bound[1] >= max(cells) / 2:
            return ()
        return (
            f"std_bound: {config.std_bound[1]:g} half widths of the stimulus is less than half a cell "
            f"of the map ({max(cells):.2f}), so a unit ends up reading one cell",
        )


def spacing(centers: tuple[float, ...]) -> float:
    """Distance between neighbouring cells in stimulus coordinates; a lone cell spans the stimulus."""
    return (centers[-1] - centers[0]) / (len(centers) - 1) if len(centers) > 1 else 2.0
