"""Content that recurs, at every length: it never straddles train and test, and what straddles is counted."""

from typing import Any

import numpy as np
import pytest
from data_samples import noise_recording

from ablate.data.encoding.config import SplitConfig
from ablate.data.encoding.recurring.frame_facts import frame_facts, frame_hashes
from ablate.data.encoding.split import TEST, TRAIN, UNUSED, VALIDATION, SessionSplit, split_sessions

GUARD = 64
RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (50, 4, 5), dtype=np.uint8)
CLIPS = RANDOM.integers(0, 256, (20, 30, 4, 5), dtype=np.uint8)
MANY = np.concatenate([RANDOM.permutation(50) for _ in range(20)])
FEW = np.concatenate([RANDOM.permutation(20) for _ in range(20)])
GRAY = np.full((1000, 15, 4, 5), 128, np.uint8)


def held(pictures: np.ndarray, frames: int = 15) -> np.ndarray:
    """Pictures as frames, each shown for a while."""
    return np.repeat(pictures, frames, axis=0)


def splits(stimulus: np.ndarray, *, trials: np.ndarray | None = None, **fields: Any) -> SessionSplit:
    recording = noise_recording(
        frames=len(stimulus),
        stimulus=stimulus,
        spikes=np.zeros((len(stimulus), 3), np.uint8),
        behavior=None,
        rates=None,
        trials=trials,
        bin_rate_hz=60.0,
    )
    return split_sessions([recording], SplitConfig(**fields), GUARD)[0]


def pictures_in(label: np.ndarray, stimulus: np.ndarray, split: int) -> set[bytes]:
    """Every picture of a split but the gray one, the slow way."""
    frames = {stimulus[index].tobytes() for index in np.flatnonzero(label == split)}
    return frames - {GRAY[0, 0].tobytes()}


