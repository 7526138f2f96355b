"""Facts of data that follow from the recipe alone: told again without making or opening anything."""

from pathlib import Path

import pytest
from tiny_study import DATA, recipe_text

from ablate.data.synthetic.make import materialise
from ablate.disk import kept as keeper
from ablate.errors import AblateError, Problems
from ablate.recipe import Recipe, load_recipe
from ablate.study.setup import facts as module
from ablate.study.setup.facts import data_facts, facts_of
from ablate.variant import survey


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The metric of each data set that is opened to be told."""
    found, really = list[str](), module._facts
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_facts", lambda dataset: found.append(dataset.metric) or really(dataset))
    return found


def recipe(folder: Path, text: str = "", name: str = "r.yaml") -> Recipe:
    (folder / name).write_text(text or recipe_text())
    return load_recipe(folder / name)


FUSION = """
name: x
question: none
data: {type: coincidence, subjects: 2}
baseline: {type: fusion}
"""


@pytest.mark.parametrize("text", ["", FUSION], ids=["spikes", "labels"])
def test_they_are_opened_once_and_the_facts_are_the_same(tmp_path: Path, opened: list[str], text: str):
    baseline = recipe(tmp_path, text).configuration
    first = data_facts(baseline)
    assert len(opened) == 1
    assert data_facts(baseline) == first
    assert len(opened) == 1
    assert bool(first.notices) == (first.spec.task == "spikes")
    assert min(first.scored.values()) > 0


def test_other_data_and_other_code_have_their_own(tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch):
    data_facts(recipe(tmp_path).configuration)
    other = recipe(tmp_path, recipe_text(data=DATA.replace("units: 4", "units: 5")), "other.yaml")
    assert len(data_facts(other.configuration).spec.sessions[0].mean_rate) == 5
    monkeypatch.setattr(keeper, "code_hash", lambda: "other")
    data_facts(other.configuration)
    assert len(opened) == 3


def test_recordings_are_opened_each_time(tmp_path: Path, opened: list[str]):
    folder = materialise(recipe(tmp_path).configuration.data.world)
    data = f"data: {{type: recordings, path: {folder}, min_spikes: 1, window: 16, warmup: 8, split: {{blocks: 1}}}}\n"
    baseline = recipe(tmp_path, recipe_text(data=data)).configuration
    assert data_facts(baseline) == data_facts(baseline)
    assert opened == ["bits_per_spike"] * 2


def test_kept_facts_refuse_what_opened_data_do(tmp_path: Path, opened: list[str]):
    read = recipe(tmp_path, recipe_text(data=DATA.replace("min_spikes: 1", "min_spikes: 100000")))
    for _ in range(2):
        with pytest.raises(AblateError, match="no unit has enough spikes in the validation split"):
            facts_of(survey(read, Problems()).variants)
    assert len(opened) == 1
