"""A tree in the shape of a Configuration in, the validated Configuration out, or everything that is wrong with it.

The same path serves the baseline, a patch's fragment once merged, and every variant.
"""

import json
from dataclasses import dataclass, replace

from pydantic import BaseModel, ValidationError

from ablate.errors import AblateError, Problems
from ablate.recipe.schema import Configuration
from ablate.recipe.tree.node import Node
from ablate.recipe.vocabulary.explain import explain
from ablate.recipe.vocabulary.normal import Normalizer

SECTIONS = {"data": "data", "model": "baseline", "training": "training"}
"""Field of a Configuration -> the word of a recipe, which messages use."""


@dataclass(frozen=True)
class Resolved:
    """A configuration if there is one, and the normal form of its tree."""

    configuration: Configuration | None
    tree: Node


def resolve(tree: Node, problems: Problems) -> Resolved:
    """Brings a tree into its normal form and validates it as a Configuration."""
    normal = Normalizer(problems).part(tree, Configuration)
    return Resolved(validate(normal, problems), normal)


def validate(tree: Node, problems: Problems) -> Configuration | None:
    """Strictly, so that neither text nor true is read as a number: through JSON, in which a list may be a tuple."""
    try:
        return Configuration.model_validate_json(json.dumps(tree.plain()), strict=True)
    except ValidationError as error:
        problems.wrong += explain(error, tree, Configuration)
    except AblateError as error:  # raised by a validator of a config
        problems.wrong += [replace(problem, where=problem.where or tree.where) for problem in error.problems]
    return None


def located(configuration: BaseModel, source: Node) -> Node:
    """Every value of a configuration with the place that it was written at, or else that of what holds it."""
    values = configuration.model_dump(mode="json")
    return Node(
        {name: _located(values[name], source.get(name), source, SECTIONS.get(name, name)) for name in values},
        source.where,
    )


def _located(value: object, written: Node | None, holder: Node, path: str) -> Node:
    here = written if written is not None else Node(None, holder.where)
    if isinstance(value, dict):
        return Node(
            {key: _located(inner, here.get(key), here, f"{path}.{key}") for key, inner in value.items()},
            here.where,
            path,
        )
    if isinstance(value, list):
        return Node(tuple(_located(inner, None, here, path) for inner in value), here.where, path)
    return Node(value, here.where, path)
