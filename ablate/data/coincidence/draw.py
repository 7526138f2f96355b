"""Draws the trials of `coincidence`: events, responses, labels, then the EEG and the frames that show them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ablate.data.coincidence.ceiling import label_log_probability
from ablate.data.coincidence.frames import draw_features, draw_pixels
from ablate.data.trials.split import TrialSplit

if TYPE_CHECKING:
    from ablate.data.coincidence.config import CoincidenceConfig

STREAMS = {"train": 0, "validation": 1, "test": 2}  # each split has random numbers of its own


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


def draw_split(config: "CoincidenceConfig", name: str, trials: int, subjects: NDArray[np.int64]) -> TrialSplit:
    """The trials of one split; the same seed always gives the same ones."""
    rng = np.random.default_rng([config.seed, STREAMS[name]])
    story = tell(config, name, trials, rng)
    template = response_template(config)
    eeg = rng.standard_normal((trials, config.intervals, *template.shape), dtype=np.float32)
    eeg += (config.d_prime * story.response[..., None, None] * template).astype(np.float32)
    matched = np.einsum("nics,cs->ni", eeg, template, dtype=np.float64)
    frames = (draw_features if config.mode == "features" else draw_pixels)(config, story, rng)
    return TrialSplit(
        trial_ids=tuple(f"{name}_{index:06d}" for index in range(trials)),
        session=subjects[np.arange(trials) % len(subjects)],
        eeg=np.ascontiguousarray(eeg.transpose(0, 2, 1, 3)).reshape(trials, config.channels, -1),
        frames=frames,
        frame_mask=story.mask,
        labels=story.label,
        truth=label_log_probability(
            config.d_prime * matched - config.d_prime**2 / 2,
            story.shown,
            np.any(story.mask, axis=2),
            config.event_error,
        ),
    )


def tell(config: "CoincidenceConfig", name: str, trials: int, rng: Generator) -> Story:
    """Events, responses, which frames are valid, and what the padding trap says."""
    shape = (trials, config.intervals)
    response, event = rng.integers(0, 2, shape), rng.integers(0, 2, shape)
    shown = event ^ (rng.random(shape) < config.event_error)
    mask = draw_mask(config, shape, rng)
    trap = np.zeros(shape, dtype=np.int64)
    if config.padding_trap:
        agrees = -1 if name == "test" else 1
        trap = agrees * (2 * (event ^ response) - 1)
    return Story(response, event, shown, mask, trap)


def draw_mask(config: "CoincidenceConfig", shape: tuple[int, int], rng: Generator) -> NDArray[np.bool_]:
    """Valid frames: a random number an interval, at its start or scattered; none in absent intervals."""
    length = rng.integers(config.min_valid, config.frames + 1, shape)
    mask = np.broadcast_to(np.arange(config.frames), (*shape, config.frames)) < length[..., None]
    if config.pads == "scattered":
        mask = rng.permuted(mask, axis=2)
    return mask & (rng.random(shape) >= config.absent)[..., None]


def response_template(config: "CoincidenceConfig") -> NDArray[np.float64]:
    """The evoked response (channels, samples of an interval) of unit norm: a smooth wave, positive then negative."""
    rng = np.random.default_rng([config.seed, 99])
    time = np.linspace(0, 1, config.samples_per_interval)
    wave = np.exp(-(((time - 0.35) / 0.12) ** 2)) - 0.6 * np.exp(-(((time - 0.65) / 0.16) ** 2))
    template = rng.standard_normal(config.channels)[:, None] * wave
    return template / np.linalg.norm(template)
