"""What a person reads when something is wrong: one message that says where, what and what next."""

import errno
import os
import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_model
from tiny_study import BASELINE, DATA, PATCHES, TAIL, TRAINING, request_of, write_recipe
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.cli.console import PLAIN_WIDTH, out
from ablate.data.recording import Recording, write_recording
from ablate.data.synthetic import make as synthetic
from ablate.errors import AblateError
from ablate.recipe.load import load_recipe
from ablate.study.flow import run_study
from ablate.variant import lay_out

RECORDED = """\
data: {{type: recordings, path: {path}, window: 16, warmup: 8, min_spikes: 1, sessions_per_batch: 1,
  split: {{blocks: 1}}}}
"""


def said(*words: object) -> str:
    """The message of a command that must refuse."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(result.exception, AblateError), result.output + repr(result.exception)
    return str(result.exception)


def refused(recipe: Path, tmp_path: Path, **options) -> str:
    """The message of a study that cannot begin; nothing is left on disk."""
    with pytest.raises(AblateError) as told:
        run_study(request_of(recipe, tmp_path / "results", **options))
    assert not (tmp_path / "results").exists()
    return str(told.value)


def recording(folder: Path, frames: int = 2000, **changes) -> Path:
    """A recording of noise, with files then written over."""
    random = np.random.default_rng(0)
    arrays = {
        "stimulus": random.integers(0, 256, (frames, 8, 8), dtype=np.uint8),
        "spikes": random.poisson(0.3, (frames, 3)).astype(np.uint8),
    }
    write_recording(folder, Recording(name="noise", bin_rate_hz=60.0, **arrays))
    for name, array in changes.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def test_a_missing_recipe(tmp_path):
    path = tmp_path / "no.yaml"
    told = f"error: {path}: there is no such recipe\n\nhint: the shipped ones are under recipes/"
    assert said("run", path, "--out", tmp_path) == told


def test_a_typo_is_told_with_its_line_and_the_nearest_name(tmp_path):
    path = write_recipe(tmp_path, training=TRAINING.replace("steps", "stepps"))
    told = refused(path, tmp_path)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "stepps" in text)
    assert f"error: {path}:{line}: unknown key `training.stepps`\n\nhint: did you mean `steps`?" in told


def test_a_wrong_type_is_told_in_plain_words(tmp_path):
    path = write_recipe(tmp_path, training=TRAINING.replace("batch_size: 16", "batch_size: many"))
    told = refused(path, tmp_path)
    assert f"{path}:" in told
    assert "`training.batch_size` is the text `many`, expected a whole number of at least 1" in told


def test_an_unknown_part_names_the_nearest(tmp_path):
    told = refused(write_recipe(tmp_path, baseline=BASELINE.replace("type: vivit", "type: vivitt")), tmp_path)
    assert "`vivitt`" in told
    assert "did you mean `vivit`?" in told


def test_several_problems_are_told_together(tmp_path):
    wrong = TRAINING.replace("steps: 6", "steps: -6").replace("batch_size", "batchsize")
    told = refused(write_recipe(tmp_path, training=wrong), tmp_path)
    assert told.count("error:") == 2
    assert told.index("batchsize") < told.index("training.steps")  # unknown keys first


def test_a_patch_that_changes_nothing(tmp_path):
    same = "patches:\n  same: {title: as it was, training: {steps: 6}}\n"
    assert "same" in refused(write_recipe(tmp_path, patches=same), tmp_path)


def test_recordings_with_nan_in_the_stimulus(tmp_path):
    broken = np.zeros((2000, 8, 8), np.float32)
    broken[7, 3, 3] = np.nan
    folder = recording(tmp_path / "rec", stimulus=broken)
    told = refused(write_recipe(tmp_path, data=RECORDED.format(path=folder)), tmp_path)
    assert told.startswith(
        f"error: {folder}: stimulus contains NaN or infinity: stimulus[7, 3, 3] is nan\n\nhint: fill or cut the gap"
    )


def test_recordings_with_spikes_shorter_than_the_stimulus(tmp_path):
    folder = recording(tmp_path / "rec", spikes=np.zeros((1999, 3), np.uint8))
    told = refused(write_recipe(tmp_path, data=RECORDED.format(path=folder)), tmp_path)
    assert told == (
        f"error: {folder}: spikes has 1999 bins, shorter than the stimulus with 2000 frames\n\n"
        "hint: both count the same bins, oldest first"
    )


def test_recordings_with_negative_counts(tmp_path):
    folder = recording(tmp_path / "rec", spikes=np.full((2000, 3), -1, np.int16))
    told = refused(write_recipe(tmp_path, data=RECORDED.format(path=folder)), tmp_path)
    assert told.startswith(f"error: {folder}: spikes contains negative counts: ")
    assert "spikes[0, 0] is -1" in told


def test_recordings_that_pickle(tmp_path):
    folder = recording(tmp_path / "rec")
    np.save(folder / "spikes.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    told = refused(write_recipe(tmp_path, data=RECORDED.format(path=folder)), tmp_path)
    assert "spikes.npy holds pickled objects, which are never loaded" in told


def test_recordings_too_short_to_be_split(tmp_path):
    folder = recording(tmp_path / "rec", frames=40)
    told = refused(write_recipe(tmp_path, data=RECORDED.format(path=folder)), tmp_path)
    assert told.startswith("error: ")
    assert "hint:" in told


def test_a_modulator_without_behaviour(tmp_path):
    folder = recording(tmp_path / "rec")
    convgru = "modulator: {type: convgru, hidden_dim: 4, beh_emb_dim: 2}"
    modulated = BASELINE.replace("modulator: {type: none}", convgru)
    told = refused(write_recipe(tmp_path, data=RECORDED.format(path=folder), baseline=modulated), tmp_path)
    assert "modulator" in told
    assert "behavio" in told
    assert "hint:" in told


def test_data_that_are_not_there(tmp_path):
    place = tmp_path / "nowhere"
    told = refused(write_recipe(tmp_path), tmp_path, data=(place,))
    assert told == f"error: {place}: there is no such recording\n\nhint: `ablate data make` writes synthetic ones"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": "0,x"}, "--seeds: `x` is no seed"),
        ({"variants": "p9"}, "no variant is called `p9`"),
        ({"retry": "done"}, "--retry done is no state of a run"),
        ({"device": "gpu"}, "unknown device `gpu`"),
        ({"sets": ("training.step=1",)}, "did you mean `steps`?"),
    ],
)
def test_options_that_mean_nothing(tmp_path, options, message):
    with pytest.raises(AblateError) as told:
        run_study(request_of(write_recipe(tmp_path), tmp_path / "results", **options))
    assert message in str(told.value)


@pytest.mark.parametrize("name", ["../escape", "a/b", ".", ""])
def test_a_study_cannot_leave_its_results_folder(tmp_path, name):
    path = write_recipe(tmp_path)
    path.write_text(path.read_text().replace("name: tiny", f"name: {name!r}"))
    with pytest.raises(AblateError):
        run_study(request_of(path, tmp_path / "results"))
    assert not (tmp_path / "escape").exists()


def test_reports_of_nothing(tmp_path):
    assert said("report", tmp_path / "no") == (
        f"error: {tmp_path / 'no'}: there is no such folder\n\nhint: `ablate run RECIPE` makes a study"
    )
    assert "there is no study here" in said("verify", tmp_path)
    assert "there is no study here" in said("clean", tmp_path)


def test_unknown_parts_and_formats():
    assert said("parts", "vivvit") == "error: no part is called `vivvit`\n\nhint: did you mean `vivit`?"
    assert said("parts", "--format", "xml") == "error: --format xml is unknown\n\nhint: choose table or json"


def test_data_make_refuses_to_overwrite(tmp_path):
    words = ["data", "make", tmp_path / "d", "--set", "data.sessions=1", "--set", "data.frames=300"]
    words += ["--set", "data.height=8", "--set", "data.width=8", "--set", "data.window=16", "--set", "data.warmup=8"]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    before = sorted(path.read_bytes() for path in (tmp_path / "d").rglob("*.npy"))
    assert "v1_00 already exists" in said(*words)
    assert sorted(path.read_bytes() for path in (tmp_path / "d").rglob("*.npy")) == before


def test_data_make_that_fails_at_its_second_recording_leaves_none(tmp_path, monkeypatch):
    made = synthetic.make_session

    def one_alone(world, index):
        if index:
            raise OSError(errno.ENOSPC, "No space left on device")
        return made(world, index)

    monkeypatch.setattr(synthetic, "make_session", one_alone)
    told = said("data", "make", tmp_path / "d", "--set", "data.sessions=2", "--set", "data.frames=300")
    assert "cannot write: No space left on device" in told
    assert list(tmp_path.iterdir()) == []


def test_features_of_a_recipe_without_a_frozen_encoder(tmp_path):
    told = said("data", "features", write_recipe(tmp_path))
    assert "no variant of this recipe has a frozen frame encoder" in told


FROZEN = """
name: frozen
question: which
data: {type: coincidence, mode: pixels, image_size: 8, intervals: 2, frames: 3, train_trials: 9, validation_trials: 4,
  test_trials: 4}
