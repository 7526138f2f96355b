"""What a user gives a fitted model, checked and made a recording: shapes, rate, scale, and values that are not finite.

Whatever a model would read wrongly and without an error is refused here with its name; another scale is told.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy.typing import ArrayLike
from torch import Tensor

from ablate.data.recording import Recording
from ablate.data.recording.array_file import first_place, not_finite
from ablate.data.recording.held import held
from ablate.errors import AblateError
from ablate.study.fitted.facts import SessionFacts

FAR = 20.0
"""Deviations of the training stimulus that a whole stimulus lies away where it is surely on another scale."""
FLAT = 0.02
"""Share of the training deviation below which a stimulus that does vary is surely on another scale."""


@dataclass(frozen=True)
class Asks:
    """What a model reads. window: frames. behavior: whether its rates depend on it; constant: whether its windows hold
    the training mean, whatever is given. spikes: bins of counts before a bin, 0 for none.
    """

    window: int
    behavior: bool
    constant: bool
    spikes: int


def given_recording(
    asks: Asks,
    facts: SessionFacts,
    stimulus: ArrayLike,
    behavior: ArrayLike | None,
    spikes: ArrayLike | None,
    valid: ArrayLike | None,
) -> Recording:
    """The arrays as a recording, without spikes where the model reads none. Raises AblateError for what is unfit."""
    frames = held("stimulus", _array(stimulus), "stimulus")
    wanted = (facts.height, facts.width)
    if frames.ndim != 3 or frames.shape[1:] != wanted:
        what = f"has shape {frames.shape}, and {facts.name} has frames of {wanted[0]} x {wanted[1]} pixels"
        raise AblateError(what, where="stimulus", hint="axes are (t, h, w)")
    if len(frames) < asks.window:
        what = f"has {len(frames)} frames, fewer than the window of {asks.window}"
        raise AblateError(what, where="stimulus")
    _refuse_not_finite("stimulus", frames)
    _warn_of_another_scale(facts, frames)
    moves = _checked_behavior(asks, facts, behavior, len(frames))
    counts, known = _checked_spikes(asks, facts, spikes, valid, len(frames))
    return Recording(facts.name, facts.bin_rate_hz, frames, counts, moves, valid=known)


def check_rate(facts: SessionFacts, bin_rate_hz: float | None) -> None:
    """Raises AblateError for another rate than the model's, whose filters count bins."""
    if bin_rate_hz is not None and abs(bin_rate_hz / facts.bin_rate_hz - 1) > 1e-3:
        what = f"has {bin_rate_hz:g} Hz, and {facts.name} was fitted at {facts.bin_rate_hz:g} Hz"
        raise AblateError(what, where="bin rate", hint="resample the stimulus to the rate of the model")


def mark_of_bins(name: str, values: ArrayLike, frames: int) -> Int[np.ndarray, " t"]:
    """One number a bin. Raises AblateError for another shape."""
    marks = held(name, _array(values), name)
    if marks.shape != (frames,):
        raise AblateError(f"has shape {marks.shape}, not ({frames},)", where=name)
    return np.asarray(marks, np.int64)


def _checked_spikes(
    asks: Asks, facts: SessionFacts, spikes: ArrayLike | None, valid: ArrayLike | None, frames: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Counts and where they are known; zeros where the model does not look at them."""
    shape = (frames, facts.units)
    if not asks.spikes:
        return np.broadcast_to(np.float32(0), shape), None
    if spikes is None:
        what = f"the model was fitted with spike history of {asks.spikes} bins, and no spikes are given"
        raise AblateError(what, where="spikes", hint=f"give counts of shape (t, {facts.units})")
    counts = _of_units("spikes", spikes, shape)
    return counts, None if valid is None else np.asarray(_of_units("valid", valid, shape), bool)


def _of_units(name: str, values: ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    array = held(name, _array(values), name)
    if array.shape != shape:
        raise AblateError(f"has shape {array.shape}, not {shape}", where=name, hint="axes are (t, u)")
    _refuse_not_finite(name, array)
    return array


def _checked_behavior(asks: Asks, facts: SessionFacts, behavior: ArrayLike | None, frames: int) -> np.ndarray | None:
    if asks.constant and facts.behaviors:
        return np.zeros((frames, facts.behaviors), np.float32)
    if not asks.behavior or not facts.behaviors:
        return None  # a recording may well have more than the model asks for
    names = f" ({', '.join(facts.behavior_names)})" if facts.behavior_names else ""
    if behavior is None:
        what = f"the model was fitted with {facts.behaviors} behaviour variables{names}, and none are given"
        raise AblateError(what, where="behavior", hint=f"give behaviour of shape (t, {facts.behaviors})")
    moves = held("behavior", _array(behavior), "behavior")
    if moves.shape != (frames, facts.behaviors):
        what = f"has shape {moves.shape}, not ({frames}, {facts.behaviors}){names}"
        raise AblateError(what, where="behavior", hint="axes are (t, k), a row for each frame")
    _refuse_not_finite("behavior", moves)
    return moves


def _array(values: ArrayLike) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _refuse_not_finite(name: str, array: np.ndarray) -> None:
    place = first_place(array, not_finite) if array.dtype.kind == "f" else None
    if place is not None:
        raise AblateError(f"contains NaN or infinity at [{', '.join(map(str, place))}]", where=name)


def _warn_of_another_scale(facts: SessionFacts, frames: np.ndarray) -> None:
    """A stimulus of 0 to 1 given to a model that was fitted to 0 to 255 gives rates, and all of them wrong."""
    some = np.asarray(frames[:: max(1, len(frames) // 500)], np.float64)
    away = abs(some.mean() - facts.stimulus_mean) / facts.stimulus_std
    spread = some.std() / facts.stimulus_std
    if away > FAR or (0 < spread < FLAT) or spread > FAR:
        given, own = (
            f"{some.mean():.3g} and {some.std():.3g}",
            f"{facts.stimulus_mean:.3g} and {facts.stimulus_std:.3g}",
        )
        warnings.warn(
            f"mean and deviation of the stimulus are {given}, of the one that the model was fitted to {own}: "
            "is it on the same scale?",
            stacklevel=4,
        )
