"""docs/recordings.md: what it tells to type works as typed, for a recording of one's own and for every format."""

import re
import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "formats"))

from lab_files import LIBRARY, WRITERS, world

from ablate.cli.app import app
from ablate.data.formats.kinds import KINDS
from ablate.data.recording import read_recording
from ablate.model import EncoderConfig, GlmConfig

PAGE = (Path(__file__).parents[2] / "docs" / "recordings.md").read_text()
RECIPES = dict(re.findall(r"```yaml\n# (\w+)\.yaml\n(.*?)```", PAGE, re.DOTALL))
LIBRARIES = {**LIBRARY, "grasshopper": "nitime"}


def make_mine() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/recordings.md", "exec"), {})


def said(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def test_the_recording_of_the_page_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_mine()
    recording = read_recording(tmp_path / "mine")
    assert (recording.frames, recording.units, recording.bin_rate_hz) == (6000, 2, 60.0)
    assert np.corrcoef(recording.spikes[:, 0], recording.stimulus[:, 2, 2])[0, 1] > 0.1


def test_the_recipe_to_start_with_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_mine()
    recipe = Path(__file__).parents[2] / "recipes" / "own_recording.yaml"
    assert "own_recording" in said("check", str(recipe), "--data", "mine")
    few = [f"training.{name}" for name in ("steps=8", "warmup_steps=2", "evaluate_every=4", "batch_size=2")]
    smaller = [word for change in [*few, "data.score_every=16"] for word in ("--set", change)]
    said(
        "run",
        str(recipe),
        "--data",
        "mine",
        "--seeds",
        "0",
        "--variants",
        "coarser",
        "--engine",
        "inline",
        "--out",
        ".",
        *smaller,
    )
    scores = pd.read_csv(StringIO(said("report", "own_recording", "--format", "csv")))
    assert {"baseline", "coarser"} == set(scores["variant"])


def test_the_recipe_to_start_with_takes_behaviour_by_two_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_mine()
    np.save(tmp_path / "mine" / "behavior.npy", np.random.default_rng(1).normal(size=(6000, 3)).astype(np.float32))
    recipe = Path(__file__).parents[2] / "recipes" / "own_recording.yaml"
    changed = ("--set", "data.behavior=causal", "--set", "modulator.type=film")
    assert "own_recording" in said("check", str(recipe), "--data", "mine", *changed)


def test_the_table_names_every_format_and_settings_that_it_has() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == set(KINDS)
    for name, settings in rows:
        fields = KINDS[name][0].model_fields
        assert all(setting in fields for setting in re.findall(r"`(\w+)`", settings)), name


def test_the_patches_of_spike_history_fit_both_models() -> None:
    (fragment,) = (block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "history" in block)
    patches = YAML(typ="safe", pure=True).load(fragment)["patches"]
    for config in (GlmConfig, EncoderConfig):
        read = {name: config.model_validate(patch["model"]).history for name, patch in patches.items()}
        assert {name: one.coupling for name, one in read.items()} == {"own_past": False, "coupled": True}


def test_every_line_of_data_info_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_mine()
    (rows,) = re.findall(r"\| line of `data info` \| tells \|\n\|---\|---\|\n(.*?)\n\n", PAGE, re.DOTALL)
    explained = {label for row in rows.splitlines() for label in re.findall(r"`([^`]+)`", row.split("|")[1])}
    shown = said("data", "info", "mine").splitlines()[3:]
    labels = {line[:12].strip() if not line.startswith("fingerprint") else "fingerprint" for line in shown} - {""}
    assert labels, shown
    assert labels <= explained


@pytest.mark.parametrize("kind", ["recordings", *KINDS])
def test_the_recipe_of_a_format_is_five_lines_that_work_as_typed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind in LIBRARIES:
        pytest.importorskip(LIBRARIES[kind], reason="the format's own library is not installed")
    monkeypatch.chdir(tmp_path)
    text = RECIPES[kind]
    assert len(text.splitlines()) == 5
    data = YAML(typ="safe").load(text)["data"]
    assert data["type"] == kind
    if kind == "recordings":
        make_mine()
    elif kind in WRITERS:
        named = Path(data["path"])
        written = WRITERS[kind](named.parent if named.suffix else named, world(9000))
        assert written == named
        assert f"type: {kind}" in said("data", "inspect", str(named), *(["--set", "axes=tyx"] if kind == "nwb" else []))
    (tmp_path / f"{kind}.yaml").write_text(text)
    said("check", f"{kind}.yaml")
