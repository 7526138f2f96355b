"""Does the stimulus hold its place beside the spikes? A quick GLM over time, at the shift that fits each block best.

Each unit's GLM sees two channels over its lags: the stimulus through the spatial filter of its spike-triggered average,
and its square through that of the square. It is fitted by Newton's method on one half of the recording (on each half in
turn; the half that explains more of the whole is kept, for the other one may hold the slip) and its drive z[t] is
computed for all of it. Within a block, at a shift of s frames, in nats,

    G(s) = sum_t y[t] z[t - s] - n log mean_t exp z[t - s],      n = sum_t y[t]

which knows neither the block's rate nor its gain. A slip is told where, from some frame on (or up to it), another shift
is better than none by more than `LEAST_NATS` and `LEAST_SHARE` of what the model explains there: the log-likelihood of
a wrong shift exceeds that of the right one by more than n nats with a probability below exp(-n).
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from ablate.data.survey.pixels import CLEAR, peak_of, standard, triggered_averages
from ablate.result.measure.survey import Alignment

Array = np.ndarray

BLOCKS = 12
MOST_UNITS = 20
SHIFTS = (-3, -2, -1, 1, 2, 3)
LEAST_NATS = 25.0
LEAST_SHARE = 0.1
LEAST_BLOCKS_PART = 1 / BLOCKS  # of the recording that a slip must last: one block
FIT_BINS = 20_000
NEWTON_STEPS = 8
RIDGE = 20.0  # in bins: a weight of standard deviation 0.2 under the prior
HIGHEST = 4.0  # of the drive over the mean: e^4 times the rate


def alignment_of(
    places: Float[Array, "t p"], spikes: Float[Array, "t u"], counted: Array, lags: int
) -> Alignment | None:
    """counted: (t, u) bins that count. None where no unit has a filter that stands clear of noise."""
    frames, half = len(places), len(places) // 2
    if half < 20 * lags or not places.shape[1]:
        return None
    squares = standard(places**2)
    averages = triggered_averages(places, spikes, lags)
    of_squares = triggered_averages(squares, spikes, lags) if squares.shape[1] else np.zeros((spikes.shape[1], lags, 0))
    strength = [max(peak_of(one).errors, peak_of(two).errors) for one, two in zip(averages, of_squares, strict=True)]
    units = [unit for unit in np.argsort(strength)[::-1][:MOST_UNITS] if strength[unit] > CLEAR]
    if not units:
        return None
    counts = np.where(counted, spikes, 0.0)[:, units]
    found = []
    for fit_on in (slice(0, half), slice(half, frames)):
        drives = []
        for place, unit in enumerate(units):
            channels = [channel_of(places, averages[unit])]
            channels += [channel_of(squares, of_squares[unit])] if squares.shape[1] else []
            drives.append(drive_of(channels, counts[:, place], lags, fit_on))
        found.append(_aligned(np.stack(drives, axis=1), counts))
    return max(found, key=lambda one: sum(one.best))


def channel_of(places: Float[Array, "t p"], average: Float[Array, "lags p"]) -> Float[Array, " t"]:
    """The stimulus through the first spatial component of the average, with deviation 1."""
    _, _, components = np.linalg.svd(average, full_matrices=False)
    values = places @ components[0]
    return np.asarray(values / (values.std() or 1.0), np.float32)


def drive_of(
    channels: list[Float[Array, " t"]], counts: Float[Array, " t"], lags: int, fit_on: slice
) -> Float[Array, " t"]:
    """Log-rate in every bin, of a GLM fitted on some of them (at most `FIT_BINS`, evenly spaced)."""
    inputs = np.concatenate([_lagged(channel, lags) for channel in channels], axis=1)
    rows = np.arange(len(counts))[fit_on]
    rows = rows[:: max(1, -(-len(rows) // FIT_BINS))]
    weights = _newton(inputs[rows], counts[rows])
    return np.asarray(inputs @ weights[:-1] + weights[-1], np.float64)


def _lagged(channel: Float[Array, " t"], lags: int) -> Float[Array, "t lags"]:
    padded = np.concatenate([np.zeros(lags - 1, channel.dtype), channel])
    return np.lib.stride_tricks.sliding_window_view(padded, lags)[:, ::-1]


def _newton(inputs: Float[Array, "n k"], counts: Float[Array, " n"]) -> Float[Array, " k1"]:
    """Poisson regression with a ridge, the constant last; a step that lowers the likelihood is halved."""
    design = np.concatenate([inputs, np.ones((len(inputs), 1), np.float32)], axis=1).astype(np.float64)
    ridge = np.full(design.shape[1], RIDGE)
    ridge[-1] = 1e-6
    weights = np.zeros(design.shape[1])
    weights[-1] = start = np.log(max(counts.mean(), 1e-6))

    def value(weights: Array) -> float:
        drive = np.minimum(design @ weights, start + HIGHEST)
        return float(counts @ drive - np.exp(drive).sum() - 0.5 * ridge @ weights**2)

    for _ in range(NEWTON_STEPS):
        rate = np.exp(np.minimum(design @ weights, start + HIGHEST))
        gradient = design.T @ (counts - rate) - ridge * weights
        step = np.linalg.solve((design * rate[:, None]).T @ design + np.diag(ridge), gradient)
        size, now = 1.0, value(weights)
        while size > 0.01 and value(weights + size * step) < now:
            size /= 2
        weights = weights + size * step
        if np.abs(size * step).max() < 1e-3:
            break
    return weights


def _aligned(drive: Float[Array, "t u"], counts: Float[Array, "t u"]) -> Alignment:
    """Scores, best shifts and slip of one set of drives."""
    edges = np.linspace(0, len(drive), BLOCKS + 1).astype(int)
    shifts = (0, *SHIFTS)
    moved = {shift: np.roll(drive, shift, axis=0) for shift in shifts}
    nats = np.array(
        [
            [_block_nats(moved[shift][begin:end], counts[begin:end]) for shift in shifts]
            for begin, end in pairwise(edges)
        ]
    )  # block shift
    spikes = np.maximum([counts[begin:end].sum() for begin, end in pairwise(edges)], 1)
    bits = nats / np.log(2) / spikes[:, None]
    best = np.argmax(nats, axis=1)
    clear = nats.max(1) - nats[:, 0] > LEAST_NATS / 5  # else the block says nothing of its shift
    best = np.where(clear, best, 0)
    found = Alignment(
        scores=tuple(bits[:, 0].tolist()),
        shifts=tuple(shifts[index] for index in best),
        best=tuple(bits[np.arange(BLOCKS), best].tolist()),
        units=drive.shape[1],
    )
    return _with_slip(found, moved, counts, edges)


def _block_nats(drive: Float[Array, "t u"], counts: Float[Array, "t u"]) -> float:
    """G of the module's docstring, summed over units."""
    highest = drive.max(0)
    level = np.log(np.exp(drive - highest).mean(0)) + highest
    return float((counts * (drive - level)).sum())


