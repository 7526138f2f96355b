"""A vision transformer on every single frame, then a causal temporal mixer at each place.

    frame -> patch tokens (s d) -> spatial blocks -> mixer over frames at each place -> every `time_step`-th step

The notes' rival of ViViT ("ViT per frame and a mixer"), asked of neurons: patch tokens stay a map, so that a
readout still has places. The mixers are those of the fusion models.

Differs in: no class token; spatial attention sees the whole frame, with axial rotary positions.
"""

from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Core, FeatureMap, Mixer, Recomputing
from ablate.model.layer.attention.rotary import axial_places, check_head_dim, rotary_angles
from ablate.model.layer.attention.transformer_block import TransformerBlock
from ablate.model.layer.imported import kept
from ablate.model.layer.place import coarser
from ablate.model.layer.tokenizer import TokenizerConfig
from ablate.model.mixer import MixerPartConfig
from ablate.model.mixer.base import MixerConfig
from ablate.model.mixer.gru import GruConfig


class FrameViTConfig(Config):
    """ViT on single frames and a mixer over them."""

    type: Literal["frame_vit"] = "frame_vit"
    patch_size: int = Field(4, ge=1, le=16_384)
    """Cells along a patch."""
    stride: int = Field(4, ge=1, le=16_384)
    """Cells from one patch to the next; smaller than `patch_size` makes them overlap."""
    embedding_dim: int = Field(96, ge=1, le=16_384)
    """Width of a token."""
    num_spatial_blocks: int = Field(4, ge=0)
    """Blocks that attend over the places of one frame."""
    num_heads: int = Field(4, ge=1, le=16_384)
    """Attention heads of a block."""
    head_dim: int = Field(24, ge=4)
    """Width of one head; divisible by 4 for axial positions."""
    ff_dim: int = Field(192, ge=1, le=16_384)
    """Hidden width of the SwiGLU feed-forward."""
    mixer: MixerPartConfig = GruConfig()
    """What lets a place know its past. `scope` means nothing here: a window is one sequence."""
    time_step: int = Field(1, ge=1, le=16_384)
    """Frames from one step of the map to the next; all frames are seen, and every `time_step`-th step is given on."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout after each attention and each feed-forward."""
    drop_path: float = Field(0.0, ge=0, lt=1)
    """Chance that a window skips a residual branch."""

    @model_validator(mode="after")
    def _is_causal(self) -> "FrameViTConfig":
        if isinstance(self.mixer, MixerConfig) and self.mixer.direction != "forward":
            raise ValueError("mixer.direction must be forward: a rate may not know later frames")
        return self

    def build(self, input: FeatureMap) -> "FrameViT":
        return FrameViT(self, input)


class FrameViT(Core, Recomputing):
    """Video `b c t h w` to features `b d t2 h2 w2`."""

    def __init__(self, config: FrameViTConfig, input: FeatureMap):
        super().__init__()
        size, stride, width = config.patch_size, config.stride, config.embedding_dim
        cut = TokenizerConfig(kernel_size=(1, size, size), stride=(1, stride, stride))
        self.tokenizer = cut.build(input, width)
        grid = self.tokenizer.out
        self.time_step = config.time_step
        self.out = coarser(
            grid, channels=width, time_stride=config.time_step, rows=range(grid.height), cols=range(grid.width)
        )
        check_head_dim(config.head_dim, 2)
        self.head_dim = config.head_dim
        self.spatial_blocks = nn.ModuleList(
            TransformerBlock(
                width,
                heads=config.num_heads,
                head_dim=config.head_dim,
                ff_dim=config.ff_dim,
                causal=False,
                qk_norm=False,
                dropout=config.dropout,
                drop_path=config.drop_path,
            )
            for _ in range(config.num_spatial_blocks)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.mixer = kept(config.mixer.build(width, 1, LONGEST_WINDOW), Mixer)
        self.receptive_field = self.tokenizer.receptive_field  # before attention and the mixer widen it

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        tokens = self.tokenizer(video)  # b t s d
        angles = rotary_angles(axial_places(self.out.height, self.out.width, video.device), self.head_dim)
        for block in self.spatial_blocks:
            tokens = self.through(block, tokens, angles)
        sequences = rearrange(self.dropout(tokens), "b t s d -> (b s) 1 t d")
        everything = torch.ones(sequences.shape[:3], dtype=torch.bool, device=video.device)
        mixed = rearrange(self.mixer(sequences, everything), "(b s) 1 t d -> b d t s", b=len(video))
        newest = (mixed.shape[2] - 1) % self.time_step
        return rearrange(mixed[:, :, newest :: self.time_step], "b d t (h w) -> b d t h w", h=self.out.height)

    def parts(self) -> dict[str, nn.Module]:
        """What the tables list, in the order of the flow."""
        return {"tokenizer": self.tokenizer, "spatial_blocks": self.spatial_blocks, "mixer": self.mixer}


LONGEST_WINDOW = 64  # frames: sets how slow a state-space mixer's slowest channel starts (dt from 1 / (4 x 64))
