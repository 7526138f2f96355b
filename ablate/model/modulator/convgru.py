"""A convolutional GRU over time that takes features and behaviour.

    x_t = [features_t, E behaviour_t + e]              over channels, behaviour the same at every place
    z, r, n = W x_t + w;    Z, R, N = norm(U h)        3 x 3 convolutions to three gates of hidden_dim each
    h' = (1 - sigmoid(z + Z)) h + sigmoid(z + Z) tanh(n + sigmoid(r + R) N)
    out_t = P h' + p                                   1 x 1 convolution

`cell: visioncore` is the lab's candidate, tanh(n + N + sigmoid(r + R) h), which adds the state itself.

Reference: Ballas et al. 2016, "Delving deeper into convolutional networks for learning video representations";
Yates-Lab/VisionCore. Differs from the latter in: the reset gate multiplies the hidden term; a norm group is one gate
(`norm: straddling` is one group over all three); every step's state is read out. W x_t is one convolution for all
steps; only U h stays in the loop.
"""

from dataclasses import replace
from typing import Literal

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import FeatureMap, Modulator
from ablate.errors import AblateError
from ablate.model.layer.convolution.prepared import convolve
from ablate.model.modulator.embedding import over_space, require_behavior, require_values
from ablate.model.modulator.recurrence import recur, recurrence_pays

NORM_GROUPS = {"groups": 3, "straddling": 1}


class ConvGruConfig(Config):
    """A convolutional GRU over time that takes features and behaviour."""

    type: Literal["convgru"] = "convgru"
    hidden_dim: int = Field(default=192, ge=1, le=16_384)
    """Channels of the state, and of the output."""
    beh_emb_dim: int = Field(default=16, ge=1, le=16_384)
    """Channels that behaviour is embedded into."""
    kernel_size: int = Field(default=3, ge=1, le=16_384)
    """Rows and columns of the convolutions; odd."""
    cell: Literal["standard", "visioncore"] = "standard"
    """`standard`: the reset gate multiplies the hidden term of the candidate; `visioncore`: it multiplies the state,
    which is added (the lab's)."""
    norm: Literal["groups", "straddling", "none"] = "groups"
    """GroupNorm of the hidden term: one group a gate, one group over all three gates (the lab's), or none."""
    feature_dim: int | None = None
    """Channels of the core; inferred, and checked where it is given."""

    def build(self, input: FeatureMap, behaviors: int) -> "ConvGru":
        return ConvGru(self, input, behaviors)


class ConvGru(Modulator):
    """(b d t h w) and behaviour (b t k) to (b hidden_dim t h w)."""

    def __init__(self, config: ConvGruConfig, input: FeatureMap, behaviors: int) -> None:
        super().__init__()
        require_behavior(config.type, input, behaviors, config.feature_dim)
        if config.kernel_size % 2 == 0:
            raise AblateError(
                f"`kernel_size` is {config.kernel_size}, and an even kernel has no centre",
                where="baseline.modulator.kernel_size",
                hint=f"use {config.kernel_size + 1}",
            )
        hidden, padding = config.hidden_dim, config.kernel_size // 2
        self.out = replace(input, channels=hidden)
        self.embedding = nn.Linear(behaviors, config.beh_emb_dim)
        self.from_input = nn.Conv2d(
            input.channels + config.beh_emb_dim, 3 * hidden, config.kernel_size, padding=padding
        )
        self.from_hidden = nn.Conv2d(hidden, 3 * hidden, config.kernel_size, padding=padding, bias=False)
        self.norm = nn.Identity() if config.norm == "none" else nn.GroupNorm(NORM_GROUPS[config.norm], 3 * hidden)
        self.start = nn.Parameter(torch.zeros(hidden))
        self.projection = nn.Linear(hidden, hidden)  # a 1 x 1 convolution
        self.adds_state = config.cell == "visioncore"
        nn.init.orthogonal_(self.from_hidden.weight)

    def forward(
        self, features: Float[Tensor, "b d t h w"], behavior: Float[Tensor, "b t k"] | None
    ) -> Float[Tensor, "b d2 t h w"]:
        embedded = self.embedding(require_values("convgru", behavior))
        inputs = torch.cat((features, over_space(embedded, features).to(features.dtype)), dim=1)
        driven = convolve(self.from_input, rearrange(inputs, "b c t h w -> (t b) c h w"))
        driven = rearrange(driven, "(t b) c h w -> t b c h w", b=len(features))
        if recurrence_pays(driven):
            states = recur(driven, self.start, self.from_hidden.weight, self.norm, self.adds_state)
        else:
            states = self._loop(driven)
        projected = self.projection(rearrange(states, "t b d h w -> b t h w d"))
        return rearrange(projected, "b t h w d -> b d t h w")

    def _loop(self, driven: Float[Tensor, "t b c h w"]) -> Float[Tensor, "t b d h w"]:
        """The state after each step, by the formulas as they stand."""
        _, batch, _, height, width = driven.shape
        state: Tensor = repeat(self.start, "d -> 1 d h w", h=height, w=width)  # the same for all: convolved once
        states = []
        for step in driven.unbind():
            hidden = self.norm(convolve(self.from_hidden, state))
            state = self._step(step, hidden.expand(batch, -1, -1, -1), state.expand(batch, -1, -1, -1))
            states.append(state)
        return torch.stack(states)

    def _step(
        self, driven: Float[Tensor, "b c h w"], hidden: Float[Tensor, "b c h w"], state: Float[Tensor, "b d h w"]
    ) -> Float[Tensor, "b d h w"]:
        """One step of the cell, from the convolved input and the convolved state."""
        update, reset, candidate = driven.chunk(3, dim=1)
        hidden_update, hidden_reset, hidden = hidden.chunk(3, dim=1)
        update = torch.sigmoid(update + hidden_update)
        reset = torch.sigmoid(reset + hidden_reset)
        term = hidden + reset * state if self.adds_state else reset * hidden
        candidate = torch.tanh(candidate + term)
        return torch.lerp(state, candidate.to(state.dtype), update.to(state.dtype))  # the state stays float32
