"""What must hold of a recording: axes and lengths of its arrays, and then their values."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ablate.data.recording.array_file import first_place, negative, not_finite, not_whole, pieces
from ablate.data.recording.session import OPTIONAL, Recording
from ablate.errors import AblateError

CALCIUM = "models give rates, which are never negative: deconvolve the traces, or lift them by their least value"
COUNTS = (
    "spikes.npy holds the number of spikes in each bin (not rates; calcium needs `signal: calcium`); valid.npy marks "
    "bins that are not to be scored"
)
FASTEST_RATE_HZ = 10_000  # spikes a second: ten units at once with the shortest refractory period of a neuron, 1 ms
MOST_IN_ANY_BIN = 100  # however short the bin: a burst of many units at once

ONE_UNIT = "write a single unit as spikes[:, None]"
TIMES = "times of spikes are counted in the bins of the stimulus first: np.histogram(times, edges)[0], a column a unit"
NO_TRIAL = "-1 marks a bin of no trial"
COLOURS = (3, 4)

MEANT = {
    "behavior": ("f", 2, "float32 (t, k)"),
    "behavior_valid": ("b", 2, "bool (t,) or (t, k)"),
    "valid": ("b", 2, "bool (t, u)"),
    "trials": ("iu", 1, "int (t,)"),
    "split": ("iu", 1, "int (t,), a label a bin, or one a trial"),
    "rates": ("f", 2, "float32 (t, u)"),
    "floor_rates": ("f", 2, "float32 (t, u)"),
    "repeats": ("uif", 3, "counts (r, t, u)"),
    "repeat_stimulus": ("uf", 3, "uint8 or float32 (t, h, w)"),
}
"""Kinds of number, axes, and how that is said."""


def check_shapes(recording: Recording, *, where: str) -> None:
    """Types, axes and lengths. Raises AblateError for the first fault."""
    stimulus, spikes = recording.stimulus, recording.spikes
    _require(
        stimulus.dtype in (np.uint8, np.float32), f"stimulus must be uint8 or float32, not {stimulus.dtype}", where
    )
    what = f"stimulus must have axes (t, h, w), not shape {stimulus.shape}"
    _require(stimulus.ndim == 3, what, where, _one_channel(stimulus.shape))
    _require(spikes.dtype.kind in "uif", f"spikes must be counts, not {spikes.dtype}", where)
    hint = ONE_UNIT if spikes.shape == stimulus.shape[:1] else TIMES
    _require(spikes.ndim == 2, f"spikes must have axes (t, u), not shape {spikes.shape}", where, hint)
    _require(spikes.shape[1] > 0, "spikes has no units", where)
    _require(stimulus.size > 0, f"stimulus is empty, shape {stimulus.shape}", where)
    for name, part in recording.arrays(*MEANT):
        kinds, axes, meant = MEANT[name]
        fault = f"{name} must be {meant}, not {part.dtype} of shape {part.shape}"
        column = "write a single column as behavior[:, None]" if name == "behavior" and part.ndim == 1 else ""
        _require(part.dtype.kind in kinds and part.ndim == axes, fault, where, column)
        _require(name not in ("behavior", "valid") or part.size > 0, f"{name} is empty, shape {part.shape}", where)
    for name, part in recording.arrays("spikes", *OPTIONAL):
        if len(part) != len(stimulus):
            word = "shorter" if len(part) < len(stimulus) else "longer"
            what = f"{name} has {len(part)} bins, {word} than the stimulus with {len(stimulus)} frames"
            raise AblateError(what, where=where, hint=_hint_of_lengths(name, part, stimulus))
    for name, part in recording.arrays("valid", "rates", "floor_rates"):
        _require(part.shape == spikes.shape, f"{name} has shape {part.shape}, spikes has {spikes.shape}", where)
    if recording.behavior_valid is not None:
        _require(recording.behavior is not None, "behavior_valid.npy has no behavior.npy", where)
        shapes = recording.behavior_valid.shape, None if recording.behavior is None else recording.behavior.shape
        _require(shapes[0] == shapes[1], f"behavior_valid has shape {shapes[0]}, behavior has {shapes[1]}", where)
    names, columns = len(recording.behavior_names), recording.behaviors
    _require(not names or names == columns, f"{names} behavior_names for {columns} columns of behavior", where)
    _check_repeats(recording, where)


def _one_channel(shape: tuple[int, ...]) -> str:
    """What to do with a stimulus that has an axis of colours."""
    for axis in (3, 1) if len(shape) == 4 else ():
        if shape[axis] == 1:
            return f"leave out its axis of one channel: stimulus[{':, ' * axis}0]"
        if shape[axis] in COLOURS:
            return f"a model here sees one channel: write stimulus.mean({axis}), or the channel that matters"
    return ""


def _hint_of_lengths(name: str, part: np.ndarray, stimulus: np.ndarray) -> str:
    if part.ndim == 2 and part.shape[1] == len(stimulus):
        return f"its axes look swapped, time comes first: write {name}.T"
    if len(part) == stimulus.shape[2]:
        return "the stimulus looks like (h, w, t), time comes first: write np.moveaxis(stimulus, 2, 0)"
    return "both count the same bins, oldest first"


def _check_repeats(recording: Recording, where: str) -> None:
    """That the repeats are of these units, and of their stimulus."""
    repeats, stimulus = recording.repeats, recording.repeat_stimulus
    if repeats is None:
        _require(stimulus is None, "repeat_stimulus.npy has no repeats.npy with the counts of its showings", where)
        return
    _require(0 not in repeats.shape, f"repeats is empty, shape {repeats.shape}", where)
    units = repeats.shape[2]
    _require(units == recording.units, f"repeats has {units} units, spikes has {recording.units}", where)
    if stimulus is not None:
        fits = len(stimulus) == repeats.shape[1]
        _require(fits, f"repeats has {repeats.shape[1]} bins, repeat_stimulus has {len(stimulus)} frames", where)
        same = stimulus.shape[1:] == recording.stimulus.shape[1:]
        _require(same, f"repeat_stimulus has shape {stimulus.shape}, stimulus {recording.stimulus.shape}", where)


def check_numbers(recording: Recording, *, where: str) -> None:
    """Values. Raises AblateError for the first fault, with its place."""
    gap = "fill or cut the gap; valid.npy marks bins that are not to be scored"
    measured = replace(recording, behavior=recording.measured_behavior)
    for name, part in measured.arrays("stimulus", "behavior", "rates", "floor_rates", "repeat_stimulus"):
        if part.dtype.kind == "f":
            _refuse(name, part, not_finite, "contains NaN or infinity", where, gap)
    most = MOST_IN_ANY_BIN + FASTEST_RATE_HZ / recording.bin_rate_hz
    for name, part in recording.arrays("spikes", "repeats"):
        if recording.signal == "calcium":
            if part.dtype.kind == "f":
                _refuse(name, part, not_finite, "contains NaN or infinity", where, gap)
            _refuse(name, part, negative, "contains a negative response", where, CALCIUM)
        else:
            _refuse(name, part, not_whole, "contains counts that are not whole numbers", where, COUNTS)
            _refuse(name, part, negative, "contains negative counts", where, COUNTS)
            what = f"contains counts that no neuron can fire in a bin of {1000 / recording.bin_rate_hz:.3g} ms"
            _refuse(name, part, lambda rows: rows > most, what, where, COUNTS)
    if recording.valid is not None and not any(part.any() for part in pieces(recording.valid)):
        raise AblateError("valid marks no bin of any unit as one that counts", where=where, hint="True is: it counts")
    if recording.trials is not None:
        _refuse("trials", recording.trials, lambda rows: rows < -1, "has numbers below -1", where, NO_TRIAL)
    if recording.split is not None:
        what = "has labels that are none of 0 (train), 1 (validation), 2 (test) and -1 (none)"
        _refuse("split", recording.split, lambda rows: (rows < -1) | (rows > 2), what, where)
    for name, part in recording.arrays("rates", "floor_rates"):
        _refuse(name, part, negative, "contains negative rates", where)


def _refuse(
    name: str, array: np.ndarray, is_wrong: Callable[[np.ndarray], np.ndarray], what: str, where: str, hint: str = ""
) -> None:
    place = first_place(array, is_wrong)
    if place is not None:
        value = array[place].item()
        raise AblateError(f"{name} {what}: {name}[{', '.join(map(str, place))}] is {value:g}", where=where, hint=hint)


def _require(holds: bool, what: str, where: str, hint: str = "") -> None:
    if not holds:
        raise AblateError(what, where=where, hint=hint)
