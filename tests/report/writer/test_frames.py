"""A study's frames hold what its folder holds: every run, every unit, every step."""

from pathlib import Path

import pytest

import ablate
from ablate.errors import AblateError
from ablate.result import Store

STUDY = Path(__file__).parents[3] / "results" / "quickstart"


def test_every_run_of_the_study_is_a_row_with_its_scores() -> None:
    found, store = ablate.results(STUDY), Store(STUDY)
    records = found.records.set_index("key")
    own = {key for entry in store.manifest().variants for key in entry.keys.values()}
    assert set(records.index) == own
    for key, row in records.iterrows():
        record = store.record(key)
        assert (row.variant, row.seed, row.state) == (record.variant, record.seed, record.state)
        assert row.score == record.test.headline
        assert row[f"session {record.test.sessions[0].name}"] == record.test.sessions[0].mean


def test_the_units_of_a_run_average_to_its_score() -> None:
    found = ablate.results(STUDY)
    scored = found.units[~found.units.excluded.astype(bool)]
    means = scored.groupby(["variant", "seed", "session"]).value.mean().groupby(["variant", "seed"]).mean()
    for row in found.records.itertuples():
        assert means[row.variant, row.seed] == pytest.approx(row.score, rel=1e-9)


def test_the_curves_and_the_ranking_are_those_of_the_folder_and_the_report() -> None:
    found, store = ablate.results(STUDY), Store(STUDY)
    key = found.records.key[0]
    first = found.curves[
        (found.curves.variant == found.records.variant[0]) & (found.curves.seed == found.records.seed[0])
    ]
    assert first.step.tolist() == [row["step"] for row in store.history(key)]
    assert found.ranking.variant.tolist() == [row.name for row in found.analysis.rows]


def test_a_folder_without_a_study_is_told(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="there is no such study"):
        ablate.results(tmp_path / "absent")
    with pytest.raises(AblateError):
        ablate.results(tmp_path)
