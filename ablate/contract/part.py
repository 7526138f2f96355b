"""The ten kinds of part: what each is built with, what it takes and gives, and all else that is asked of it.

A part inherits from its kind. What the kind gives a default for need not be written: an adapter, frontend, core or
modulator must set `out`, a video encoder `width` and `frames`, a compressor `latents`, and each its `forward`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn


@dataclass(frozen=True)
class FeatureMap:
    """The map after a part: channels, rows, columns, and where its cells lie.

    time_step: frames from one output step to the next; the newest step always ends at the newest frame.
    row_centers, col_centers: stimulus coordinates of the cells in [-1, 1] of the grid (length `height`, `width`).
    """

    channels: int
    height: int
    width: int
    time_step: int
    row_centers: tuple[float, ...]
    col_centers: tuple[float, ...]

    @staticmethod
    def of_grid(channels: int, height: int, width: int) -> "FeatureMap":
        """The map of a plain grid of pixels whose outermost pixels lie at -1 and 1 (`align_corners`)."""

        def centers(size: int) -> tuple[float, ...]:
            return tuple(2 * i / (size - 1) - 1 for i in range(size)) if size > 1 else (0.0,)

        return FeatureMap(channels, height, width, 1, centers(height), centers(width))


class Part(nn.Module):
    """A swappable piece of a model, with all that may be asked of any. The defaults have nothing to tell."""

    needs: ClassVar[tuple[str, ...]] = ()
    """Attributes that every part of this kind sets."""
    receptive_field: Mapping[str, float] | None = None
    """Extent of what one output step or cell depends on: {"frames": 16, "pixels": 21}; None where it is not known."""

    def parts(self) -> Mapping[str, nn.Module | Sequence[nn.Module]]:
        """Pieces that the tables list by name, in the order of the flow; empty: the part is listed as one."""
        return {}

    def progress(self, fraction: float) -> None:
        """Hears before each step how much of training is done, 0 to 1: a schedule inside the part follows it."""

    def lints(self) -> tuple[str, ...]:
        """Options that nothing reads, or that mean something else than they say; each opens with the option's name."""
        return ()

    def cost_notes(self) -> dict[str, str]:
        """What a cost table says of the part beyond counts."""
        return {}

    def gates(self) -> dict[str, float]:
        """How far each gate has opened, for the learning curve; empty where there is none."""
        return {}


class MapPart(Part):
    """A part whose output lies on the stimulus."""

    needs = ("out",)
    out: FeatureMap
    """The map that it gives."""


# ------------------------------------------------------------------ parts of an encoding model


class Adapter(MapPart):
    """One session's video onto the common grid. Built with `build(height, width)`; `out` is the grid's map."""

    def forward(self, video: Float[Tensor, "b 1 t h w"]) -> Float[Tensor, "b 1 t gh gw"]:
        raise NotImplementedError


class Frontend(MapPart):
    """Temporal filtering of pixels. Built with `build(input: FeatureMap)`. Causal; the newest frame stays the
    newest.
    """

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t2 h w"]:
        raise NotImplementedError


class Core(MapPart):
    """The backbone. Built with `build(input: FeatureMap)`. Causal; steps are aligned to the newest frame."""

    registers: int = 0
    """Tokens of each step that stand for no place; they come before those of the places."""

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        raise NotImplementedError


class Modulator(MapPart):
    """Behaviour into features. Built with `build(input: FeatureMap, behaviors: int)`; the behaviour of a step is the
    mean over its frames.
    """

    def forward(
        self, features: Float[Tensor, "b d t h w"], behavior: Float[Tensor, "b t k"] | None
    ) -> Float[Tensor, "b d2 t h w"]:
        raise NotImplementedError


class Readout(Part):
    """Features to log-rates, one session. Built with `build(input: FeatureMap, mean_rate: tuple[float, ...])`."""

    def forward(self, features: Float[Tensor, "b d n h w"]) -> Float[Tensor, "b n u"]:
        raise NotImplementedError

    def penalty(self) -> Float[Tensor, ""]:
        """The regularisers, a scalar added to the loss: none."""
        return next(self.parameters()).new_zeros(())


# ------------------------------------------------------------------ parts of a fusion model


class VideoEncoder(Part):
    """Frames to tokens, exactly zero in the pads. Built with `build(frame_shape, intervals: int, frames: int)`.

    width: of a token. frames: tokens an interval, at most. places: tokens of one time step, side by side; a mixer
    passes each by itself. frozen: takes no gradient. cached: a frozen one's features are kept.
    """

    needs = ("width", "frames")
    width: int
    frames: int
    places: int = 1
    frozen: bool = False
    cached: bool = True

    def kept_frozen(self) -> None:
        """Hears that the study keeps it as another model left it (`init: {frozen: true}`), without gradient."""
        self.frozen = True

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i f2"]:
        """Which tokens hold a valid frame: one token a frame, unless the encoder says otherwise."""
        return mask

    def remembered(
        self, mask: Bool[Tensor, "b i f"], keys: Int[Tensor, "b i f 2"] | None
    ) -> Float[Tensor, "b i f2 w"] | None:
        """The tokens where all of them are kept under these keys, so that no frame need be read; None where not."""
        return None

    def forward(
        self,
        frames: Shaped[Tensor, "b i f *frame"],
        mask: Bool[Tensor, "b i f"],
        keys: Int[Tensor, "b i f 2"] | None,
    ) -> Float[Tensor, "b i f2 w"]:
        raise NotImplementedError


class Mixer(Part):
    """Lets a frame's token know other frames. Built with `build(width: int, intervals: int, frames: int)`."""

    def forward(self, tokens: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i f d"]:
        raise NotImplementedError


class Compressor(Part):
    """An interval's tokens to n latents. Built with `build(width: int, frames: int)`. latents: n."""

    needs = ("latents",)
    latents: int

    def forward(self, tokens: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i n d"]:
        raise NotImplementedError


class EegEncoder(Part):
    """EEG to tokens, none of which spans two intervals. Built with `build(channels, samples, intervals, width)`."""

    def forward(self, eeg: Float[Tensor, "b c t"]) -> Float[Tensor, "b e d"]:
        raise NotImplementedError


class Fusion(Part):
    """Brings the video's latents to the EEG's tokens. Built with `build(width, of_token, intervals, latents)`, where
    `of_token` (e,) is the interval of each EEG token. present: which intervals have any frame.
    """

    def forward(
        self, tokens: Float[Tensor, "b e d"], media: Float[Tensor, "b i n d"], present: Bool[Tensor, "b i"]
    ) -> Float[Tensor, "b e d"]:
        raise NotImplementedError


def no_decay(parameter: nn.Parameter) -> nn.Parameter:
    """Marks a parameter that takes no weight decay although it has two axes or more (positions, readout geometry)."""
    parameter.no_decay = True  # type: ignore[attr-defined]
    return parameter
