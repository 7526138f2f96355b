"""Behaviour that was not measured, as in a blink: a model is given the training mean, and no statistic counts it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from data_samples import FRAMES, noise_recording

from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.recording import read_recording, write_recording
from ablate.data.recording.resample import resampled
from ablate.errors import AblateError

BLINKS = np.zeros(FRAMES, bool)
BLINKS[100:140] = BLINKS[900:950] = True


def dataset(recording: object) -> EncodingDataset:
    config = EncodingDataConfig(window=16, warmup=8, score_every=4, min_spikes=1)
    return EncodingDataset((recording,), config, device=torch.device("cpu"))  # type: ignore[arg-type]


def blinking(folder: Path) -> Path:
    """NaN in the blinks, as eye trackers write it."""
    write_recording(folder, noise_recording())
    behavior = np.load(folder / "behavior.npy")
    behavior[BLINKS] = np.nan
    np.save(folder / "behavior.npy", behavior)
    np.save(folder / "behavior_valid.npy", ~BLINKS)
    return folder


def test_statistics_and_windows_know_nothing_of_blinks(tmp_path: Path) -> None:
    data = dataset(read_recording(blinking(tmp_path / "rec")))
    plain = noise_recording().behavior
    assert plain is not None
    train = np.flatnonzero((data.splits[0].label == 0) & ~BLINKS)
    np.testing.assert_allclose(data.statistics[0].behavior_mean, plain[train].mean(0), rtol=1e-5)
    np.testing.assert_allclose(data.statistics[0].behavior_std, plain[train].std(0), rtol=1e-5)
    behavior = data.windows(0, np.array([145])).behavior
    assert behavior is not None
    shown = behavior[0].numpy()  # frames 130 to 145, each with the row before it
    assert np.isfinite(shown).all()
    assert (shown[:11] == 0).all(), "rows 129 to 139 are in a blink"
    assert (shown[11:, 0] != 0).all()


def test_behaviour_that_was_never_measured_is_told(tmp_path: Path) -> None:
    folder = blinking(tmp_path / "rec")
    measured = np.stack([~BLINKS, np.zeros(FRAMES, bool)], axis=1)
    np.save(folder / "behavior_valid.npy", measured)
    np.save(folder / "behavior.npy", np.where(measured, np.load(folder / "behavior.npy"), np.nan))
    data = dataset(read_recording(folder))
    assert "noise: behaviour that was never measured: column 1" in data.notices
    behavior = data.windows(0, np.array([145])).behavior
    assert behavior is not None
    assert not behavior[0, :, 1].any(), "the mean, which is nothing"


def test_nan_outside_the_blinks_is_refused_with_its_place(tmp_path: Path) -> None:
    folder = blinking(tmp_path / "rec")
    np.save(folder / "behavior_valid.npy", ~(BLINKS & (np.arange(FRAMES) < 500)))
    with pytest.raises(AblateError, match=r"behavior contains NaN or infinity: behavior\[900, 0\] is nan"):
        read_recording(folder)


@pytest.mark.parametrize(
    ("valid", "message"),
    [
        (np.ones((FRAMES, 3), bool), r"behavior_valid has shape \(3000, 3\), behavior has \(3000, 2\)"),
        (np.ones(7, bool), "behavior_valid has 7 bins, shorter"),
    ],
)
def test_another_shape_is_refused(valid: np.ndarray, message: str, tmp_path: Path) -> None:
    folder = blinking(tmp_path / "rec")
    np.save(folder / "behavior_valid.npy", valid)
    with pytest.raises(AblateError, match=message):
        read_recording(folder)


def test_a_longer_bin_was_measured_where_all_of_its_bins_were() -> None:
    valid = np.repeat(~BLINKS[:, None], 2, axis=1)
    slow = resampled(replace(noise_recording(), behavior_valid=valid), 50.0)
    assert slow.behavior_valid is not None
    np.testing.assert_array_equal(slow.behavior_valid[:, 0], (~BLINKS).reshape(-1, 2).all(1))
