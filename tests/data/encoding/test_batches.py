"""Batches: the same for every variant of a seed, from training bins alone, with nothing of the future in a window."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_samples import FRAMES, noise_recording

from ablate.contract import EncodingBatch
from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.reading import statistics
from ablate.data.encoding.recordings import RecordingsConfig
from ablate.data.encoding.split import TEST, TRAIN, VALIDATION
from ablate.data.recording import Recording, write_recording
from ablate.errors import AblateError

CPU = torch.device("cpu")
WINDOW = {"window": 32, "warmup": 8, "score_every": 8, "min_spikes": 0}


def opened(*recordings: Recording, **fields: Any) -> EncodingDataset:
    config = RecordingsConfig(path="unused", **{**WINDOW, "split": {"blocks": 2}, **fields})
    return EncodingDataset(recordings or (noise_recording(),), config, device=CPU)


def ticking(frames: int = FRAMES, **changes: Any) -> Recording:
    """Stimulus, spikes and behaviour that each tell their own frame number."""
    clock = np.arange(frames)
    return noise_recording(
        frames=frames,
        stimulus=clock.astype(np.float32)[:, None, None],
        spikes=np.repeat(clock[:, None], 3, axis=1),
        behavior=clock.astype(np.float32)[:, None],
        **changes,
    )


def frames_shown(data: EncodingDataset, batch: EncodingBatch) -> np.ndarray:
    """Frame numbers (b, t) of a batch of the ticking recording."""
    (windows,), statistics = batch.sessions, data.statistics[0]
    return (windows.stimulus[:, 0, :, 0, 0] * statistics.stimulus_std + statistics.stimulus_mean).round().numpy()


def behavior_rows(data: EncodingDataset, batch: EncodingBatch) -> np.ndarray:
    (windows,), statistics = batch.sessions, data.statistics[0]
    assert windows.behavior is not None
    return (windows.behavior[:, :, 0].numpy() * statistics.behavior_std + statistics.behavior_mean).round()


def assert_equal(first: Iterable[EncodingBatch], second: Iterable[EncodingBatch]) -> None:
    for a, b in zip(first, second, strict=True):
        assert [windows.session for windows in a.sessions] == [windows.session for windows in b.sessions]
        for one, other in zip(a.sessions, b.sessions, strict=True):
            assert torch.equal(one.stimulus, other.stimulus)
            assert torch.equal(one.target.values, other.target.values)


def test_the_same_seed_gives_the_same_batches_and_another_seed_others() -> None:
    sessions = tuple(noise_recording(name, seed=index) for index, name in enumerate("abc"))
    first, second = (opened(*sessions, sessions_per_batch=2).train(seed=3, batch_size=8) for _ in range(2))
    assert_equal(islice(first, 5), islice(second, 5))
    other = next(opened(*sessions, sessions_per_batch=2).train(seed=4, batch_size=8))
    assert not torch.equal(other.sessions[0].stimulus, first.batch(0).sessions[0].stimulus)


def test_a_stream_taken_up_again_goes_on_exactly() -> None:
    data = opened()
    stream = data.train(seed=0, batch_size=4)
    list(islice(stream, 3))
    state = stream.state_dict()
    rest = list(islice(stream, 4))
    again = data.train(seed=0, batch_size=4)
    again.load_state_dict(state)
    assert_equal(rest, islice(again, 4))
    with pytest.raises(AblateError, match="the checkpoint's seed is 0, this run's is 1"):
        data.train(seed=1, batch_size=4).load_state_dict(state)


def test_a_batch_shares_its_rows_among_sessions() -> None:
    data = opened(*(noise_recording(name, seed=index) for index, name in enumerate("abcd")), sessions_per_batch=3)
    batch = next(data.train(seed=0, batch_size=8))
    assert batch.size == 8
    assert sorted(windows.stimulus.shape[0] for windows in batch.sessions) == [2, 3, 3]
    drawn = {windows.session for batch in islice(data.train(seed=0, batch_size=8), 20) for windows in batch.sessions}
    assert drawn == {0, 1, 2, 3}


def test_supervised_bins_are_training_bins_and_every_training_bin_is_met() -> None:
    data = opened(ticking())
    label, met = data.splits[0].label, set()
    for batch in islice(data.train(seed=0, batch_size=64), 200):
        bins = batch.targets[0].values[:, :, 0].long().numpy()
        assert (label[bins] == TRAIN).all()
        met |= set(bins.ravel().tolist())
    train = np.flatnonzero(label == TRAIN)
    assert len(met) > 0.95 * len(train)


def test_no_frame_of_a_training_window_is_in_a_window_of_validation_or_test() -> None:
    data = opened(ticking())
    ends = data.training_ends[0]
    trained = set((ends[:, None] - np.arange(32)).ravel().tolist())
    for split, label in (("validation", VALIDATION), ("test", TEST)):
        bins = data.bins(split)[0]
        assert (data.splits[0].label[bins] == label).all()
        scored_on = set((bins[:, None] - np.arange(32)).ravel().tolist())
        assert not scored_on & set(np.flatnonzero(data.splits[0].label == TRAIN).tolist())
        assert not trained & scored_on


def test_a_window_ends_at_its_newest_bin_and_behaviour_is_from_the_bin_before() -> None:
    data = opened(ticking())
    for batch in [next(data.train(seed=0, batch_size=8)), *data.sweep("test", batch_size=8)]:
        frames = frames_shown(data, batch)
        np.testing.assert_array_equal(np.diff(frames, axis=1), 1)
        bins = frames[:, -1:] - np.array(batch.lags)
        counted = batch.targets[0].valid[:, :, 0].numpy()
        np.testing.assert_array_equal(batch.targets[0].values[:, :, 0].numpy()[counted], bins[counted])
        np.testing.assert_array_equal(behavior_rows(data, batch), frames - 1)


def test_acausal_behaviour_leaks_the_next_sample_and_none_gives_none() -> None:
    data = opened(ticking(), behavior="acausal")
    batch = next(data.train(seed=0, batch_size=8))
    np.testing.assert_array_equal(behavior_rows(data, batch), frames_shown(data, batch) + 1)
    hidden = opened(ticking(), behavior="none")
    assert hidden.spec.sessions[0].behaviors == 0
    assert next(hidden.train(seed=0, batch_size=8)).sessions[0].behavior is None


def test_constant_behaviour_keeps_its_columns_and_tells_nothing() -> None:
    told, constant = opened(ticking()), opened(ticking(), behavior="constant")
    assert constant.spec == told.spec
    assert constant.scored_hash("test") == told.scored_hash("test")
    assert constant.fingerprint != told.fingerprint
    one, other = (next(data.train(seed=0, batch_size=8)).sessions[0] for data in (told, constant))
    assert torch.equal(one.stimulus, other.stimulus)
    assert one.behavior is not None
    assert other.behavior is not None
    assert other.behavior.shape == one.behavior.shape
    assert one.behavior.abs().max() > 0
    assert other.behavior.abs().max() == 0  # z-scored: the training mean


def test_behaviour_before_the_first_bin_is_the_mean() -> None:
    data = opened(ticking())
    windows = data.windows(0, np.array([31]))
    assert windows.behavior is not None
    assert windows.behavior[0, 0, 0] == 0
    assert windows.behavior[0, 1, 0] != 0


@pytest.mark.parametrize(("behavior", "frame"), [("causal", 0), ("acausal", -1), ("same_bin", None)])
def test_no_behaviour_comes_from_another_trial(behavior: str, frame: int | None) -> None:
    """The first frame of a trial was once given the last row of the trial before it."""
    recording = replace(ticking(), trials=np.arange(ticking().frames) // 100)
    data = opened(recording, behavior=behavior, split={"kind": "trials"})
    windows = data.windows(0, np.array([331, 399]))  # the first and the last window of a trial
    assert windows.behavior is not None
    row = 0 if frame == 0 else 1
    means = [place for place in range(32) if windows.behavior[row, place, 0] == 0]
    assert means == ([] if frame is None else [frame % 32])


def test_flipping_the_future_never_changes_a_window() -> None:
    plain = noise_recording()
    data = opened(plain)
    end = int(data.bins("test")[0][5])
    changed = noise_recording()
    assert changed.behavior is not None
    changed.stimulus[end + 1 :] = 255 - changed.stimulus[end + 1 :]
    changed.behavior[end:] *= -1  # the sample of bin `end` itself is too late for it
    other = opened(changed)
    other._readers[0].inputs = replace(other._readers[0].inputs, statistics=data.statistics[0])
    one, two = data.windows(0, np.array([end])), other.windows(0, np.array([end]))
    assert torch.equal(one.stimulus, two.stimulus)
    assert one.behavior is not None
    assert two.behavior is not None
    assert torch.equal(one.behavior, two.behavior)


def test_time_reversed_gives_the_same_frames_newest_first() -> None:
    forward = next(opened(ticking()).train(seed=0, batch_size=4)).sessions[0]
    backward = next(opened(ticking(), time_reversed=True).train(seed=0, batch_size=4)).sessions[0]
    assert torch.equal(forward.stimulus.flip(2), backward.stimulus)
    assert forward.behavior is not None
    assert backward.behavior is not None
    assert torch.equal(forward.behavior.flip(1), backward.behavior)
    assert torch.equal(forward.target.values, backward.target.values)


@pytest.mark.parametrize("phases", ["one", "all"])
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_a_sweep_scores_each_bin_exactly_once(phases: str, batch_size: int) -> None:
    data = opened(ticking(), sweep_phases=phases)
    for split in ("validation", "test"):
        met: list[int] = []
        for batch in data.sweep(split, batch_size=batch_size):
            assert batch.size <= batch_size
            counted = batch.targets[0].valid[:, :, 0]
            met += batch.targets[0].values[:, :, 0][counted].long().tolist()
        assert sorted(met) == data.bins(split)[0].tolist()


def test_masked_units_are_not_counted_in_rates_nor_in_the_scored_set() -> None:
    valid = np.ones((FRAMES, 3), bool)
    valid[:, 1] = False
    valid[::2, 2] = False
    spikes = noise_recording().spikes.copy()
    spikes[::2, 2] = 9
    masked = opened(noise_recording(valid=valid, spikes=spikes))
    assert masked.spec.sessions[0].mean_rate[2] == pytest.approx(0.2, abs=0.05)
    assert masked.scored_hash("test") != opened().scored_hash("test")
    for batch in masked.sweep("test", batch_size=8):
        assert not batch.targets[0].valid[:, :, 1].any()


def test_the_scored_set_is_the_same_for_windows_of_25_and_48_behind_one_guard() -> None:
    short, long = (opened(window=window, guard=48) for window in (25, 48))
    for split in ("validation", "test"):
        assert short.scored_hash(split) == long.scored_hash(split)
        np.testing.assert_array_equal(short.bins(split)[0], long.bins(split)[0])
    assert short.scored_hash("test") != short.scored_hash("validation")
    assert short.scored_hash("test") != opened(window=25, guard=48, min_spikes=30).scored_hash("test")
    assert short.spec.sessions[0].mean_rate == long.spec.sessions[0].mean_rate


def test_a_window_longer_than_the_guard_is_refused() -> None:
    with pytest.raises(ValueError, match="window 64 is longer than guard 48; set `guard` to the longest window"):
        EncodingDataConfig(window=64, guard=48)
    with pytest.raises(ValueError, match="warmup 24 leaves no bin to score in a window of 24 frames"):
        EncodingDataConfig(window=24, warmup=24)


def test_smaller_fractions_are_subsets_with_the_same_null_and_scored_bins() -> None:
    parts = {fraction: opened(fraction=fraction) for fraction in (0.25, 0.5, 1.0)}
    ends = {fraction: set(data.training_ends[0].tolist()) for fraction, data in parts.items()}
    assert ends[0.25] < ends[0.5] < ends[1.0]
    assert len(ends[0.25]) == pytest.approx(0.25 * len(ends[1.0]), rel=0.1)
    assert len({data.scored_hash("test") for data in parts.values()}) == 1
    assert len({data.spec.sessions[0].mean_rate for data in parts.values()}) == 1
    assert len({data.fingerprint for data in parts.values()}) == 3


def test_statistics_are_those_of_training_bins_alone() -> None:
    label = opened().splits[0].label
    recording = noise_recording()
    spikes, stimulus = recording.spikes.copy(), recording.stimulus.copy()
    spikes[label != TRAIN] = 99
    stimulus[label != TRAIN] = 255 - stimulus[label != TRAIN] // 8
    spoiled, plain = opened(noise_recording(spikes=spikes, stimulus=stimulus)), opened()
    assert spoiled.spec == plain.spec
    assert spoiled.statistics[0].stimulus_mean == plain.statistics[0].stimulus_mean
    np.testing.assert_allclose(plain.spec.sessions[0].mean_rate, recording.spikes[label == TRAIN].mean(0))
    batch = next(plain.train(seed=0, batch_size=64))
    assert batch.sessions[0].stimulus.mean().abs() < 0.05
    assert batch.sessions[0].stimulus.std() == pytest.approx(1, abs=0.02)


def test_pixels_of_large_frames_are_averaged_in_pieces_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 frames of 200 x 200 were 640 MB of doubles, and as much again for the deviation."""
    stimulus, frames = noise_recording().stimulus, np.arange(0, 3000, 2)
    whole = statistics._of_pixels(stimulus, frames)
    monkeypatch.setattr(statistics, "PIECE_PIXELS", 1000)
    np.testing.assert_allclose(statistics._of_pixels(stimulus, frames), whole, rtol=1e-12)
    assert whole == (stimulus[frames].mean(dtype=np.float64), stimulus[frames].std(dtype=np.float64))


