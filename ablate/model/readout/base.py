"""What the readouts share: the bias that starts at each unit's log mean rate, and feature weights."""

import math

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

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


def read_places(
    features: Float[Tensor, "b d n h w"],
    places: Float[Tensor, "u p"],
    channels: Float[Tensor, "u d"],
    bias: Float[Tensor, " u"],
) -> Float[Tensor, "b n u"]:
    """Each unit's weighted sum over the cells of the map (row by row) and over the channels, in float32.

    sum_d channels[u, d] sum_p places[u, p] features[d, p] + bias, in the order that keeps fewer numbers: one product
    with the weights of all channels and cells, or each cell's channels pooled first where a map has more cells than the
    batch has bins. On the meta device, where FLOPs are counted, the formula's own order.
    """
    batch, _, bins, *cells = features.shape
    if features.is_meta or cells[0] * cells[1] > batch * bins:
        pooled = rearrange(features, "b d n h w -> b d n (h w)") @ places.T.to(features.dtype)  # b d n u
        with full_precision(pooled.device):
            return torch.einsum("bdnu,ud->bnu", pooled.float(), channels.float()) + bias.float()
    with full_precision(features.device):
        weights = (channels.float()[:, :, None] * places.float()[:, None]).flatten(1)  # u (d p)
        return functional.linear(rearrange(features.float(), "b d n h w -> b n (d h w)"), weights, bias.float())
