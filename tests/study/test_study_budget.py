"""`--budget`: whether a look is within it. Every planted run took 60 s."""

import pytest
from planted import BASELINE, Planted, around

from ablate.request import Allowance
from ablate.study.budget import covered

LOOK = (BASELINE, "patch")


def within(budget, workers, look=LOOK):
    study = Planted({BASELINE: around(0.4, 0.01), "patch": around(0.42, 0.01, salt=1)})
    return covered(study.manifest(), study.records(), look, Allowance.read(budget), workers)


def test_runs_are_those_that_ended_and_those_of_the_look():
    assert within("8", 1)
    assert not within("7", 1)


@pytest.mark.parametrize(("workers", "minutes"), [(1, 8), (2, 4)])
def test_hours_are_what_a_person_waits_so_that_two_workers_take_half(workers, minutes):
    assert within(f"{minutes}min", workers)
    assert not within(f"{minutes - 0.1}min", workers)


def test_a_look_lasts_at_least_as_long_as_its_longest_run():
    assert within("2min", 6, look=("patch",))
    assert not within("1.9min", 6, look=("patch",))
