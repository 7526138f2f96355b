"""What happens in each interval of `coincidence`, before it is shown."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ablate.data.coincidence.options import CoincidenceOptions


@dataclass(frozen=True)
class Story:
    """What happens in each interval, before it is shown: all (N, i).

    response: evoked response r. event: video event e. shown: the event as the video shows it (wrong with
    `event_error`).
    label: e XOR r. mask: (N, i, f) valid frames. trap: +1 or -1 for what a marker in the pads says, 0 = no marker.
    """

    response: NDArray[np.int64]
    event: NDArray[np.int64]
    shown: NDArray[np.int64]
    mask: NDArray[np.bool_]
    trap: NDArray[np.int64]

    @property
    def label(self) -> NDArray[np.int64]:
        return self.event ^ self.response


def tell(config: CoincidenceOptions, name: str, trials: int, rng: Generator) -> Story:
    """Events, responses, which frames are valid, and what the padding trap says."""
    shape = (trials, config.intervals)
    response, event = rng.integers(0, 2, shape), rng.integers(0, 2, shape)
    if name == "train" and config.train_event_bias != 0.5:
        event = (rng.random(shape) < config.train_event_bias).astype(np.int64)
    shown = event ^ (rng.random(shape) < config.event_error)
    mask = draw_mask(config, shape, rng)
    trap = np.zeros(shape, dtype=np.int64)
    if config.padding_trap:
        agrees = -1 if name == "test" else 1
        trap = agrees * (2 * (event ^ response) - 1)
    return Story(response, event, shown, mask, trap)


def draw_mask(config: CoincidenceOptions, shape: tuple[int, int], rng: Generator) -> NDArray[np.bool_]:
    """Valid frames: a random number an interval, at its start or scattered; none in absent intervals."""
    length = rng.integers(config.min_valid, config.frames + 1, shape)
    mask = np.broadcast_to(np.arange(config.frames), (*shape, config.frames)) < length[..., None]
    if config.pads == "scattered":
        mask = rng.permuted(mask, axis=2)
    return mask & (rng.random(shape) >= config.absent)[..., None]
