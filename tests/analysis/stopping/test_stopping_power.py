"""The smallest gain that a study run until settled is said to find, against simulated studies."""

import numpy as np
import pytest
from simulated import LOOKS, Plan, simulate

from ablate.analysis.statistics.noise import smallest_detectable_gain
from ablate.analysis.stopping.power import detectable_by_looks


@pytest.mark.parametrize("patches", [3, 10])
def test_the_smallest_detectable_gain_is_found_in_eighty_of_a_hundred_studies(patches):
    gain = detectable_by_looks(LOOKS, patches)
    found = simulate(Plan(gains=(gain,) + (0.0,) * (patches - 1), worth=1e-9), 3000)
    assert np.mean(found.words[:, 0] == 1) == pytest.approx(0.8, abs=0.03)


def test_looking_seven_times_costs_a_little_of_what_twelve_seeds_could_find():
    once = smallest_detectable_gain(1.0, 12, patches=5)
    assert once < detectable_by_looks(LOOKS, 5) < 1.2 * once
    assert detectable_by_looks(LOOKS, 5) < detectable_by_looks(LOOKS, 5, moderated=False) * 1.02
