"""No mixing: every frame stays on its own, pads become zero.

With a compressor that has no frame positions the order of frames is then invisible to the model.
"""

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor

from ablate.config import Config
from ablate.contract import Mixer


class NoneMixerConfig(Config):
    """Frames pass unchanged."""

    type: Literal["none"] = "none"

    def build(self, width: int, intervals: int, frames: int) -> "NoneMixer":
        return NoneMixer()


class NoneMixer(Mixer):
    """Identity on valid frames, zero in the pads."""

    def forward(self, tokens: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i f d"]:
        return tokens.masked_fill(~mask[..., None], 0.0)
