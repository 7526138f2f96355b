"""The mean of an interval's valid frames: one latent, blind to order.

latent = sum_f mask_f z_f / sum_f mask_f
"""

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor

from ablate.config import Config
from ablate.contract import Compressor


class MeanConfig(Config):
    """The mean of the frames."""

    type: Literal["mean"] = "mean"

    def build(self, width: int, frames: int) -> "MeanCompressor":
        """width: token width d. frames: f, tokens an interval at most."""
        return MeanCompressor()


class MeanCompressor(Compressor):
    """One latent an interval; zero where the interval has no frame."""

    latents = 1

    def forward(self, tokens: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i 1 d"]:
        total = tokens.masked_fill(~mask[..., None], 0.0).sum(dim=2, keepdim=True)
        return total / mask.sum(dim=2).clamp(min=1)[..., None, None]
