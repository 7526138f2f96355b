"""Learned positions of the frames in an interval, without which attention over frames is blind to their order."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from ablate.model.layer.position import positions


class FramePosition(nn.Module):
    """Adds a learned vector for each place f and zeroes the pads. With `enabled=False` it only zeroes the pads."""

    def __init__(self, frames: int, width: int, enabled: bool):
        super().__init__()
        self.embedding = positions(frames, width) if enabled else None

    def forward(self, tokens: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i f d"]:
        placed = tokens if self.embedding is None else tokens + self.embedding
        return placed.masked_fill(~mask[..., None], 0.0)
