"""No frontend: the pixels as they are."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from ablate.config import Config
from ablate.contract import FeatureMap, Frontend


class NoFrontendConfig(Config):
    """The pixels as they are."""

    type: Literal["none"] = "none"

    def build(self, input: FeatureMap) -> "NoFrontend":
        return NoFrontend(input)


class NoFrontend(Frontend):
    """The identity."""

    def __init__(self, input: FeatureMap) -> None:
        super().__init__()
        self.out = input

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t h w"]:
        return video
