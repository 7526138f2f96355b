"""A small causal core for tests of the encoder alone: one strided convolution, steps aligned to the newest frame."""

from torch import Tensor, nn
from torch.nn import functional

from ablate.contract import Core, FeatureMap


class StandInCore(Core):
    """Cells of `patch` x `patch` pixels; a step every `step` frames."""

    def __init__(self, input: FeatureMap, channels: int = 6, patch: int = 2, step: int = 4) -> None:
        super().__init__()
        self.step, self.patch = step, patch
        rows = cells(input.row_centers, patch)
        cols = cells(input.col_centers, patch)
        self.out = FeatureMap(channels, len(rows), len(cols), step, rows, cols)
        self.conv = nn.Conv3d(input.channels, channels, (step, patch, patch), (step, patch, patch))

    def forward(self, video: Tensor) -> Tensor:
        kept = video.shape[2] // self.step * self.step
        return functional.softplus(self.conv(video[:, :, video.shape[2] - kept :]))

    def parts(self) -> dict[str, nn.Module]:
        return {"tokenizer": self.conv}


def cells(centers: tuple[float, ...], patch: int) -> tuple[float, ...]:
    """Mean place of the pixels of each cell."""
    return tuple(sum(centers[i : i + patch]) / patch for i in range(0, len(centers) - patch + 1, patch))


class Mute(Core):
    """A part that forgets to say what map it gives."""

    def __init__(self, *given: object) -> None:
        super().__init__()
