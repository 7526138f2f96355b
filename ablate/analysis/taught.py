"""Differences between two variants in, those of what a model is shown out."""

from collections.abc import Mapping

TAUGHT = (
    "training.steps",
    "training.batch_size",
    "data.fraction",
    "data.window",
    "data.score_every",
    "data.sampling",
)
"""What decides how much a model is shown of what, beside the supervised bins a step. `training.accumulate` does not:
the step's batch stays whole."""


def taught(differences: Mapping[str, tuple[object, object]]) -> dict[str, str]:
    """Of a variant's differences to the baseline those of its teaching, each path with `data.window 64 -> 72`."""
    return {path: f"{path} {differences[path][0]} -> {differences[path][1]}" for path in TAUGHT if path in differences}
