"""What must hold of a recording: types, axes and lengths of its arrays, and then their values."""

import numpy as np

from ablate.data.recording.array_file import all_rows, is_finite, is_not_negative, is_whole
from ablate.data.recording.session import OPTIONAL, Recording
from ablate.errors import AblateError

COUNTS = "spikes.npy holds the number of spikes in each bin; valid.npy marks bins that are not to be scored"


def check_shapes(recording: Recording, *, where: str) -> None:
    """Types, axes and lengths. Raises AblateError for the first fault."""
    stimulus, spikes = recording.stimulus, recording.spikes
    _require(
        stimulus.dtype in (np.uint8, np.float32), f"stimulus must be uint8 or float32, not {stimulus.dtype}", where
    )
    _require(stimulus.ndim == 3, f"stimulus must have axes (t, h, w), not shape {stimulus.shape}", where)
    _require(spikes.dtype.kind in "uif", f"spikes must be counts, not {spikes.dtype}", where)
    _require(spikes.ndim == 2, f"spikes must have axes (t, u), not shape {spikes.shape}", where)
    _require(spikes.shape[1] > 0, "spikes has no units", where)
    _require(stimulus.size > 0, f"stimulus is empty, shape {stimulus.shape}", where)
    kinds = {"behavior": ("f", 2), "valid": ("b", 2), "trials": ("i", 1), "rates": ("f", 2)}
    kinds["floor_rates"] = kinds["rates"]
    meant = {"behavior": "float32 (t, k)", "valid": "bool (t, u)", "trials": "int (t,)", "rates": "float32 (t, u)"}
    meant["floor_rates"] = meant["rates"]
    for name, (kind, axes) in kinds.items():
        part = getattr(recording, name)
        if part is not None:
            fault = f"{name} must be {meant[name]}, not {part.dtype} of shape {part.shape}"
            _require(part.dtype.kind == kind and part.ndim == axes, fault, where)
    for name in ("spikes", *OPTIONAL):
        part = getattr(recording, name)
        if part is not None and len(part) != len(stimulus):
            word = "shorter" if len(part) < len(stimulus) else "longer"
            what = f"{name} has {len(part)} bins, {word} than the stimulus with {len(stimulus)} frames"
            raise AblateError(what, where=where, hint="both count the same bins, oldest first")
    for name in ("valid", "rates", "floor_rates"):
        part = getattr(recording, name)
        fits = part is None or part.shape == spikes.shape
        _require(fits, f"{name} has shape {None if part is None else part.shape}, spikes has {spikes.shape}", where)
    names, columns = len(recording.behavior_names), recording.behaviors
    _require(not names or names == columns, f"{names} behavior_names for {columns} columns of behavior", where)


def check_numbers(recording: Recording, *, where: str) -> None:
    """Values. Raises AblateError for the first fault."""
    for name in ("stimulus", "behavior", "rates", "floor_rates"):
        part = getattr(recording, name)
        if part is not None and part.dtype.kind == "f":
            hint = "fill or cut the gap; valid.npy marks bins that are not to be scored"
            _require(all_rows(part, is_finite), f"{name} contains NaN or infinity", where, hint)
    _require(all_rows(recording.spikes, is_whole), "spikes contains counts that are not whole numbers", where, COUNTS)
    _require(all_rows(recording.spikes, is_not_negative), "spikes contains negative counts", where, COUNTS)
    for name in ("rates", "floor_rates"):
        part = getattr(recording, name)
        _require(part is None or all_rows(part, is_not_negative), f"{name} contains negative rates", where)


def _require(holds: bool, what: str, where: str, hint: str = "") -> None:
    if not holds:
        raise AblateError(what, where=where, hint=hint)
