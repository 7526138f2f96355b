"""Behaviour as the lab gives it: eye position, and eye velocity split by sign and spread over time by raised cosines.

Raised cosines on a logarithmic time axis (Pillow et al. 2008), causal: row t sums velocities of bin t and before. 10
cosines x 2 axes x 2 signs + 2 positions = 42 columns; fewer columns have fewer cosines.
"""

import numpy as np
from jaxtyping import Float

SPAN_S = 0.25  # seconds that the cosines cover
STRETCH_S = 0.02  # seconds: where the time axis turns from linear to logarithmic
SIGNALS = 4  # velocity in x and y, each sign


def behavior_columns(
    eye: Float[np.ndarray, "t 2"], columns: int, bin_rate_hz: float
) -> tuple[Float[np.ndarray, "t k"], tuple[str, ...]]:
    """Rows (t, k) and the names of the columns: position first, then cosine by cosine."""
    from scipy.signal import lfilter  # most of a second that a world in the cache need not wait for

    velocity = np.diff(eye, axis=0, prepend=eye[:1]) * bin_rate_hz  # pixels a second
    signals = np.concatenate([np.maximum(velocity, 0), np.maximum(-velocity, 0)], axis=1)
    signs = ("velocity_x_plus", "velocity_y_plus", "velocity_x_minus", "velocity_y_minus")
    cosines = raised_cosines(-(-max(columns - 2, 0) // SIGNALS), bin_rate_hz)
    parts, names = [eye], ["eye_x", "eye_y"]
    for index, kernel in enumerate(cosines):
        parts.append(lfilter(kernel, [1.0], signals, axis=0))
        names += [f"{sign}_{index:02d}" for sign in signs]
    return np.concatenate(parts, axis=1)[:, :columns].astype(np.float32), tuple(names[:columns])


def raised_cosines(count: int, bin_rate_hz: float) -> Float[np.ndarray, "n lag"]:
    """Kernels over the past, newest first: (1 + cos) / 2 bumps, equally spaced in log(time + stretch), each summing
    to 1."""
    lags = np.arange(int(SPAN_S * bin_rate_hz) + 1) / bin_rate_hz
    axis = np.log((lags + STRETCH_S) / STRETCH_S)
    peaks = np.linspace(0, axis[-1], count) if count > 1 else np.full(count, axis[-1] / 2)
    spacing = axis[-1] / max(count - 1, 1)
    phase = np.clip((axis[None] - peaks[:, None]) * np.pi / (2 * spacing), -np.pi, np.pi)
    kernels = (1 + np.cos(phase)) / 2
    return np.asarray(kernels / np.maximum(kernels.sum(1, keepdims=True), 1e-12))
