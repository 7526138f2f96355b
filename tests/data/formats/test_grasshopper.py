"""The two receptors that nitime ships: read as their files say, and a GLM finds the ear's delay."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from ablate.data.formats.grasshopper import GrasshopperConfig, read_grasshopper, shipped
from ablate.errors import AblateError
from ablate.model import GlmConfig
from ablate.training import TrainingConfig, evaluate, fit


@pytest.fixture
def files() -> Path:
    pytest.importorskip("nitime", reason="the recordings come with nitime")
    return shipped()


def test_every_spike_is_counted_in_its_millisecond_and_the_sound_is_in_decibels(files: Path) -> None:
    first, second = (read_grasshopper(place) for place in GrasshopperConfig().places())
    times = np.loadtxt(files / "grasshopper_spike_times1.txt")
    np.testing.assert_array_equal(np.flatnonzero(first.spikes[:, 0]), times // 1000)
    assert (first.frames, first.bin_rate_hz, int(second.spikes.sum())) == (10_000, 1000.0, 868)
    amplitude = np.loadtxt(files / "grasshopper_stimulus1.txt", max_rows=20)[:, 1]
    assert first.stimulus[0, 0, 0] == pytest.approx(20 * np.log10(amplitude).mean(), rel=1e-5), "its maximum is 1"


def test_the_receptor_answers_to_the_sound_of_six_milliseconds_before(files: Path) -> None:
    recording = read_grasshopper(files / "grasshopper_stimulus1.txt")
    sound, spikes = recording.stimulus[:, 0, 0], recording.spikes[:, 0].astype(float)
    triggered = [float(np.corrcoef(sound[: 10_000 - lag], spikes[lag:])[0, 1]) for lag in range(25)]
    assert np.argmax(triggered) == 6


def test_what_is_missing_or_no_table_is_told(tmp_path: Path) -> None:
    sound = tmp_path / "grasshopper_stimulus1.txt"
    sound.write_text("".join(f"{50 * k} {1 + k % 3}\n" for k in range(200)))
    with pytest.raises(AblateError, match=r"grasshopper_spike_times1\.txt: is missing"):
        read_grasshopper(sound)
    spikes = tmp_path / "grasshopper_spike_times1.txt"
    spikes.write_text("# head\n1200\n2500\n")
    assert read_grasshopper(sound).spikes[:, 0].tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    with pytest.raises(AblateError, match="no whole number of which fills a bin"):
        read_grasshopper(sound, 700.0)
    spikes.write_text("hello\n")
    with pytest.raises(AblateError, match="is no table of numbers"):
        read_grasshopper(sound)


def test_a_glm_with_spike_history_scores_what_a_poisson_regression_scores(files: Path) -> None:
    """25 ms of sound and a receptor's own 20 bins before, fitted by scipy on one design matrix: the receptors are
    refractory, so that their past tells about as much of the next bin as the sound does."""
    settings = {"split": {"blocks": 2}, "window": 96, "warmup": 32, "score_every": 1}
    data = GrasshopperConfig.model_validate(settings).open(torch.device("cpu"))
    torch.manual_seed(0)
    model = GlmConfig.model_validate({"lags": 25, "history": {"lags": 20}}).build(data.spec)
    training = TrainingConfig(steps=200, batch_size=16, learning_rate=1e-2, warmup_steps=10, evaluate_every=50)
    fit(model, data, training, seed=0, device=torch.device("cpu"))
    score, _ = evaluate(model, data, "test", batch_size=64, device=torch.device("cpu"))
    for session, found in enumerate(score.sessions):
        recording, statistics = data.recordings[session], data.statistics[session]
        counts = recording.spikes[:, 0].astype(float)
        sound = (recording.stimulus[:, 0, 0].astype(float) - statistics.stimulus_mean) / statistics.stimulus_std
        columns = [np.ones(len(sound))]
        columns += [np.roll(sound, lag) for lag in range(25)] + [np.roll(counts, lag) for lag in range(1, 21)]
        design = np.stack(columns, axis=1)
        train = np.flatnonzero(data.splits[session].label == 0)
        x, y = design[train[train >= 25]], counts[train[train >= 25]]
        weights = minimize(_poisson, np.zeros(46), args=(x, y), jac=True, method="L-BFGS-B").x
        test = data.bins("test")[session]
        p, null = np.exp(design[test] @ weights), statistics.mean_rate[0]
        gain = (counts[test] * np.log(p / null) - p + null).sum() / np.log(2) / counts[test].sum()
        assert gain > 1.1
        assert found.mean == pytest.approx(gain, rel=0.04)


def _poisson(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Negative log-likelihood a bin and its gradient, with a ridge that keeps a silent lag finite."""
    drive = x @ weights
    rate = np.exp(drive)
    return float((rate - y * drive).mean() + 1e-6 * weights @ weights), x.T @ (rate - y) / len(y) + 2e-6 * weights
