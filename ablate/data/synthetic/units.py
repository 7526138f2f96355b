"""V1-like units: what each sees, how it is normalised and adapts, and how behaviour scales it.

    drive = relu(L1)^2 (simple)  or  L1^2 + L2^2 (complex),   L = temporal kernel * Gabor(quadrature pair) * stimulus
    rate  = mean rate * (floor + (1 - floor) * r / mean(r)),
    r     = (drive / (sigma^2 + local contrast) / slow contrast^adaptation)^power * exp(gain)
    floor:  drive = temporal kernel^2 * local contrast, all else the same: what needs no receptive field

Energy model: Adelson & Bergen 1985; divisive normalisation: Heeger 1992. Everything is causal: the rate of bin t
takes frames up to t, and behaviour rows up to t-1.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from ablate.data.synthetic.world import WorldConfig

Array = np.ndarray

CHUNK = 2048  # frames filtered at once: 20 MB at 51x51
GREY, CONTRAST_UNIT = 127.5, 50.0  # pixels to contrast units
SEMISATURATION = 0.15  # contrast at which normalisation reaches half
FAST_S, SLOW_S = 0.05, 3.0  # seconds: pool of normalisation, memory of contrast adaptation
POWER = 0.7  # of the energy: between amplitude (0.5) and energy (1), so that rates are sparse but not rare bursts
FLOOR = 0.12  # share of the mean rate that no stimulus takes away
TAIL = 1e-4  # of a Gaussian's peak
PEAK_HZ = 240.0  # rates saturate here; two spikes a bin at 120 Hz


@dataclass(frozen=True)
class Units:
    """even, odd: (u, h w) unit-norm Gabors. pool: (u, h w) envelopes that sum to 1. kernel: (u, lag) newest first.
    complex_cell: (u,). mean_rate: (u,) spikes a bin. behavior_weights: (k, u), for z-scored columns."""

    even: Array
    odd: Array
    pool: Array
    kernel: Array
    complex_cell: Bool[np.ndarray, " u"]
    mean_rate: Array
    behavior_weights: Array


def make_units(random: np.random.Generator, world: WorldConfig, count: int, columns: tuple[str, ...]) -> Units:
    """Draws the units of one session."""
    sigma = _log_uniform(random, world.rf_size, count)
    reach = np.minimum(2.5 * sigma[:, None], (np.array([world.height, world.width]) - 1) / 2)
    center = reach + random.random((count, 2)) * (np.array([world.height, world.width]) - 1 - 2 * reach)
    angle, phase = random.uniform(0, np.pi, count), random.uniform(0, 2 * np.pi, count)
    wavelength = np.maximum(sigma * random.uniform(2.5, 4.0, count), 2.5)
    y = np.arange(world.height)[None, :, None] - center[:, 0, None, None]
    x = np.arange(world.width)[None, None, :] - center[:, 1, None, None]
    envelope = _blob(x**2 + y**2, sigma)
    along = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    carrier = 2 * np.pi * along / wavelength[:, None, None] + phase[:, None, None]
    wide = _blob(x**2 + y**2, 2 * sigma)
    return Units(
        even=_unit_norm(envelope * np.cos(carrier), envelope),
        odd=_unit_norm(envelope * np.sin(carrier), envelope),
        pool=(wide / wide.sum((1, 2), keepdims=True)).reshape(count, -1).astype(np.float32),
        kernel=_temporal_kernels(random, count, world.bin_rate_hz),
        complex_cell=random.permutation(count) < round(world.complex_fraction * count),
        mean_rate=_log_uniform(random, world.rate_hz, count) / world.bin_rate_hz,
        behavior_weights=_behavior_weights(random, count, columns),
    )


@dataclass(frozen=True)
class Rates:
    """Expected spikes a bin, (t, u). true: of the world. floor: of the same units with their receptive fields taken
    away: local contrast in the place of the Gabors' energy. A model that scores no more has learned no receptive field.
    """

    true: Float32[np.ndarray, "t u"]
    floor: Float32[np.ndarray, "t u"]


def world_rates(
    units: Units, world: WorldConfig, stimulus: UInt8[np.ndarray, "t h w"], behavior: Float[np.ndarray, "t k"]
) -> Rates:
    """What the units do, and what they would do without receptive fields.

    The floor is within 5 % of the best that any function of its own signals scores (a regression on the true rates).
    """
    even, odd, contrast = _filtered(units, stimulus)
    even, odd = _over_time(units.kernel, even), _over_time(units.kernel, odd)
    energy = np.where(units.complex_cell, even**2 + odd**2, np.maximum(even, 0) ** 2)
    pool = SEMISATURATION**2 + _smoothed(contrast, FAST_S * world.bin_rate_hz)
    slow = SEMISATURATION**2 + _smoothed(contrast, SLOW_S * world.bin_rate_hz)
    pool *= slow**world.adaptation
    gain = np.exp(_log_gain(units, world, behavior))
    return Rates(
        true=_spikes_a_bin(units, world, (energy / pool) ** POWER * gain),
        floor=_spikes_a_bin(units, world, (_over_time(units.kernel**2, contrast) / pool) ** POWER * gain),
    )


def _spikes_a_bin(units: Units, world: WorldConfig, drive: Array) -> Float32[np.ndarray, "t u"]:
    """Each unit's drive scaled to its mean rate, on top of the share that no stimulus takes away, below the peak."""
    rates = units.mean_rate * (FLOOR + (1 - FLOOR) * drive / np.maximum(drive.mean(0), 1e-12))
    peak = PEAK_HZ / world.bin_rate_hz
    return (peak * -np.expm1(-rates / peak)).astype(np.float32)


