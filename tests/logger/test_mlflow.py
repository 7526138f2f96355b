"""What MLflow's own client finds in its SQLite store."""

from dataclasses import replace

import pytest

from ablate.logger import Point
from ablate.logger.mlflow import MlflowConfig

pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def config(tmp_path):
    return MlflowConfig(uri=f"sqlite:///{tmp_path}/mlflow.db")


def runs(config, experiment="little"):
    from mlflow import MlflowClient

    client = MlflowClient(config.uri)
    return client, client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


def history(client, run, name):
    return sorted((point.step, point.value) for point in client.get_metric_history(run.info.run_id, name))


def test_curve_end_tags_and_parameters_are_read_back(tmp_path, config, run, curve, end):
    many = {f"data.part.option_{number}": number for number in range(150)}
    run = replace(run, parameters={**run.parameters, **many, "data.long": "x" * 2000})
    logger = config.build("little", tmp_path)
    assert logger.begin(run) == 0
    logger.points(run, curve[:2])
    logger.points(run, [*curve[2:], *(Point(step, {"train/loss": 0.5}) for step in range(5, 1500))])
    client, (there,) = runs(config)
    assert there.info.status == "RUNNING"
    assert logger.held() == frozenset()
    logger.end(run, end)
    assert logger.held() == {run.key}
    logger.close()
    client, (there,) = runs(config)
    assert (there.info.status, there.info.run_name) == ("FINISHED", "p1+p2 seed 3")
    losses = history(client, there, "train/loss")
    assert losses[:4] == [(point.step, 1 / point.step) for point in curve]
    assert len(losses) == 1499
    assert history(client, there, "validation/score") == [(4, 0.123456789)]
    assert history(client, there, "final/test") == [(4, 0.25)]
    assert history(client, there, "gain/p1_p2") == [(4, 0.01)]
    assert there.data.tags["ablate.variant"] == "p1+p2"
    assert there.data.tags["ablate.verdict/p1_p2"] == "helps"
    assert there.data.params["model.core.dropout"] == "0.1"
    assert there.data.params["data.part.option_149"] == "149"
    assert there.data.params["data.long"] == "x" * 500
    assert config.build("little", tmp_path).held() == {run.key}


def test_a_run_that_was_stopped_goes_on_where_its_curve_ends(tmp_path, config, run, curve, end):
    first = config.build("little", tmp_path)
    first.begin(run)
    first.points(run, curve[:3])
    first.close()
    assert runs(config)[1][0].info.status == "KILLED"
    second = config.build("little", tmp_path)
    assert second.held() == frozenset()
    assert second.begin(run) == 3
    second.points(run, curve[3:])
    second.end(run, end)
    client, (there,) = runs(config)
    assert there.info.status == "FINISHED"
    assert history(client, there, "train/loss") == [(point.step, 1 / point.step) for point in curve]


def test_a_run_that_is_trained_again_stands_in_the_place_of_the_first(tmp_path, config, run, curve, end):
    logger = config.build("little", tmp_path)
    logger.begin(run)
    logger.end(run, replace(end, state="failed", texts={"reason": "out of memory"}))
    _, (failed,) = runs(config)
    assert (failed.info.status, failed.data.tags["ablate.reason"]) == ("FAILED", "out of memory")
    assert logger.begin(run) == 0
    logger.points(run, curve)
    logger.end(run, end)
    _, (there,) = runs(config)
    assert there.info.status == "FINISHED"
    assert there.info.run_id != failed.info.run_id


def test_two_studies_may_share_an_experiment(tmp_path, run, end, config):
    shared = config.changed(experiment="both")
    for study in ("little", "large"):
        logger = shared.build(study, tmp_path)
        own = replace(run, key=study.encode().hex(), study=study, tags={**run.tags, "study": study})
        logger.begin(own)
        logger.end(own, end)
        assert logger.held() == {own.key}
    assert len(runs(config, "both")[1]) == 2
