"""The mean over the map, then a weight for each channel: a control that knows no place.

    log-rate_u = sum_d a[u, d] mean_yx features[d, y, x] + c_u

What a readout with places gains over this one is what places are worth.
"""

from typing import Literal

from einops import reduce
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from ablate.config import Config
from ablate.contract import FeatureMap, Readout
from ablate.model.layer.precision import full_precision
from ablate.model.readout.base import feature_weights, rate_bias


class PooledConfig(Config):
    """The mean over the map, then a weight for each channel."""

    type: Literal["pooled", "none"] = "pooled"
    """`none` (no spatial readout) is another name of it."""
    l1: float = Field(default=1e-7, ge=0)
    """Weight of the summed absolute channel weights in the loss."""

    def build(self, input: FeatureMap, mean_rate: tuple[float, ...]) -> "PooledReadout":
        return PooledReadout(self, input, mean_rate)


class PooledReadout(Readout):
    """One session's units."""

    def __init__(self, config: PooledConfig, input: FeatureMap, mean_rate: tuple[float, ...]) -> None:
        super().__init__()
        self.features = feature_weights(len(mean_rate), input.channels)
        self.bias = rate_bias(mean_rate)
        self.l1 = config.l1

    def forward(self, features: Float[Tensor, "b d n h w"]) -> Float[Tensor, "b n u"]:
        with full_precision(features.device):
            pooled = reduce(features.float(), "b d n h w -> b n d", "mean")
            return pooled @ self.features.T + self.bias

    def penalty(self) -> Float[Tensor, ""]:
        return self.l1 * self.features.abs().sum()
