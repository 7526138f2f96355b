"""The recipe whose data section is meant, or the defaults of the data where none is named."""

from collections.abc import Sequence
from pathlib import Path

from ablate.recipe import Recipe, load_recipe, read_recipe
from ablate.request import Request
from ablate.study.setup.facts import data_sets

NO_RECIPE = "name: data\nquestion: none\ndata: {type: synthetic_v1}\nbaseline: {type: glm}\n"
"""Stands in where no recipe is named: the defaults of the data."""


def recipe_of(path: Path | None, sets: Sequence[str], data: tuple[Path, ...] = ()) -> Recipe:
    """The recipe, or one that holds nothing but the defaults of the data."""
    overrides = data_sets(Request(recipe=path or Path(), sets=tuple(sets), data=data))
    return read_recipe(NO_RECIPE, "the defaults", overrides) if path is None else load_recipe(path, overrides)
