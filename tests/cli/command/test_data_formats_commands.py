"""`ablate data inspect` and `ablate data import` on a lab's file: what they print, write and refuse."""

import shlex
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[2] / "data"))
sys.path.insert(0, str(Path(__file__).parents[2] / "data" / "formats"))

import numpy as np
from data_samples import noise_recording
from lab_files import experanto, world
from ruamel.yaml import YAML

from ablate.cli.command.data.imported import import_path
from ablate.cli.command.data.inspect import inspect_path
from ablate.data.formats.visioncore import VisionCoreConfig
from ablate.data.recording import read_recording, write_recording
from ablate.data.trials.example import write_example
from ablate.errors import AblateError


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return experanto(tmp_path / "lab" / "day1", world())


def test_inspect_prints_what_would_be_read_and_how_a_recipe_says_it(
    session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inspect_path(session) == 0
    text = capsys.readouterr().out
    assert "experanto: a folder a modality" in text
    assert "  read: 3 units" in text
    assert "  not used: blanks (time_interval)" in text
    assert f"data: {{type: experanto, path: {session}}}" in text


def test_what_needs_a_setting_first_is_told_and_ends_with_one(
    session: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (session / "responses").rename(session / "neurons_left")
    (session / "neurons_left" / "meta.yml").write_text("modality: sequence\nsampling_rate: 50\n")
    assert inspect_path(session) == 1
    assert "cannot be read as it is: no folder holds the recorded cells" in capsys.readouterr().out


def test_import_writes_a_recording_a_session_and_overwrites_nothing(
    session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_path(session.parent, tmp_path / "ours", ("bin_rate_hz=25",)) == 0
    assert "not used: blanks (time_interval)" in capsys.readouterr().err
    assert read_recording(tmp_path / "ours" / "day1").bin_rate_hz == 25.0
    with pytest.raises(AblateError, match="already exists"):
        import_path(session.parent, tmp_path / "ours")
    with pytest.raises(AblateError, match="bin_rate: Extra inputs are not permitted"):
        import_path(session, tmp_path / "other", ("bin_rate=25",))


@pytest.mark.parametrize("there", [False, True])
def test_an_import_that_fails_at_its_second_session_leaves_nothing_and_can_be_made_again(
    session: Path, tmp_path: Path, there: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = experanto(tmp_path / "lab" / "day2", world())
    (broken / "screen" / "timestamps.npy").write_bytes(b"none")
    ours = tmp_path / "ours"
    if there:
        write_recording(ours / "day0", noise_recording("day0"))
    with pytest.raises(AblateError, match=r"is not a \.npy file"):
        import_path(session.parent, ours)
    assert f"nothing is written to {ours}" in capsys.readouterr().err
    assert [one.name for one in ours.iterdir()] == ["day0"] if there else not ours.exists()
    np.save(broken / "screen" / "timestamps.npy", world().onsets)
    assert import_path(session.parent, ours) == 0
    assert sorted(one.name for one in ours.iterdir()) == ["day0", "day1", "day2"][not there :]


ODD = ("my mouse", "day [2024]", "it's", "a: b", "#1, {x}", "true", "1e3", "50 %", "Mäuse 神经", '"x"', "a$b")


@pytest.mark.parametrize("name", ODD)
def test_lines_to_copy_hold_whatever_a_folder_is_called(
    name: str, session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recipe's line `path: day [2024]` was no YAML, and `path: 1e3` a number."""
    session.rename(tmp_path / "lab" / name)
    monkeypatch.chdir(tmp_path / "lab")
    assert inspect_path(Path(name)) == 0
    shown = capsys.readouterr().out
    (line,) = [line for line in shown.splitlines() if line.startswith("  data: ")]
    assert YAML(typ="safe").load(line)["data"] == {"type": "experanto", "path": name}
    assert import_path(Path(name), tmp_path / "lab" / "ours" / name) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train on them: ")]
    assert shlex.split(line)[-1] == str(tmp_path / "lab" / "ours" / name)
    with pytest.raises(AblateError) as error:
        VisionCoreConfig(path=name).places()
    assert shlex.split(error.value.problems[0].hint.split("`")[1])[-1] == name


@pytest.mark.parametrize("name", ODD)
def test_the_study_of_the_example_trials_names_its_own_folder(name: str, tmp_path: Path) -> None:
    write_example(tmp_path / name, subjects=1, each=3)
    study = YAML(typ="safe").load((tmp_path / name / "study.yaml").read_text(encoding="utf-8"))
    assert study["data"]["path"] == str(tmp_path / name)


def test_a_session_may_have_dots_in_its_name(session: Path, tmp_path: Path) -> None:
    session.rename(session.with_name("2024.01.05"))
    experanto(session.with_name("2024.01.06"), world())
    assert import_path(session.parent, tmp_path / "ours") == 0
    assert read_recording(tmp_path / "ours" / "2024.01.06").name == "2024.01.06"


def test_a_path_where_nothing_lies_is_told_as_such_by_both(tmp_path: Path) -> None:
    for command in (inspect_path, lambda path: import_path(path, tmp_path / "ours")):
        with pytest.raises(AblateError, match="there is no such file or folder"):
            command(tmp_path / "absent")
    assert not (tmp_path / "ours").exists()
