"""What Trackio's own interface finds in its SQLite file."""

from dataclasses import replace

import pytest

from ablate.logger.trackio import TrackioConfig

pytest.importorskip("trackio", reason="the extra `trackio` is not installed")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def storage(tmp_path, monkeypatch):
    """Trackio reads $TRACKIO_DIR once, when it is imported."""
    from trackio import sqlite_storage, utils

    for module in (sqlite_storage, utils):
        monkeypatch.setattr(module, "TRACKIO_DIR", tmp_path / "trackio", raising=False)
    return sqlite_storage.SQLiteStorage


def told(storage, name):
    logs = storage.get_logs("little", "p1+p2 seed 3", run_id="ab" * 10)
    return [(row["step"], row[name]) for row in logs if name in row]


def test_curve_end_tags_and_parameters_are_read_back(tmp_path, storage, run, curve, end):
    from trackio import Api

    logger = TrackioConfig().build("little", tmp_path)
    assert logger.held() == frozenset()
    assert logger.begin(run) == 0
    logger.points(run, curve[:2])
    logger.points(run, curve[2:])
    assert logger.held() == frozenset()
    logger.end(run, end)
    logger.close()
    assert logger.held() == {run.key}
    (there,) = Api().runs("little")
    assert (there.name, there.id) == (run.name, run.key)
    config = {"state": "done", "_Group": "p1+p2", "seed": "3", "model.core.dropout": 0.1, "verdict/p1+p2": "helps"}
    assert config.items() <= there.config.items()
    assert told(storage, "train/loss") == [(point.step, 1 / point.step) for point in curve]
    assert told(storage, "validation/score") == [(4, 0.123456789)]
    assert told(storage, "final/test") == [(4, 0.25)]
    assert list((tmp_path / "trackio").glob("*.db"))


def test_a_run_goes_on_where_its_curve_ends_and_trained_again_begins_anew(tmp_path, storage, run, curve, end):
    first, second = (TrackioConfig().build("little", tmp_path) for _ in range(2))
    first.begin(run)
    first.points(run, curve[:3])
    first.close()
    assert second.begin(run) == 3
    second.points(run, curve[3:])
    second.end(run, replace(end, state="failed"))
    assert told(storage, "train/loss") == [(point.step, 1 / point.step) for point in curve]
    assert second.begin(run) == 0
    second.points(run, curve[:1])
    second.end(run, end)
    assert told(storage, "train/loss") == [(1, 1.0)]
