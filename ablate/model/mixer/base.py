"""What all temporal mixers share: where they run (`scope`), which way (`direction`), and exact handling of pads.

    sequences = valid frames of an interval, or of the whole clip, moved to the left
    x <- x + layer(RMSNorm(x))                          direction forward
    x <- x + layer(RMSNorm(x)) + flip(layer'(flip(RMSNorm(x))))  direction both, `flip` within the valid prefix

and RMSNorm(x) at the end. Pads are zeroed before each layer, since a norm's bias or a convolution can fill them again.
"""

from typing import ClassVar, Literal

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Mixer
from ablate.errors import AblateError
from ablate.model.layer.norm import RmsNorm
from ablate.model.mixer.ragged import compact, reverse_prefix, take, zero_pads


class MixerConfig(Config):
    """Options that every mixer has."""

    scope: Literal["interval", "clip"] = "interval"
    """Mix frames within each interval, or over all frames of the clip."""
    direction: Literal["forward", "both"] = "forward"
    """A frame knows only earlier ones, or both earlier and later ones."""
    depth: int = Field(default=1, ge=1, le=24)
    """Layers."""
    hidden: int | None = Field(default=None, ge=1, le=16_384)
    """Inner width of a layer; null takes the token width."""
    match_params: int | None = Field(default=None, ge=1)
    """Choose `hidden` so that the mixer has about this many parameters. At equal depth mixers differ fivefold."""
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Dropout on each layer's output."""

    sees_both_ways: ClassVar[bool] = False
    """True for a layer that handles `direction: both` itself instead of running twice."""

    def layer(self, width: int, hidden: int, length: int) -> nn.Module:
        """One layer: (s, l, d) and its valid frames to (s, l, d), causal within the valid prefix."""
        raise NotImplementedError

    def build(self, width: int, intervals: int, frames: int) -> Mixer:
        """width: token width d. intervals, frames: i and f, from which the longest sequence follows."""
        length = frames if self.scope == "interval" else intervals * frames
        hidden = self.hidden or width
        if self.match_params is not None:
            hidden = self._matching_hidden(width, length, self.match_params)
        return MixerStack(self, width, hidden, length)

    def _matching_hidden(self, width: int, length: int, wanted: int) -> int:
        """The inner width whose parameter count lies nearest to the wanted one, by bisection (counts grow with it)."""

        def count(hidden: int) -> int:
            with torch.device("meta"):
                return sum(p.numel() for p in MixerStack(self, width, hidden, length).parameters())

        low, high = 1, 2
        while count(high) < wanted:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if count(middle) <= wanted else (low, middle)
        best = min((low, high), key=lambda hidden: abs(count(hidden) - wanted))
        if abs(count(best) - wanted) > 0.1 * wanted:
            raise AblateError(
                f"no inner width of this mixer comes within 10 % of {wanted:,} parameters (nearest {count(best):,})",
                where="baseline.mixer.match_params",
                hint=f"ask for about {count(best):,}, or change `depth` (now {self.depth})",
            )
        return best


class MixerStack(Mixer):
    """Layers in residual branches over ragged sequences; (b, i, f, d) to the same shape, exactly zero in the pads."""

    def __init__(self, config: MixerConfig, width: int, hidden: int, length: int):
        super().__init__()
        twice = config.direction == "both" and not config.sees_both_ways
        self.scope = config.scope
        self.norms = nn.ModuleList(RmsNorm(width) for _ in range(config.depth))
        self.forwards = nn.ModuleList(config.layer(width, hidden, length) for _ in range(config.depth))
        self.backwards = nn.ModuleList(config.layer(width, hidden, length) for _ in range(config.depth * twice))
        self.dropout = nn.Dropout(config.dropout)
        self.norm_out = RmsNorm(width)

    def forward(self, tokens: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i f d"]:
        shape = "(b i) f" if self.scope == "interval" else "b (i f)"
        sizes = {"b": tokens.shape[0], "i": tokens.shape[1]}
        x, valid, back = compact(
            rearrange(tokens, f"b i f d -> {shape} d"), rearrange(mask, f"b i f -> {shape}")
        )  # (s, l, d)
        for depth, (norm, forward) in enumerate(zip(self.norms, self.forwards, strict=True)):
            normed = zero_pads(norm(x), valid)
            mixed = forward(normed, valid)
            if len(self.backwards):
                flip = reverse_prefix(valid)
                mixed = mixed + take(self.backwards[depth](take(normed, flip), valid), flip)
            x = zero_pads(x + self.dropout(mixed), valid)
        return rearrange(take(self.norm_out(x), back), f"{shape} d -> b i f d", **sizes)
