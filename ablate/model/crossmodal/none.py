"""No fusion: the EEG alone. The model builds no video parts, so that none of their cost is paid."""

from typing import ClassVar, Literal

from jaxtyping import Bool, Float
from torch import Tensor

from ablate.config import Config
from ablate.contract import Fusion


class NoFusionConfig(Config):
    """EEG alone."""

    type: Literal["none"] = "none"
    needs_media: ClassVar[bool] = False

    def build(self, width: int, of_token: Tensor, intervals: int, latents: int) -> "NoFusion":
        return NoFusion()


class NoFusion(Fusion):
    """EEG tokens pass unchanged."""

    def forward(
        self, tokens: Float[Tensor, "b e d"], media: Float[Tensor, "b i n d"], present: Bool[Tensor, "b i"]
    ) -> Float[Tensor, "b e d"]:
        return tokens