baseline:
  type: fusion
  embedding_dim: 8
  video: {type: small_vit, width: 8, heads: 2, depth: 1, frozen: true, weights_seed: 0}
patches:
  s4d: {mixer: {type: s4d}}
variants: [each]
"""


def test_features_are_encoded_once_and_found_the_second_time(tmp_path, monkeypatch):
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "frozen.yaml").write_text(FROZEN)
    told = [CliRunner().invoke(app, ["data", "features", str(tmp_path / "frozen.yaml")]) for _ in range(2)]
    assert [result.exit_code for result in told] == [0, 0], told[0].output
    encoded = [re.findall(r"(\w+): (\d+) frames encoded now, (\d+) in", result.stderr) for result in told]
    ((name, first, total),), ((_, second, same),) = encoded
    assert (name, second) == ("baseline", "0")
    assert first == total == same


def test_features_of_an_encoder_that_another_study_left_are_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    recipe = FROZEN.replace("frozen: true, weights_seed: 0", "weights_seed: 3")
    (tmp_path / "trained.yaml").write_text(recipe)
    configuration = lay_out(load_recipe(tmp_path / "trained.yaml")).variants[0].configuration
    save_model(configuration.model.build(configuration.data.describe()), str(tmp_path / "weights.safetensors"))
    init = f"{{path: {tmp_path}, parts: [video], frozen: true}}"
    (tmp_path / "frozen.yaml").write_text(recipe.replace("  embedding_dim", f"  init: {init}\n  embedding_dim"))
    told = [CliRunner().invoke(app, ["data", "features", str(tmp_path / "frozen.yaml")]) for _ in range(2)]
    assert [result.exit_code for result in told] == [0, 0], told[0].output
    ((first, total),), ((second, same),) = (re.findall(r"(\d+) frames encoded now, (\d+) in", r.stderr) for r in told)
    assert int(first) > 0 == int(second)
    assert first == total == same


@pytest.mark.skipif(not Path("/dev/full").exists() or os.name != "posix", reason="needs /dev/full")
def test_a_full_disk_at_a_checkpoint_fails_the_run_with_a_message(tmp_path, monkeypatch):
    from ablate.training import checkpoint

    real = checkpoint.whole_file

    @contextmanager
    def full(path):
        with open("/dev/full", "wb") as file:
            yield file

    saving = TRAINING.replace("}", ", checkpoint_every: 2}")
    recipe = write_recipe(tmp_path, training=saving, patches=PATCHES, tail=TAIL, data=DATA)
    monkeypatch.setattr(checkpoint, "whole_file", full)
    outcome = run_study(request_of(recipe, tmp_path / "results", only="baseline"))
    assert "cannot write a checkpoint: No space left on device" in outcome.failures[0][1].reason
    monkeypatch.setattr(checkpoint, "whole_file", real)
    outcome = run_study(request_of(recipe, tmp_path / "results", only="baseline", retry="failed"))
    assert not outcome.failures


def test_data_without_enough_spikes_are_refused_once_before_anything_is_trained(tmp_path):
    told = refused(write_recipe(tmp_path, data=DATA.replace("min_spikes: 1", "min_spikes: 100000")), tmp_path)
    assert told.startswith("error: data.min_spikes: no unit has enough spikes in the validation split to be scored")
    assert told.count("error:") == 1


def test_a_patch_that_leaves_no_unit_to_score_is_named(tmp_path):
    patches = "patches:\n  strict: {data: {min_spikes: 100000}}\n"
    told = refused(write_recipe(tmp_path, patches=patches), tmp_path)
    assert "strict: data.min_spikes: no unit has enough spikes" in told


def test_seeds_that_run_backwards_are_refused(tmp_path):
    assert "`5-2` runs backwards\n\nhint: write 2-5" in refused(write_recipe(tmp_path), tmp_path, seeds="5-2")


def test_an_unknown_variant_of_only_blames_only(tmp_path):
    assert "error: --only: no variant is called `nope`" in refused(write_recipe(tmp_path), tmp_path, only="nope")


@pytest.mark.parametrize("columns", ["wide", "0", "-5", ""])
def test_a_width_that_is_no_number_is_as_none_given(monkeypatch, columns: str):
    monkeypatch.setenv("COLUMNS", columns)
    assert out().width == PLAIN_WIDTH
