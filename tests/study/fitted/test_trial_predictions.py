"""`ablate predict` of a run on trials: every trial with the probability of each class, and the record's very score."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from test_study_trials import recipe_of
from tiny_study import request_of

from ablate.cli.command.fitted.export import export_model
from ablate.cli.command.fitted.predict import Given, predict_run
from ablate.errors import AblateError
from ablate.result import Store
from ablate.result.store.named import named_run
from ablate.study.fitted.opened import OpenedRun, opened_run
from ablate.study.fitted.trials import LabelPredictions, predict_trials
from ablate.study.flow import run_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("labels")
    run_study(request_of(recipe_of(folder), folder, sets=("controls=false", "references={}")))
    return Store(folder / "films")


@pytest.fixture(scope="module")
def run(study: Store) -> OpenedRun:
    return opened_run(*named_run(study.root, "baseline"), torch.device("cpu"))


@pytest.fixture(scope="module")
def found(run: OpenedRun) -> LabelPredictions:
    return predict_trials(run)


def test_every_trial_is_there_once_and_the_test_scores_what_the_record_says(
    run: OpenedRun, found: LabelPredictions
) -> None:
    assert sorted(found.trial.tolist()) == [f"t{index:02d}" for index in range(24)]
    assert set(found.split) == {"train", "validation", "test"}
    np.testing.assert_allclose(found.probability.sum(axis=1), 1.0, rtol=1e-9)
    assert found.score == run.record.test.model_copy(update={"attainable_accuracy": None})


def test_probabilities_are_those_of_the_runs_own_table(study: Store, run: OpenedRun, found: LabelPredictions) -> None:
    table = pd.read_csv(study.folder(run.record.key) / "predictions.csv").set_index("trial")
    test = found.split == "test"
    assert set(found.trial[test]) == set(table.index)
    for index, name in enumerate(found.classes):
        np.testing.assert_allclose(
            table.loc[found.trial[test], f"p({name})"], found.probability[test, index], atol=1e-6
        )
    assert [found.classes[guess] for guess in found.guess[test]] == table.loc[found.trial[test], "guess"].tolist()
    assert [found.classes[label] for label in found.label[test]] == table.loc[found.trial[test], "label"].tolist()


def test_npz_and_parquet_hold_the_same_and_a_subject_can_be_asked_for(
    study: Store, found: LabelPredictions, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    for name in ("p.npz", "p.parquet"):
        assert predict_run(study.root, tmp_path / name, variant="baseline", given=Given()) == 0
    told = capfd.readouterr()
    assert "classes calm, happy" in told.err + told.out
    arrays, frame = np.load(tmp_path / "p.npz"), pd.read_parquet(tmp_path / "p.parquet")
    np.testing.assert_array_equal(arrays["probability"], found.probability)
    np.testing.assert_array_equal(frame["p(happy)"], found.probability[:, 1])
    np.testing.assert_array_equal(frame["label"], np.array(found.classes)[arrays["label"]])
    predict_run(study.root, tmp_path / "one.npz", variant="baseline", given=Given(session="s1"))
    assert set(np.load(tmp_path / "one.npz")["subject"]) == {"s1"}
    with pytest.raises(AblateError, match="the run knows no subject 's9'"):
        predict_run(study.root, tmp_path / "none.npz", variant="baseline", given=Given(session="s9"))


def test_what_needs_rates_is_one_message(study: Store, tmp_path: Path) -> None:
    message = "predicts labels of trials, and only models of spikes are exported and given stimuli"
    with pytest.raises(AblateError, match=message) as told:
        export_model(study.root, tmp_path / "model", variant="baseline")
    assert "gives the probabilities of all its trials" in told.value.problems[0].hint
    with pytest.raises(AblateError, match=message):
        predict_run(study.root, tmp_path / "p.npz", variant="baseline", given=Given(stimulus=tmp_path / "x.npy"))
