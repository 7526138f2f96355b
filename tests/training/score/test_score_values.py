"""Bits of predicted Gaussians, against scipy's densities in the numbers' own unit."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm, pearsonr
from training_toys import ToyBatch, assert_same_score, fusion_spec

from ablate.contract import Target, TargetSpec
from ablate.errors import AblateError
from ablate.training.score import scorer_for

TARGETS = (TargetSpec("valence", 5.5, 2.0), TargetSpec("arousal", -0.3, 0.25))
SPEC = replace(fusion_spec(), classes=0, class_prior=(), targets=TARGETS)
MEAN, SD = np.array([5.5, -0.3]), np.array([2.0, 0.25])


def given(seed=0, rows=12, places=3, session=0):
    """A target with a fifth of its numbers missing, and what is said of them."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(rows, places, 2, generator=generator)
    valid = torch.rand(z.shape, generator=generator) > 0.2
    said = torch.stack([0.7 * z + torch.randn(z.shape, generator=generator) * 0.5, torch.full(z.shape, -0.4)], dim=-1)
    said[..., 1] += 0.2 * torch.randn(z.shape, generator=generator)
    z = z.masked_fill(~valid, torch.nan)
    return said, Target(session, z, valid, torch.arange(rows))


def scored(*parts):
    scorer = scorer_for(SPEC)
    for said, target in parts:
        scorer.add((said,), ToyBatch((torch.zeros(len(said), 1),), (target,)))
    return scorer


def test_the_bits_are_those_of_scipys_densities_in_the_numbers_own_unit():
    said, target = given()
    valid, z = target.valid.numpy(), target.values.numpy().astype(np.float64)
    y, mean, sd = MEAN + SD * z, MEAN + SD * said[..., 0].numpy(), SD * np.exp(said[..., 1].double().numpy())
    nats = norm.logpdf(y, mean, sd) - norm.logpdf(y, MEAN, SD)
    by_trial = [nats[row][valid[row]].mean() / np.log(2) for row in range(12) if valid[row].any()]
    score = scored((said, target)).score("")
    assert score.metric == "bits_per_value"
    assert score.headline == pytest.approx(np.mean(by_trial))
    assert score.pooled == pytest.approx(nats[valid].mean() / np.log(2))
    for index, one in enumerate(score.targets):
        own = valid[..., index]
        assert one.bits == pytest.approx(nats[..., index][own].mean() / np.log(2))
        assert one.moments.count == own.sum()
    r = [pearsonr(y[..., k][valid[..., k]], mean[..., k][valid[..., k]]).statistic for k in range(2)]
    assert score.correlation == pytest.approx(np.mean(r))
    assert score.sessions[0].correlation == pytest.approx(np.mean(r))
    assert score.concordance is not None
    assert score.concordance < score.correlation


def test_the_training_splits_own_mean_and_deviation_score_nothing():
    """The floor of every study of numbers: a constant guess has 0 bits, and no other constant has more in train."""
    _, target = given(seed=4)
    z = torch.nan_to_num(target.values)
    values = z[target.valid]
    z = (z - values.mean()) / values.std(correction=0)
    target = replace(target, values=z)
    guess = torch.zeros(*z.shape, 2)
    assert scored((guess, target)).score("").pooled == 0.0
    for mean, log_sd in ((0.1, 0.0), (-0.1, 0.0), (0.0, 0.1), (0.0, -0.1)):
        other = guess + torch.tensor([mean, log_sd])
        assert scored((other, target)).score("").pooled < 0
    constant = scored((guess, target)).score("")
    assert (constant.correlation, constant.concordance) == (0.0, pytest.approx(0.0))


def test_the_score_of_two_parts_is_that_of_the_whole_in_any_order():
    first, second = given(0), given(1, session=1)
    whole = scored(first, second).score("")
    apart = scored(second)
    apart.merge(scored(first))
    assert_same_score(apart.score(""), whole)
    said, target = first
    halves = [(said[part], replace(target.rows(part.start, part.stop))) for part in (slice(6, 12), slice(0, 6))]
    assert_same_score(scored(*halves, second).score(""), whole)


def test_a_trial_that_nobody_rated_is_left_out_and_counted():
    said, target = given()
    valid = target.valid.clone()
    valid[3] = False
    score = scored((said, replace(target, valid=valid))).score("")
    assert (score.sessions[0].entries, score.sessions[0].excluded) == (11, 1)


def test_predictions_are_kept_in_the_numbers_own_unit_and_give_the_score_again():
    scorer = scored(given(0), given(1, session=1))
    text = scorer.units().predictions.to_csv([[f"s{s}t{row}" for row in range(12)] for s in range(2)])
    lines = list(csv.DictReader(io.StringIO(text)))
    assert lines[0].keys() == {"subject", "trial", "place", "target", "value", "mean", "sd"}
    assert {(line["subject"], line["trial"][:2]) for line in lines} == {("s1", "s0"), ("s2", "s1")}
    nats = []
    for line in lines:
        y, mean, sd = (float(line[name]) for name in ("value", "mean", "sd"))
        known = next(one for one in TARGETS if one.name == line["target"])
        nats.append(norm.logpdf(y, mean, sd) - norm.logpdf(y, known.mean, known.sd))
    assert scorer.score("").pooled == pytest.approx(np.mean(nats) / np.log(2), abs=1e-4)


def test_a_prediction_without_a_deviation_is_refused():
    said, target = given()
    with pytest.raises(AblateError, match="1 figures for each number"):
        scored((said[..., :1], target))
    with pytest.raises(AblateError, match="prediction has shape"):
        scored((said[..., 0], target))
