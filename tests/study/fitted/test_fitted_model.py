"""A fitted model called on arrays: the same rates by every route, and one message for each bad input."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fitted_helpers import key_of

import ablate
from ablate.data.recording import write_recording
from ablate.errors import AblateError
from ablate.result import Store
from ablate.result.store.named import named_run
from ablate.study.fitted.export import export_run
from ablate.study.fitted.opened import OpenedRun, opened_run
from ablate.study.fitted.predict import predict_files, predict_own, predict_recording
from ablate.study.fitted.table import write_predictions

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run(study: Store) -> OpenedRun:
    return opened_run(study, key_of(study, "baseline"), CPU)


@pytest.fixture(scope="module")
def exported(run: OpenedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_run(run, tmp_path_factory.mktemp("export") / "model")


def test_an_exported_model_gives_the_same_bits_in_a_fresh_process_without_study_or_recipe(
    run: OpenedRun, exported: Path, tmp_path: Path
) -> None:
    own = predict_own(run).sessions[1]
    recording = run.dataset.recordings[1]
    moved = tmp_path / "elsewhere"
    shutil.copytree(exported, moved)
    np.savez(tmp_path / "in.npz", stimulus=recording.stimulus, behavior=recording.behavior)
    program = (
        "import ablate, numpy as np; given = np.load('in.npz'); model = ablate.load('elsewhere');"
        "np.save('out.npy', model(given['stimulus'], given['behavior'], session='v1_01').numpy())"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=120)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), own.rate)
    assert np.isfinite(own.rate[15:]).all()
    assert np.isnan(own.rate[:15]).all(), "the window has 16 frames"


def test_rates_of_scored_bins_give_the_score_of_the_record(run: OpenedRun) -> None:
    """Bins of one lattice, and splits that are whole blocks: the windows differ from the test's at a few bins alone."""
    found = predict_own(run)
    assert found.recorded is not None
    assert found.score.headline == pytest.approx(found.recorded.headline, abs=0.02)
    assert found.score.scored_hash == found.recorded.scored_hash
    one = found.sessions[0]
    bins = np.flatnonzero(one.scored & (one.split == "test"))
    np.testing.assert_array_equal(bins, run.dataset.bins("test")[0])
    y, p = one.spikes[bins].astype(float), one.rate[bins].astype(float)
    null = np.array(run.dataset.spec.sessions[0].mean_rate)
    gain = ((y * np.log(p) - p) - (y * np.log(null) - null)).sum(0) / np.log(2) / y.sum(0)
    assert found.score.sessions[0].mean == pytest.approx(gain[~run.dataset.left_out[0]].mean(), rel=1e-5)


def test_a_future_frame_never_changes_a_past_rate_of_the_same_windows(run: OpenedRun, exported: Path) -> None:
    model, recording = ablate.load(exported), run.dataset.recordings[0]
    stimulus, behavior = np.array(recording.stimulus[:200]), np.array(recording.behavior[:200])
    before = model(stimulus, behavior, session=0)
    stimulus[120:], behavior[120:] = stimulus[120:][::-1].copy(), 3.0
    after = model(stimulus, behavior, session=0)
    torch.testing.assert_close(after[:120], before[:120], rtol=0, atol=0, equal_nan=True)
    assert not torch.equal(after[120:], before[120:])


