"""What the readouts share: the bias that starts at each unit's log mean rate, and feature weights."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ablate.model.layer.precision import full_precision

RATE_FLOOR = 1e-4  # expected spikes a bin; the start of a unit that never fired in training
START = (
    0.3  # feature weights start at this over sqrt(channels): the first rates are near the mean rate, yet see the core
)


def rate_bias(mean_rate: tuple[float, ...]) -> nn.Parameter:
    """Log mean rate of each unit."""
    return nn.Parameter(torch.tensor([math.log(max(rate, RATE_FLOOR)) for rate in mean_rate]))


def feature_weights(units: int, channels: int) -> nn.Parameter:
    """Small random weights (units, channels)."""
    return nn.Parameter(torch.randn(units, channels) * START / math.sqrt(channels))


def read_features(
    pooled: Float[Tensor, "b d n u"], features: Float[Tensor, "u d"], bias: Float[Tensor, " u"]
) -> Float[Tensor, "b n u"]:
    """Each unit's own weighted sum over the channels at its place, in float32."""
    with full_precision(pooled.device):
        return torch.einsum("bdnu,ud->bnu", pooled.float(), features.float()) + bias.float()