def _filtered(units: Units, stimulus: UInt8[np.ndarray, "t h w"]) -> tuple[Array, Array, Array]:
    """Gabor responses of each frame, and local contrast energy under each unit's pool."""
    flat = stimulus.reshape(len(stimulus), -1)
    count = len(units.even)
    linear = np.concatenate([units.even, units.odd, units.pool]).T.copy()
    even, odd, contrast = (np.empty((len(flat), count)) for _ in range(3))
    for start in range(0, len(flat), CHUNK):
        here = slice(start, start + CHUNK)
        pixels = (flat[here].astype(np.float32) - np.float32(GREY)) / np.float32(CONTRAST_UNIT)
        response = pixels @ linear
        even[here], odd[here] = response[:, :count], response[:, count : 2 * count]
        mean = response[:, 2 * count :]
        contrast[here] = np.maximum(np.square(pixels, out=pixels) @ units.pool.T - mean**2, 0)
    return even, odd, contrast


def _over_time(kernel: Float[np.ndarray, "u lag"], response: Array) -> Array:
    from scipy.signal import lfilter  # most of a second that a world in the cache need not wait for

    columns = zip(kernel, response.T, strict=True)
    return np.stack([lfilter(taps, [1.0], column) for taps, column in columns], axis=1)


def _smoothed(signal: Array, bins: float) -> Array:
    """Exponential average over the past, begun at the mean so that the first seconds are like the others."""
    from scipy.signal import lfilter  # most of a second that a world in the cache need not wait for

    keep = np.exp(-1 / max(bins, 1e-6))
    smoothed, _ = lfilter([1 - keep], [1.0, -keep], signal, axis=0, zi=keep * signal.mean(0, keepdims=True))
    return np.asarray(smoothed)


def _log_gain(units: Units, world: WorldConfig, behavior: Float[np.ndarray, "t k"]) -> Array:
    """(t, u) with standard deviation `behavior_gain`, from the behaviour row before the bin: what a model is given
    too."""
    if behavior.shape[1] == 0 or world.behavior_gain == 0:
        return np.zeros((len(behavior), len(units.mean_rate)))
    scored = (behavior - behavior.mean(0)) / np.maximum(behavior.std(0), 1e-9)
    gain = np.concatenate([np.zeros((1, scored.shape[1])), scored[:-1]]) @ units.behavior_weights
    return np.asarray(np.clip(world.behavior_gain * gain / np.maximum(gain.std(0), 1e-9), -1.5, 1.5))


def _behavior_weights(random: np.random.Generator, count: int, columns: tuple[str, ...]) -> Array:
    """Suppression just after a saccade, a rebound later, whatever its direction; and a gain field over eye position."""
    weights = np.zeros((len(columns), count))
    cosines = 1 + max((int(name[-2:]) for name in columns if name.startswith("velocity")), default=0)
    for row, name in enumerate(columns):
        if name.startswith("eye"):
            weights[row] = random.normal(0, 1.0, count)
        else:
            age = int(name[-2:]) / max(cosines - 1, 1)  # 0: now, 1: a quarter of a second ago
            weights[row] = np.sin(2 * np.pi * (age - 0.5)) * random.uniform(0.6, 1.4, count) / np.sqrt(cosines)
    return weights


def _temporal_kernels(random: np.random.Generator, count: int, bin_rate_hz: float) -> Float[np.ndarray, "u lag"]:
    """Biphasic: a fast gamma less a slower one, newest lag first, unit norm. Peaks 35 to 60 ms after the frame."""
    time = np.arange(int(0.25 * bin_rate_hz) + 1)[None] / bin_rate_hz
    peak = random.uniform(0.035, 0.06, (count, 1))
    rebound = random.uniform(0.5, 0.9, (count, 1))
    kernel = _gamma_bump(time, peak) - rebound * _gamma_bump(time, 1.8 * peak) / 1.8
    return np.asarray(kernel / np.linalg.norm(kernel, axis=1, keepdims=True))


def _gamma_bump(time: Array, peak: Array) -> Array:
    order = 6
    return np.asarray((time / peak * np.exp(1 - time / peak)) ** order)


def _blob(squared_distance: Array, sigma: Array) -> Array:
    """A Gaussian, cut off where its tail would be subnormal numbers, with which a product takes thirty times as
    long."""
    blob = np.exp(-squared_distance / (2 * sigma[:, None, None] ** 2))
    return np.where(blob < TAIL, 0.0, blob)


def _unit_norm(gabor: Array, envelope: Array) -> Float32[np.ndarray, "u p"]:
    """No response to a uniform field, and unit norm. A single pixel shows nothing but uniform fields: it is taken."""
    share = gabor.sum((1, 2), keepdims=True) / envelope.sum((1, 2), keepdims=True)
    balanced = envelope if gabor[0].size == 1 else gabor - envelope * share
    flat = balanced.reshape(len(gabor), -1)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6), np.float32)


def _log_uniform(random: np.random.Generator, between: tuple[float, float], count: int) -> Array:
    low, high = np.log(between[0]), np.log(between[1])
    return np.exp(random.uniform(low, high, count))
