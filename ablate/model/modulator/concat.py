"""Embedded behaviour as further channels of the map.

    out = [features, E behaviour + e]    over channels, the same at every place

The readout weighs the new channels like any other: behaviour then adds to the log-rate, a gain on the rate that
knows no stimulus.
"""

from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import FeatureMap, Modulator
from ablate.model.modulator.embedding import over_space, require_behavior, require_values


class ConcatConfig(Config):
    """Embedded behaviour as further channels."""

    type: Literal["concat"] = "concat"
    beh_emb_dim: int = Field(default=16, ge=1, le=16_384)
    """Channels that behaviour is embedded into."""
    feature_dim: int | None = None
    """Channels of the core; inferred, and checked where it is given."""

    def build(self, input: FeatureMap, behaviors: int) -> "ConcatModulator":
        return ConcatModulator(self, input, behaviors)


class ConcatModulator(Modulator):
    """(b d t h w) to (b d + beh_emb_dim t h w)."""

    def __init__(self, config: ConcatConfig, input: FeatureMap, behaviors: int) -> None:
        super().__init__()
        require_behavior(config.type, input, behaviors, config.feature_dim)
        self.out = replace(input, channels=input.channels + config.beh_emb_dim)
        self.embedding = nn.Linear(behaviors, config.beh_emb_dim)

    def forward(
        self, features: Float[Tensor, "b d t h w"], behavior: Float[Tensor, "b t k"] | None
    ) -> Float[Tensor, "b d2 t h w"]:
        embedded = self.embedding(require_values("concat", behavior))
        return torch.cat((features, over_space(embedded, features).to(features.dtype)), dim=1)
