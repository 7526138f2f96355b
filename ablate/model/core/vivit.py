"""ViViT, factorised encoder: tubelet tokens, transformer blocks over space, then over time at each place.

    tokens (b t s d) -> spatial blocks, groups = time steps -> temporal blocks, groups = places, causal -> (b d t h w)

Reference: Arnab et al. 2021, ViViT, model 2, as recorded by VisionCore's `vivit_small` (the defaults here).
Differs in: SwiGLU, RMSNorm and rotary positions in every block; tokens are cut so that the newest one ends at the
newest frame. The faults of the recorded baseline stay available and are its defaults: causal spatial attention in
raster order, and softplus on the features.
"""

from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from ablate.contract import Core, FeatureMap, Recomputing, no_decay
from ablate.model.layer.activation import FinalActivation, final_activation
from ablate.model.layer.attention.place_dropout import PlaceDropout
from ablate.model.layer.attention.rotary import axial_places, check_head_dim, keep_angles, raster_places, rotary_angles
from ablate.model.layer.attention.transformer_block import TransformerBlock
from ablate.model.layer.attention.transformer_options import TransformerOptions
from ablate.model.layer.norm import RmsNorm
from ablate.model.layer.tokenizer import TokenizerConfig


class ViViTConfig(TransformerOptions):
    """Factorised video transformer; the defaults are the recorded baseline `vivit_small`."""

    type: Literal["vivit"] = "vivit"
    tokenizer: TokenizerConfig = TokenizerConfig()
    num_spatial_blocks: int = Field(default=4, ge=0)
    """Blocks that attend over the places of one time step."""
    patch_dropout: float = Field(default=0.05, ge=0, lt=1)
    """Share of the tokens left out in training."""
    patch_dropout_kind: Literal["token", "element"] = "token"
    """`token`: whole places are left out of all blocks. `element`: dropout on the embeddings, as in VisionCore."""
    spatial_causal: bool = True
    """Spatial attention sees only earlier places in raster order (the recorded baseline's fault)."""
    rope: Literal["raster", "axial", "none"] = "raster"
    """Rotary positions in space: one raster index, or rows and columns apart. `none` removes them in time as well."""
    registers: int = Field(default=0, ge=0)
    """Extra learned tokens in the spatial blocks (Darcet et al. 2024), dropped before the temporal ones."""

    def build(self, input: FeatureMap) -> "ViViT":
        return ViViT(self, input)


class ViViT(Core):
    """Video `b c t h w` to features `b d t2 h2 w2`."""

    def __init__(self, config: ViViTConfig, input: FeatureMap):
        super().__init__()
        self.tokenizer = config.tokenizer.build(input, config.embedding_dim)
        self.out, self.config = self.tokenizer.out, config
        self.receptive_field = self.tokenizer.receptive_field  # before attention widens it
        self.patch_dropout: nn.Module = nn.Identity()
        if config.patch_dropout_kind == "element":
            self.patch_dropout = nn.Dropout(config.patch_dropout)
        self.place_dropout = PlaceDropout(config.patch_dropout if config.patch_dropout_kind == "token" else 0.0)
        self.spatial_blocks = SpatialBlocks(config, self.out)
        self.registers = self.spatial_blocks.registers
        self.temporal_blocks = TemporalBlocks(
            [config.block(causal=True) for _ in range(config.num_temporal_blocks)],
            width=config.embedding_dim,
            head_dim=config.head_dim,
            rotary=config.rope != "none",
            norm=config.final_norm,
            activation=config.final_activation,
        )

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        tokens = self.patch_dropout(self.tokenizer(video))
        tokens, kept = self._drop_places(tokens)
        tokens = self.spatial_blocks(tokens, kept)
        tokens = self.temporal_blocks(tokens, kept, self.out.height * self.out.width)
        return rearrange(tokens, "b (h w) t d -> b d t h w", h=self.out.height)

    def _drop_places(
        self, tokens: Float[Tensor, "b t s d"]
    ) -> tuple[Float[Tensor, "b t keep d"], Int[Tensor, "b keep"] | None]:
        """Leaves out the same places at every step of a window, since a place's past would give away what is hidden.

        The rest keeps its reading order, which causal attention needs.
        """
        steps = tokens.shape[1]
        flat, kept = self.place_dropout(rearrange(tokens, "b t s d -> b s (t d)"))
        return rearrange(flat, "b s (t d) -> b t s d", t=steps), kept

    def parts(self) -> dict[str, nn.Module]:
        """What the tables list, in the order of the flow."""
        return {
            "tokenizer": self.tokenizer,
            "spatial_blocks": self.spatial_blocks,
            "temporal_blocks": self.temporal_blocks,
        }

    def lints(self) -> tuple[str, ...]:
        """Options that are set but that nothing reads, and choices worth a second look."""
        config = self.config
        found = []
        if config.spatial_causal and config.num_spatial_blocks:
            found.append("spatial_causal: a place sees only places above it and to its left")
        if config.registers and not config.num_spatial_blocks:
            found.append("registers: nothing reads it, there are no spatial blocks")
        if config.patch_dropout_kind != "token" and not config.patch_dropout:
            found.append("patch_dropout_kind: nothing reads it, patch_dropout is 0")
        if config.drop_path and not (config.num_spatial_blocks + config.num_temporal_blocks):
            found.append("drop_path: nothing reads it, there are no blocks")
        return tuple(found)


