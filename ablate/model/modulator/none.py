"""No modulator: the features as they are; behaviour is not read."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from ablate.config import Config
from ablate.contract import FeatureMap, Modulator


class NoModulatorConfig(Config):
    """Features without behaviour."""

    type: Literal["none"] = "none"

    def build(self, input: FeatureMap, behaviors: int) -> "NoModulator":
        return NoModulator(input)


class NoModulator(Modulator):
    """The identity."""

    def __init__(self, input: FeatureMap) -> None:
        super().__init__()
        self.out = input

    def forward(
        self, features: Float[Tensor, "b d t h w"], behavior: Float[Tensor, "b t k"] | None
    ) -> Float[Tensor, "b d t h w"]:
        return features
