"""Events and samples on a clock in seconds, brought into bins: each counts in the bin in which it happened.

Bins are half open, [edge, next edge): an event at an edge belongs to the bin that begins there. A sample is never taken
from a later bin: where a bin has none, the last one before it stands in.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ablate.data.formats.reading.numbers import TIMES, numbers
from ablate.errors import AblateError

AT_THE_EDGE = 1e-9
"""s: an event that lies less than this before an edge lies on it; seconds as floats are no more exact."""
JITTER = 0.05
"""Share of the median by which intervals between frames may differ and still be one rate."""
GAP = 1.5
"""Medians between two frames from which on they do not follow each other."""


@dataclass(frozen=True)
class Bins:
    """edges: (t, 2) begin and end of each bin, s. trials: (t,) rises at every gap. rate_hz: of the median bin."""

    edges: Float[np.ndarray, "t 2"]
    trials: Int[np.ndarray, " t"]
    rate_hz: float

    @property
    def gaps(self) -> int:
        return int(self.trials[-1]) if len(self.trials) else 0


def spans_of_frames(times: np.ndarray, where: str) -> Bins:
    """Each frame from its onset to the next one's; at a gap, and at the end, it lasts as long as the median frame.

    Raises AblateError for times that do not rise.
    """
    times = rising(times, where)
    if len(times) < 2:
        raise AblateError("has fewer than two frames", where=where)
    steps = np.diff(times)
    median = float(np.median(steps))
    gap = steps > GAP * median
    ends = np.append(np.where(gap, times[:-1] + median, times[1:]), times[-1] + median)
    trials = np.concatenate([[0], np.cumsum(gap)])
    return Bins(np.stack([times, ends], axis=1), trials.astype(np.int64), 1 / median)


def bins_of_frames(times: np.ndarray, where: str) -> Bins:
    """A bin for each frame. Raises AblateError for times that do not rise, and for frames of no one length."""
    spans = spans_of_frames(times, where)
    lasts = np.diff(spans.edges, axis=1).ravel()
    uneven = abs(lasts * spans.rate_hz - 1) > JITTER
    if uneven.mean() > JITTER:
        usual = f"{1000 / spans.rate_hz:.3g} ms as the median one does"
        what = f"{100 * uneven.mean():.0f} % of its frames do not last {usual}"
        raise AblateError(what, where=where, hint="set `bin_rate_hz: ...`: bins of one length, each with its frame")
    return spans


def bins_at(rate_hz: float, spans: Bins) -> tuple[Bins, Int[np.ndarray, " t"]]:
    """Bins of one length, and which frame is on the screen as each begins. Bins without a frame are left out, and what
    follows them is another trial."""
    every = regular_bins(float(spans.edges[0, 0]), float(spans.edges[-1, 1]), rate_hz)
    shown = frames_shown(spans.edges[:, 0], every)
    covered = every.edges[:, 0] < spans.edges[shown, 1] - 1e-9
    kept = np.flatnonzero(covered)
    trials = np.concatenate([[0], np.cumsum(np.diff(kept) > 1)])[: len(kept)]
    return Bins(every.edges[kept], trials.astype(np.int64), rate_hz), shown[kept]


def regular_bins(start: float, stop: float, rate_hz: float) -> Bins:
    """Bins of one length from start on, as many as fit."""
    count = int(np.floor((stop - start) * rate_hz + 1e-6))
    edges = start + np.arange(count + 1) / rate_hz
    return Bins(np.stack([edges[:-1], edges[1:]], axis=1), np.zeros(count, np.int64), rate_hz)


def counts_in(events: np.ndarray, bins: Bins) -> Int[np.ndarray, " t"]:
    """Events of each bin. events: times in s, in any order."""
    ordered = np.sort(np.asarray(events, np.float64)) + AT_THE_EDGE
    first, last = (np.searchsorted(ordered, bins.edges[:, side], side="left") for side in (0, 1))
    return np.asarray(last - first)


def counts_of_units(times: list[np.ndarray], bins: Bins, where: str) -> Int[np.ndarray, "t u"]:
    """Spikes of each unit and bin. Raises AblateError where none falls into the bins: the clocks are not one."""
    counts = np.stack([counts_in(one, bins) for one in times], axis=1)
    if not counts.any():
        spans = [one for one in times if len(one)]
        told = f"from {min(map(np.min, spans)):g} to {max(map(np.max, spans)):g} s" if spans else "there are none"
        what = f"no spike falls into the stimulus, which lasts from {bins.edges[0, 0]:g} to {bins.edges[-1, 1]:g} s"
        raise AblateError(what, where=where, hint=f"spikes are {told}: are both on one clock, in seconds?")
    return counts


def frames_shown(times: np.ndarray, bins: Bins) -> Int[np.ndarray, " t"]:
    """Which frame is on the screen when each bin begins, by the onsets of the frames; -1 before the first."""
    slack = 1e-9 + 1e-6 * (bins.edges[0, 1] - bins.edges[0, 0])  # a bin that begins with a frame shows it
    return np.searchsorted(np.asarray(times, np.float64), bins.edges[:, 0] + slack, side="right") - 1


def means_in(times: np.ndarray, values: np.ndarray, bins: Bins) -> tuple[Float[np.ndarray, "t k"], int]:
    """The mean of the samples of each bin, or the last one before it; and how many bins had none of their own.

    values: (n, k), NaN where nothing was measured. Before the first sample, its value.
    """
    values = np.asarray(values, np.float64).reshape(len(times), -1)
    found = np.empty((len(bins.edges), values.shape[1]))
    empty = 0
    for column in range(values.shape[1]):
        known = np.isfinite(values[:, column])
        when, what = np.asarray(times, np.float64)[known] + AT_THE_EDGE, values[known, column]
        if not len(when):
            raise AblateError("holds no finite value")
        first, last = (np.searchsorted(when, bins.edges[:, side], side="left") for side in (0, 1))
        sums = np.concatenate([[0.0], np.cumsum(what)])
        held = what[np.maximum(last - 1, 0)]
        none = last == first
        found[:, column] = np.where(none, held, (sums[last] - sums[first]) / np.maximum(last - first, 1))
        empty = max(empty, int(none.sum()))
    return found, empty


def within(intervals: np.ndarray, bins: Bins) -> np.ndarray:
    """(t,) bins that lie wholly in one of the intervals (k, 2), s."""
    inside = np.zeros(len(bins.edges), bool)
    for begin, end in np.asarray(intervals, np.float64).reshape(-1, 2):
        inside |= (bins.edges[:, 0] >= begin - 1e-9) & (bins.edges[:, 1] <= end + 1e-9)
    return inside


def rising(times: np.ndarray, where: str) -> Float[np.ndarray, " n"]:
    """Raises AblateError for times that are not finite, or stand still, or run backwards."""
    times = numbers(np.ravel(times), where, "(t,)", kinds=TIMES).astype(np.float64)
    wrong = ~np.isfinite(times)
    wrong[1:] |= ~(np.diff(times) > 0)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise AblateError(f"its times do not rise at entry {at}: {times[at]:g} s", where=where)
    return times
