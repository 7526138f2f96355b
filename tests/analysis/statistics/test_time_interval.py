"""The third interval: bootstrap over blocks of time."""

import numpy as np
import pytest

from ablate.analysis.statistics.time import difference_of, mean_blocks, read_blocks, time_interval


def test_its_width_is_that_of_a_mean_over_independent_blocks():
    deviations = np.random.default_rng(0).normal(0, 0.01, 40)
    deviations -= deviations.mean()
    interval = time_interval(0.3, (deviations,))
    error = deviations.std() * np.sqrt(40)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.06)
    assert (interval.low + interval.high) / 2 == pytest.approx(0.3, abs=0.2 * error)


def test_sessions_are_drawn_apart_and_averaged():
    generator = np.random.default_rng(1)
    one = generator.normal(0, 0.01, 40)
    two = time_interval(0.0, (one, generator.normal(0, 0.01, 40)))
    alone = time_interval(0.0, (one,))
    assert (two.high - two.low) / (alone.high - alone.low) == pytest.approx(1 / np.sqrt(2), rel=0.2)


def test_what_moves_variant_and_baseline_alike_cancels():
    shared = np.random.default_rng(2).normal(0, 0.1, 20)
    difference = difference_of((shared + 0.001,), (shared,))
    assert time_interval(0.02, difference).high - time_interval(0.02, difference).low < 1e-6


def test_it_covers_the_true_mean_of_independent_blocks():
    """Blocks that are independent: a nominal 95 % over 20 blocks covers about 92 to 93 %, as bootstraps do."""
    generator, covered = np.random.default_rng(3), []
    for _ in range(400):
        parts = generator.normal(0.3, 0.2, 20)
        interval = time_interval(parts.mean(), ((parts - parts.mean()) / 20,))
        covered.append(interval.low <= 0.3 <= interval.high)
    assert 0.89 <= np.mean(covered) <= 0.97


@pytest.mark.parametrize(
    "content",
    [
        None,
        {},
        {"sessions": "x"},
        {"sessions": [{"name": "a", "value": [0.1]}]},
        {"sessions": [{"blocks": [0.1, 0.2]}]},
    ],
)
def test_older_records_and_damaged_ones_have_none(content):
    assert read_blocks(content) is None


def test_runs_that_were_cut_differently_are_not_compared():
    assert mean_blocks([(np.zeros(20),), (np.zeros(19),)]) is None
    assert difference_of((np.zeros(20),), (np.zeros(19),)) is None
    assert mean_blocks([]) is None
