"""Warnings about a model that would train without an error and mean something else than it says, each with its reason.

A part's own configuration may warn of itself by a method `lints() -> tuple[str, ...]`, each text opening with the
option's name; what can only be seen once the model stands, or between parts, is found here.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from ablate.contract import DataSpec, EncodingSpec, FeatureMap


def config_lints(config: BaseModel, path: str = "") -> Iterator[str]:
    """What each configuration, this one and those in it, says of itself, with its key path in front."""
    for text in getattr(config, "lints", tuple)():
        yield f"{path}{text}"
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            yield from config_lints(value, f"{path}{name}.")


def data_lints(spec: DataSpec) -> Iterator[str]:
    """What the windows leave to learn from."""
    if isinstance(spec, EncodingSpec) and len(spec.lags) == 1:
        yield (
            f"data.window: a window of {spec.window} frames leaves a single scored bin, "
            "so every forward pass teaches one bin only"
        )


def attention_lints(groups: dict[str, int]) -> Iterator[str]:
    """`groups`: part -> the fewest tokens that one of its attentions sees at once."""
    for part, tokens in groups.items():
        if tokens == 1:
            yield f"{part}: attention over a single token is a plain linear map, its queries and keys learn nothing"


def coverage_lints(pixels_never_seen: float, frames_cropped: int, frames: int) -> Iterator[str]:
    """What the tokenizer leaves out."""
    if pixels_never_seen > 0:
        yield f"core.tokenizer: {100 * pixels_never_seen:.0f} % of the grid's pixels are in no token"
    if frames_cropped:
        yield f"core.tokenizer: the oldest {frames_cropped} of {frames} frames are in no token"


def tubelet_lints(width: int) -> Iterator[str]:
    """`width`: numbers that a tubelet holds before its norm, 0 where there is no tokenizer. A single number divided by
    its own size is a sign, which no gradient reaches."""
    if width == 1:
        yield (
            "core.tokenizer: a token holds a single number, of which RMSNorm keeps the sign alone; "
            "widen the kernel, or give the frontend channels"
        )


def gradient_lints(disconnected: list[str]) -> Iterator[str]:
    """Parameters that no output depends on."""
    for name in disconnected:
        yield f"{name}: a parameter that gets no gradient"


def frontend_lints(frontend: Any) -> Iterator[str]:
    """Taps that never learn, and a window that is not applied."""
    window = getattr(frontend, "window", None)
    if window is None:
        return
    default = type(frontend).model_fields["window"].default
    if not frontend.anti_aliasing and window != default:
        yield "frontend.window: nothing reads it, anti_aliasing is false"
    if frontend.anti_aliasing and window == "hann_dead_ends":
        yield "frontend.window: hann_dead_ends is zero at both ends, so the newest and the oldest tap get no gradient"


def readout_lints(readout: Any, out: FeatureMap) -> Iterator[str]:
    """Bounds on the readout's width that mean another angle, or less than the map can tell apart."""
    if not hasattr(readout, "bound"):
        return
    if readout.bound == "map_pixels":
        yield (
            f"readout.bound: map_pixels counts cells of this {out.height} x {out.width} map, "
            "so the same number is another visual angle on another map"
        )
        return
    cells = [abs(centers[1] - centers[0]) for centers in (out.row_centers, out.col_centers) if len(centers) > 1]
    if readout.std_bound is not None and cells and readout.std_bound[1] < max(cells) / 2:
        yield (
            f"readout.std_bound: {readout.std_bound[1]:g} half widths of the stimulus is less than half a cell "
            f"of the map ({max(cells):.2f}), so a unit ends up reading one cell"
        )
