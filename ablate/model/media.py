"""The video side of a fusion model: frames to latents, and what stands in its place where no video is looked at.

frames (b i f 3 h w) --video--> (b i f w) --projection--> (b i f d) --mixer--> (b i f d) --compressor--> (b i n d)
"""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ablate.contract import FusionBatch, FusionSpec
from ablate.errors import AblateError
from ablate.model.layer.linear import linear


@runtime_checkable
class StackConfig(Protocol):
    """What the stack reads of a fusion model's configuration."""

    embedding_dim: int
    video: Any
    mixer: Any
    compressor: Any


class MediaStack(nn.Module):
    """Frames to latents: video encoder, projection to the token width, mixer, compressor."""

    def __init__(self, config: StackConfig, spec: FusionSpec, *, video: Any = None):
        """video: stands in for the encoder that the configuration names."""
        super().__init__()
        self.video = video or config.video.build(spec.frame_shape, spec.intervals, spec.frames)
        for name in ("width", "frames", "token_mask"):
            require(self.video, name, "baseline.video")
        self.projection = nn.Sequential(nn.LayerNorm(self.video.width), linear(self.video.width, config.embedding_dim))
        self.mixer = config.mixer.build(config.embedding_dim, spec.intervals, self.video.frames)
        self.compressor = config.compressor.build(config.embedding_dim, self.video.frames)
        self.latents: int = require(self.compressor, "latents", "baseline.compressor")

    def forward(self, batch: FusionBatch) -> tuple[Float[Tensor, "b i n d"], Bool[Tensor, "b i"]]:
        """Latents, and which intervals have any frame."""
        tokens = self.video(batch.frames, batch.frame_mask, batch.frame_keys)
        return self.from_tokens(tokens, self.video.token_mask(batch.frame_mask))

    def from_tokens(
        self, tokens: Float[Tensor, "b i f w"], mask: Bool[Tensor, "b i f"]
    ) -> tuple[Float[Tensor, "b i n d"], Bool[Tensor, "b i"]]:
        """What follows the frame encoder."""
        mixed = self.mixer(self.projection(tokens), mask)
        return self.compressor(mixed, mask), mask.any(dim=2)

    def parts(self) -> dict[str, list[nn.Module]]:
        return {
            "video": [self.video],
            "projection": [self.projection],
            "mixer": [self.mixer],
            "compressor": [self.compressor],
        }


class NoMedia(nn.Module):
    """Stands where no video is looked at: one zero latent an interval, and no interval present."""

    latents = 1

    def __init__(self, width: int):
        super().__init__()
        self.width = width

    def forward(self, batch: FusionBatch) -> tuple[Float[Tensor, "b i n d"], Bool[Tensor, "b i"]]:
        present = torch.zeros_like(batch.frame_mask[:, :, 0])
        return batch.eeg.new_zeros(*present.shape, 1, self.width), present

    def parts(self) -> dict[str, list[nn.Module]]:
        return {}


def require(part: nn.Module, name: str, where: str) -> Any:
    """What a part must say of itself. Raises AblateError if a user's own part does not."""
    if hasattr(part, name):
        return getattr(part, name)
    raise AblateError(
        f"`{type(part).__name__}` has no attribute `{name}`",
        where=where,
        hint="a video encoder has `width`, `frames` and `token_mask(mask)`; a compressor has `latents`",
    )
