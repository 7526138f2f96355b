import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from training_toys import ToyBatch, assert_same_score, rates_spec

from ablate.contract import NULL_RATE_FLOOR, Target
from ablate.errors import AblateError
from ablate.training.score import scorer_for

NAN = float("nan")


def batch_of(*sessions, indices=None):
    """A batch of (counts (b, n, u), valid) pairs, for session 0, 1, ... or those of `indices`."""
    indices = indices if indices is not None else range(len(sessions))
    targets = tuple(Target(index, *pair) for index, pair in zip(indices, sessions, strict=True))
    return ToyBatch(tuple(torch.zeros(len(target.values), 1) for target in targets), targets)


def random_session(generator, rows, units):
    rate = torch.rand((rows, 3, units), generator=generator) * 3 + 0.1
    counts = torch.poisson(rate, generator=generator)
    valid = torch.rand(counts.shape, generator=generator) > 0.2
    prediction = rate.log() + 0.3 * torch.randn(rate.shape, generator=generator)
    return prediction.masked_fill(~valid, NAN), counts.masked_fill(~valid, NAN), valid


def test_bits_per_spike_by_hand():
    counts = torch.tensor([[[2.0], [0.0], [1.0]]])
    rates = torch.tensor([[[1.5], [0.5], [1.0]]])
    scorer = scorer_for(rates_spec((0.8,)))
    scorer.add((rates.log(),), batch_of((counts, counts >= 0)))
    model = (2 * math.log(1.5) - 1.5) + (0 - 0.5) + (1 * math.log(1.0) - 1.0)
    null = (2 * math.log(0.8) - 0.8) + (0 - 0.8) + (1 * math.log(0.8) - 0.8)
    score = scorer.score("hash")
    assert score.metric == "bits_per_spike"
    assert score.headline == pytest.approx((model - null) / (math.log(2) * 3), rel=1e-6)
    assert score.scored_hash == "hash"


def test_the_gain_is_the_likelihood_ratio_of_torchs_poisson():
    generator = torch.Generator().manual_seed(0)
    prediction, counts, valid = random_session(generator, 20, 3)
    mean_rate = (0.5, 1.0, 2.0)
    scorer = scorer_for(rates_spec(mean_rate))
    scorer.add((prediction,), batch_of((counts, valid)))
    values = scorer.units().values(scorer.units().sessions[0])
    for unit, rate in enumerate(mean_rate):
        y, x = counts[..., unit][valid[..., unit]].double(), prediction[..., unit][valid[..., unit]].double()
        ratio = torch.distributions.Poisson(x.exp()).log_prob(y) - torch.distributions.Poisson(
            torch.tensor(rate, dtype=torch.float64)
        ).log_prob(y)
        assert values[unit] == pytest.approx(ratio.sum().item() / (math.log(2) * y.sum().item()), rel=1e-6)


def test_the_training_rate_itself_scores_exactly_zero():
    counts = torch.poisson(torch.full((10, 4, 2), 1.0), generator=torch.Generator().manual_seed(0))
    scorer = scorer_for(rates_spec((0.5, 2.0)))
    prediction = torch.tensor([0.5, 2.0], dtype=torch.float64).log().expand(10, 4, 2)
    scorer.add((prediction,), batch_of((counts, counts >= 0)))
    assert scorer.score("").headline == 0.0


def test_a_model_worse_than_the_null_is_not_floored():
    counts = torch.full((4, 1, 1), 2.0)
    scorer = scorer_for(rates_spec((2.0,)))
    scorer.add((torch.full((4, 1, 1), -3.0),), batch_of((counts, counts > 0)))
    score = scorer.score("")
    assert score.headline < 0
    assert score.pooled < 0


def test_units_with_few_spikes_are_excluded_and_counted():
    counts = torch.tensor([[[5.0, 1.0, 0.0]]])
    scorer = scorer_for(rates_spec((1.0, 1.0, 1.0)), min_spikes=2)
    scorer.add((torch.zeros(1, 1, 3),), batch_of((counts, counts >= 0)))
    session = scorer.score("").sessions[0]
    assert (session.entries, session.excluded, session.weight) == (1, 2, 5.0)
    assert scorer.units().to_json()["sessions"][0]["value"][1:] == [None, None]


def test_a_silent_unit_is_excluded_even_without_a_threshold():
    counts = torch.tensor([[[3.0, 0.0]]])
    scorer = scorer_for(rates_spec((1.0, 1.0)), min_spikes=0)
    scorer.add((torch.ones(1, 1, 2),), batch_of((counts, counts >= 0)))
    assert scorer.score("").sessions[0].excluded == 1


def test_a_unit_silent_in_training_has_a_finite_null():
    counts = torch.tensor([[[3.0]]])
    scorer = scorer_for(rates_spec((0.0,)))
    scorer.add((torch.zeros(1, 1, 1),), batch_of((counts, counts >= 0)))
    expected = ((3 * 0 - 1) - (3 * math.log(NULL_RATE_FLOOR) - NULL_RATE_FLOOR)) / (3 * math.log(2))
    assert scorer.score("").headline == pytest.approx(expected)


