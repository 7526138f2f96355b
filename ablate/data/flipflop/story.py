"""What happens in each trial of `flipflop`, before it is shown."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ablate.data.coincidence.frames import MARKER_A, MARKER_B
from ablate.data.flipflop.options import FlipflopOptions


@dataclass(frozen=True)
class Story:
    """response, lamp: (N, i), the evoked response and the lamp when its label asks for it. mask: (N, i, f) valid
    frames. markers: (N, i, f), 0 nothing, A, B; only in valid frames."""

    response: NDArray[np.int64]
    lamp: NDArray[np.int64]
    mask: NDArray[np.bool_]
    markers: NDArray[np.int64]

    @property
    def label(self) -> NDArray[np.int64]:
        return self.lamp ^ self.response


def tell(config: FlipflopOptions, name: str, trials: int, rng: Generator) -> Story:
    """The first interval is never absent and always holds a marker early enough: the lamp is known from then on."""
    shape = (trials, config.intervals)
    response = rng.integers(0, 2, shape)
    length = rng.integers(config.min_valid, config.frames + 1, shape)
    present = rng.random(shape) >= config.absent
    present[:, 0] = True
    mask = (np.arange(config.frames) < length[..., None]) & present[..., None]
    bias = config.train_event_bias if name == "train" else 0.5
    kind = np.where(rng.random(mask.shape) < bias, MARKER_A, MARKER_B)
    written = mask & (rng.random(mask.shape) < config.write)
    _write_first(written, np.minimum(length[:, 0], config.frames - config.jitter), rng)
    markers = np.where(written, kind, 0)
    return Story(response, asked(config, markers), mask, markers)


def _write_first(written: NDArray[np.bool_], early: NDArray[np.int64], rng: Generator) -> None:
    """Where none of the first interval's `early` frames shows a marker, one of them does."""
    none = ~(written[:, 0] & (np.arange(written.shape[2]) < early[:, None])).any(axis=1)
    place = np.floor(rng.random(len(written)) * early).astype(np.int64)
    written[none, 0, place[none]] = True


def asked(config: FlipflopOptions, markers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lamp (N, i) at the moment that each interval's label asks for; off before the first marker."""
    flat = markers.reshape(len(markers), -1)
    if config.toggle:
        state = (flat > 0).cumsum(axis=1) % 2
    else:
        newest = np.maximum.accumulate(np.where(flat > 0, np.arange(flat.shape[1]), -1), axis=1)
        state = (np.take_along_axis(flat, np.maximum(newest, 0), axis=1) == MARKER_A) & (newest >= 0)
    return state.reshape(markers.shape)[:, :, config.frames - 1 - config.jitter].astype(np.int64)
