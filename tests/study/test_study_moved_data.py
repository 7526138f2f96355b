"""Files that lie elsewhere than when a study was trained: the same content is the same data, and the same run."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_study_trials import folder_of, recipe_of
from tiny_study import recipe_text, request_of

from ablate.cli.command.fitted.export import export_model
from ablate.cli.command.fitted.predict import Given, predict_run
from ablate.cli.command.fitted.show import show_run
from ablate.cli.command.verify import verify_study
from ablate.data.recording import Recording, write_recording
from ablate.errors import AblateError
from ablate.request import Request
from ablate.result import Store
from ablate.study.flow import run_study

DATA = """\
data: {{type: recordings, path: {path}, window: 16, warmup: 8, score_every: 8, min_spikes: 1, sessions_per_batch: 1,
  split: {{blocks: 1}}, units: {{file: {units}}}}}
"""


def record_noise(place: Path, seed: int = 0) -> None:
    random = np.random.default_rng(seed)
    frames = random.integers(0, 256, (2000, 8, 8), dtype=np.uint8)
    spikes = random.poisson(0.3, (2000, 3)).astype(np.uint8)
    write_recording(place, Recording(name="rec", bin_rate_hz=60.0, stimulus=frames, spikes=spikes))


@pytest.fixture
def request_here(tmp_path: Path) -> Request:
    record_noise(tmp_path / "old")
    (tmp_path / "units.txt").write_text("0\n2\n")
    recipe = tmp_path / "tiny.yaml"
    data = DATA.format(path=tmp_path / "old", units=tmp_path / "units.txt")
    recipe.write_text(recipe_text(data=data, patches="patches: {}\n", tail="variants: []\nseeds: [0]\n"))
    return request_of(recipe, tmp_path / "out")


def retold(request: Request, before: object, after: object) -> None:
    text = request.recipe.read_text()
    assert str(before) in text
    request.recipe.write_text(text.replace(str(before), str(after)))


def test_a_study_whose_recordings_and_list_of_units_moved_is_not_trained_again(request_here, tmp_path):
    """A run's key held the path as it was typed: on the cluster's disk everything was trained anew."""
    run_study(request_here)
    store = Store(tmp_path / "out" / "tiny")
    keys, record = store.keys(), store.records()[0]
    for name in ("old", "units.txt"):
        (tmp_path / name).rename(tmp_path / f"moved {name}")
        retold(request_here, tmp_path / name, tmp_path / f"moved {name}")
    run_study(request_here)
    assert (store.keys(), store.records()[0]) == (keys, record)


def test_other_content_at_the_old_place_is_other_data(request_here, tmp_path):
    run_study(request_here)
    store = Store(tmp_path / "out" / "tiny")
    before = set(store.keys())
    (tmp_path / "units.txt").write_text("0\n1\n")
    with pytest.raises(AblateError, match="its data changed"):
        run_study(request_here)
    shutil.rmtree(tmp_path / "old")
    record_noise(tmp_path / "old", seed=1)
    run_study(request_of(request_here.recipe, tmp_path / "other"))
    assert not before & set(Store(tmp_path / "other" / "tiny").keys())


def test_what_opens_a_run_is_told_where_its_data_lie_now(request_here, tmp_path, capsys):
    run_study(request_here)
    store = Store(tmp_path / "out" / "tiny")
    run = next(store.folder(one.key) for one in store.records() if one.variant == "baseline")
    now = (tmp_path / "now",)
    (tmp_path / "old").rename(now[0])
    with pytest.raises(AblateError, match="the data of baseline seed 0 are not there") as told:
        show_run(run)
    assert "--data PATH" in told.value.problems[0].hint
    assert verify_study(store.root, device="cpu", hashes_only=False) == 1
    assert "--data PATH" in capsys.readouterr().out
    assert verify_study(store.root, device="cpu", hashes_only=False, data=now) == 0
    assert "agree to the last digit" in capsys.readouterr().out
    assert show_run(run, data=now) == 0
    assert predict_run(run, tmp_path / "rates.npz", given=Given(data=now)) == 0
    assert export_model(run, tmp_path / "model", data=now) == 0
    record_noise(tmp_path / "others", seed=1)
    with pytest.raises(AblateError, match="these are not the data of baseline seed 0"):
        show_run(run, data=(tmp_path / "others",))


def test_made_data_lie_nowhere(tmp_path):
    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(recipe_text(patches="patches: {}\n", tail="variants: []\nseeds: [0]\n"))
    run_study(request_of(recipe, tmp_path / "out"))
    with pytest.raises(AblateError, match="of type synthetic_v1, which has no path"):
        export_model(tmp_path / "out" / "tiny", tmp_path / "model", variant="baseline", data=(tmp_path,))


def test_a_patch_that_names_a_copy_of_the_same_recording_is_the_baseline(request_here, tmp_path):
    shutil.copytree(tmp_path / "old", tmp_path / "copy")
    retold(request_here, "patches: {}", f"patches: {{copy: {{title: a copy, data: {{path: {tmp_path / 'copy'}}}}}}}")
    retold(request_here, "variants: []", "variants: [each]")
    with pytest.raises(AblateError, match="`copy` is `baseline`: the files that they read"):
        run_study(request_here)
    retold(request_here, "title: a copy", "title: a copy, allow_noop: true")
    run_study(request_here)


def test_a_folder_of_trials_that_moved_is_the_same_data(tmp_path):
    recipe = recipe_of(tmp_path)
    run_study(request_of(recipe, tmp_path / "out"))
    store = Store(tmp_path / "out" / "films")
    keys = store.keys()
    shutil.rmtree(tmp_path / "trials")
    folder_of(tmp_path / "elsewhere")
    recipe.write_text(recipe.read_text().replace(str(tmp_path / "trials"), str(tmp_path / "elsewhere")))
    run_study(request_of(recipe, tmp_path / "out"))
    assert store.keys() == keys
    places = (tmp_path / "elsewhere", tmp_path)
    with pytest.raises(AblateError, match="lie in one folder, 2 were named"):
        export_model(store.root, tmp_path / "model", variant="baseline", data=places)


@pytest.mark.parametrize("more", [{"seeds": "1"}, {"only": "fast"}], ids=["other seeds", "another variant"])
def test_a_study_is_not_extended_with_runs_on_other_data(request_here, tmp_path, more):
    """No run of both had the same seed of the same variant, by which it was seen: their scores were paired."""
    fast = "patches: {fast: {title: faster, training: {learning_rate: 3.0e-3}}}"
    retold(request_here, "patches: {}", fast)
    retold(request_here, "variants: []", "variants: [each]")
    run_study(replace(request_here, only="baseline"))
    shutil.rmtree(tmp_path / "old")
    record_noise(tmp_path / "old", seed=1)
    with pytest.raises(AblateError, match=r"\(its data changed\)"):
        run_study(replace(request_here, **{"only": "baseline", **more}))
    end = run_study(replace(request_here, changed=True, **{"only": "baseline", **more}))
    assert end.trained == len(end.study.manifest.run_keys) == 1


def test_recordings_in_the_second_root_that_change_while_python_runs_are_other_data(
    request_here, tmp_path, monkeypatch
):
    """Nothing was found of them by name, so that the recordings that were open already stood for them."""
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path))
    retold(request_here, f"path: {tmp_path / 'old'}", "path: old")
    run_study(request_here)
    shutil.rmtree(tmp_path / "old")
    record_noise(tmp_path / "old", seed=1)
    with pytest.raises(AblateError, match="its data changed"):
        run_study(request_here)


def test_a_variant_on_recordings_of_its_own_does_not_keep_the_others_from_new_seeds(request_here, tmp_path):
    record_noise(tmp_path / "second", seed=1)
    other = f"patches: {{other: {{title: another animal, data: {{path: {tmp_path / 'second'}}}}}}}"
    retold(request_here, "patches: {}", other)
    retold(request_here, "variants: []", "variants: [each]")
    run_study(request_here)
    assert run_study(replace(request_here, seeds="1", variants="baseline")).trained == 1