def _with_slip(found: Alignment, moved: dict[int, Array], counts: Float[Array, "t u"], edges: Array) -> Alignment:
    """The part of the recording, from a frame to its end or from its start to a frame, that another shift fits
    better."""
    gains = {shift: _bin_nats(drive, counts, edges) for shift, drive in moved.items()}
    least = round(len(counts) * LEAST_BLOCKS_PART)
    tried: list[tuple[float, int, int, bool, float]] = []
    for shift in SHIFTS:
        gain = gains[shift] - gains[0]
        for before in (False, True):
            sums = np.cumsum(gain) if before else np.cumsum(gain[::-1])[::-1]
            allowed = slice(least, None) if before else slice(0, len(gain) - least)
            place = int(np.argmax(sums[allowed])) + (least if before else 0)
            part = slice(0, place + 1) if before else slice(place, None)
            tried.append((float(sums[place]), place, shift, before, float(gains[shift][part].sum())))
    nats, place, shift, before, explained = max(tried)
    if nats < LEAST_NATS or nats < LEAST_SHARE * max(explained, 0.0):
        return found
    return replace(found, slip=place + before, slip_shift=shift, before=before, nats=nats)


def _bin_nats(drive: Float[Array, "t u"], counts: Float[Array, "t u"], edges: Array) -> Float[Array, " t"]:
    """Each bin's part of G, levels taken over its block."""
    parts = []
    for begin, end in pairwise(edges):
        own = drive[begin:end]
        highest = own.max(0)
        level = np.log(np.exp(own - highest).mean(0)) + highest
        rate = np.exp(own - level) * counts[begin:end].mean(0)
        parts.append((counts[begin:end] * (own - level) - rate + counts[begin:end].mean(0)).sum(1))
    return np.concatenate(parts)
