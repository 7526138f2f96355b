"""Splits: shares, guards, whole trials, and no stretch of the stimulus in two of them."""

from pathlib import Path

import numpy as np
import pytest
from data_samples import noise_recording
from hypothesis import given, settings
from hypothesis import strategies as st

from ablate.data.encoding.config import SplitConfig
from ablate.data.encoding.recurring.frame_facts import frame_hashes
from ablate.data.encoding.recurring.repeats import find_recurrence
from ablate.data.encoding.split import TEST, TRAIN, UNUSED, VALIDATION, plan_blocks, split_sessions
from ablate.data.recording import Recording, read_recording
from ablate.errors import AblateError

GUARD = 48
REAL = Path(__file__).resolve().parents[5] / "shared" / "data"


def showing(stimulus: np.ndarray) -> Recording:
    """A recording of a given stimulus."""
    count = np.zeros((len(stimulus), 3), np.uint8)
    return noise_recording(frames=len(stimulus), stimulus=stimulus, spikes=count, behavior=None, rates=None)


def stretches_in(label: np.ndarray, stimulus: np.ndarray, split: int, length: int) -> set[bytes]:
    """Every stretch of frames that ends at a bin of a split: what the hash stands for, the slow way."""
    ends = np.flatnonzero(label == split)
    return {stimulus[end - length + 1 : end + 1].tobytes() for end in ends if end >= length - 1}


@settings(max_examples=60, deadline=None)
@given(
    frames=st.integers(2000, 20_000),
    blocks=st.integers(1, 6),
    guard=st.integers(1, 60),
    kind=st.sampled_from(["interleaved", "tail"]),
)
def test_different_splits_are_a_guard_apart_and_have_their_shares(
    frames: int, blocks: int, guard: int, kind: str
) -> None:
    config = SplitConfig(kind=kind, blocks=blocks)
    label = plan_blocks(frames, config, guard)
    assert label is not None
    used = np.flatnonzero(label != UNUSED)
    changes = np.diff(used)[label[used][1:] != label[used][:-1]] - 1
    assert (changes == guard).all()
    for split, share in ((TRAIN, 0.7), (VALIDATION, 0.1), (TEST, 0.2)):
        assert np.mean(label[used] == split) == pytest.approx(share, abs=0.02)


def test_a_tail_split_tests_on_the_end() -> None:
    label = plan_blocks(1000, SplitConfig(kind="tail"), 20)
    assert label is not None
    assert np.flatnonzero(label == TEST)[-1] == 999
    assert np.count_nonzero(np.diff(label)) == 4


def test_too_short_a_recording_is_said_with_the_next_move() -> None:
    with pytest.raises(AblateError, match="300 frames are too few for 4 rounds with guards of 48 frames") as caught:
        split_sessions([noise_recording(frames=300)], SplitConfig(), GUARD)
    assert "split.blocks" in caught.value.problems[0].hint


def test_a_movie_shown_ten_times_keeps_each_of_its_parts_in_one_split() -> None:
    movie = np.random.default_rng(1).integers(0, 256, (900, 3, 4), dtype=np.uint8)
    stimulus = np.concatenate([movie] * 10)
    (split,) = split_sessions([showing(stimulus)], SplitConfig(blocks=1), GUARD)
    assert split.repeated == 9 * 900
    parts = [set((np.flatnonzero(split.label == which) % 900).tolist()) for which in (TRAIN, VALIDATION, TEST)]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert np.count_nonzero(split.label == TEST) > 1000, "repeats of the tested part are tested too"
    used = np.flatnonzero(split.label != UNUSED)
    gaps = np.diff(used)[split.label[used][1:] != split.label[used][:-1]] - 1
    assert gaps.min() >= GUARD


def test_a_planted_repeat_never_straddles_train_and_test() -> None:
    stimulus = np.random.default_rng(2).integers(0, 256, (6000, 3, 4), dtype=np.uint8)
    plain = split_sessions([showing(stimulus)], SplitConfig(blocks=1), GUARD)[0].label
    start = int(np.flatnonzero(plain == TEST)[100])
    stimulus[start : start + 200] = stimulus[500:700]  # shown in train before
    (split,) = split_sessions([showing(stimulus)], SplitConfig(blocks=1), GUARD)
    assert split.repeated == 200
    assert not (split.label[start : start + 200] == TEST).any()
    length = SplitConfig().repeat_frames
    train = stretches_in(split.label, stimulus, TRAIN, length)
    assert not train & stretches_in(split.label, stimulus, TEST, length)
    (careless,) = split_sessions([showing(stimulus)], SplitConfig(blocks=1, repeats="ignore"), GUARD)
    assert train & stretches_in(careless.label, stimulus, TEST, length), "the naive split does straddle"


