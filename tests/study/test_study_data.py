"""`--data FOLDER`: what of it is kept."""

from pathlib import Path

import pytest

from ablate.errors import AblateError
from ablate.request import Request
from ablate.study.study import data_sets


def test_an_absolute_folder_is_recorded_as_seen_from_the_working_directory(tmp_path, monkeypatch):
    """It once stood in study.json and in every record as the path on the machine that trained them."""
    (tmp_path / "work").mkdir()
    (tmp_path / "cells").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for typed in (tmp_path / "cells", Path("../cells")):
        request = Request(Path("r.yaml"), data=typed)
        assert data_sets(request) == ("data.type=recordings", 'data.path="../cells"')
        assert request.overrides() == ("data=../cells",)


def test_no_folder_leaves_the_recipe_its_data_and_a_missing_one_is_an_error(tmp_path):
    assert data_sets(Request(Path("r.yaml"), sets=("a=1",))) == ("a=1",)
    with pytest.raises(AblateError, match="there is no such recording"):
        data_sets(Request(Path("r.yaml"), data=tmp_path / "none"))
