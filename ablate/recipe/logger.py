"""`log:` of a recipe in, its loggers out. They are in no run's key.

log: tensorboard
log: [tensorboard, {type: mlflow, uri: http://server:5000}]
"""

import json

from pydantic import ValidationError

from ablate.config import Config
from ablate.errors import Problems
from ablate.logger import AnyLogger, LoggerConfig
from ablate.recipe.tree.node import Node
from ablate.recipe.vocabulary.explain import explain, written
from ablate.recipe.vocabulary.normal import Normalizer

HINT = "write `log: tensorboard` or `log: [tensorboard, {type: mlflow, uri: sqlite:///mlflow.db}]`"


class _Written(Config):
    log: LoggerConfig


def loggers(node: Node | None, problems: Problems) -> tuple[AnyLogger, ...]:
    """Each logger once. What is wrong goes to the problems."""
    if node is None or node.value is None:
        return ()
    found = [one for item in (node.value if node.is_list else [node]) if (one := _logger(item, problems)) is not None]
    names = [one.type for one in found]
    if len({*names}) < len(names):
        problems.fault(f"`{node.path}` names a logger twice", node.where, HINT)
    return tuple(found)


def _logger(node: Node, problems: Problems) -> AnyLogger | None:
    if not (node.is_mapping or isinstance(node.value, str)):
        problems.fault(f"`{node.path}` is {written(node)}, expected a logger", node.where, HINT)
        return None
    normal = Node({"log": Normalizer(problems).part(node, _Written.model_fields["log"])}, node.where)
    try:
        return _Written.model_validate_json(json.dumps(normal.plain()), strict=True).log
    except ValidationError as error:
        problems.wrong += explain(error, normal, _Written)
    return None
