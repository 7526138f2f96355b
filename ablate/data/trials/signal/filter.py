"""Filters and reference of EEG, by scipy alone, so that no number depends on what else is installed.

    band-pass   Butterworth of order 4 in second-order sections, from `low` to `high` Hz; either end may be open
    notch       second-order IIR notch of quality 30 (a 50 Hz notch is 1.7 Hz wide)
    reference   the mean of all channels that are used, or of some of them, is subtracted at every sample

zero phase: forwards and backwards (scipy's sosfiltfilt), so a sample also knows what comes after it, and the filter
acts twice. causal: forwards alone, from the state of a constant first sample; what is filtered is late.

Where a layout has the whole recording (mne), the filters run over a trial and so much of the recording around it
(`margin`) that the trial is what filtering the whole recording gives, to `FORGOTTEN`. Where it has the trial alone
(native, eav, seed_dv), less than about two cycles of the lowest frequency from its ends it is not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ablate.errors import Problem

Phase = Literal["zero", "causal"]
ORDER, QUALITY = 4, 30.0
FORGOTTEN = 1e-5
"""Share of what came before that a filter still knows a margin later."""


@dataclass(frozen=True)
class FilterOptions:
    """What the recipe says. band_hz: low and high end, None where open. reference: `recorded` changes nothing."""

    band_hz: tuple[float | None, float | None] | None = None
    notch_hz: float | None = None
    reference: Literal["recorded", "average"] | tuple[str, ...] = "recorded"
    phase: Phase = "zero"

    @property
    def words(self) -> str:
        """What is done, aloud; empty where nothing is."""
        parts = []
        if self.reference != "recorded":
            names = "the average" if self.reference == "average" else ", ".join(self.reference)
            parts.append(f"referenced to {names}")
        if self.band_hz is not None:
            low, high = self.band_hz
            ends = " to ".join("open" if end is None else f"{end:g} Hz" for end in (low, high))
            parts.append(f"band-passed from {ends}")
        if self.notch_hz is not None:
            parts.append(f"notched at {self.notch_hz:g} Hz")
        if self.band_hz is not None or self.notch_hz is not None:
            said = {"zero": "zero phase: a sample knows what follows it", "causal": "causal: what is filtered is late"}
            parts.append(said[self.phase])
        return "EEG is " + ", ".join(parts) if parts else ""


def filter_problems(options: FilterOptions, rates_hz: Sequence[float], channels: Sequence[str]) -> Iterator[Problem]:
    """Ends that are no band, frequencies that a rate cannot hold, references that are not there."""
    low, high = options.band_hz or (None, None)
    if options.band_hz is not None and (
        (low is None and high is None) or (low is not None and high is not None and low >= high)
    ):
        yield Problem(f"band_hz {list(options.band_hz)} is no band", "data.band_hz", "write [0.5, 40], or [1, null]")
    for word, value in (("band_hz", low), ("band_hz", high), ("notch_hz", options.notch_hz)):
        for rate in sorted(set(rates_hz)):
            if value is not None and not 0 < value < rate / 2:
                what = f"{value:g} Hz cannot be told from others at {rate:g} samples a second"
                yield Problem(what, f"data.{word}", f"stay between 0 and {rate / 2:g} Hz")
    if isinstance(options.reference, tuple):
        missing = [name for name in options.reference if name not in channels]
        if missing:
            what = f"{', '.join(missing)} cannot be a reference: no such channel is used"
            yield Problem(what, "data.reference", "name channels that all files have, or `average`")


def margin(rate_hz: float, options: FilterOptions) -> tuple[int, int]:
    """Samples before and after a trial that its filtered samples depend on: after them what the slowest pole of each
    filter remembers has shrunk to `FORGOTTEN`. A causal filter knows nothing of what comes after."""
    count = 0
    for sections in _sections(rate_hz, options):
        slowest = max(float(np.abs(np.roots(one[3:])).max(initial=0.0)) for one in sections)
        count += int(np.ceil(np.log(FORGOTTEN) / np.log(slowest))) if 0 < slowest < 1 else 1
    return count, 0 if options.phase == "causal" else count


def filtered(
    eeg: NDArray[np.float64], rate_hz: float, channels: Sequence[str], options: FilterOptions
) -> NDArray[np.float64]:
    """(channels, samples) microvolts, referenced and filtered."""
    if options.reference == "average":
        eeg = eeg - eeg.mean(axis=0)
    elif isinstance(options.reference, tuple):
        eeg = eeg - eeg[[channels.index(name) for name in options.reference]].mean(axis=0)
    for sections in _sections(rate_hz, options):
        eeg = _run(sections, eeg, options.phase)
    return eeg


def _sections(rate_hz: float, options: FilterOptions) -> Iterator[NDArray[np.float64]]:
    from scipy.signal import butter, iirnotch, tf2sos

    if options.band_hz is not None:
        low, high = options.band_hz
        kind: Literal["bandpass", "highpass", "lowpass"] = "bandpass"
        if low is None or high is None:
            kind = "highpass" if high is None else "lowpass"
        ends = [end for end in options.band_hz if end is not None]
        yield np.asarray(butter(ORDER, ends if len(ends) > 1 else ends[0], kind, fs=rate_hz, output="sos"))
    if options.notch_hz is not None:
        yield np.asarray(tf2sos(*iirnotch(options.notch_hz, QUALITY, fs=rate_hz)))


def _run(sections: NDArray[np.float64], eeg: NDArray[np.float64], phase: Phase) -> NDArray[np.float64]:
    from scipy.signal import sosfilt, sosfilt_zi, sosfiltfilt

    if phase == "zero":
        return np.asarray(sosfiltfilt(sections, eeg, axis=1))
    state = sosfilt_zi(sections)[:, None, :] * eeg[None, :, :1]
    return np.asarray(sosfilt(sections, eeg, axis=1, zi=state)[0])
