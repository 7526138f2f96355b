"""What `ablate verify` compares of a run and the same run trained again."""

from ablate.result import RunRecord, Score, SessionScore
from ablate.study.verify import compare


def record(**figures: float | None) -> RunRecord:
    sessions = (SessionScore(name="s", entries=4, excluded=0, mean=0.3, pooled=0.3, weight=9.0),)
    facts = {"metric": "bits_per_label", "headline": 0.3, "weighted": 0.3, "pooled": 0.3, "scored_hash": "00" * 10}
    score = Score(**{**facts, **figures}, sessions=sessions)
    return RunRecord(key="ab" * 10, study="s", variant="v", seed=0, state="done", config={}, test=score)


def test_a_figure_that_an_older_version_did_not_keep_is_no_difference():
    found = compare(record(), record(macro_f1=0.3), [], [], device="cpu")
    assert found.agrees
    assert found.values == compare(record(), record(), [], [], device="cpu").values


def test_a_figure_that_is_gone_or_other_is_one():
    for again in (record(), record(macro_f1=0.4)):
        (fault,) = compare(record(macro_f1=0.3), again, [], [], device="cpu").faults
        assert fault.startswith("test, macro_f1: 0.3 became ")
