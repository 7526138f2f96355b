"""Draws the trials of `coincidence`: events, responses, labels, then the EEG and the frames that show them."""

import numpy as np
from numpy.typing import NDArray

from ablate.data.coincidence.ceiling import label_log_probability
from ablate.data.coincidence.frames import draw_features, draw_pixels
from ablate.data.coincidence.options import CoincidenceOptions
from ablate.data.coincidence.story import tell
from ablate.data.trials.split import TrialSplit

STREAMS = {"train": 0, "validation": 1, "test": 2}  # each split has random numbers of its own


def draw_split(config: CoincidenceOptions, name: str, trials: int, subjects: NDArray[np.int64]) -> TrialSplit:
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


def response_template(config: CoincidenceOptions) -> NDArray[np.float64]:
    """The evoked response (channels, samples of an interval) of unit norm: a smooth wave, positive then negative."""
    rng = np.random.default_rng([config.seed, 99])
    time = np.linspace(0, 1, config.samples_per_interval)
    wave = np.exp(-(((time - 0.35) / 0.12) ** 2)) - 0.6 * np.exp(-(((time - 0.65) / 0.16) ** 2))
    template = rng.standard_normal(config.channels)[:, None] * wave
    return template / np.linalg.norm(template)
