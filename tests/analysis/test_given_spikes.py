"""A row that is given past spikes is never praised without saying so: its scores are conditional on them."""

import pytest
from planted import around, cost, shifted, typical

from ablate.analysis.study import analyse

GIVEN = {"cost": cost(1_000_000, 2_000_000_000).model_copy(update={"reads_spikes": 20})}


@pytest.mark.parametrize(
    ("entries", "told"),
    [({}, False), ({"past": GIVEN}, True), ({"past": GIVEN, "baseline": GIVEN}, False)],
    ids=["none reads spikes", "one does", "the baseline does as well"],
)
def test_the_answer_says_what_a_score_is_conditional_on(entries: dict, told: bool) -> None:
    base = around(0.400, 0.002)
    planted = typical(scores={"baseline": base, "past": shifted(base, 0.2)}, entries=entries)
    study = analyse(planted.manifest(), planted.records())
    assert study.winner == "past"
    sentence = "its scores are given the spikes of 20 bins before, the baseline's are not"
    assert (sentence in study.answer) == told
    assert study.row("past").given_spikes == (20 if told else 0)
