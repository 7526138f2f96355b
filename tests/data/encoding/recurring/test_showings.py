"""Repeats of one stimulus: found in time, in trials and among pictures, or given; never trained on."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from data_samples import noise_recording

from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.config import EncodingDataConfig, SplitConfig
from ablate.data.encoding.recurring.showings import LEAST_BINS, shown_again
from ablate.data.encoding.split import TEST, TRAIN, UNUSED
from ablate.data.recording import Recording

CPU = torch.device("cpu")
RANDOM = np.random.default_rng(0)
SETTINGS: dict[str, Any] = {"window": 16, "warmup": 8, "score_every": 4, "min_spikes": 1}


def noise(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, 4, 5), dtype=np.uint8)


def opened(stimulus: np.ndarray, *, split: dict[str, Any] | None = None, **changes: Any) -> EncodingDataset:
    """Spikes that tell the frame's content and the bin: count is 1 + (first pixel > 127), but for noise."""
    frames = len(stimulus)
    spikes = np.random.default_rng(1).poisson(0.5, (frames, 2)).astype(np.uint8)
    recording = noise_recording(frames=frames, stimulus=stimulus, spikes=spikes, behavior=None, rates=None)
    recording = replace(recording, **changes)
    return EncodingDataset((recording,), EncodingDataConfig(**SETTINGS, split=SplitConfig(**split or {})), device=CPU)


CLIP = noise(300, seed=5)
IN_TIME = np.concatenate([noise(1500), CLIP, noise(200, 1), CLIP, noise(200, 2), CLIP, noise(800, 3)])


def test_a_film_shown_again_is_found_with_as_many_showings_as_lie_in_the_test() -> None:
    """Whichever split the film falls into, its bins answer to the same; those of the test are its showings."""
    data = opened(IN_TIME, split={"kind": "tail", "test": 0.5, "validation": 0.1})
    (shown,) = data.showings()
    assert (shown.source, shown.counts.shape[0]) == ("test", 3)
    assert shown.bins is not None
    recording, label = data.recordings[0], data.splits[0].label
    assert (label[shown.bins] == TEST).all()
    for row in shown.bins[1:]:
        np.testing.assert_array_equal(recording.stimulus[row], recording.stimulus[shown.bins[0]])
    np.testing.assert_array_equal(shown.counts, recording.spikes[shown.bins])


def test_every_showing_of_a_bin_has_the_same_history() -> None:
    data = opened(IN_TIME, split={"kind": "tail", "test": 0.5, "validation": 0.1})
    (shown,) = data.showings()
    assert shown.bins is not None
    stimulus, window = data.recordings[0].stimulus, data.config.window
    for column in shown.bins.T:
        first, *others = (stimulus[bin_ - window + 1 : bin_ + 1] for bin_ in column)
        assert all(np.array_equal(first, other) for other in others)


def test_clips_that_recur_in_trials_are_showings() -> None:
    clips = np.random.default_rng(3).integers(0, 256, (10, 60, 4, 5), dtype=np.uint8)
    order = np.concatenate([np.random.default_rng(4).permutation(10) for _ in range(8)])
    stimulus = clips[order].reshape(-1, 4, 5)
    data = opened(stimulus, split={"kind": "trials"}, trials=np.repeat(np.arange(80), 60))
    (shown,) = data.showings()
    assert shown.counts.shape[0] == 8
    assert shown.bins is not None
    for row in shown.bins[1:]:
        np.testing.assert_array_equal(stimulus[row], stimulus[shown.bins[0]])


def test_pictures_flashed_in_random_order_are_showings_by_picture_and_time_since_onset() -> None:
    pictures = noise(50, seed=6)
    order = np.concatenate([np.random.default_rng(7).permutation(50) for _ in range(20)])
    stimulus = np.repeat(pictures[order], 15, axis=0)
    data = opened(stimulus)
    (shown,) = data.showings()
    assert shown.bins is not None
    assert shown.counts.shape[0] > 10
    for column in shown.bins.T:
        assert len({int(bin_) % 15 for bin_ in column}) == 1
        assert len({stimulus[bin_].tobytes() for bin_ in column}) == 1


def test_what_is_shown_once_has_no_showings() -> None:
    assert opened(noise(3000)).showings() == ()


