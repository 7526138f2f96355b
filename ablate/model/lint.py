"""Warnings about a model that would train without an error and mean something else than it says, each with its reason.

A part warns of its own options by its method `lints()`; what shows only when the whole model runs is found here.
"""

from collections.abc import Iterator

from ablate.contract import DataSpec, EncodingSpec


def data_lints(spec: DataSpec) -> Iterator[str]:
    """What the windows leave to learn from."""
    if isinstance(spec, EncodingSpec) and len(spec.lags) == 1:
        yield (
            f"data.window: a window of {spec.window} frame{'s' * (spec.window != 1)} leaves a single scored bin, "
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
