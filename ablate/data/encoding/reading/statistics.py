"""Means and deviations for normalising, and the null of the score: from training bins alone."""

from dataclasses import dataclass

import numpy as np

from ablate.data.encoding.split import TRAIN, SessionSplit
from ablate.data.recording import Recording
from ablate.data.recording.array_file import let_go

Array = np.ndarray

STIMULUS_FRAMES = (
    2000  # frames, evenly spaced over train, that give the mean and deviation of pixels: 5 M pixels at 51x51
)
PIECE_PIXELS = 1 << 23  # 64 MB of doubles
HALF_A_SPIKE = 0.5  # a unit silent in train has a null of half a spike over the whole split: its logarithm stays finite


@dataclass(frozen=True)
class Statistics:
    """Of one session's training bins. Stimulus: one mean and deviation for all pixels. behavior: (k,). mean_rate: (u,)
    expected spikes a bin. count_std: (u,) root mean square by which bins with spikes lie off the mean: about 1 for a
    unit that fires once now and then, the plain deviation for one that fires in every bin."""

    stimulus_mean: float
    stimulus_std: float
    behavior_mean: Array
    behavior_std: Array
    mean_rate: Array
    count_std: Array


def training_statistics(recording: Recording, split: SessionSplit) -> Statistics:
    """Statistics of the whole training split, whatever fraction of it trains: the null of the score must not vary."""
    train = np.flatnonzero(split.label == TRAIN)
    spaced = train[:: max(1, len(train) // STIMULUS_FRAMES)]
    pixel_mean, pixel_std = _of_pixels(recording.stimulus, spaced)
    behavior_mean, behavior_std = _of_behavior(recording, train)
    mean_rate, count_std = _of_counts(recording, train)
    for _, array in recording.arrays("stimulus", "spikes", "behavior", "behavior_valid", "valid"):
        let_go(array)
    return Statistics(
        stimulus_mean=pixel_mean,
        stimulus_std=_or_one(pixel_std).item(),
        behavior_mean=behavior_mean,
        behavior_std=behavior_std,
        mean_rate=mean_rate,
        count_std=count_std,
    )


def _of_pixels(stimulus: Array, frames: Array) -> tuple[float, float]:
    """Mean and deviation of all pixels of some frames, so many frames at a time that they never fill the memory."""
    step = max(1, PIECE_PIXELS // max(1, stimulus[0].size))
    parts = [frames[start : start + step] for start in range(0, len(frames), step)]
    if len(parts) == 1:
        pixels = np.asarray(stimulus[frames], np.float64)
        return float(pixels.mean()), float(pixels.std())
    count = len(frames) * stimulus[0].size
    mean = sum(float(np.asarray(stimulus[part], np.float64).sum()) for part in parts) / count
    squares = sum(float(((np.asarray(stimulus[part], np.float64) - mean) ** 2).sum()) for part in parts)
    return mean, float(np.sqrt(squares / count))


def _of_behavior(recording: Recording, train: Array) -> tuple[Array, Array]:
    """Mean and deviation of each column over the bins in which it was measured."""
    if recording.behavior is None:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    values = np.asarray(recording.behavior[train], np.float64)
    if recording.behavior_valid is None:
        return values.mean(0).astype(np.float32), np.asarray(_or_one(values.std(0)), np.float32)
    measured = np.asarray(recording.behavior_valid[train])
    bins = np.maximum(measured.sum(0), 1)
    mean = np.where(measured, values, 0.0).sum(0) / bins
    deviation = np.sqrt((np.where(measured, values - mean, 0.0) ** 2).sum(0) / bins)
    return mean.astype(np.float32), np.asarray(_or_one(deviation), np.float32)


def _of_counts(recording: Recording, train: Array) -> tuple[Array, Array]:
    """Spikes a valid bin of each unit, and how far bins with spikes lie off that."""
    spikes = np.asarray(recording.spikes[train], np.float64)
    valid = np.ones_like(spikes) if recording.valid is None else np.asarray(recording.valid[train], np.float64)
    bins = np.maximum(valid.sum(0), 1.0)
    rate: Array = np.maximum((spikes * valid).sum(0), HALF_A_SPIKE) / bins
    fires = (spikes > 0) & (valid > 0)
    squares = np.where(fires, (spikes - rate) ** 2, 0.0).sum(0)
    return rate, np.asarray(_or_one(np.sqrt(squares / np.maximum(fires.sum(0), 1))))


def _or_one(std: Array | float) -> Array:
    """What does not vary is left as it is, not divided by zero."""
    return np.where(np.asarray(std) > 1e-12, std, 1.0)
