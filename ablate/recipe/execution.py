"""`execution:` of a recipe, or of a site's file, in, how runs are executed out. It is in no run's key.

    execution: {engine: slurm, cpus: 2, memory_gb: 8, hours: 4, slurm: {partition: gpu, account: lab}}

A site's file says the same for every recipe: $ABLATE_SITE, else `ablate/site.yaml` in the user's configuration folder.
A recipe's words stand over the site's.
"""

import json
import os
from pathlib import Path

from pydantic import ValidationError

from ablate.errors import AblateError, Problems
from ablate.execution.options import Common, execution_class
from ablate.recipe.tree.document import parse, read_text
from ablate.recipe.tree.merge import merge
from ablate.recipe.tree.node import Node
from ablate.recipe.vocabulary.explain import explain, written
from ablate.recipe.vocabulary.normal import Normalizer

SITE_VARIABLE = "ABLATE_SITE"
HINT = "write `execution: {engine: pool, workers: 2}`"


def checked(node: Node | None, problems: Problems) -> Node:
    """The section in its normal form; what is wrong with it goes to the problems."""
    if node is None or node.value is None:
        return Node({}, "", "execution")
    if not node.is_mapping:
        problems.fault(f"`{node.path}` is {written(node)}, expected a mapping", node.where, HINT)
        return Node({}, node.where, node.path)
    normal = Normalizer(problems).part(node, execution_class())
    _validated(normal, problems)
    return normal


def execution_of(recipe: Node, *, site: Path | None = None, **flags: object) -> Common:
    """The site's, the recipe's and the command line's words laid over each other. Raises AblateError.

    flags: fields of `Common`; None where nothing was said.
    """
    problems = Problems()
    place = site or site_file()
    below = checked(parse(read_text(place), str(place), problems).at("execution"), problems) if place else Node({})
    problems.refuse()
    said = {name: Node(value, f"--{name}", f"execution.{name}") for name, value in flags.items() if value is not None}
    whole = merge(merge(below, recipe), Node(said))
    found = _validated(whole, problems)
    problems.refuse()
    assert found is not None, "or a problem would say why"
    return found


def site_file() -> Path | None:
    """The site's file, if there is one. Raises AblateError where $ABLATE_SITE names none."""
    named = os.environ.get(SITE_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise AblateError("there is no such file", where=f"${SITE_VARIABLE}={named}", hint=f"unset {SITE_VARIABLE}")
        return Path(named)
    folder = os.path.expanduser(os.environ.get("XDG_CONFIG_HOME") or "~/.config")  # Path's raises without a home
    usual = Path(folder) / "ablate" / "site.yaml"
    return usual if usual.is_file() else None


def _validated(tree: Node, problems: Problems) -> Common | None:
    """Strictly, as every other part of a recipe."""
    kind = execution_class()
    try:
        return kind.model_validate_json(json.dumps(tree.plain()), strict=True)
    except ValidationError as error:
        problems.wrong += explain(error, tree, kind)
    return None
