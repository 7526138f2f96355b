"""Draws the trials of `coincidence`: events, responses, labels, then the EEG and the frames that show them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablate.data.coincidence.ceiling import label_log_probability
from ablate.data.coincidence.frames import draw_frames, draw_markers
from ablate.data.coincidence.options import CoincidenceOptions
from ablate.data.coincidence.story import tell
from ablate.data.trials.made import MadeTrialsConfig
from ablate.data.trials.opened.split import TrialSplit

STREAMS = {"train": 0, "validation": 1, "test": 2}  # each split has random numbers of its own


def draw_split(config: CoincidenceOptions, name: str, trials: int, subjects: NDArray[np.int64]) -> TrialSplit:
    """The trials of one split; the same seed always gives the same ones."""
    rng = split_random(config, name)
    story = tell(config, name, trials, rng)
    eeg, llr = draw_eeg(config, story.response, rng)
    frames = draw_frames(config, draw_markers(story, rng), story.mask, rng)
    present = np.any(story.mask, axis=2)
    truth = label_log_probability(llr, story.shown, present, config.event_error)
    return made_split(name, subjects, eeg=eeg, frames=frames, frame_mask=story.mask, labels=story.label, truth=truth)


def split_random(config: MadeTrialsConfig, name: str) -> np.random.Generator:
    """The random numbers of one split."""
    return np.random.default_rng([config.seed, STREAMS[name]])


def draw_eeg(
    config: MadeTrialsConfig, response: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """EEG (N, c, t) that holds the evoked responses (N, i), and how much it speaks for each: log-likelihood ratios."""
    template = response_template(config)
    eeg = rng.standard_normal((*response.shape, *template.shape), dtype=np.float32)
    eeg += (config.d_prime * response[..., None, None] * template).astype(np.float32)
    matched = np.einsum("nics,cs->ni", eeg, template, dtype=np.float64)
    flat = np.ascontiguousarray(eeg.transpose(0, 2, 1, 3)).reshape(len(eeg), config.channels, -1)
    return flat, config.d_prime * matched - config.d_prime**2 / 2


def made_split(
    name: str, subjects: NDArray[np.int64], *, labels: NDArray[np.int64], **parts: Any
) -> TrialSplit:  # other fields of the split
    """Trials named by their number, dealt to the subjects in turn. parts: the split's other arrays."""
    index = np.arange(len(labels))
    ids = tuple(f"{name}_{number:06d}" for number in index)
    return TrialSplit(trial_ids=ids, session=subjects[index % len(subjects)], labels=labels, **parts)


def response_template(config: MadeTrialsConfig) -> NDArray[np.float64]:
    """The evoked response (channels, samples of an interval) of unit norm: a smooth wave, positive then negative."""
    rng = np.random.default_rng([config.seed, 99])
    time = np.linspace(0, 1, config.samples_per_interval)
    wave = np.exp(-(((time - 0.35) / 0.12) ** 2)) - 0.6 * np.exp(-(((time - 0.65) / 0.16) ** 2))
    template = rng.standard_normal(config.channels)[:, None] * wave
    return template / np.linalg.norm(template)
