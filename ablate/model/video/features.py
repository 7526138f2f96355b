"""Precomputed frame embeddings: what the data holds is used as it is."""

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor

from ablate.config import Config
from ablate.contract import VideoEncoder
from ablate.errors import AblateError


class FeaturesConfig(Config):
    """The data's own frame features."""

    type: Literal["features"] = "features"

    def build(self, frame_shape: tuple[int, ...], intervals: int, frames: int) -> "Features":
        """frame_shape: (d,) of the data. Raises AblateError for pixels."""
        if len(frame_shape) != 1:
            raise AblateError(
                f"the data hold pixels {frame_shape}, not features",
                where="baseline.video.type",
                hint="choose a frame encoder (small_vit, timm) or a ViViT",
            )
        return Features(frame_shape[0], frames)


class Features(VideoEncoder):
    """(b, i, f, d) with zeros in the pads."""

    def __init__(self, width: int, frames: int, places: int = 1):
        super().__init__()
        self.width, self.frames, self.places = width, frames, places

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i f"]:
        """One token a frame."""
        return mask

    def forward(
        self, frames: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"], keys: Tensor | None
    ) -> Float[Tensor, "b i f d"]:
        return frames.masked_fill(~mask[..., None], 0.0)
