"""Feature-wise linear modulation: behaviour scales and shifts every channel.

    e = silu(E behaviour + e0);   out = (1 + gain(e)) * features + shift(e)    the same at every place

Reference: Perez et al. 2018, "FiLM: Visual reasoning with a general conditioning layer". Differs in: starts near the
identity (weights of 0.01: with zeros the embedding would get no gradient on the first step), and behaviour of each
time step modulates that step.
"""

from typing import Literal

from einops import rearrange
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import FeatureMap, Modulator
from ablate.model.modulator.embedding import require_behavior, require_values

START = 0.01  # standard deviation of the weights that make gain and shift


class FilmConfig(Config):
    """Behaviour scales and shifts every channel."""

    type: Literal["film"] = "film"
    beh_emb_dim: int = Field(default=16, ge=1, le=16_384)
    """Width of the behaviour embedding."""
    feature_dim: int | None = None
    """Channels of the core; inferred, and checked where it is given."""

    def build(self, input: FeatureMap, behaviors: int) -> "FilmModulator":
        return FilmModulator(self, input, behaviors)


class FilmModulator(Modulator):
    """Keeps the shape of the features."""

    def __init__(self, config: FilmConfig, input: FeatureMap, behaviors: int) -> None:
        super().__init__()
        require_behavior(config.type, input, behaviors, config.feature_dim)
        self.out = input
        self.embedding = nn.Linear(behaviors, config.beh_emb_dim)
        self.gain_shift = nn.Linear(config.beh_emb_dim, 2 * input.channels)
        nn.init.normal_(self.gain_shift.weight, std=START)
        nn.init.zeros_(self.gain_shift.bias)

    def forward(
        self, features: Float[Tensor, "b d t h w"], behavior: Float[Tensor, "b t k"] | None
    ) -> Float[Tensor, "b d t h w"]:
        embedded = nn.functional.silu(self.embedding(require_values("film", behavior)))
        gain, shift = rearrange(self.gain_shift(embedded), "b t (two d) -> two b d t 1 1", two=2)
        return (1 + gain) * features + shift
