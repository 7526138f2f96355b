"""What blocks of time add to a score, against a block bootstrap of the whole sums."""

import math

import numpy as np
import pytest
import torch
from training_toys import ToyBatch, rates_spec

from ablate.contract import Target
from ablate.training.score import scorer_for

ROWS, BINS, UNITS = 200, 4, 6


def drifting(seed: int = 0):
    """Log rates that fit the first half of the recording better than the second, and the counts."""
    generator = np.random.default_rng(seed)
    rates = np.exp(generator.normal(-0.7, 0.6, (ROWS, BINS, UNITS)))
    counts = generator.poisson(rates)
    predicted = np.log(rates)
    predicted[ROWS // 2 :] = generator.normal(-0.7, 0.6, predicted[ROWS // 2 :].shape)
    return torch.tensor(predicted), torch.tensor(counts, dtype=torch.float64)


def scored(predicted, counts, order, *, timed=True, batch=37):
    scorer = scorer_for(rates_spec((0.5,) * UNITS))
    for start in range(0, ROWS, batch):
        rows = torch.as_tensor(order[start : start + batch])
        valid = torch.ones(len(rows), BINS, UNITS, dtype=torch.bool)
        target = Target(0, counts[rows], valid, newest=rows * BINS if timed else None)
        scorer.add((predicted[rows],), ToyBatch((torch.zeros(len(rows), 1),), (target,)))
    return scorer.units()


def test_the_blocks_deviate_from_their_fair_share_by_nothing_in_all_and_show_where_the_model_fits():
    blocks = scored(*drifting(), np.arange(ROWS)).sessions[0].blocks
    assert len(blocks) == 20
    assert blocks.sum() == pytest.approx(0, abs=1e-12)
    assert blocks[:10].sum() > 0.1


def test_the_blocks_do_not_depend_on_the_order_or_size_of_the_batches():
    in_order = scored(*drifting(), np.arange(ROWS)).sessions[0].blocks
    shuffled = scored(*drifting(), np.random.default_rng(1).permutation(ROWS), batch=11).sessions[0].blocks
    assert shuffled == pytest.approx(in_order, abs=1e-12)


def test_their_bootstrap_is_that_of_the_whole_sums():
    predicted, counts = drifting()
    null = math.log(0.5)
    gain = (counts * predicted - predicted.exp() - counts * null + 0.5).sum(1).numpy().reshape(20, -1, UNITS).sum(1)
    spikes = counts.sum(1).numpy().reshape(20, -1, UNITS).sum(1)  # block u
    times = np.random.default_rng(2).multinomial(20, [1 / 20] * 20, size=4000)
    whole = ((times @ gain) / (times @ spikes)).mean(axis=1) / math.log(2)
    table = scored(predicted, counts, np.arange(ROWS))
    linear = table.values(table.sessions[0]).mean() + times @ table.sessions[0].blocks
    assert np.quantile(linear, [0.025, 0.975]) == pytest.approx(np.quantile(whole, [0.025, 0.975]), abs=0.01)
    assert np.corrcoef(linear, whole)[0, 1] > 0.99


def test_responses_without_a_time_have_no_blocks_and_the_file_holds_twenty_numbers_a_session():
    assert scored(*drifting(), np.arange(ROWS), timed=False).to_json()["sessions"][0]["blocks"] == []
    assert len(scored(*drifting(), np.arange(ROWS)).to_json()["sessions"][0]["blocks"]) == 20
