"""The lagged GLM is a floor: never the target of a gap, and a baseline beneath it is told."""

import pytest
from planted import around, shifted, typical

from ablate.analysis.study import analyse

GLM = {"differences": {"baseline.type": ("encoder", "glm")}}


def analysed(by: float):
    base = around(0.400, 0.010)
    planted = typical(
        scores={"baseline": base, "tokens": shifted(base, 0.02), "glm": shifted(base, by)},
        roles={"glm": "reference"},
        entries={"glm": GLM},
        manifest_fields={},
    )
    return analyse(planted.manifest(), planted.records())


def test_a_baseline_under_the_glm_is_told():
    told = [note.text for note in analysed(0.05).notes if note.kind == "warning"]
    assert told == [
        "baseline (0.400) is below glm (0.450): it has not learned what the question is about, "
        "and a gain over it may say only which variant learns faster."
    ]


def test_a_baseline_above_the_glm_needs_no_warning():
    assert not [note for note in analysed(-0.05).notes if note.kind == "warning"]


@pytest.mark.parametrize("by", [-0.05, 0.05])
def test_the_glm_is_no_target_of_a_gap(by):
    assert analysed(by).target is None
