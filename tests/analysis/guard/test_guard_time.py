import numpy as np
import pytest

from ablate.analysis.guard.time import ORDERS, STEP_EDGE, greatest_step, step_p


def plainly(blocks: np.ndarray) -> tuple[int, float, float]:
    """(place, step, size) of the greatest step, place by place."""
    found = []
    for place in range(STEP_EDGE, len(blocks) - STEP_EDGE + 1):
        step = blocks[place:].mean() - blocks[:place].mean()
        found.append((place, step, abs(step) * np.sqrt(place * (len(blocks) - place))))
    return max(found, key=lambda one: one[2])


@pytest.mark.parametrize("count", [8, 9, 20, 41])
def test_the_greatest_step_and_its_p_are_those_of_the_formula(count):
    random = np.random.default_rng(count)
    blocks = np.round(random.standard_normal(count) + 0.7 * (np.arange(count) > count / 2), 1)
    place, step, size = plainly(blocks)
    assert greatest_step(blocks) == (place, step)
    orders = np.random.default_rng(0)
    as_great = sum(plainly(orders.permutation(blocks))[2] >= size for _ in range(ORDERS))
    assert step_p(blocks) == (1 + as_great) / (1 + ORDERS)
