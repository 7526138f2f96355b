"""ViViT."""

from typing import Literal

from pydantic import Field
from torch import nn

from ablate.config import Config
from ablate.contract import FeatureMap

Size3 = tuple[int, int, int]


class TokenizerConfig(Config):
    """How a video is cut into tubelets, (frames, rows, columns)."""

    kernel_size: Size3 = (8, 8, 8)
    """Extent of one token."""
    stride: Size3 = (8, 8, 8)
    """Distance between tokens; smaller than the kernel makes them overlap. `stride[0]` is the core's time step."""


class ViViTConfig(Config):
    """Factorised video transformer; the defaults are the recorded baseline `vivit_small`."""

    type: Literal["vivit"] = "vivit"
    tokenizer: TokenizerConfig = TokenizerConfig()
    embedding_dim: int = Field(192, ge=1)
    """Width of a token."""
    num_spatial_blocks: int = Field(4, ge=0)
    """Blocks that attend over the places of one time step."""
    num_temporal_blocks: int = Field(4, ge=0)
    """Blocks that attend over the past of one place (causal)."""
    num_heads: int = Field(4, ge=1)
    head_dim: int = Field(48, ge=2)
    ff_dim: int = Field(768, ge=1)
    """Hidden width of the SwiGLU feed-forward."""
    dropout: float = Field(0.1, ge=0, lt=1)
    drop_path: float = Field(0.05, ge=0, lt=1)
    """Chance that a window skips a residual branch."""
    patch_dropout: float = Field(0.05, ge=0, lt=1)
    """Share of the tokens left out in training."""
    patch_dropout_kind: Literal["token", "element"] = "token"
    """`token`: whole places are left out of all blocks. `element`: dropout on the embeddings, as in VisionCore."""
    spatial_causal: bool = True
    """Spatial attention sees only earlier places in raster order (the recorded baseline's fault)."""
    rope: Literal["raster", "axial", "none"] = "raster"
    """Rotary positions in space: one raster index, or rows and columns apart. `none` removes them in time as well."""
    qk_norm: bool = False
    """RMS-normalise queries and keys of each head."""
    final_norm: bool = False
    """RMSNorm after the last block."""
    final_activation: Literal["softplus", "relu", "gelu", "none"] = "softplus"
    registers: int = Field(0, ge=0)
    """Extra learned tokens in the spatial blocks (Darcet et al. 2024), dropped before the temporal ones."""

    def build(self, input: FeatureMap) -> nn.Module:
        raise NotImplementedError
