"""Numbers as the program holds them: one type an array, native byte order, whatever numpy wrote.

A file that already is of its type stays memory-mapped. Another type, width or byte order is read into memory, so that
what torch cannot take is met here and not in the middle of a run.
"""

from dataclasses import replace

import numpy as np

from ablate.data.recording.session import Recording
from ablate.errors import AblateError

FLOATS = ("behavior", "rates", "floor_rates")
COUNTS = ("spikes", "repeats")
LABELS = ("trials", "split")
WIDEST = 8  # bytes a number: torch knows nothing wider


def held(name: str, array: np.ndarray, where: str) -> np.ndarray:
    """The array in the type that the program works with. Raises AblateError for what holds no numbers."""
    if array.dtype.kind not in "buif":
        raise AblateError(f"{name} must hold numbers, not {array.dtype}", where=where)
    if not array.ndim:
        raise AblateError(f"{name} is a single number, not an array", where=where)
    if name in LABELS and array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise AblateError(f"{name} holds {array.max()}, more than any number of trials", where=where)
    wanted = _wanted(name, array.dtype)
    if wanted == array.dtype and array.dtype.isnative:
        return array
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is refused as that
        return np.asarray(array, wanted)


def _wanted(name: str, dtype: "np.dtype[np.generic]") -> "np.dtype[np.generic]":
    """stimulus: uint8 or float32. Behaviour: float32. Counts and rates: as they are, at most 8 bytes."""
    kind = dtype.kind
    if name in ("stimulus", "repeat_stimulus"):
        return np.dtype(np.uint8 if kind == "b" or dtype == np.uint8 else np.float32)
    if name == "behavior":
        return np.dtype(np.float32)
    if name in COUNTS and kind == "b":
        return np.dtype(np.uint8)
    if name in LABELS and kind in "ui":
        return np.dtype(np.int64)
    if name in FLOATS and kind == "f" and dtype.itemsize < np.dtype(np.float32).itemsize:
        return np.dtype(np.float32)
    return np.dtype(f"{kind}{min(dtype.itemsize, WIDEST)}") if kind != "b" else np.dtype(bool)


def without_what_never_counts(recording: Recording) -> Recording:
    """Zero for NaN in spikes where `valid` says that the bin does not count: it is in no score, and NaN * 0 is NaN."""
    spikes, valid = recording.spikes, recording.valid
    if valid is None or spikes.dtype.kind != "f":
        return recording
    unknown = ~np.isfinite(spikes) & ~valid
    return replace(recording, spikes=np.where(unknown, spikes.dtype.type(0), spikes)) if unknown.any() else recording


def with_unit_axis(repeats: np.ndarray) -> np.ndarray:
    """(r, t) of a single unit as (r, t, 1)."""
    return repeats[:, :, None] if repeats.ndim == 2 else repeats


def a_label_a_bin(split: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
    """Labels of trials, in the order of their numbers, as labels of bins; labels of bins as they are."""
    if trials is None or len(split) == len(trials):
        return split
    numbers = np.unique(trials[trials >= 0])
    if len(numbers) != len(split):
        return split
    place = np.searchsorted(numbers, np.maximum(trials, numbers[0]))
    return np.where(trials >= 0, split[place], -1)


def with_columns(valid: np.ndarray, behavior: np.ndarray | None) -> np.ndarray:
    """(t,) of all columns of behaviour as (t, k)."""
    if valid.ndim != 1 or behavior is None or behavior.ndim != 2:
        return valid
    return np.repeat(valid[:, None], behavior.shape[1], axis=1)