class SpatialBlocks(Recomputing):
    """Blocks over the places of each time step, with registers in front of them."""

    def __init__(self, config: ViViTConfig, grid: FeatureMap):
        super().__init__()
        self.rope = config.rope
        self.grid = (grid.height, grid.width)
        self.head_dim = config.head_dim
        if config.rope != "none":
            check_head_dim(config.head_dim, 2 if config.rope == "axial" else 1)
        self.blocks = nn.ModuleList(
            config.block(causal=config.spatial_causal) for _ in range(config.num_spatial_blocks)
        )
        self.registers = config.registers if config.num_spatial_blocks else 0
        if self.registers:
            self.register_tokens = no_decay(nn.Parameter(torch.empty(self.registers, config.embedding_dim)))
            nn.init.trunc_normal_(self.register_tokens, std=0.02)

    def forward(
        self, tokens: Float[Tensor, "b t s d"], kept: Int[Tensor, "b s"] | None = None
    ) -> Float[Tensor, "b t s d"]:
        angles = self._angles(tokens.device, kept)
        if self.registers:
            shared = self.register_tokens.to(tokens.dtype).expand(*tokens.shape[:2], -1, -1)
            tokens = torch.cat([shared, tokens], dim=2)
        for block in self.blocks:
            tokens = self.through(block, tokens, angles)
        return tokens[:, :, self.registers :]

    def _angles(
        self, device: torch.device, kept: Int[Tensor, "b s"] | None
    ) -> Float[Tensor, "... tokens pairs"] | None:
        """Rotary angles of the (kept) places; registers have no place, so they are not turned."""
        if self.rope == "none" or not len(self.blocks):
            return None
        height, width = self.grid
        axial = self.rope == "axial"
        places = axial_places(height, width, device) if axial else raster_places(height * width, device)
        angles = rotary_angles(places, self.head_dim)
        if kept is not None:
            angles = keep_angles(angles, kept)
        unturned = angles.new_zeros(*angles.shape[:-2], self.registers, angles.shape[-1])
        return torch.cat([unturned, angles], dim=-2)


class TemporalBlocks(Recomputing):
    """Causal blocks over the time steps of each place, then the core's last norm and activation."""

    def __init__(
        self,
        blocks: list[TransformerBlock],
        *,
        width: int,
        head_dim: int,
        rotary: bool,
        norm: bool,
        activation: FinalActivation,
    ):
        super().__init__()
        self.head_dim = head_dim
        self.rotary = rotary
        self.blocks = nn.ModuleList(blocks)
        self.norm: nn.Module = RmsNorm(width) if norm else nn.Identity()
        self.activation = final_activation(activation)
        if rotary:
            check_head_dim(head_dim, 1)

    def forward(
        self, tokens: Float[Tensor, "b t keep d"], kept: Int[Tensor, "b keep"] | None, places: int
    ) -> Float[Tensor, "b places t d"]:
        angles = None
        if self.rotary:
            angles = rotary_angles(raster_places(tokens.shape[1], tokens.device), self.head_dim)
        tokens = rearrange(tokens, "b t s d -> b s t d").contiguous()
        for block in self.blocks:
            tokens = self.through(block, tokens, angles)
        return self.activation(self.norm(_put_back(tokens, kept, places)))


def _put_back(
    tokens: Float[Tensor, "b keep t d"], kept: Int[Tensor, "b keep"] | None, places: int
) -> Float[Tensor, "b places t d"]:
    """The full grid again: zeros stand where a place was left out, as if its tokens had nothing to say."""
    if kept is None:
        return tokens
    b, _, t, d = tokens.shape
    full = tokens.new_zeros(b, places, t, d)
    return full.scatter(1, kept[:, :, None, None].expand(-1, -1, t, d), tokens)