def test_the_headline_averages_units_then_sessions_and_the_others_weigh_spikes():
    counts = torch.tensor([[[1.0, 3.0]]]), torch.tensor([[[8.0]]])
    predictions = torch.tensor([[[0.0, 1.0]]]), torch.tensor([[[2.0]]])
    scorer = scorer_for(rates_spec((0.5, 0.5), (2.0,)))
    scorer.add(predictions, batch_of(*((y, y >= 0) for y in counts)))

    def gain(x, y, r0):
        return (y * x - math.exp(x)) - (y * math.log(r0) - r0)

    a, b, c = gain(0.0, 1, 0.5), gain(1.0, 3, 0.5), gain(2.0, 8, 2.0)
    first, second = (a / 1 + b / 3) / 2 / math.log(2), c / 8 / math.log(2)
    score = scorer.score("")
    assert score.headline == pytest.approx((first + second) / 2)
    assert score.weighted == pytest.approx((4 * first + 8 * second) / 12)
    assert score.pooled == pytest.approx((a + b + c) / 12 / math.log(2))
    assert score.sessions[0].pooled == pytest.approx((a + b) / 4 / math.log(2))


def test_a_session_without_a_scored_unit_is_left_out_of_the_headline():
    spoken, silent = torch.full((4, 1, 1), 2.0), torch.zeros(4, 1, 1)
    scorer = scorer_for(rates_spec((1.0,), (1.0,)))
    scorer.add(
        (torch.full((4, 1, 1), 0.7), torch.zeros(4, 1, 1)), batch_of((spoken, spoken >= 0), (silent, silent >= 0))
    )
    score = scorer.score("")
    assert score.headline == score.sessions[0].mean
    assert (score.sessions[1].entries, score.sessions[1].excluded) == (0, 1)


def test_a_split_without_any_spike_is_the_users_mistake():
    scorer = scorer_for(rates_spec((1.0,)))
    scorer.add((torch.zeros(1, 1, 1),), batch_of((torch.zeros(1, 1, 1), torch.ones(1, 1, 1) > 0)))
    with pytest.raises(AblateError, match="no unit of the split has enough spikes"):
        scorer.score("")


def test_a_prediction_that_is_not_finite_is_told_with_its_unit():
    counts = torch.ones(1, 1, 2)
    scorer = scorer_for(rates_spec((1.0, 1.0)))
    scorer.add((torch.tensor([[[0.0, NAN]]]),), batch_of((counts, counts > 0)))
    with pytest.raises(FloatingPointError, match="session_0, entry 1"):
        scorer.score("")


def test_the_attainable_score_is_over_the_same_units_and_spikes():
    counts = torch.tensor([[[4.0, 2.0, 0.0]]])
    scorer = scorer_for(rates_spec((1.0, 1.0, 1.0)))
    scorer.add((torch.zeros(1, 1, 3),), batch_of((counts, counts >= 0)))
    score = scorer.score("", (np.array([2.0, 1.5, -9.0]),))
    assert score.attainable == pytest.approx((2.0 / 4 + 1.5 / 2) / 2 / math.log(2))
    assert score.sessions[0].attainable == score.attainable


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 12))
def test_the_scores_of_two_halves_merge_to_the_whole(seed, cut):
    generator = torch.Generator().manual_seed(seed)
    sessions = [random_session(generator, 12, units) for units in (3, 2)]
    spec = rates_spec((0.5, 1.0, 0.0), (1.5, 0.7))
    whole, first, second = (scorer_for(spec, min_spikes=3) for _ in range(3))
    whole.add(tuple(x for x, _, _ in sessions), batch_of(*((y, valid) for _, y, valid in sessions)))
    for half, rows in ((first, slice(0, cut)), (second, slice(cut, 12))):
        half.add(tuple(x[rows] for x, _, _ in sessions), batch_of(*((y[rows], v[rows]) for _, y, v in sessions)))
    first.merge(second)
    assert_same_score(first.score("h"), whole.score("h"))


def test_sums_in_many_small_batches_do_not_drift():
    counts = torch.ones(20_000, 1, 1)
    prediction = torch.full((20_000, 1, 1), 0.1)
    whole, pieces = scorer_for(rates_spec((1.0,))), scorer_for(rates_spec((1.0,)))
    whole.add((prediction,), batch_of((counts, counts > 0)))
    for rows in torch.arange(20_000).split(100):
        pieces.add((prediction[rows],), batch_of((counts[rows], counts[rows] > 0)))
    assert pieces.score("").headline == pytest.approx(whole.score("").headline, rel=1e-12)


def test_a_session_that_a_batch_leaves_out_keeps_its_sums():
    spec = rates_spec((1.0,), (1.0,))
    scorer = scorer_for(spec)
    counts = torch.ones(2, 1, 1)
    scorer.add((torch.zeros(2, 1, 1),), batch_of((counts, counts > 0), indices=[1]))
    assert scorer.units().sessions[0].weight.tolist() == [0.0]
    assert scorer.units().sessions[1].weight.tolist() == [2.0]
