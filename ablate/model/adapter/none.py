"""No adapter: the video as it is; all sessions must then have the same size."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from ablate.config import Config
from ablate.contract import Adapter, FeatureMap


class NoAdapterConfig(Config):
    """The video as it is."""

    type: Literal["none"] = "none"

    def build(self, height: int, width: int) -> "NoAdapter":
        return NoAdapter(height, width)


class NoAdapter(Adapter):
    """The identity, with the map of the raw video."""

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.out = FeatureMap.of_grid(1, height, width)

    def forward(self, video: Float[Tensor, "b 1 t h w"]) -> Float[Tensor, "b 1 t h w"]:
        return video
