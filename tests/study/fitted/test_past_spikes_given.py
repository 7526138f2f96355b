"""A fitted model with spike history: it is given the spikes, by every route the same, and says that it needs them."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from fitted_helpers import key_of

import ablate
from ablate.cli.command.fitted.predict import Given, predict_run
from ablate.data.recording import write_recording
from ablate.errors import AblateError
from ablate.result import Store
from ablate.study.fitted.export import export_run
from ablate.study.fitted.opened import OpenedRun, opened_run
from ablate.study.fitted.predict import predict_own


@pytest.fixture(scope="module")
def run(study: Store) -> OpenedRun:
    return opened_run(study, key_of(study, "past"), torch.device("cpu"))


@pytest.fixture(scope="module")
def exported(run: OpenedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_run(run, tmp_path_factory.mktemp("export") / "model")


def test_the_study_says_that_scores_are_given_past_spikes(study: Store, run: OpenedRun) -> None:
    entries = {entry.name: entry for entry in study.manifest().variants}
    assert "scores given the spikes of 4 bins before" in entries["past"].also_changed
    assert not any("given the spikes" in text for text in entries["line"].also_changed)
    assert any("scores are conditional on spikes" in lint for lint in run.record.cost.lints)
    assert run.record.cost.parts["history"] == 2 * 4 * 4 * 4


def test_training_moved_the_filters_and_predictions_score_what_the_record_says(run: OpenedRun) -> None:
    """The GLM reads six frames, fewer than any window has before a scored bin: windows make no difference."""
    assert any(history.weight.abs().max() > 0 for history in run.model.history)
    found = predict_own(run)
    assert found.score.headline == pytest.approx(found.recorded.headline, abs=1e-6)


def test_an_export_gives_the_same_rates_and_its_card_tells_how_to_use_it(
    run: OpenedRun, exported: Path, tmp_path: Path
) -> None:
    model, recording = ablate.load(exported), run.dataset.recordings[0]
    assert model.reads_spikes
    split, valid = run.dataset.splits[0].label, run.dataset.counted(0, np.arange(recording.frames))
    rates = model(recording.stimulus, spikes=recording.spikes, valid=valid, split=split, session=0)
    np.testing.assert_array_equal(rates.numpy(), predict_own(run).sessions[0].rate)
    write_recording(tmp_path / "one", recording)
    for out, given in (
        ("a", Given(recording=tmp_path / "one", session="v1_00")),
        (
            "b",
            Given(stimulus=tmp_path / "one" / "stimulus.npy", spikes=tmp_path / "one" / "spikes.npy", session="v1_00"),
        ),
    ):
        predict_run(exported, tmp_path / f"{out}.npz", given=given)
    one, other = (np.load(tmp_path / f"{out}.npz")["rate"] for out in "ab")
    np.testing.assert_array_equal(one, other)
    assert re.search(
        r"spikes = np.load\('spikes.npy'\).*the 4 bins before a bin are read", (exported / "README.md").read_text()
    )


def test_dispersions_are_exported_and_recorded(study: Store, run: OpenedRun, exported: Path) -> None:
    """The loss was negative binomial; the score is Poisson's all the same."""
    units = study.units(run.record.key)
    assert units is not None
    assert list(units["dispersion"]) == ["v1_00", "v1_01"]
    for number, name in enumerate(units["dispersion"]):
        np.testing.assert_allclose(ablate.load(exported).dispersions(number), units["dispersion"][name], rtol=1e-6)
    assert 0.05 < run.record.measures["dispersion"] < 0.2
    with pytest.raises(AblateError, match="trained by the Poisson likelihood"):
        ablate.load(study.root, variant="line").dispersions(0)


def test_rates_follow_the_spikes_before_and_never_those_after(run: OpenedRun, exported: Path) -> None:
    model, recording = ablate.load(exported), run.dataset.recordings[0]
    spikes = np.array(recording.spikes[:100])
    before = model(recording.stimulus[:100], spikes=spikes, session=0)
    spikes[60:] = 3 - spikes[60:].clip(max=3)
    after = model(recording.stimulus[:100], spikes=spikes, session=0)
    assert torch.equal(before[16:61], after[16:61])
    assert not torch.equal(before[61], after[61])
    trials = np.repeat([0, 1], 50)
    first, second = (
        model(recording.stimulus[:100], spikes=values, trials=trials, session=0)
        for values in (spikes, np.concatenate([spikes[:50] + 1, spikes[50:]]))
    )
    assert torch.equal(first[65:], second[65:]), "the trial before is another one"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spikes": None}, "spikes: the model was fitted with spike history of 4 bins, and no spikes are given"),
        ({"spikes": np.zeros((40, 3))}, r"spikes: has shape \(40, 3\), not \(40, 4\)"),
        ({"spikes": np.full((40, 4), np.nan)}, r"spikes: contains NaN or infinity at \[0, 0\]"),
        ({"valid": np.ones((39, 4), bool)}, r"valid: has shape \(39, 4\), not \(40, 4\)"),
        ({"split": np.zeros(3, int)}, r"split: has shape \(3,\), not \(40,\)"),
    ],
)
def test_spikes_that_do_not_fit_are_one_message(exported: Path, change: dict, message: str) -> None:
    fits = {
        "stimulus": np.random.default_rng(0).integers(0, 255, (40, 8, 8), np.uint8),
        "spikes": np.zeros((40, 4)),
        "session": 0,
    }
    model = ablate.load(exported)
    model(**fits)
    with pytest.raises(AblateError, match=message):
        model(**{**fits, **change})
