"""A cross-validated study of recorded trials, from files to the report."""

import pytest
import torch
from test_study_trials import recipe_of
from tiny_study import request_of

from ablate.analysis.study import analyse
from ablate.cli.command.run import finished_study
from ablate.errors import AblateError
from ablate.execution.job import Misplaced
from ablate.study.fitted.opened import opened_run
from ablate.study.flow import run_study
from ablate.study.running.train import planned_data
from ablate.study.study import study_of
from ablate.study.verify import train_again

FOLDS = "data.split={type: kfold, by: trial, folds: 3}"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two subjects with twelve trials each, three folds over trials, one seed."""
    place = tmp_path_factory.mktemp("folds")
    request = request_of(recipe_of(place), place / "results", sets=(FOLDS,))
    return request, run_study(request)


def test_every_fold_is_a_run_of_its_own_under_a_key_of_its_own(study):
    _, end = study
    records = end.study.store.records()
    assert end.trained == len(records) == 3 * len(end.study.manifest.variants)
    assert {record.fold for record in records} == {"1 of 3", "2 of 3", "3 of 3"}
    assert {record.config["data"]["split"]["fold"] for record in records} == {0, 1, 2}
    assert end.study.manifest.run_keys == {record.key for record in records}
    tested = [sum(map(sum, record.test.confusion)) for record in records if record.variant == "baseline"]
    assert sorted(tested) == [8, 8, 8]


def test_the_same_request_trains_nothing_again(study):
    request, _ = study
    assert finished_study(request) is not None
    assert run_study(request).trained == 0


def test_the_gain_is_over_folds_and_corrected_since_subjects_are_in_all_of_them(study):
    _, end = study
    assert end.study.manifest.cross_validation.overlap == pytest.approx(1 / 2)
    analysis = analyse(end.study.manifest, end.study.store.records())
    row = next(row for row in analysis.rows if row.gain is not None)
    assert (analysis.replicate, analysis.pairs, len(row.gain.seeds)) == ("fold", 3, 3)
    assert "Nadeau & Bengio" in " ".join(note.text for note in analysis.notes) or not analysis.family
    assert sum(one.trials for one in analysis.baseline.classes.subjects) == 24


def test_a_rehearsal_needs_one_fold(study):
    request, _ = study
    quick = request_of(request.recipe, request.out, sets=(FOLDS,), quick=True)
    planned = study_of(quick)
    assert planned.manifest.cross_validation is None
    assert {job.configuration.data.split.fold for job in planned.jobs} == {0}


def test_what_buys_seeds_one_by_one_does_not_go_with_folds(study):
    request, _ = study
    with pytest.raises(AblateError, match=r"--until settled does not go with a cross-validation: .* the 3 folds"):
        study_of(request_of(request.recipe, request.out, sets=(FOLDS,), until="settled"))
    with pytest.raises(AblateError, match=r"--confirm does not go with a cross-validation: .* nothing is tested anew"):
        study_of(request_of(request.recipe, request.out, sets=(FOLDS,), confirm=2))


def test_variants_with_other_folds_cannot_be_paired(study, tmp_path):
    request, _ = study
    text = request.recipe.read_text().replace("patches: {}", "patches: {five: {data: {split: {folds: 5}}}}")
    text = text.replace("variants: []", "variants: [each]")
    (tmp_path / "other.yaml").write_text(text)
    with pytest.raises(AblateError, match="five and baseline are cross-validated otherwise"):
        study_of(request_of(tmp_path / "other.yaml", tmp_path, sets=(FOLDS,)))


def test_a_run_of_a_fold_is_trained_again_and_opened(study):
    _, end = study
    store = end.study.store
    for record in store.records():
        if record.variant == "baseline":
            assert train_again(store, record, device="cpu").agrees
            assert opened_run(store, record.key, torch.device("cpu")).record == record


def test_a_run_of_a_fold_is_not_trained_on_other_data_than_were_planned(study):
    request, _ = study
    job = study_of(request).jobs[1]
    assert planned_data(job, torch.device("cpu")).fingerprint != job.data_fingerprint
    with pytest.raises(Misplaced, match=r"sees other data at .* than the study was planned with"):
        planned_data(job.model_copy(update={"data_fingerprint": "other"}), torch.device("cpu"))
