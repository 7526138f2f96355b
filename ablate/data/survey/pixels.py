"""The stimulus in few numbers a frame, and each unit's spike-triggered average over it.

    STA[l, p] = sum_t (y[t] - mean y) x[t - l, p] / ( sd(x_p) sd(y) sqrt(T) )

so that without a relation it is a standard normal number. x: a frame averaged down to at most `GRID` x `GRID` places;
for cells that do not tell bright from dark, its square beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Array = np.ndarray

GRID = 8
SECONDS = 0.25  # of the past: filters of the retina to V1 have ended by then
LAGS = (5, 25)  # fewest and most frames
PIECE_BYTES = 1 << 26
MOST_BINS = 60_000  # that an average is taken over
CLEAR = 4.5  # standard errors: one of 6,000 numbers that are chance reaches it in 25 times


def lags_of(bin_rate_hz: float) -> int:
    """Frames of the past that are looked at."""
    return int(np.clip(round(SECONDS * bin_rate_hz), *LAGS))


def places(stimulus: Array) -> Float[Array, "t p"]:
    """Frames averaged down, each place with mean 0 and deviation 1; places that never change are left out."""
    frames, height, width = stimulus.shape
    rows, cols = (np.linspace(0, size, min(size, GRID) + 1).astype(int)[:-1] for size in (height, width))
    found = np.empty((frames, len(rows) * len(cols)), np.float32)
    for start, piece in _pieces(stimulus):
        sums = np.add.reduceat(np.add.reduceat(piece, rows, axis=1), cols, axis=2)
        found[start : start + len(piece)] = sums.reshape(len(piece), -1)
    return standard(found)


def standard(values: Float[Array, "t p"]) -> Float[Array, "t p"]:
    """Columns with mean 0 and deviation 1; those that never change are left out."""
    mean, std = values.mean(0, dtype=np.float64), values.std(0, dtype=np.float64)
    moves = std > 1e-6 * (np.abs(mean) + 1e-12)
    return np.asarray((values[:, moves] - mean[moves]) / std[moves], np.float32)


def _pieces(stimulus: Array) -> Iterator[tuple[int, Array]]:
    step = max(1, PIECE_BYTES // max(1, 4 * stimulus[0].size))
    for start in range(0, len(stimulus), step):
        yield start, np.asarray(stimulus[start : start + step], np.float32)


def triggered_averages(places: Float[Array, "t p"], spikes: Float[Array, "t u"], lags: int) -> Float[Array, "u lags p"]:
    """In standard errors, newest frame first; zero for a unit that never changes. Of at most `MOST_BINS` bins, evenly
    spaced."""
    bins = np.arange(lags - 1, len(places))
    bins = bins[:: max(1, -(-len(bins) // MOST_BINS))]
    counts = spikes[bins] - spikes[bins].mean(0)
    deviation = counts.std(0)
    counts = (counts / np.where(deviation > 0, deviation, np.inf)).astype(np.float32)
    found = [counts.T @ places[bins - lag] for lag in range(lags)]
    return np.asarray(np.stack(found, axis=1) / np.sqrt(max(1, len(bins))))


@dataclass(frozen=True)
class Peak:
    """The greatest number of an average. sign: +1 where more light gives more spikes."""

    lag: int
    place: int
    sign: int
    errors: float

    @property
    def clear(self) -> bool:
        return self.errors > CLEAR


def peak_of(average: Float[Array, "lags p"]) -> Peak:
    if not average.size:
        return Peak(0, 0, 1, 0.0)
    lag, place = np.unravel_index(int(np.argmax(np.abs(average))), average.shape)
    value = float(average[lag, place])
    return Peak(int(lag), int(place), 1 if value >= 0 else -1, abs(value))
