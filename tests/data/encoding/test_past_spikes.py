"""Spikes before a bin as a model is given them: where the data know them, the mean elsewhere, never the bin's own."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from data_samples import noise_recording

from ablate.contract import PastSpikes
from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.config import SplitConfig, UnitsConfig
from ablate.data.encoding.recordings import RecordingsConfig
from ablate.data.recording import Recording, read_recording, write_recording
from ablate.errors import AblateError
from ablate.model import EncoderConfig, GlmConfig
from ablate.recipe import Configuration
from ablate.training import TrainingConfig

CPU = torch.device("cpu")
SETTINGS: dict[str, Any] = {"window": 16, "warmup": 8, "score_every": 4, "min_spikes": 1}


def opened(recording: Recording | None = None, **fields: Any) -> EncodingDataset:
    return EncodingDataset((recording or noise_recording(),), RecordingsConfig(**{**SETTINGS, **fields}), device=CPU)


def past_of(data: EncodingDataset, ends: list[int]) -> PastSpikes:
    past = data.windows(0, np.array(ends)).past
    assert past is not None
    return past


def normalised(data: EncodingDataset) -> np.ndarray:
    statistics = data.statistics[0]
    return (np.asarray(data.recordings[0].spikes, float) - statistics.mean_rate) / statistics.count_std


def test_the_bins_before_come_from_the_recording_however_short_the_window() -> None:
    data = opened(split=SplitConfig(kind="tail"))
    past = past_of(data, [300, 500])
    values, lags = past.before(40).numpy(), np.array(data.spec.lags)
    expected = normalised(data)
    for row, end in enumerate((300, 500)):
        for n, lag in enumerate(lags):
            np.testing.assert_allclose(values[row, n], expected[end - lag - 40 : end - lag][::-1], rtol=1e-5, atol=1e-6)


def test_one_spike_of_a_sparse_unit_is_about_one_and_a_dense_one_has_deviation_one() -> None:
    random = np.random.default_rng(0)
    spikes = np.stack([random.random(3000) < 0.02, random.poisson(50, 3000), np.ones(3000)], axis=1).astype(np.uint8)
    statistics = opened(noise_recording(spikes=spikes)).statistics[0]
    np.testing.assert_allclose(statistics.count_std, [1, np.sqrt(50), 1], rtol=0.1)


def test_what_is_not_known_counts_as_the_mean() -> None:
    """Before the recording, where spikes are not valid whatever stands there, and of units that count nowhere."""
    valid = np.ones((3000, 3), bool)
    valid[290:295, 1] = False
    spikes = noise_recording().spikes.astype(np.float32)
    spikes[290:295, 1] = 1e30
    data = opened(
        noise_recording(spikes=spikes, valid=valid), units=UnitsConfig(only=(0, 1)), split=SplitConfig(kind="tail")
    )
    values = past_of(data, [300])
    lag = data.spec.lags.index(0)
    before = values.before(12).numpy()[0, lag][::-1]  # bins 288 to 299
    assert (before[2:7, 1] == 0).all()
    assert (before[:2, 1] != 0).all()
    assert (before[:, 0] != 0).all()
    assert (before[:, 2] == 0).all()
    early = past_of(data, [15]).before(40).numpy()[0, lag]
    assert (early[:15, 0] != 0).all()
    assert (early[15:] == 0).all()


def test_a_trial_begins_without_a_past() -> None:
    trials = np.repeat(np.arange(60), 50)
    data = opened(noise_recording(trials=trials), split=SplitConfig(kind="trials"))
    values = past_of(data, [119]).before(40).numpy()[0, data.spec.lags.index(0)]
    assert (values[:19, 0] != 0).all()
    assert (values[19:] == 0).all()


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_no_bin_is_given_counts_of_another_split_however_far_it_reads(split: str) -> None:
    data = opened(split=SplitConfig(blocks=2))
    label = data.splits[0].label
    which = ("train", "validation", "test").index(split)
    bins = np.flatnonzero(label == which)[:, None]
    told = past_of(data, [200])
    values = PastSpikes(torch.as_tensor(bins), told.read).before(400).numpy()[:, 0, :, 0]
    reached = bins - np.arange(1, 401)
    inside = reached >= 0
    other = inside & ~np.isin(label[np.maximum(reached, 0)], (which, -1))
    assert other.any()
    assert (values[other] == 0).all()
    assert (values[inside & ~other] != 0).all()


@pytest.mark.parametrize("kind", ["glm", "encoder"])
@pytest.mark.parametrize("coupling", [False, True])
def test_flipped_spikes_from_a_test_bin_on_leave_its_rate_and_all_before_as_they_are(kind: str, coupling: bool) -> None:
    """Through the data set itself: the same recording with other spikes from bin 2,900 on, which is in the test."""
    first = 2900
    recording = noise_recording()
    spikes = recording.spikes.copy()
    spikes[first:] = 3 - np.minimum(spikes[first:], 3)
    rates = []
    for one in (recording, replace(recording, spikes=spikes)):
        data = opened(one, split=SplitConfig(kind="tail", blocks=1), behavior="none")
        assert data.splits[0].label[first] == 2
        torch.manual_seed(0)
        model = MODELS[kind](coupling).build(data.spec).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn(parameter.shape))
            found = {}
            for batch in data.sweep("test", batch_size=8):
                (log_rates,) = model(batch)
                newest = batch.targets[0].newest
                assert newest is not None
                bins = newest[:, None] - torch.tensor(batch.lags)
                found |= {int(b): row for b, row in zip(bins.flatten(), log_rates.flatten(0, 1), strict=True)}
        rates.append(found)
    early = [b for b in rates[0] if b <= first]
    later = [b for b in rates[0] if first < b <= first + 6]
    assert first in early
    assert all(torch.equal(rates[0][b], rates[1][b]) for b in early)
    assert later
    assert all(not torch.equal(rates[0][b], rates[1][b]) for b in later)


MODELS = {
    "glm": lambda coupling: GlmConfig.model_validate({"lags": 3, "history": {"lags": 6, "coupling": coupling}}),
    "encoder": lambda coupling: EncoderConfig.model_validate(
        {
            "adapter": {"type": "none"},
            "frontend": {"type": "none"},
            "core": {"type": "resnet", "channels": [2, 2, 2], "stem_stride": [1, 1, 1], "squeeze_excite": [0, 0]},
            "modulator": {"type": "none"},
            "readout": {"type": "pooled"},
            "history": {"lags": 6, "coupling": coupling},
        }
    ),
}


def test_several_bins_a_frame_have_a_past_in_bins(tmp_path: Any) -> None:
    write_recording(tmp_path / "slow", noise_recording(spikes=noise_recording().spikes, rates=None, behavior=None))
    frames = noise_recording().stimulus[::2]
    np.save(tmp_path / "slow" / "stimulus.npy", frames)
    with open(tmp_path / "slow" / "recording.yaml", "a") as header:
        header.write("bins_per_frame: 2\n")
    data = opened(read_recording(tmp_path / "slow"), split=SplitConfig(kind="tail"))
    values = past_of(data, [300]).before(5).numpy()[0, -1]
    np.testing.assert_allclose(values, normalised(data)[295:300][::-1], rtol=1e-5, atol=1e-6)


def test_fev_of_a_model_with_history_is_refused() -> None:
    data = RecordingsConfig(**SETTINGS, metric="fev")
    with pytest.raises(ValueError, match="with history a rate depends on the spikes of each showing"):
        Configuration(data=data, model=MODELS["glm"](False), training=TrainingConfig())
    Configuration(data=data, model=GlmConfig(), training=TrainingConfig())


def test_a_repeat_stimulus_has_no_past() -> None:
    """Each showing came after other spikes; a model with history is told, not given zeros."""
    repeats = noise_recording(seed=1, frames=100)
    recording = noise_recording(repeats=np.stack([repeats.spikes] * 3), repeat_stimulus=repeats.stimulus, behavior=None)
    data = opened(recording)
    (showings,) = data.showings()
    (batch, *_) = data.sweep_showings(showings, batch_size=4)
    assert batch.sessions[0].past is None
    with pytest.raises(AblateError, match="no spikes of before a bin"):
        MODELS["glm"](False).build(data.spec)(batch)
