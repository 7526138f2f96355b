"""A free mask over the map for each unit, then a weight for each channel.

    log-rate_u = sum_d a[u, d] sum_yx m[u, y, x] features[d, y, x] + c_u

Reference: Klindt et al. 2017, "Neural system identification for large populations separating 'what' and 'where'".
Differs in: the mask may be negative; L1 on masks and channel weights in place of their group penalties. The mask has
a weight for each cell, so a finer map has more parameters.
"""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import FeatureMap, Readout
from ablate.model.readout.base import feature_weights, rate_bias, read_places


class FactorizedConfig(Config):
    """A free mask over the map for each unit, then a weight for each channel."""

    type: Literal["factorized"] = "factorized"
    l1_mask: float = Field(default=1e-4, ge=0)
    """Weight of the summed absolute mask weights in the loss."""
    l1: float = Field(default=1e-7, ge=0)
    """Weight of the summed absolute channel weights in the loss."""

    def build(self, input: FeatureMap, mean_rate: tuple[float, ...]) -> "FactorizedReadout":
        return FactorizedReadout(self, input, mean_rate)


class FactorizedReadout(Readout):
    """One session's units."""

    def __init__(self, config: FactorizedConfig, input: FeatureMap, mean_rate: tuple[float, ...]) -> None:
        super().__init__()
        units, cells = len(mean_rate), input.height * input.width
        self.features = feature_weights(units, input.channels)
        start = 1 + 0.1 * torch.randn(units, input.height, input.width)  # near the mean over the map
        self.mask = nn.Parameter(start / cells)
        self.bias = rate_bias(mean_rate)
        self.l1_mask, self.l1 = config.l1_mask, config.l1

    def forward(self, features: Float[Tensor, "b d n h w"]) -> Float[Tensor, "b n u"]:
        return read_places(features, self.mask.flatten(1), self.features, self.bias)

    def penalty(self) -> Float[Tensor, ""]:
        return self.l1_mask * self.mask.abs().sum() + self.l1 * self.features.abs().sum()
