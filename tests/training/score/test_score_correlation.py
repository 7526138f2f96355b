import numpy as np
import pytest
import torch
from scipy.stats import pearsonr
from training_toys import ToyBatch, rates_spec

from ablate.contract import Target
from ablate.training.score import scorer_for


def batch_of(values, valid):
    return ToyBatch((torch.zeros(len(values), 1),), (Target(0, values, valid),))


def responses(rows=50, units=3):
    generator = torch.Generator().manual_seed(0)
    prediction = torch.randn(rows, 2, units, generator=generator)
    values = prediction.exp() * 2 + torch.randn(rows, 2, units, generator=generator)
    valid = torch.rand(values.shape, generator=generator) > 0.3
    return prediction.masked_fill(~valid, float("nan")), values.masked_fill(~valid, float("nan")), valid


def test_it_is_pearsons_over_the_valid_bins():
    prediction, values, valid = responses()
    scorer = scorer_for(rates_spec((1.0,) * 3), metric="correlation")
    scorer.add((prediction,), batch_of(values, valid))
    table = scorer.units()
    expected = [
        pearsonr(prediction[..., u][valid[..., u]].exp().numpy(), values[..., u][valid[..., u]].numpy()).statistic
        for u in range(3)
    ]
    assert table.values(table.sessions[0]) == pytest.approx(expected, rel=1e-5)
    score = scorer.score("")
    assert score.metric == "correlation"
    assert score.headline == pytest.approx(np.mean(expected), rel=1e-5)


def test_halves_merge_to_the_whole():
    prediction, values, valid = responses()
    whole, first, second = (scorer_for(rates_spec((1.0,) * 3), metric="correlation") for _ in range(3))
    whole.add((prediction,), batch_of(values, valid))
    first.add((prediction[:20],), batch_of(values[:20], valid[:20]))
    second.add((prediction[20:],), batch_of(values[20:], valid[20:]))
    first.merge(second)
    assert first.score("").headline == pytest.approx(whole.score("").headline, rel=1e-10)


def test_a_constant_response_is_excluded_and_a_constant_prediction_scores_zero():
    values = torch.rand(30, 1, 2, generator=torch.Generator().manual_seed(0))
    values[..., 0] = 0.1
    scorer = scorer_for(rates_spec((1.0, 1.0)), metric="correlation")
    scorer.add((torch.full((30, 1, 2), 0.3),), batch_of(values, values > -1))
    session = scorer.score("").sessions[0]
    assert (session.entries, session.excluded, session.mean) == (1, 1, 0.0)
