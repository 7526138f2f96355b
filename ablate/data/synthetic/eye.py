"""Fixational eye movements: slow drift pulled back to the fixation point, and microsaccades, mostly back towards it.

Drift is a first-order autoregression (Engbert et al. 2011, without the self-avoidance); microsaccades come about 1.5
times a second and last 25 ms.
"""

import numpy as np
from jaxtyping import Float

DRIFT_SPEED = 2.5  # pixels per square root of a second: about 4 arc minutes at the lab's pixels
DRIFT_PULL_S = 1.5  # seconds for drift to be pulled back by a factor e
SACCADES_HZ = 1.5
SACCADE_PIXELS = 3.0  # mean size
SACCADE_S = 0.025
REACH = 10.0  # pixels: the eye never leaves the fixation point by more


def eye_position(random: np.random.Generator, frames: int, bin_rate_hz: float) -> Float[np.ndarray, "t 2"]:
    """Gaze (x, y) in pixels from the fixation point."""
    from scipy.signal import lfilter  # most of a second that a world in the cache need not wait for

    pull = np.exp(-1 / (DRIFT_PULL_S * bin_rate_hz))
    steps = random.standard_normal((frames, 2)) * (DRIFT_SPEED / np.sqrt(bin_rate_hz))
    drift = lfilter([1.0], [1.0, -pull], steps, axis=0)
    return REACH * np.tanh((drift + _saccades(random, frames, bin_rate_hz, drift)) / REACH)


def _saccades(
    random: np.random.Generator, frames: int, bin_rate_hz: float, drift: Float[np.ndarray, "t 2"]
) -> Float[np.ndarray, "t 2"]:
    """Sum of the jumps so far. Each lands near the fixation point: its direction is random, then drawn back."""
    from scipy.signal import lfilter  # most of a second that a world in the cache need not wait for

    starts = np.flatnonzero(random.random(frames) < SACCADES_HZ / bin_rate_hz)
    sizes = random.exponential(SACCADE_PIXELS, len(starts))
    angles = random.uniform(0, 2 * np.pi, len(starts))
    kicks = np.stack([sizes * np.cos(angles), sizes * np.sin(angles)], axis=1)
    jumps = np.zeros((frames, 2))
    offset = np.zeros(2)
    for start, kick in zip(starts, kicks, strict=True):
        target = kick if np.linalg.norm(drift[start] + offset) > SACCADE_PIXELS else offset + kick
        jumps[start] = target - offset
        offset = target
    duration = max(1, round(SACCADE_S * bin_rate_hz))
    glide = np.full(duration, 1 / duration)
    return np.asarray(lfilter(glide, [1.0], np.cumsum(jumps, axis=0), axis=0))
