"""Where windows lie: the bins that are scored, the windows that sweep them, and the windows that may train.

A scored bin is one of validation or test, on the lattice (frame mod score_every = 0, or every phase), with `history`
frames of its own unbroken run up to and with itself. Neither window nor warm-up enters, so variants with other
windows are scored on the same bins.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from ablate.data.encoding.split import TRAIN, SessionSplit


@dataclass(frozen=True)
class Sweep:
    """Windows that score each bin exactly once. ends: (m,) newest frame. scores: (m, n) whether the window scores
    the bin at that lag; a bin before the first of a block, or one that is left out, is not."""

    ends: Int[np.ndarray, " m"]
    scores: Bool[np.ndarray, "m n"]


def scored_bins(
    split: SessionSplit, which: int, *, score_every: int, history: int, phases: str
) -> Int[np.ndarray, " n"]:
    """Frames of one session that a split scores, in order."""
    frame = np.arange(len(split.label))
    scored = (split.label == which) & (frame - split.run_start >= history - 1)
    if phases == "one":
        scored &= frame % score_every == 0
    return np.flatnonzero(scored)


def sweep_windows(bins: Int[np.ndarray, " n"], lags: tuple[int, ...], score_every: int) -> Sweep:
    """Tiles the bins with windows, newest first, so that only the oldest window of a block scores less than it
    could."""
    scored = np.zeros(int(bins.max(initial=0)) + 1, bool)
    scored[bins] = True
    ends: list[int] = []
    for phase in np.unique(bins % score_every):
        steps = bins[bins % score_every == phase] // score_every
        index = len(steps) - 1
        while index >= 0:
            ends.append(int(steps[index] * score_every + phase))
            index = int(np.searchsorted(steps, steps[index] - len(lags) + 1)) - 1
    newest = np.sort(np.array(ends, dtype=np.int64))
    met = newest[:, None] - np.array(lags)[None]
    return Sweep(newest, (met >= 0) & scored[np.maximum(met, 0)])


def training_ends(split: SessionSplit, *, window: int, lags: tuple[int, ...], fraction: float) -> Int[np.ndarray, " m"]:
    """Newest frames of the windows that may train: one unbroken run, all supervised bins in the share of train that
    is used."""
    train = split.label == TRAIN
    train[np.flatnonzero(train)[int(np.ceil(fraction * np.count_nonzero(train))) :]] = False
    frame = np.arange(len(train))
    fits = frame - split.run_start >= window - 1
    for lag in lags:
        fits[lag:] &= train[: len(train) - lag]
        fits[:lag] = False
    return np.flatnonzero(fits)
