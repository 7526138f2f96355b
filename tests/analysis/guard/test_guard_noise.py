import numpy as np
import pytest

from ablate.analysis.guard.noise import _sums_of_others


@pytest.mark.parametrize("count", [3, 4, 100])
def test_each_row_is_held_against_the_sum_of_all_others_also_beside_a_huge_one(count):
    values = np.random.default_rng(count).random(count) * np.array([1e30, *np.ones(count - 1)])
    expected = [sum(np.delete(values, place)) for place in range(count)]
    assert _sums_of_others(values) == pytest.approx(expected, rel=1e-12)
