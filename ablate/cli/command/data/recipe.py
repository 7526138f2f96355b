"""The recipe whose data section is meant, or the defaults of the data where none is named."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from ablate.recipe import Recipe, load_recipe
from ablate.request import Request
from ablate.study.study import data_sets

NO_RECIPE = "name: data\nquestion: none\ndata: {type: synthetic_v1}\nbaseline: {type: glm}\n"
"""Stands in where no recipe is named: the defaults of the data."""


def recipe_of(path: Path | None, sets: Sequence[str], data: Path | None = None) -> Recipe:
    """The recipe, or one that holds nothing but the defaults of the data."""
    if path is not None:
        return load_recipe(path, sets=data_sets(Request(recipe=path, sets=tuple(sets), data=data)))
    with tempfile.TemporaryDirectory() as folder:
        stand_in = Path(folder) / "data.yaml"
        stand_in.write_text(NO_RECIPE, encoding="utf-8")
        return load_recipe(stand_in, sets=data_sets(Request(recipe=stand_in, sets=tuple(sets), data=data)))
