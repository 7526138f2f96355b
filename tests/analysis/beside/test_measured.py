"""What runs measured beside their score: a verdict of its own, against scipy; silence where nothing was measured."""

import numpy as np
import pytest
from planted import Planted, around, shifted
from scipy import stats

from ablate.analysis.outcome import Measured, StudyAnalysis
from ablate.analysis.study import analyse
from ablate.result.record import RunRecord

LEAK = {
    "baseline": (0.0, 0.0, 0.0),
    "gru": (0.0, 0.0, 0.0),
    "vivit": (0.30, 0.34, 0.31),
    "noisy": (0.9, 0.0, 0.1),
    "resnet": (0.2, 0.2, 0.2),
}
SECONDS = {"baseline": (30.0, 31.0, 29.5), "gru": (20.0, 21.2, 19.4), "vivit": (30.2, 30.7, 29.6)}


def study(device: str = "cpu") -> StudyAnalysis:
    base = around(0.4, 0.01)
    planted = Planted({name: shifted(base, 0.01) if name != "baseline" else base for name in LEAK})
    planted.roles["resnet"] = "reference"
    return analyse(planted.manifest(), [with_measures(record, device) for record in planted.records()])


def with_measures(record: RunRecord, device: str) -> RunRecord:
    assert record.usage is not None
    seconds = SECONDS.get(record.variant)
    usage = record.usage.model_copy(update={"cpu_seconds": seconds and seconds[record.seed]})
    found = {"leak": LEAK[record.variant][record.seed]}
    return record.model_copy(update={"measures": found, "usage": usage, "environment": {"device": {"type": device}}})


def rows(analysis: StudyAnalysis, measure: str) -> dict[str, Measured]:
    return {row.variant: row for row in analysis.measured if row.measure == measure}


def test_each_patch_gets_a_verdict_on_the_leak_and_references_none():
    found = rows(study(), "leak")
    assert {name: row.verdict for name, row in found.items()} == {
        "baseline": None,
        "gru": "the same",
        "vivit": "more",
        "noisy": "no evidence",
        "resnet": None,
    }
    assert found["vivit"].mean.mean == pytest.approx(np.mean(LEAK["vivit"]))


def test_processor_seconds_are_judged_by_the_paired_t_test_with_holm_over_the_patches():
    found = rows(study(), "cpu seconds")
    assert list(found) == ["baseline", "gru", "vivit"]
    p = {}
    for name in ("gru", "vivit"):
        test = stats.ttest_rel(SECONDS[name], SECONDS["baseline"])
        low, high = test.confidence_interval(0.95)
        difference = found[name].difference
        assert difference is not None
        assert (difference.low, difference.high) == pytest.approx((low, high))
        p[name] = test.pvalue
    assert 2 * p["gru"] < 0.05 < p["vivit"]
    assert (found["gru"].verdict, found["vivit"].verdict) == ("less", "no evidence")


def test_processor_seconds_of_an_accelerator_are_no_cost():
    assert rows(study("cuda"), "cpu seconds") == {}


def test_a_study_that_measured_nothing_says_nothing():
    base = around(0.4, 0.01)
    planted = Planted({"baseline": base, "p1": shifted(base, 0.02)})
    assert analyse(planted.manifest(), planted.records()).measured == ()
