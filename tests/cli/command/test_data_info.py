"""`ablate data info`: one screen, and a slip of one frame is pointed out there and in the report of a study."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tiny_study import recipe_text, request_of
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.cli.studies import analysis_of
from ablate.data.recording import Recording, write_recording
from ablate.result import Store
from ablate.study.flow import run_study

FRAMES, UNITS = 12_000, 10
KERNEL = np.array([0.0, 0.1, 0.8, 0.5, -0.3, -0.2])
DATA = "data: {{type: recordings, path: {path}, window: 32, warmup: 8, score_every: 1}}\n"
TRAINING = "training: {steps: 400, batch_size: 16, learning_rate: 0.02, warmup_steps: 5, evaluate_every: 50}\n"


def folder_of(place: Path, *, slip: bool) -> Path:
    """Six units that see a pixel each; from 70 % on each frame lies one bin late."""
    random = np.random.default_rng(3)
    shown = random.integers(0, 256, (FRAMES, 4, 5), dtype=np.uint8)
    pixels = (shown.reshape(FRAMES, -1).astype(float) - 128) / 74
    drives = np.stack([np.convolve(pixels[:, 2 * unit], KERNEL)[:FRAMES] for unit in range(UNITS)], axis=1)
    spikes = random.poisson(0.4 * np.exp(0.7 * drives)).astype(np.uint8)
    spikes[:, 5] = spikes[:, 4]
    spikes[5000:5300] = 0
    at = round(0.7 * FRAMES)
    late = np.concatenate([shown[:at], shown[at - 1 : -1]]) if slip else shown
    notes = {"note": "made by a test", "source": "a seed", "license": "none"}
    write_recording(place, Recording(name="rec", bin_rate_hz=60.0, stimulus=late, spikes=spikes, notes=notes))
    return place


@pytest.fixture(scope="module")
def slipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("slipped") / "rec", slip=True)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("honest") / "rec", slip=False)


def info(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["data", "info", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_slip_of_one_frame_is_pointed_out_on_one_screen(slipped: Path) -> None:
    lines = info(str(slipped)).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert "BEWARE the stimulus slips: from about frame 8" in text
    assert "(70 %) on it lies 1 frame later beside the spikes than before" in text
    shifts = next(line for line in lines if line.startswith("shift")).split()[1:]
    assert shifts[:8] == ["0"] * 8
    assert set(shifts[-3:]) == {"-1"}


def test_the_screen_names_what_a_scientist_checks(honest: Path) -> None:
    text = " ".join(info(str(honest)).split())
    assert "slips" not in text
    assert re.search(r"BEWARE no unit fires in frames (49\d\d|5000) to (5299|53\d\d) \(5\.\d s\)", text)
    assert "units that have the same spikes in every bin: 4, 5" in text
    assert "10 ON (+), 0 OFF (-), 0 not clear; peak 2 frames back (33 ms)" in text
    assert "0.0 % of test is in train" in text
    for word in ("note made by a test", "source a seed", "split, % train", "median", "quick GLM", "STA peak"):
        assert word in text


def test_json_has_every_unit_and_block(slipped: Path) -> None:
    (session,) = json.loads(info(str(slipped), "--format", "json"))["sessions"]
    assert session["alignment"]["slip"] == pytest.approx(8400, abs=60)
    assert [unit["lag"] for unit in session["units"]] == [2] * UNITS
    assert len(session["bar"]) == 72
    assert set(session["bar"]) <= set("Tvt.")


def test_the_plot_is_written_in_the_format_of_its_name(slipped: Path, tmp_path: Path) -> None:
    info(str(slipped), "--plot", str(tmp_path / "rec.svg"))
    drawn = (tmp_path / "rec.svg").read_text()
    assert "quick GLM over time" in drawn
    assert "slip" in drawn
    result = CliRunner().invoke(app, ["data", "info", str(slipped), "--plot", str(tmp_path / "rec.txt")])
    assert "cannot write a plot as `rec.txt`" in str(result.exception)


@pytest.mark.parametrize("slip", [True, False])
def test_the_report_of_a_study_points_at_the_slip(slip: bool, tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "rec", slip=slip)
    recipe = tmp_path / "slip.yaml"
    text = recipe_text(
        name="slip",
        data=DATA.format(path=folder),
        baseline="baseline: {type: glm, lags: 6}\n",
        training=TRAINING,
        patches="patches:\n  fast: {title: a higher learning rate, training: {learning_rate: 3.0e-2}}\n",
    )
    recipe.write_text(text)
    run_study(request_of(recipe, tmp_path / "out"))
    analysis = analysis_of(Store(tmp_path / "out" / "slip"))
    kinds = {guard.kind for guard in analysis.guards}
    assert ("step in time" in kinds) == slip
