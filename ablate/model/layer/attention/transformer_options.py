"""The options of a video transformer that several cores share."""

from pydantic import Field

from ablate.config import Config
from ablate.model.layer.activation import FinalActivation
from ablate.model.layer.attention.transformer_block import TransformerBlock


class TransformerOptions(Config):
    """Widths, depth in time and regularisation; the defaults are the recorded baseline's."""

    embedding_dim: int = Field(default=192, ge=1, le=16_384)
    """Width of a token."""
    num_temporal_blocks: int = Field(default=4, ge=0)
    """Blocks that attend over the past of one place (causal)."""
    num_heads: int = Field(default=4, ge=1, le=16_384)
    """Attention heads of every block."""
    head_dim: int = Field(default=48, ge=2)
    """Width of one head; heads x width need not equal `embedding_dim`."""
    ff_dim: int = Field(default=768, ge=1, le=16_384)
    """Hidden width of the SwiGLU feed-forward."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout after each attention and each feed-forward."""
    drop_path: float = Field(default=0.05, ge=0, lt=1)
    """Chance that a window skips a residual branch."""
    qk_norm: bool = False
    """RMS-normalise queries and keys of each head."""
    final_norm: bool = False
    """RMSNorm after the last block."""
    final_activation: FinalActivation = "softplus"
    """Applied to the features that leave the core."""

    def block(self, *, causal: bool) -> TransformerBlock:
        """One block of this width."""
        return TransformerBlock(
            self.embedding_dim,
            heads=self.num_heads,
            head_dim=self.head_dim,
            ff_dim=self.ff_dim,
            causal=causal,
            qk_norm=self.qk_norm,
            dropout=self.dropout,
            drop_path=self.drop_path,
        )