def test_a_movie_shown_in_two_sessions_is_split_alike_in_both() -> None:
    stimulus = np.random.default_rng(3).integers(0, 256, (4000, 3, 4), dtype=np.uint8)
    first, second = split_sessions([showing(stimulus), showing(stimulus)], SplitConfig(), GUARD)
    np.testing.assert_array_equal(first.label, second.label)
    assert (first.repeated, second.repeated) == (0, 4000)


def test_a_short_recurrence_costs_only_its_own_bins() -> None:
    stimulus = np.random.default_rng(4).integers(0, 256, (6000, 3, 4), dtype=np.uint8)
    plain = split_sessions([showing(stimulus)], SplitConfig(blocks=1), GUARD)[0].label
    start = int(np.flatnonzero(plain == TEST)[100])
    stimulus[start : start + 40] = stimulus[500:540]
    (split,) = split_sessions([showing(stimulus)], SplitConfig(blocks=1), GUARD)
    assert (split.repeated, split.dropped) == (0, 40)
    np.testing.assert_array_equal(np.flatnonzero(split.label != plain), np.arange(start, start + 40))


@pytest.mark.parametrize("kind", ["constant", "binary", "slow binary", "blank with flashes"])
def test_a_poor_stimulus_neither_explodes_nor_empties_a_split(kind: str) -> None:
    random = np.random.default_rng(5)
    stimulus = {
        "constant": np.full((20_000, 1, 1), 7),
        "binary": random.integers(0, 2, (20_000, 1, 1)),
        "slow binary": np.repeat(random.integers(0, 2, (2500, 1, 1)), 8, axis=0),
        "blank with flashes": random.random((20_000, 1, 1)) < 0.1,
    }[kind].astype(np.uint8)
    (split,) = split_sessions([showing(stimulus)], SplitConfig(), GUARD)
    for which, share in ((TRAIN, 0.7), (VALIDATION, 0.1), (TEST, 0.2)):
        assert np.mean(split.label == which) == pytest.approx(share, abs=0.04)


def test_whole_trials_go_to_one_split_and_equal_trials_together() -> None:
    movies = np.random.default_rng(6).integers(0, 256, (10, 100, 3, 4), dtype=np.uint8)
    order = np.tile(np.arange(10), 4)
    stimulus = movies[order].reshape(-1, 3, 4)
    trials = np.repeat(np.arange(40), 100)
    trials[-100:] = -1
    recording = showing(stimulus)
    recording = noise_recording(frames=4000, stimulus=stimulus, trials=trials, behavior=None)
    (split,) = split_sessions([recording], SplitConfig(kind="trials"), GUARD)
    label = split.label.reshape(40, 100)
    assert (label == label[:, :1]).all(), "a trial is never cut"
    assert (label[-1] == UNUSED).all()
    by_movie = label[:30, 0].reshape(3, 10)
    assert (by_movie == by_movie[:1]).all(), "showings of a movie go together"
    assert {TRAIN, VALIDATION, TEST} <= set(by_movie[0].tolist())
    np.testing.assert_array_equal(split.run_start, np.repeat(np.arange(40) * 100, 100))


def test_trials_that_are_not_there_are_said() -> None:
    with pytest.raises(AblateError, match=r"noise has no trials\.npy to split by"):
        split_sessions([noise_recording()], SplitConfig(kind="trials"), GUARD)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), length=st.integers(2, 6))
def test_hashed_stretches_are_equal_exactly_when_their_frames_are(seed: int, length: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 2, (60, 3, 3), dtype=np.uint8) * (seed % 2 + 1)
    frames = frames[np.random.default_rng(seed).integers(0, 4, 60)]
    hashes = frame_hashes(frames)
    found = find_recurrence(hashes, np.zeros(60, np.int64), length)
    length = found.length  # it may have been doubled
    seen = [frames[max(end - length + 1, 0) : end + 1].tobytes() for end in range(60)]
    for a in range(length - 1, 60):
        for b in range(length - 1, a):
            if found.stretch[a] >= 0 and found.stretch[b] >= 0:
                assert (found.stretch[a] == found.stretch[b]) == (seen[a] == seen[b])


@pytest.mark.real
@pytest.mark.skipif(not REAL.is_dir(), reason="the real recordings are not there")
@pytest.mark.parametrize("name", ["lgn_flicker", "retina_flicker", "v1_bars"])
def test_the_real_recordings_split_into_their_shares(name: str) -> None:
    recording = read_recording(REAL / name)
    (split,) = split_sessions([recording], SplitConfig(), GUARD)
    for which, share in ((TRAIN, 0.7), (VALIDATION, 0.1), (TEST, 0.2)):
        assert np.mean(split.label == which) == pytest.approx(share, abs=0.03)