def test_windows_of_trials_stay_in_their_trial() -> None:
    trials = np.repeat(np.arange(30), 100)
    data = opened(ticking(trials=trials), split={"kind": "trials"})
    for batch in [*islice(data.train(seed=0, batch_size=32), 10), *data.sweep("test", batch_size=8)]:
        frames = frames_shown(data, batch).astype(int)
        assert (trials[frames] == trials[frames[:, :1]]).all()


def test_an_empty_split_is_said_with_the_next_move() -> None:
    with pytest.raises(AblateError, match="noise: the validation split is empty") as caught:
        opened(split={"blocks": 4, "validation": 0.0001})
    assert "larger share" in caught.value.problems[0].hint
    with pytest.raises(AblateError, match="no window of 32 frames fits into the training split"):
        opened(fraction=0.001)


def test_two_recordings_of_one_name_are_refused() -> None:
    with pytest.raises(AblateError, match="more than one recording is named noise"):
        opened(noise_recording(), noise_recording(seed=1))


def test_the_fingerprint_tells_content_and_not_place(tmp_path: Path) -> None:
    prints = []
    for place, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_recording(tmp_path / place, noise_recording(seed=seed))
        config = RecordingsConfig(path=str(tmp_path / place), **WINDOW, split={"blocks": 2})
        prints.append(config.open(CPU).fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_true_rates_are_scored_as_attainable_and_a_constant_gains_nothing() -> None:
    random = np.random.default_rng(0)
    rates = random.gamma(1.0, 0.3, (FRAMES, 3)).astype(np.float32)
    data = opened(noise_recording(rates=rates, spikes=random.poisson(rates).astype(np.uint8)))
    (attainable,) = data.attainable("test") or (None,)
    assert attainable is not None
    lookup, gain = torch.from_numpy(rates), torch.zeros(3, dtype=torch.float64)
    null = torch.tensor(data.spec.sessions[0].mean_rate, dtype=torch.float64)
    sweep = [(batch, batch.targets[0]) for batch in data.sweep("test", batch_size=16)]
    ends = iter(np.concatenate([_ends(data, "test")]))
    for batch, target in sweep:
        for row in range(batch.size):
            bins = torch.as_tensor(next(ends) - np.array(batch.lags)).clamp(min=0)
            p = lookup[bins].double()
            per_bin = torch.distributions.Poisson(p).log_prob(target.values[row].double())
            per_bin -= torch.distributions.Poisson(null.expand_as(p)).log_prob(target.values[row].double())
            gain += torch.where(target.valid[row], per_bin, 0.0).sum(0)
    np.testing.assert_allclose(gain.numpy(), attainable, rtol=1e-9)
    assert (attainable > 0).all()
    assert opened(noise_recording(rates=None)).attainable("test") is None


def _ends(data: EncodingDataset, split: str) -> np.ndarray:
    from ablate.data.encoding.window import sweep_windows

    return sweep_windows(data._bins[split][0], data.spec.lags, data.config.score_every).ends


def test_a_rehearsal_is_small_and_keeps_several_temporal_tokens(tmp_path: Path) -> None:
    for name in "abc":
        write_recording(tmp_path / name, noise_recording(name, seed=ord(name)))
    config = RecordingsConfig(path=str(tmp_path), window=300, warmup=60, max_frames=2500).rehearsal()
    assert (config.window, config.warmup, config.max_sessions, config.max_frames) == (48, 16, 2, 2500)
    assert len(config.open(CPU).spec.sessions) == 2


@pytest.mark.parametrize(("window", "warmup"), [(25, 24), (15, 14), (48, 40), (192, 96), (8, 7), (1, 0)])
def test_a_rehearsal_scores_no_longer_stretch_than_the_study(window: int, warmup: int) -> None:
    """A valid frontend eats most of a short window: what is scored must lie behind it in the rehearsal too."""
    config = RecordingsConfig(path="x", window=window, warmup=warmup).rehearsal()
    assert 1 <= config.window - config.warmup <= window - warmup


def test_moving_to_a_device_changes_nothing_else() -> None:
    data = opened(noise_recording(valid=np.random.default_rng(0).random((FRAMES, 3)) < 0.9))
    moved = data.to(CPU)
    assert_equal(data.sweep("test", batch_size=8), moved.sweep("test", batch_size=8))


def test_windows_on_a_device_have_the_shapes_and_types_of_those_on_the_cpu() -> None:
    data = opened(noise_recording(valid=np.ones((FRAMES, 3), bool)))
    here = data.train(seed=0, batch_size=4).batch(0).sessions[0]
    there = data.to(torch.device("meta")).train(seed=0, batch_size=4).batch(0).sessions[0]
    pairs = [(here.stimulus, there.stimulus), (here.behavior, there.behavior)]
    pairs += [(here.target.values, there.target.values), (here.target.valid, there.target.valid)]
    for one, other in pairs:
        assert one is not None
        assert other is not None
        assert other.device.type == "meta"
        assert (one.shape, one.dtype) == (other.shape, other.dtype)


def test_units_to_score_are_counted_as_the_score_counts_them() -> None:
    data = opened(min_spikes=10)
    for split in ("validation", "test"):
        bins = data.bins(split)[0]
        spikes = np.asarray(data.recordings[0].spikes)[bins].sum(0)
        assert data.scored_units(split) == (spikes >= 10).sum() > 0
    assert opened(min_spikes=10**6).scored_units("test") == 0


@pytest.mark.parametrize("parts", [1, 2, 3, 8, 11])
def test_a_batch_cut_in_parts_holds_the_same_rows_in_the_same_order(parts: int) -> None:
    data = opened(*(noise_recording(name, seed=index) for index, name in enumerate("abc")), sessions_per_batch=2)
    whole = next(data.train(seed=0, batch_size=8))
    cut = whole.cut(parts)
    assert len(cut) == min(parts, 8)
    assert max(part.size for part in cut) - min(part.size for part in cut) <= 1
    for windows in whole.sessions:
        mine = [one for part in cut for one in part.sessions if one.session == windows.session]
        assert torch.equal(torch.cat([one.stimulus for one in mine]), windows.stimulus)
        assert torch.equal(torch.cat([one.target.values for one in mine]), windows.target.values)
        assert torch.equal(torch.cat([one.target.valid for one in mine]), windows.target.valid)


def test_a_unit_that_is_silent_in_train_is_in_no_score() -> None:  # it was scored at -2 bits/spike
    label = opened().splits[0].label
    spikes = noise_recording().spikes.copy()
    spikes[label == TRAIN, 1] = 0
    data = opened(noise_recording(spikes=spikes))
    assert data.left_out[0].tolist() == [False, True, False]
    assert data.scored_units("test") == data.scored_units("validation") == 2
    for batch in [next(data.train(seed=0, batch_size=4)), *data.sweep("test", batch_size=8)]:
        assert not batch.targets[0].valid[:, :, 1].any()
    assert data.scored_hash("test") != opened(noise_recording(spikes=np.delete(spikes, 1, 1))).scored_hash("test")
    assert "noise: 1 unit with fewer than 1 spikes in train, in no score: 1" in data.notices


def test_a_unit_with_a_single_spike_in_train_is_left_out_by_min_spikes_and_a_masked_one_too() -> None:
    label = opened().splits[0].label
    train = np.flatnonzero(label == TRAIN)
    spikes, valid = noise_recording().spikes.copy(), np.ones((FRAMES, 3), bool)
    spikes[train, 0], valid[train, 2] = 0, False
    spikes[train[7], 0] = 1
    data = opened(noise_recording(spikes=spikes, valid=valid), min_spikes=5)
    assert data.left_out[0].tolist() == [True, False, True]
    assert data.scored_units("test") == 1


def test_what_should_be_known_of_recordings_is_said() -> None:
    spikes = noise_recording().spikes.copy()
    spikes[:, 2] = spikes[:, 0]
    still = np.stack([np.ones(FRAMES), np.arange(FRAMES)], axis=1).astype(np.float32)
    gray = np.full((FRAMES, 4, 5), 128, np.uint8)
    recording = noise_recording(
        spikes=spikes,
        behavior=still,
        behavior_names=("pupil", "running"),
        stimulus=gray,
        trials=np.repeat(np.arange(30), 100),
        unread=("notes.txt",),
    )
    assert opened(recording).notices == (
        "noise: not read: notes.txt",
        "noise: trials.npy is not used: windows run on from trial to trial (`split.kind: trials` keeps them apart)",
        "noise: the stimulus never changes",
        "noise: behaviour that never changes: pupil",
        "units that have the same spikes in every bin: 0, 2",
        "no test frame shows content that is in train too",
    )


def test_a_unit_that_is_in_two_recordings_is_said() -> None:
    notices = opened(noise_recording("a"), noise_recording("b", seed=1, spikes=noise_recording().spikes)).notices
    assert "units that have the same spikes in every bin: a 0, b 0" in notices


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("test", [0.9995, 0.99949])
def test_an_empty_train_split_is_one_message_without_warnings(test: float) -> None:
    with pytest.raises(AblateError, match="noise: the train split is empty") as caught:
        opened(split={"kind": "tail", "validation": 0.0004, "test": test})
    assert "set a larger share" in caught.value.problems[0].hint


@pytest.mark.filterwarnings("error")
def test_trials_too_few_for_three_splits_are_one_message_without_warnings() -> None:
    trials = np.where(np.arange(FRAMES) < 500, 0, -1)
    with pytest.raises(AblateError, match=r"noise: the (train|validation) split is empty"):
        opened(noise_recording(trials=trials), split={"kind": "trials"})


@pytest.mark.parametrize("counted", [slice(0, 500), slice(2500, 3000)])
def test_a_split_that_valid_leaves_nothing_of_says_so(counted: slice) -> None:
    valid = np.zeros((3000, 3), bool)
    valid[counted] = True
    with pytest.raises(AblateError, match=r"the (train|validation|test) split is empty") as error:
        opened(noise_recording(valid=valid))
    assert error.value.problems[0].hint.endswith("valid.npy lets 17 % of all bins and units count")
