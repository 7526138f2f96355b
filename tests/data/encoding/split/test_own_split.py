"""The user's own split: a label a bin, or a label a trial; guards are kept and nothing recurs across it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_samples import FRAMES, noise_recording

from ablate.data.encoding.config import SplitConfig
from ablate.data.encoding.split import TEST, TRAIN, UNUSED, VALIDATION, SessionSplit, split_sessions
from ablate.data.recording import Recording, read_recording, write_recording
from ablate.errors import AblateError

GUARD = 20
OWN = SplitConfig(kind="file")
TRIALS = np.repeat(np.arange(FRAMES // 100), 100)
OF_TRIALS = np.random.default_rng(0).choice([0, 0, 0, 1, 2], FRAMES // 100)


def split(recording: Recording) -> SessionSplit:
    return split_sessions([recording], OWN, GUARD)[0]


def test_labels_of_bins_are_taken_with_guards_where_they_change() -> None:
    own = np.concatenate([np.full(2000, 0), np.full(400, 1), np.full(600, 2)])
    label = split(noise_recording(split=own)).label
    assert (label[:2000] == TRAIN).all()
    assert (label[2000:2020] == UNUSED).all()
    assert (label[2020:2400] == VALIDATION).all()
    assert (label[2400:2420] == UNUSED).all()
    assert (label[2420:] == TEST).all()


def test_labels_of_trials_need_no_guard_since_windows_stay_in_their_trial(tmp_path: Path) -> None:
    write_recording(tmp_path / "rec", noise_recording(trials=TRIALS))
    np.save(tmp_path / "rec" / "split.npy", OF_TRIALS)
    found = split(read_recording(tmp_path / "rec"))
    np.testing.assert_array_equal(found.label, OF_TRIALS[TRIALS])
    np.testing.assert_array_equal(found.run_start, TRIALS * 100)


def test_bins_outside_trials_belong_to_no_split(tmp_path: Path) -> None:
    write_recording(tmp_path / "rec", noise_recording(trials=np.where(TRIALS == 3, -1, TRIALS)))
    np.save(tmp_path / "rec" / "split.npy", np.delete(OF_TRIALS, 3))
    label = split(read_recording(tmp_path / "rec")).label
    assert (label[300:400] == UNUSED).all()
    np.testing.assert_array_equal(label[400:], OF_TRIALS[TRIALS][400:])


def test_what_recurs_in_the_own_test_is_left_out_of_it() -> None:
    own = np.concatenate([np.full(2000, 0), np.full(400, 1), np.full(600, 2)])
    recording = noise_recording(split=own)
    stimulus = recording.stimulus.copy()
    stimulus[2700:2800] = stimulus[500:600]
    found = split(replace(recording, stimulus=stimulus))
    assert (found.label[2740:2800] == UNUSED).all()
    assert found.dropped >= 60


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (None, "noise has no split.npy"),
        (np.full(FRAMES, 3), r"split has labels that are none of 0 \(train\).*split\[0\] is 3"),
        (np.zeros(7, int), "split has 7 bins, shorter than the stimulus"),
    ],
)
def test_what_is_no_split_is_refused_with_its_place(own: np.ndarray | None, message: str, tmp_path: Path) -> None:
    write_recording(tmp_path / "rec", noise_recording())
    if own is not None:
        np.save(tmp_path / "rec" / "split.npy", own)
    with pytest.raises(AblateError, match=message):
        split(read_recording(tmp_path / "rec"))


def test_trials_may_be_numbered_by_their_dates() -> None:
    """Nanoseconds since 1970, in more sessions than 64 bits hold when they are counted through."""
    dates = 1_700_000_000_000_000_000 + TRIALS * 1_000_000_000
    config = SplitConfig(kind="trials")
    found, meant = (
        split_sessions([noise_recording(str(k), trials=ids, seed=k) for k in range(8)], config, GUARD)
        for ids in (dates, TRIALS)
    )
    for one, other in zip(found, meant, strict=True):
        np.testing.assert_array_equal(one.label, other.label)