def trials_of(stimulus: np.ndarray, length: int) -> np.ndarray:
    return np.repeat(np.arange(len(stimulus) // length), length)


FLASHED = held(PICTURES[MANY])
STIMULI = {
    "pictures flashed for 15 frames": FLASHED,
    "pictures for a single frame": PICTURES[RANDOM.integers(0, 50, 12_000)],
    "pictures with gray between": np.concatenate([FLASHED.reshape(1000, 15, 4, 5), GRAY], 1).reshape(-1, 4, 5),
    "three pictures": held(PICTURES[RANDOM.integers(0, 3, 1000)]),
    "binary pictures": held(RANDOM.integers(0, 2, (50, 5, 5), dtype=np.uint8)[MANY]),
    "float pictures": held((PICTURES / 255).astype(np.float32)[MANY]),
    "clips of 30 frames": CLIPS[FEW].reshape(-1, 4, 5),
    "clips of 30 frames, each held for two": held(CLIPS[FEW].reshape(-1, 4, 5), 2),
    "noise, then flashed pictures": np.concatenate([RANDOM.integers(0, 256, (9000, 4, 5), dtype=np.uint8), FLASHED]),
}


@pytest.mark.parametrize("name", STIMULI)
def test_what_recurs_is_in_one_split_only(name: str) -> None:
    stimulus = STIMULI[name]
    split = splits(stimulus)
    train, validation, test = (pictures_in(split.label, stimulus, which) for which in (TRAIN, VALIDATION, TEST))
    assert train
    assert validation
    assert test
    assert not train & test
    assert not train & validation
    assert not validation & test
    assert split.in_train == 0
    assert split.grouped
    assert np.mean(split.label == UNUSED) < 0.45


@pytest.mark.parametrize("name", ["pictures flashed for 15 frames", "clips of 30 frames"])
def test_what_recurs_is_counted_where_it_is_let_straddle(name: str) -> None:
    stimulus = STIMULI[name]
    split = splits(stimulus, repeats="ignore")
    train = pictures_in(split.label, stimulus, TRAIN)
    seen = sum(stimulus[index].tobytes() in train for index in np.flatnonzero(split.label == TEST))
    assert split.in_train == seen > 0.9 * np.count_nonzero(split.label == TEST)
    assert not split.grouped


CUE = np.full((1000, 5, 4, 5), 128, np.uint8)
CUE[:, :, 0, 0] = 0
UNIQUE = RANDOM.integers(0, 256, (400, 30, 4, 5), dtype=np.uint8)
EVERY_SECOND = UNIQUE.copy()
EVERY_SECOND[::2] = CLIPS[0]
FROZEN = RANDOM.integers(0, 2, (20, 30, 1, 1), dtype=np.uint8)
IN_TRIALS = {
    "a clip a trial": (CLIPS[FEW].reshape(-1, 4, 5), 30),
    "a picture a trial": (FLASHED, 15),
    "two pictures a trial": (held(PICTURES[(np.arange(50) // 2 * 2)[MANY][:, None] + [0, 1]].reshape(-1, 4, 5)), 30),
    "one clip in every second trial": (EVERY_SECOND.reshape(-1, 4, 5), 30),
    "frozen coin flips of a full field": (FROZEN[FEW].reshape(-1, 1, 1), 30),
}


@pytest.mark.parametrize("name", IN_TRIALS)
def test_trials_that_show_the_same_are_in_one_split(name: str) -> None:
    stimulus, length = IN_TRIALS[name]
    split = splits(stimulus, trials=trials_of(stimulus, length), kind="trials")
    label, shown = split.label.reshape(-1, length), stimulus.reshape(-1, length, *stimulus.shape[1:])
    assert (label == label[:, :1]).all(), "a trial is never cut"
    parts = [{shown[trial].tobytes() for trial in np.flatnonzero(label[:, 0] == which)} for which in (0, 1, 2)]
    assert all(parts)
    assert not parts[TRAIN] & parts[TEST]
    assert not parts[TRAIN] & parts[VALIDATION]
    for which, share in ((TRAIN, 0.7), (VALIDATION, 0.1), (TEST, 0.2)):
        assert np.mean(split.label == which) == pytest.approx(share, abs=0.05)


def test_a_cue_that_opens_every_trial_ties_no_trials_together() -> None:
    stimulus = np.concatenate([CUE, FLASHED.reshape(1000, 15, 4, 5)], 1).reshape(-1, 4, 5)
    split = splits(stimulus, trials=trials_of(stimulus, 20), kind="trials")
    cue = {CUE[0, 0].tobytes()}
    train, test = (pictures_in(split.label, stimulus, which) - cue for which in (TRAIN, TEST))
    assert len(test) == 10
    assert not train & test


def test_gray_after_a_picture_belongs_to_it() -> None:
    split = splits(STIMULI["pictures with gray between"])
    label = split.label.reshape(1000, 30)
    late = label[:, 6:]  # the first frames after a change of split are not used
    assert (late == late[:, :1]).all()


@pytest.mark.parametrize("hold", [1, 4])
def test_random_pictures_without_repeats_are_split_in_blocks_of_time(hold: int) -> None:
    stimulus = held(RANDOM.integers(0, 256, (9000 // hold, 4, 5), dtype=np.uint8), hold)
    split = splits(stimulus)
    assert (split.repeated, split.dropped, split.in_train, split.grouped) == (0, 0, 0, False)
    changes = np.count_nonzero(np.diff(split.label))
    assert changes == 2 * (3 * 4 - 4), "each of four rounds, mirrored, with a guard at every change"


def test_no_two_frames_of_a_large_set_have_one_number_unless_they_are_equal() -> None:
    frames = np.unpackbits(np.arange(1 << 17, dtype=">u4").view(np.uint8).reshape(-1, 4), axis=1).reshape(-1, 4, 8)
    assert len(np.unique(frame_hashes(frames))) == 1 << 17
    np.testing.assert_array_equal(frame_hashes(frames[:5]), frame_hashes(frames[[0, 1, 2, 3, 4]]))
    turned = np.asfortranarray(frames[:5])
    np.testing.assert_array_equal(frame_hashes(turned), frame_hashes(frames[:5]))


def test_bits_are_those_of_the_pixels_that_change_on_their_own() -> None:
    coins = RANDOM.integers(0, 2, (20_000, 5, 5), dtype=np.uint8)
    assert frame_facts(coins).bits == pytest.approx(25, abs=1.5)
    assert frame_facts(coins[:, :1, :1].repeat(9, 1).repeat(9, 2)).bits == pytest.approx(1, abs=0.1), "a full field"
    assert frame_facts(held(coins, 4)).bits == pytest.approx(25, abs=1.5)
    assert frame_facts(held(coins, 4)).bits_a_frame == pytest.approx(25 / 4, abs=1)
    assert frame_facts(np.zeros((50, 2, 2), np.uint8)).bits == 0