def test_windows_never_reach_from_one_trial_into_the_next(run: OpenedRun, exported: Path) -> None:
    model, recording = ablate.load(exported), run.dataset.recordings[0]
    stimulus, behavior = recording.stimulus[:100], recording.behavior[:100]
    trials = np.repeat([0, 1], 50)
    rates = model(stimulus, behavior, trials=trials, session=0)
    assert torch.isnan(rates[50:65]).all()
    alone = model(stimulus[:50], behavior[:50], session=0)
    torch.testing.assert_close(rates[:50], alone, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_a_written_recording_and_its_arrays_give_what_the_run_gives(
    run: OpenedRun, exported: Path, tmp_path: Path
) -> None:
    recording = run.dataset.recordings[0]
    write_recording(tmp_path / "one", recording)
    own, model = predict_own(run, "v1_00").sessions[0], ablate.load(exported)
    other = predict_recording(model, tmp_path / "one", "v1_00")
    np.testing.assert_array_equal(other.rate, own.rate)
    np.testing.assert_array_equal(other.spikes, own.spikes)
    files = [tmp_path / "one" / f"{name}.npy" for name in ("stimulus", "behavior")]
    np.testing.assert_array_equal(predict_files(model, *files, session="v1_00").rate, own.rate)


def test_npz_and_parquet_hold_the_same(run: OpenedRun, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pandas as pd

    sessions = predict_own(run).sessions
    for name in ("p.npz", "p.parquet"):
        write_predictions(tmp_path / name, sessions)
    arrays, frame = np.load(tmp_path / "p.npz"), pd.read_parquet(tmp_path / "p.parquet")
    second = frame[frame.session == "v1_01"]
    assert len(frame) == 2 * 2000 * 4
    for name in ("rate", "spikes", "valid"):
        np.testing.assert_array_equal(second[name].to_numpy().reshape(2000, 4), arrays[f"v1_01/{name}"])
    np.testing.assert_array_equal(second[second.unit == 2].time, arrays["v1_01/time"])
    assert arrays["v1_01/time"][60] == 1.0, "60 bins a second"
    assert set(frame.split) == {"train", "validation", "test", "unused"}


# ------------------------------------------------------------------ what was learnt


def test_filters_fields_and_places_are_those_of_the_model(study: Store, run: OpenedRun, exported: Path) -> None:
    model = ablate.load(exported)
    frontend = run.model.frontend
    np.testing.assert_allclose(
        model.filters(0), (frontend.kernels * frontend.taper)[:, 0].flip(-1).detach().numpy(), atol=1e-6
    )
    places = model.readout_positions("v1_00")
    np.testing.assert_allclose(places["row"], 0.5 * run.model.readouts[0].mean[:, 0].detach().numpy(), rtol=0.01)
    assert model.receptive_fields(0).shape == (4, 16, 8, 8)


def test_the_receptive_field_of_a_glm_is_its_filter(study: Store) -> None:
    model = ablate.load(study.root, variant="line")
    filters, fields = model.filters(1), model.receptive_fields(1)
    std = model.facts.sessions[1].stimulus_std
    assert filters.shape == (4, 6, 4, 4)
    pooled = fields[:, :6].reshape(4, 6, 4, 2, 4, 2).sum((3, 5)) * std  # the GLM averages 2 x 2 pixels
    np.testing.assert_allclose(pooled, filters, atol=1e-6)
    assert np.all(fields[:, 6:] == 0)
    with pytest.raises(AblateError, match="the readout of this model knows no place"):
        model.readout_positions(1)


# ------------------------------------------------------------------ an export


def test_an_export_trains_again_from_its_own_recipe_and_tells_its_scores(run: OpenedRun, exported: Path) -> None:
    recipe = ablate.load_recipe(exported / "recipe.yaml")
    assert recipe.configuration == run.configuration
    assert recipe.seeds == (0,)
    card = (exported / "README.md").read_text()
    assert f"| all | test | {run.record.test.headline:.4f} bits/spike | 2 sessions | |" in card
    assert run.record.key in card
    assert run.record.data_fingerprint in card
    code = card.split("```python\n")[1].split("```")[0]
    assert "rate = model(stimulus, behavior, session='v1_00')" in code
    compile(code, "card", "exec")


def test_a_damaged_export_is_refused(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(exported, folder)
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    with pytest.raises(AblateError, match="is not the file that was exported"):
        ablate.load(folder)
    weights.unlink()
    with pytest.raises(AblateError, match=r"weights\.safetensors is missing"):
        ablate.load(folder)
    (folder / "model.json").write_text("{}")
    with pytest.raises(AblateError, match="is damaged: study: Field required"):
        ablate.load(folder)


def test_an_export_overwrites_nothing(run: OpenedRun, exported: Path) -> None:
    with pytest.raises(AblateError, match="already exists"):
        export_run(run, exported)


# ------------------------------------------------------------------ bad inputs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stimulus": np.zeros((40, 8, 9))}, r"stimulus: has shape \(40, 8, 9\), and v1_00 has frames of 8 x 8 pixels"),
        ({"stimulus": np.zeros((40, 64))}, r"stimulus: has shape \(40, 64\)"),
        ({"stimulus": np.zeros((15, 8, 8))}, "stimulus: has 15 frames, fewer than the window of 16"),
        ({"stimulus": np.full((40, 8, 8), np.nan)}, r"stimulus: contains NaN or infinity at \[0, 0, 0\]"),
        ({"stimulus": np.full((40, 8, 8), "a")}, "stimulus: stimulus must hold numbers"),
        ({"behavior": None}, "behavior: the model was fitted with 2 behaviour variables"),
        ({"behavior": np.zeros((40, 3))}, r"behavior: has shape \(40, 3\), not \(40, 2\)"),
        ({"behavior": np.zeros((39, 2))}, r"behavior: has shape \(39, 2\), not \(40, 2\)"),
        ({"behavior": np.full((40, 2), np.inf)}, r"behavior: contains NaN or infinity at \[0, 0\]"),
        ({"trials": np.zeros(39, int)}, r"trials: has shape \(39,\), not \(40,\)"),
        ({"session": "v1_07"}, "session: the model knows no session 'v1_07'"),
        ({"session": None}, "session: the model was fitted to 2 sessions"),
        ({"bin_rate_hz": 120.0}, "bin rate: has 120 Hz, and v1_00 was fitted at 60 Hz"),
    ],
)
def test_what_does_not_fit_is_one_message(exported: Path, change: dict, message: str) -> None:
    random = np.random.default_rng(0)
    fits = {
        "stimulus": random.integers(0, 255, (40, 8, 8), np.uint8),
        "behavior": np.zeros((40, 2)),
        "session": "v1_00",
    }
    model = ablate.load(exported)
    model(**fits)
    with pytest.raises(AblateError, match=message):
        model(**{**fits, **change})


def test_a_stimulus_on_another_scale_is_told(exported: Path) -> None:
    stimulus = np.random.default_rng(0).random((40, 8, 8))
    with pytest.warns(UserWarning, match="is it on the same scale"):
        ablate.load(exported)(stimulus, np.zeros((40, 2)), session=0)


def test_weights_that_are_gone_and_runs_that_nobody_named_are_told(study: Store, tmp_path: Path) -> None:
    root = tmp_path / "tiny"
    shutil.copytree(study.root, root)
    key = key_of(study, "line")
    (root / "runs" / key / "weights.safetensors").unlink()
    with pytest.raises(AblateError, match="kept no weights") as told:
        named_run(root, "line")
    assert "ablate run RECIPE --fresh" in told.value.problems[0].hint
    with pytest.raises(AblateError, match="the study has 4 variants") as told:
        named_run(root)
    assert told.value.problems[0].hint == "name one by --variant: baseline, glm, line, past"
    with pytest.raises(AblateError, match="has no variant `lime`") as told:
        named_run(root, "lime")
    assert told.value.problems[0].hint == "did you mean line?"
    with pytest.raises(AblateError, match="baseline has no seed 3") as told:
        named_run(root, "baseline", 3)
    with pytest.raises(AblateError, match="this folder is one run already"):
        named_run(root / "runs" / key, "line")
    with pytest.raises(AblateError, match="is neither a run's folder nor a study's"):
        named_run(tmp_path)
