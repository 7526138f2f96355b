"""A study's folder and records to keep in it."""

import pytest

from ablate.result import RunRecord, Score, SessionScore, Store, StudyManifest, VariantEntry


def make_record(key: str = "ab" * 10, **changes) -> RunRecord:
    sessions = tuple(
        SessionScore(name=f"session_{i}", entries=20, excluded=1, mean=0.3, pooled=0.31, weight=1e4) for i in range(8)
    )
    score = Score(
        metric="bits_per_spike", headline=0.3, weighted=0.3, pooled=0.3, sessions=sessions, scored_hash="00" * 10
    )
    facts = {"study": "study", "variant": "p1", "seed": 0, "state": "done", "config": {"model": {"type": "encoder"}}}
    return RunRecord(**{"key": key, "test": score, "validation": score, **facts, **changes})


@pytest.fixture
def record() -> RunRecord:
    return make_record()


@pytest.fixture
def store(tmp_path) -> Store:
    return Store.of(tmp_path, "study")


@pytest.fixture
def manifest(record) -> StudyManifest:
    variant = VariantEntry(name="p1", role="variant", keys={0: record.key})
    return StudyManifest(name="study", question="which?", seeds=(0,), variants=(variant,))
