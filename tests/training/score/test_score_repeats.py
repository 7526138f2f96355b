"""Explainable variance, FEV, CC_norm and ceiling: against known truth, and against formulas written out again."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ablate.data.encoding.recordings import RecordingsConfig
from ablate.model.glm import GlmConfig
from ablate.result.measure.repeats import Measure
from ablate.training.repeated import evaluate_repeats
from ablate.training.score.repeats import PRIORS, repeat_draws, values_of

LGN = Path(__file__).parents[4] / "shared/data/lgn_flicker"
SHOWINGS, BINS = 30, 1200


def smooth_rate(seed: int, bins: int = BINS) -> np.ndarray:
    """Expected spikes a bin: the exponential of noise over five bins."""
    noise = np.convolve(np.random.default_rng(seed).standard_normal(bins), np.ones(5) / math.sqrt(5), "same")
    return 0.3 * np.exp(0.8 * noise)


def holds(measure: Measure | None, truth: float) -> bool:
    assert measure is not None
    assert measure.low is not None
    assert measure.high is not None
    return measure.low <= truth <= measure.high


def figures(seed: int, *, scale: float = 1.0, showings: int = SHOWINGS) -> tuple[dict[str, Measure], np.ndarray]:
    rate = smooth_rate(seed)
    counts = np.random.default_rng(1000 + seed).poisson(rate, (showings, BINS)).astype(float)
    values = values_of(repeat_draws(counts, scale * rate[None], rate.mean()))
    return values.model_dump() | {name: getattr(values, name) for name in type(values).model_fields}, rate


def test_the_interval_of_the_explainable_variance_holds_the_truth() -> None:
    """Poisson counts: the noise's variance is the mean rate. 95 % intervals, 40 worlds: fewer than 33 is chance of 1 in
    2,000."""
    hits = 0
    for seed in range(40):
        values, rate = figures(seed)
        hits += holds(values["explainable"], rate.var() / (rate.var() + rate.mean()))
    assert hits >= 33


def test_the_true_rate_explains_all_that_can_be_explained() -> None:
    hits = {"fev": 0, "cc_norm": 0}
    for seed in range(40):
        values, _ = figures(seed)
        for name in hits:
            hits[name] += holds(values[name], 1.0)
    assert min(hits.values()) >= 33, hits


def test_a_rate_of_half_the_size_keeps_its_correlation_and_loses_variance() -> None:
    for seed in range(5):
        (half, rate), (whole, _) = figures(seed, scale=0.5), figures(seed)
        assert half["cc_norm"].value == pytest.approx(whole["cc_norm"].value)
        truth = 1 - np.mean((0.5 * rate) ** 2) / rate.var()
        assert half["fev"].value == pytest.approx(truth, abs=0.15)


def test_the_ceiling_comes_near_the_true_rates_score_from_below() -> None:
    gaps = []
    for seed in range(5):
        values, _ = figures(seed, showings=200)
        gaps.append(values["bits"].value - values["ceiling"].value)
    assert 0 < np.mean(gaps) < 0.03


def test_responses_that_the_stimulus_does_not_move_have_nothing_to_explain() -> None:
    hits = 0
    for seed in range(20):
        counts = np.random.default_rng(seed).poisson(0.3, (SHOWINGS, BINS)).astype(float)
        hits += holds(values_of(repeat_draws(counts, None, 0.3)).explainable, 0.0)
    assert hits >= 16


def test_a_unit_that_never_fires_has_no_figure() -> None:
    values = values_of(repeat_draws(np.zeros((5, 100)), np.full((1, 100), 0.1), 0.1))
    assert values.explainable is None
    assert values.fev is None


def test_without_the_stimulus_only_the_responses_are_judged() -> None:
    counts = np.random.default_rng(0).poisson(smooth_rate(0), (SHOWINGS, BINS)).astype(float)
    values = values_of(repeat_draws(counts, None, 0.3))
    assert values.explainable is not None
    assert values.ceiling is not None
    assert values.fev is values.cc_norm is values.bits is None


# ------------------------------------------------------------------ the same formulas, written out with loops


def by_hand(counts: np.ndarray, rate: np.ndarray, null: float) -> dict[str, float]:
    """From the papers, a showing at a time."""
    showings, bins = counts.shape
    mean = counts.mean(0)
    noise = np.mean([counts[:, t].var(ddof=1) for t in range(bins)])
    total = counts.ravel().var(ddof=1)
    powers = [counts[k].var(ddof=1) for k in range(showings)]
    signal = (showings * mean.var(ddof=1) - np.mean(powers)) / (showings - 1)
    ceilings = []
    for a in PRIORS:
        gain = 0.0
        for k in range(showings):
            others = np.delete(counts, k, axis=0)
            q = (others.sum(0) + a * others.mean()) / (showings - 1 + a)
            gain += np.sum(counts[k] * np.log(q / null) - q + null)
        ceilings.append(gain)
    model = sum(np.sum(row * np.log(rate / null) - rate + null) for row in counts)
    spikes = counts.sum() * math.log(2)
    return {
        "explainable": (total - noise) / total,
        "fev": 1 - (np.mean([(row - rate) ** 2 for row in counts]) - noise) / (total - noise),
        "cc_norm": np.cov(mean, rate)[0, 1] / math.sqrt(rate.var(ddof=1) * signal),
        "cc_average": float(np.corrcoef(mean, rate)[0, 1]),
        "ceiling": max(ceilings) / spikes,
        "bits": model / spikes,
    }


@pytest.mark.real
@pytest.mark.skipif(not LGN.is_dir(), reason="the recording is not here")
def test_on_the_lgn_cell_all_figures_agree_with_the_formulas_of_the_papers() -> None:
    """Rates of a GLM with a hand-made filter, computed from the file with numpy alone."""
    window, lags = 32, 25
    data = RecordingsConfig(path=str(LGN), window=window, warmup=24).open(torch.device("cpu"))
    model = GlmConfig(lags=lags).build(data.spec)
    kernel = np.zeros(lags)  # newest frame last
    kernel[[-4, -5, -6, -7]] = 0.2, 0.6, -0.6, -0.3  # as the cell's spike-triggered average has it
    session = model.filters[0]
    session.weight.data[:] = torch.as_tensor(kernel / session.scale, dtype=torch.float32)
    (found,) = evaluate_repeats(model, data, batch_size=64, device=torch.device("cpu"), precision="fp32")

    counts = np.load(LGN / "repeats.npy").astype(float)[:, window - 1 :]
    statistics = data.statistics[0]
    shown = (np.load(LGN / "repeat_stimulus.npy")[:, 0, 0] - statistics.stimulus_mean) / statistics.stimulus_std
    past = np.stack([shown[t - lags + 1 : t + 1] for t in range(window - 1, len(shown))])
    null = float(statistics.mean_rate[0])
    rate = np.exp(past @ kernel + math.log(null))
    meant = by_hand(counts, rate, null)

    assert (found.showings, found.bins, found.source) == (64, 1200 - window + 1, "repeats.npy")
    (unit,) = found.units
    for name, value in meant.items():
        assert getattr(unit.values, name).value == pytest.approx(value, rel=1e-5), name
    assert unit.clear
    assert unit.values.cc_norm.value > 0.5
    assert 0 < unit.values.explainable.low < unit.values.explainable.high < 1