def given(**changes: Any) -> Recording:
    recording = noise_recording(behavior=None, rates=None)
    repeats = np.random.default_rng(2).poisson(0.5, (6, 100, 3)).astype(np.uint8)
    return replace(recording, repeats=repeats, repeat_stimulus=noise(100, seed=8), **changes)


def dataset(recording: Recording, **fields: Any) -> EncodingDataset:
    return EncodingDataset((recording,), EncodingDataConfig(**{**SETTINGS, "min_spikes": 1, **fields}), device=CPU)


def test_given_repeats_are_read_with_a_whole_history_before_each_bin() -> None:
    data = dataset(given())
    (shown,) = data.showings()
    assert (shown.source, shown.counts.shape) == ("repeats.npy", (6, 100 - 15, 3))
    assert shown.bins is not None
    assert shown.bins.tolist() == [list(range(15, 100))]


def test_the_windows_of_given_repeats_are_those_of_their_stimulus() -> None:
    data = dataset(given())
    (shown,) = data.showings()
    recording, statistics = data.recordings[0], data.statistics[0]
    assert recording.repeat_stimulus is not None
    met = set()
    for batch in data.sweep_showings(shown, batch_size=7):
        (windows,) = batch.sessions
        for row, newest in enumerate(windows.target.newest.tolist()):
            frames = recording.repeat_stimulus[newest - 15 : newest + 1].astype(np.float32)
            meant = (frames - statistics.stimulus_mean) / statistics.stimulus_std
            np.testing.assert_allclose(windows.stimulus[row, 0].numpy(), meant, rtol=1e-5)
            scored = windows.target.valid[row].any(-1).numpy()
            met |= {newest - lag for lag, held in zip(batch.lags, scored, strict=True) if held}
    assert met == set(range(15, 100))


def test_during_given_repeats_behaviour_is_its_training_mean() -> None:
    data = dataset(replace(given(), behavior=noise_recording().behavior))
    (shown,) = data.showings()
    for batch in data.sweep_showings(shown, batch_size=7):
        behavior = batch.sessions[0].behavior
        assert behavior is not None
        assert behavior.shape[-1] == 2
        assert behavior.abs().max() == 0


def test_repeats_without_their_stimulus_tell_of_the_responses_alone() -> None:
    data = dataset(replace(given(), repeat_stimulus=None))
    (shown,) = data.showings()
    assert shown.counts.shape == (6, 100, 3)
    assert shown.bins is None
    assert list(data.sweep_showings(shown, batch_size=4)) == []


def test_what_given_repeats_show_neither_trains_nor_selects() -> None:
    """Forty frames of the repeats lie in the training film too."""
    recording = given()
    assert recording.repeat_stimulus is not None
    stimulus = recording.stimulus.copy()
    stimulus[200:260] = recording.repeat_stimulus[30:90]
    data = dataset(replace(recording, stimulus=stimulus))
    label = data.splits[0].label
    assert (label[200:260] == UNUSED).all()
    assert label[190] == label[270] == TRAIN
    ends = data.training_ends[0]
    for lag in data.spec.lags:
        assert not np.isin(ends - lag, np.arange(200, 260)).any()


def test_repeats_are_part_of_the_fingerprint() -> None:
    recording = given()
    other = np.array(recording.repeats)
    other[0, 0, 0] += 1
    assert dataset(recording).fingerprint != dataset(replace(recording, repeats=other)).fingerprint


@pytest.mark.parametrize(("counts", "rows"), [([2] * 30, 2), ([9] * 5 + [4] * 30, 4), ([9] * 25 + [2] * 30, 9)])
def test_as_many_showings_are_used_as_leave_most_to_compare(counts: list[int], rows: int) -> None:
    answer = np.repeat(np.arange(len(counts)), counts)
    table = shown_again(answer, np.arange(len(answer)))
    assert table is not None
    assert len(table) == rows
    assert table.shape[1] == sum(count >= rows for count in counts)


def test_a_few_bins_that_recur_are_no_repeats() -> None:
    assert shown_again(np.repeat(np.arange(LEAST_BINS - 1), 4), np.arange(4 * (LEAST_BINS - 1))) is None
    assert shown_again(np.full(50, -1), np.arange(50)) is None
