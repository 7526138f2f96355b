"""`--data FOLDER`: what of it is kept."""

from pathlib import Path

import pytest

from ablate.cli.screen.ending import retry_command
from ablate.data.encoding.recordings import RecordingsConfig
from ablate.errors import AblateError
from ablate.recipe import load_recipe
from ablate.request import Request
from ablate.study.setup.facts import data_sets


def test_an_absolute_folder_is_recorded_as_seen_from_the_working_directory(tmp_path, monkeypatch):
    """It once stood in study.json and in every record as the path on the machine that trained them."""
    (tmp_path / "work").mkdir()
    (tmp_path / "cells").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for typed in (tmp_path / "cells", Path("../cells")):
        request = Request(Path("r.yaml"), data=(typed,))
        assert data_sets(request) == ("data.type=recordings", 'data.path="../cells"')
        assert request.overrides() == ("data=../cells",)


def test_every_folder_that_is_named_is_used(tmp_path, monkeypatch):
    """`--data A --data B` once used B alone."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b 1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recording.yaml").write_text("bin_rate_hz: 60\n")
    request = Request(Path("r.yaml"), data=(Path("a"), Path("b 1")))
    assert data_sets(request) == ("data.type=recordings", 'data.path=["a", "b 1"]')
    assert request.overrides() == ("data=a", "data=b 1")
    (tmp_path / "r.yaml").write_text("name: x\nquestion: none\ndata: {type: synthetic_v1}\nbaseline: {type: glm}\n")
    data = load_recipe(tmp_path / "r.yaml", sets=data_sets(request)).data
    assert isinstance(data, RecordingsConfig)
    assert [folder.name for folder in data.folders()] == ["a", "b 1"]
    assert retry_command(request) == "ablate run r.yaml --data a --data 'b 1'"


def test_every_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(AblateError) as caught:
        data_sets(Request(Path("r.yaml"), data=(tmp_path / "x", tmp_path, tmp_path / "y")))
    assert [problem.where for problem in caught.value.problems] == [str(tmp_path / "x"), str(tmp_path / "y")]


def test_no_folder_leaves_the_recipe_its_data_and_a_missing_one_is_an_error(tmp_path):
    assert data_sets(Request(Path("r.yaml"), sets=("a=1",))) == ("a=1",)
    with pytest.raises(AblateError, match="there is no such recording"):
        data_sets(Request(Path("r.yaml"), data=(tmp_path / "none",)))


def folder_of_trials(place: Path, header: str) -> Path:
    place.mkdir()
    (place / "manifest.csv").write_text(f"{header}\na,b,c\n")
    return place


@pytest.mark.parametrize("kind", ["coincidence", "flipflop", "trials"])
def test_a_folder_takes_the_place_of_the_trials_that_a_recipe_asks_for(tmp_path, monkeypatch, kind):
    """It was always read as recordings of spikes."""
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text(f"data: {{type: {kind}}}\n")
    folder_of_trials(Path("films"), "trial_id,subject,seconds")
    request = Request(Path("r.yaml"), data=(Path("films"),))
    assert data_sets(request) == ("data.type=trials", 'data.path="films"', "data.layout=mne")
    folder_of_trials(Path("arrays"), "trial_id,subject,label")
    assert data_sets(Request(Path("r.yaml"), data=(Path("arrays"),)))[-1] == "data.layout=native"


def test_what_the_command_line_sets_is_laid_over_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("r.yaml").write_text("name: x\nquestion: none\ndata: {type: coincidence}\nbaseline: {type: fusion}\n")
    folder_of_trials(Path("films"), "trial_id,subject,seconds")
    request = Request(Path("r.yaml"), data=(Path("films"),), sets=("data.layout=native", "data.frames=4"))
    data = load_recipe("r.yaml", sets=data_sets(request)).data
    assert (data.path, data.layout, data.frames) == ("films", "native", 4)


def test_without_a_recipe_the_folder_itself_says_what_it_holds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder_of_trials(Path("films"), "trial_id,subject,seconds")
    Path("cells").mkdir()
    assert data_sets(Request(Path(), data=(Path("films"),)))[0] == "data.type=trials"
    assert data_sets(Request(Path(), data=(Path("cells"),)))[0] == "data.type=recordings"


def test_a_study_of_trials_reads_one_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = tuple(folder_of_trials(Path(name), "trial_id,subject,seconds") for name in ("a", "b"))
    with pytest.raises(AblateError, match="reads one folder, 2 were named"):
        data_sets(Request(Path(), data=folders))
