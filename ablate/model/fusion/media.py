"""The video side of a fusion model: frames to latents, and what stands in its place where no video is looked at.

frames (b i f 3 h w) --video--> (b i f w) --projection--> (b i f d) --mixer--> (b i f d) --compressor--> (b i n d)

An encoder that gives several tokens a frame (patches) has each place mixed over time by itself; the compressor reads
them all.
"""

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Compressor, FusionBatch, FusionSpec, Mixer, Part, VideoEncoder
from ablate.model.compressor import CompressorConfig
from ablate.model.compressor.pma import PmaConfig
from ablate.model.layer.imported import kept
from ablate.model.layer.linear import linear
from ablate.model.mixer import MixerPartConfig
from ablate.model.mixer.gru import GruConfig
from ablate.model.video import VideoConfig
from ablate.model.video.features import FeaturesConfig


class MediaConfig(Config):
    """The video side of a fusion model."""

    embedding_dim: int = Field(default=64, ge=4, le=4096)
    """Token width d of everything after the frame encoder."""
    video: VideoConfig = FeaturesConfig()
    """What turns frames into tokens."""
    mixer: MixerPartConfig = GruConfig()
    """What lets a frame know other frames."""
    compressor: CompressorConfig = PmaConfig()
    """What leaves n latents an interval."""


class MediaStack(nn.Module):
    """Frames to latents: video encoder, projection to the token width, mixer, compressor."""

    def __init__(self, config: MediaConfig, spec: FusionSpec, *, video: VideoEncoder | None = None):
        """video: stands in for the encoder that the configuration names."""
        super().__init__()
        built = video or config.video.build(spec.frame_shape, spec.intervals, spec.frames)
        self.video = kept(built, VideoEncoder)
        self.projection = nn.Sequential(nn.LayerNorm(self.video.width), linear(self.video.width, config.embedding_dim))
        steps = self.video.frames // self.video.places
        self.mixer = kept(config.mixer.build(config.embedding_dim, spec.intervals, steps), Mixer)
        self.compressor = kept(config.compressor.build(config.embedding_dim, self.video.frames), Compressor)
        self.latents = self.compressor.latents

    def forward(self, batch: FusionBatch) -> tuple[Float[Tensor, "b i n d"], Bool[Tensor, "b i"]]:
        """Latents, and which intervals have any frame."""
        return self.from_tokens(self.tokens(batch), self.token_mask(batch.frame_mask))

    def tokens(self, batch: FusionBatch) -> Float[Tensor, "b i f w"]:
        """What the frame encoder makes of a batch, kept features where it has them."""
        kept = self.video.remembered(batch.frame_mask, batch.frame_keys)
        return self.video(batch.frames, batch.frame_mask, batch.frame_keys) if kept is None else kept

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i f2"]:
        """Which of the tokens stand for frames that are there."""
        return self.video.token_mask(mask)

    def compile(self, *args: object, **options: object) -> None:
        """Compiles the frame encoder; what follows it is compiled with the rest of the model."""
        self.video.compile(*args, **options)

    def from_tokens(
        self, tokens: Float[Tensor, "b i f w"] | None, mask: Bool[Tensor, "b i f"]
    ) -> tuple[Float[Tensor, "b i n d"], Bool[Tensor, "b i"]]:
        """What follows the frame encoder."""
        assert tokens is not None  # a stack that is there gives tokens
        sizes, steps = {"s": self.video.places}, "(b s) i f"
        by_place = rearrange(self.projection(tokens), f"b i (f s) d -> {steps} d", **sizes)
        mixed = self.mixer(by_place, rearrange(mask, f"b i (f s) -> {steps}", **sizes))
        return self.compressor(rearrange(mixed, f"{steps} d -> b i (f s) d", **sizes), mask), mask.any(dim=2)

    def flow(self) -> dict[str, Part]:
        """The swappable parts, in the order of the flow."""
        return {"video": self.video, "mixer": self.mixer, "compressor": self.compressor}

    def parts(self) -> dict[str, nn.Module]:
        """All that has parameters, in the order of the flow."""
        return {
            "video": self.video,
            "projection": self.projection,
            "mixer": self.mixer,
            "compressor": self.compressor,
        }


class NoMedia(nn.Module):
    """Stands where no video is looked at: one zero latent an interval, and no interval present."""

    latents = 1

    def __init__(self, width: int):
        super().__init__()
        self.width = width

    def tokens(self, batch: FusionBatch) -> None:
        """Nothing is looked at."""

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i f"]:
        return mask

    def from_tokens(
        self, tokens: Float[Tensor, "b i f w"] | None, mask: Bool[Tensor, "b i f"]
    ) -> tuple[Float[Tensor, "b i n d"], Bool[Tensor, "b i"]]:
        present = torch.zeros_like(mask[:, :, 0])
        return torch.zeros(*present.shape, 1, self.width, device=mask.device), present

    def compile(self, *args: object, **options: object) -> None:
        """There is nothing to compile."""

    def flow(self) -> dict[str, Part]:
        return {}

    def parts(self) -> dict[str, nn.Module]:
        return {}
