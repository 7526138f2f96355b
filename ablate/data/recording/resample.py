"""A recording in longer bins: counts and rates added up, frames and behaviour averaged.

Only by a whole factor: a count cannot be divided between two bins. What is left over at the end is cut off. A longer
bin is valid where all of its bins are, and of a trial where all of them are of the same one.
"""

from dataclasses import replace

import numpy as np

from ablate.data.recording.session import Recording
from ablate.errors import AblateError

Array = np.ndarray

ALIKE = (
    0.01  # relative: monitors of 119.9 and 120.1 Hz are of one rate; over a window of 64 frames half a frame is lost
)


def factor_to(recording: Recording, rate_hz: float) -> int:
    """Bins of the recording in one of `rate_hz`. Raises AblateError where that is no whole number."""
    ratio = recording.bin_rate_hz / rate_hz
    factor = round(ratio)
    if factor < 1 or abs(ratio / factor - 1) > ALIKE:
        below = recording.bin_rate_hz / max(1, int(ratio))
        what = f"{recording.name} has {recording.bin_rate_hz:g} Hz, no whole multiple of {rate_hz:g} Hz"
        hint = f"counts cannot be divided between bins; {below:g} Hz would do for this recording"
        raise AblateError(what, where="data.resample_hz", hint=hint)
    return factor


def resampled(recording: Recording, rate_hz: float | None) -> Recording:
    """The recording in bins of `rate_hz`; itself for None, and where it has that rate already."""
    factor = 1 if rate_hz is None else factor_to(recording, rate_hz)
    if factor == 1:
        return recording
    if recording.frames < factor:
        raise AblateError(f"{recording.name} has only {recording.frames} bins", where="data.resample_hz")
    new = {
        "stimulus": _parts(recording.stimulus, factor).mean(1, dtype=np.float32),
        "spikes": _parts(recording.spikes, factor).sum(1, dtype=np.float32),
    }
    if recording.measured_behavior is not None:
        new["behavior"] = _parts(recording.measured_behavior, factor).mean(1, dtype=np.float32)
    if recording.behavior_valid is not None:
        new["behavior_valid"] = np.asarray(_parts(recording.behavior_valid, factor).all(1))
    if recording.valid is not None:
        new["valid"] = np.asarray(_parts(recording.valid, factor).all(1))
    for name, rates in (("rates", recording.rates), ("floor_rates", recording.floor_rates)):
        if rates is not None:
            new[name] = _parts(rates, factor).sum(1)
    for name, labels in (("trials", recording.trials), ("split", recording.split)):
        if labels is not None:
            parts = _parts(labels, factor)
            new[name] = np.where((parts == parts[:, :1]).all(1), parts[:, 0], -1)
    if recording.repeats is not None:
        showings = [_parts(showing, factor).sum(1, dtype=np.float32) for showing in recording.repeats]
        new["repeats"] = np.stack(showings)
    if recording.repeat_stimulus is not None:
        new["repeat_stimulus"] = _parts(recording.repeat_stimulus, factor).mean(1, dtype=np.float32)
    return replace(recording, bin_rate_hz=recording.bin_rate_hz / factor, **new)  # type: ignore[arg-type]  # arrays by the names of their fields


def refuse_other_rates(recordings: tuple[Recording, ...]) -> None:
    """Raises AblateError for sessions whose bins have different lengths: one filter bank in frames cannot fit both."""
    slow, fast = (f(recordings, key=lambda one: one.bin_rate_hz) for f in (min, max))
    if fast.bin_rate_hz > slow.bin_rate_hz * (1 + ALIKE):
        what = f"{slow.name} has bins of {slow.bin_rate_hz:g} Hz, {fast.name} of {fast.bin_rate_hz:g} Hz"
        hint = f"`resample_hz: {slow.bin_rate_hz:g}` brings them to one rate, if that divides all"
        raise AblateError(what, where="data.path", hint=hint)


def _parts(array: Array, factor: int) -> Array:
    """(t, ...) as (t / factor, factor, ...)."""
    bins = len(array) // factor
    return np.asarray(array[: bins * factor]).reshape(bins, factor, *array.shape[1:])
