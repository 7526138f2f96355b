"""A path where nothing lies is told with the one that was most likely meant."""

from pathlib import Path

import pytest

from ablate.disk.absent import absence, absent, nearest_path
from ablate.errors import AblateError, Problem


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name in ("recipes/quickstart.yaml", "recipes/retina.yaml", "results/quickstart/study.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("recipes/quickstrat.yaml", "recipes/quickstart.yaml"),
        ("recipes/quickstart", "recipes/quickstart.yaml"),
        ("result/quickstart", "results/quickstart"),
        ("result/quikstart/study.json", "results/quickstart/study.json"),
        ("recipes/unheard_of", None),
        ("elsewhere/quickstart.yaml", None),
        ("recipes/retina.yaml/more", None),
    ],
)
def test_the_nearest_path_is_looked_for_folder_by_folder(house, written, meant):
    assert nearest_path(house / written) == (None if meant is None else house / meant)


def test_it_is_named_as_it_was_written(house, monkeypatch):
    monkeypatch.chdir(house)
    error = absent(Path("recipes/quickstrat.yaml"), "there is no such recipe", "look under recipes/")
    assert isinstance(error, AblateError)
    assert error.problems == (
        Problem("there is no such recipe", "recipes/quickstrat.yaml", "did you mean recipes/quickstart.yaml?"),
    )


def test_where_nothing_is_alike_the_next_move_is_told(house, monkeypatch):
    monkeypatch.chdir(house)
    assert absence(Path("x"), "there is no such recipe", "look under recipes/").hint == "look under recipes/"
