"""Sessions of different bin rates: refused, or brought to one rate as the recipe says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from data_samples import noise_recording

from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.recordings import RecordingsConfig
from ablate.data.recording import write_recording
from ablate.data.recording.resample import resampled
from ablate.errors import AblateError

CPU = torch.device("cpu")
SHORT = {"window": 16, "warmup": 4, "min_spikes": 1, "split": {"blocks": 1}}


def opened(folder: Path, *rates: float, **fields: Any) -> EncodingDataset:
    for index, rate in enumerate(rates):
        write_recording(folder / f"r{index}", noise_recording(f"r{index}", seed=index, bin_rate_hz=float(rate)))
    return RecordingsConfig(path=str(folder), **{**SHORT, **fields}).open(CPU)


@pytest.mark.parametrize("rates", [(120, 30), (60, 120), (100, 102), (500, 250)])
def test_sessions_of_different_bin_rates_are_refused_by_name(tmp_path: Path, rates: tuple[float, float]) -> None:
    with pytest.raises(AblateError) as caught:
        opened(tmp_path, *rates)
    (problem,) = caught.value.problems
    slow, fast = (0, 1) if rates[0] < rates[1] else (1, 0)
    assert problem.what == f"r{slow} has bins of {min(rates):g} Hz, r{fast} of {max(rates):g} Hz"
    assert f"`resample_hz: {min(rates):g}`" in problem.hint


def test_monitors_of_nearly_one_rate_are_one(tmp_path: Path) -> None:
    assert len(opened(tmp_path, 119.917, 119.895).recordings) == 2


def test_resampled_sessions_have_one_rate_and_describe_it_before_they_are_opened(tmp_path: Path) -> None:
    data = opened(tmp_path, 120, 30, resample_hz=30)
    assert [recording.bin_rate_hz for recording in data.recordings] == [30, 30]
    assert [recording.frames for recording in data.recordings] == [750, 3000]
    specs = RecordingsConfig(path=str(tmp_path), resample_hz=30).session_specs()
    assert [spec.bin_rate_hz for spec in specs] == [30, 30]
    assert opened(tmp_path, resample_hz=30, max_frames=700).recordings[0].frames == 700


@pytest.mark.parametrize(("rate", "meant"), [(50.0, "120 Hz, no whole multiple of 50 Hz"), (240.0, "of 240 Hz")])
def test_what_would_divide_counts_is_refused(tmp_path: Path, rate: float, meant: str) -> None:
    with pytest.raises(AblateError, match=meant):
        opened(tmp_path, 120, resample_hz=rate)


def test_counts_are_added_frames_and_behaviour_averaged_masks_and_trials_whole() -> None:
    bins = 10  # of which the last is left over
    plain = noise_recording(
        frames=bins,
        valid=np.arange(3 * bins).reshape(bins, 3) != 4,
        trials=np.array([0, 0, 0, 0, 1, 1, 1, 1, -1, -1]),
        repeats=np.arange(2 * bins * 3).reshape(2, bins, 3),
        repeat_stimulus=np.full((bins, 4, 5), 3, np.uint8),
    )
    long = resampled(plain, 100 / 3)
    np.testing.assert_allclose(long.spikes[1], plain.spikes[3:6].sum(0))
    np.testing.assert_allclose(long.stimulus[2], plain.stimulus[6:9].mean(0), rtol=1e-6)
    assert plain.behavior is not None
    assert plain.rates is not None
    assert plain.repeats is not None
    assert long.behavior is not None
    assert long.valid is not None
    assert long.trials is not None
    assert long.rates is not None
    assert long.repeats is not None
    np.testing.assert_allclose(long.behavior[0], plain.behavior[:3].mean(0), rtol=1e-5)
    np.testing.assert_allclose(long.rates[0], plain.rates[:3].sum(0), rtol=1e-6)
    np.testing.assert_allclose(long.repeats[1, 2], plain.repeats[1, 6:9].sum(0))
    assert long.valid.tolist() == [[True, False, True], [True] * 3, [True] * 3]
    assert long.trials.tolist() == [0, -1, -1]
    assert resampled(plain, 100.0) is plain
    assert resampled(plain, None) is plain
