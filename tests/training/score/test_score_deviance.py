"""Poisson deviance explained: against scipy's divergence, over the valid bins, with the training mean as null."""

import pytest
import torch
from scipy.special import kl_div
from training_toys import ToyBatch, rates_spec

from ablate.contract import Target
from ablate.training.score import scorer_for

NULL = (0.4, 1.5, 0.9)


def drawn(rows: int = 60) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    prediction = 0.5 * torch.randn(rows, 2, 3, generator=generator)
    values = torch.poisson(prediction.exp(), generator=generator)
    valid = torch.rand(values.shape, generator=generator) > 0.3
    return prediction.masked_fill(~valid, float("nan")), values.masked_fill(~valid, float("nan")), valid


def batch_of(values: torch.Tensor, valid: torch.Tensor) -> ToyBatch:
    return ToyBatch((torch.zeros(len(values), 1),), (Target(0, values, valid),))


def test_it_is_one_less_the_ratio_of_the_deviances() -> None:
    prediction, values, valid = drawn()
    scorer = scorer_for(rates_spec(NULL), metric="poisson_deviance")
    scorer.add((prediction,), batch_of(values, valid))
    table = scorer.units()
    for unit, null in enumerate(NULL):
        seen = valid[..., unit]
        counts, rates = values[..., unit][seen].numpy(), prediction[..., unit][seen].exp().numpy()
        meant = 1 - kl_div(counts, rates).sum() / kl_div(counts, null).sum()
        assert table.values(table.sessions[0])[unit] == pytest.approx(meant, rel=1e-5)


def test_halves_merge_to_the_whole() -> None:
    prediction, values, valid = drawn()
    whole, first, second = (scorer_for(rates_spec(NULL), metric="poisson_deviance") for _ in range(3))
    whole.add((prediction,), batch_of(values, valid))
    first.add((prediction[:20],), batch_of(values[:20], valid[:20]))
    second.add((prediction[20:],), batch_of(values[20:], valid[20:]))
    first.merge(second)
    assert first.score("").headline == pytest.approx(whole.score("").headline, rel=1e-10)


def test_the_null_explains_nothing_and_units_of_few_spikes_are_left_out() -> None:
    values = torch.poisson(torch.ones(50, 1, 3), generator=torch.Generator().manual_seed(0))
    values[..., 1] = 0
    null = torch.tensor(NULL).log().expand_as(values).clone()
    scorer = scorer_for(rates_spec(NULL), metric="poisson_deviance", min_spikes=5)
    scorer.add((null,), batch_of(values, values > -1))
    score = scorer.score("")
    assert score.metric == "poisson_deviance"
    assert score.headline == pytest.approx(0.0, abs=1e-6)
    assert (score.sessions[0].entries, score.sessions[0].excluded) == (2, 1)


def test_known_rates_are_a_ceiling_in_the_same_unit() -> None:
    """What the true rates gain is given in nats of log-likelihood: twice that is deviance."""
    prediction, values, valid = drawn()
    scorer = scorer_for(rates_spec(NULL), metric="poisson_deviance")
    scorer.add((prediction,), batch_of(values, valid))
    table = scorer.units()
    nats = table.sessions[0].gain / 2
    assert scorer.score("", [nats]).attainable == pytest.approx(scorer.score("").headline)
