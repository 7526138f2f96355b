"""A study whose patch starts from a part of another study's run: trained, told, and trained anew with other weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.recipe import load_recipe
from ablate.result import Store
from ablate.result.key import content_key
from ablate.study.setup.facts import data_files
from ablate.study.setup.manifest import identity_of
from ablate.variant import lay_out
from ablate.variant.diff import count

RECIPE = """
question: none
data: {{type: coincidence, train_trials: 12, validation_trials: 8, test_trials: 8, intervals: 2, frames: 4}}
baseline: {{type: fusion, embedding_dim: 8, mixer: {{type: none}}, eeg: {{type: eegnet, kernel_size: 9}}}}
training: {{steps: 2, batch_size: 4, warmup_steps: 1, evaluate_every: 2}}
seeds: [0]
{rest}
"""
PATCH = """
patches:
  kept:
    title: the EEG encoder of another study, frozen
    init: {{path: {path}, parts: [eeg], frozen: true}}
variants: [each]
"""


def ran(recipe: Path, *more: str) -> Store:
    result = CliRunner().invoke(app, ["run", str(recipe), "--workers", "1", "--device", "cpu", *more])
    assert result.exit_code == 0, (result.output, result.exception)
    return Store(recipe.parent / "results" / recipe.stem)


def test_a_recipes_patch_is_named_by_the_content_of_its_file(tmp_path: Path) -> None:
    """Read strictly, as recipes are: a list of parts is a list of texts. Where the file lies names nothing."""
    keys = set[str]()
    for value, place in ((0.0, tmp_path), (1.0, tmp_path), (1.0, tmp_path / "moved")):
        place.mkdir(exist_ok=True)
        save_file({"eeg.weight": torch.full((2,), value)}, place / "weights.safetensors")
        (tmp_path / "study.yaml").write_text(RECIPE.format(rest=PATCH.format(path=place)))
        (kept,) = (one for one in lay_out(load_recipe(tmp_path / "study.yaml")).variants if one.name == "kept")
        keys.add(content_key(identity_of(kept.configuration), 0, ""))
        assert kept.configuration.model.init.parts == ("eeg",)
        assert data_files([kept]) == (str(place / "weights.safetensors"),)
    assert len(keys) == 2


@pytest.mark.slow
def test_a_frozen_part_of_another_study_is_a_patch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.yaml").write_text(RECIPE.format(rest=""))
    source = ran(tmp_path / "first.yaml")
    weights = source.folder(source.keys()[0]) / "weights.safetensors"
    (tmp_path / "second.yaml").write_text(RECIPE.format(rest=PATCH.format(path=weights.parent)))
    store = ran(tmp_path / "second.yaml")
    (entry,) = (one for one in store.manifest().variants if one.name == "kept")
    eeg = {name: value for name, value in load_file(weights).items() if name.startswith("eeg.")}
    kept = load_file(store.folder(entry.run_keys[0]) / "weights.safetensors")
    assert all(torch.equal(kept[name], value) for name, value in eeg.items())
    counted = sum(value.numel() for name, value in eeg.items() if "running" not in name and "batches" not in name)
    assert f"eeg 0 -> {count(counted)} weights frozen" in entry.also_changed
    assert "init" in entry.changes
    save_file({name: value + 1 for name, value in load_file(weights).items()}, weights)
    refused = CliRunner().invoke(app, ["run", "second.yaml", "--workers", "1", "--device", "cpu"])
    assert "`kept` now means something else than when this study began" in str(refused.exception)
    again = ran(tmp_path / "second.yaml", "--changed")
    (other,) = (one for one in again.manifest().variants if one.name == "kept")
    assert other.run_keys != entry.run_keys
    base = {one.name: one.run_keys for one in store.manifest().variants}["baseline"]
    assert {one.name: one.run_keys for one in again.manifest().variants}["baseline"] == base
