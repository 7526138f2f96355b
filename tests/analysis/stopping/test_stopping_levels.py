"""The levels of a group-sequential test, against published tables and against simulated increments."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from ablate.analysis.stopping.levels import nominal, nominal_levels, repeated_p
from ablate.result import Schedule

LOOKS = Schedule(seeds=()).looks


def test_the_bounds_are_those_of_the_published_table_of_pocock_like_spending():
    """Five equally spaced looks, two-sided .05: Reboussin, DeMets, Kim & Lan 2000, Control. Clin. Trials 21, as
    gsDesign's sfLDPocock gives them."""
    published = [2.438, 2.427, 2.410, 2.397, 2.386]
    bounds = [-ndtri(nominal(0.05, look, (1, 2, 3, 4, 5)) / 2) for look in range(5)]
    assert bounds == pytest.approx(published, abs=6e-4)


def test_one_look_is_an_ordinary_test():
    assert nominal(0.05, 0, (5,)) == pytest.approx(0.05, rel=1e-4)
    assert repeated_p(np.array([0.003, 0.2, 0.9]), 0, (5,)) == pytest.approx([0.003, 0.2, 0.9], rel=1e-3)


@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_normal_increments_cross_a_bound_as_often_as_was_asked(alpha):
    generator = np.random.default_rng(3)
    seeds = generator.standard_normal((400_000, LOOKS[-1])).cumsum(axis=1)
    z = np.abs(seeds[:, [look - 1 for look in LOOKS]]) / np.sqrt(LOOKS)
    crossed = (2 * ndtr(-z) <= [nominal(alpha, look, LOOKS) for look in range(len(LOOKS))]).any(axis=1).mean()
    assert crossed == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 400_000))


def test_the_smallest_of_all_looks_repeated_p_values_is_a_p_value():
    generator = np.random.default_rng(4)
    seeds = generator.standard_normal((200_000, LOOKS[-1])).cumsum(axis=1)
    z = np.abs(seeds[:, [look - 1 for look in LOOKS]]) / np.sqrt(LOOKS)
    smallest = np.min([repeated_p(2 * ndtr(-z[:, k]), k, LOOKS) for k in range(len(LOOKS))], axis=0)
    for alpha in (0.2, 0.05, 0.01, 0.001):
        assert (smallest <= alpha).mean() == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 200_000) + 0.01 * alpha)


def test_repeated_p_and_nominal_level_undo_each_other():
    for look in range(len(LOOKS)):
        for alpha in (0.3, 0.05, 0.05 / 7, 1e-6):
            assert repeated_p(np.array(nominal(alpha, look, LOOKS)), look, LOOKS) == pytest.approx(alpha, rel=1e-6)


def test_more_error_is_a_wider_level_at_every_look():
    assert np.all(np.diff(nominal_levels(LOOKS), axis=1) > 0)


def test_p_values_at_the_ends_stay_p_values():
    assert repeated_p(np.array([0.0, 1.0]), 3, LOOKS) == pytest.approx([0.0, 1.0])
    assert 0 < repeated_p(np.array([1e-40]), 3, LOOKS)[0] < 1e-30
