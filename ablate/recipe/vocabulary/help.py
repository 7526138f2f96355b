"""A config class in, the help text of each of its fields out: the docstring under the field, read from the source.

pydantic's `use_attribute_docstrings` does the same whenever a class is made, so that every command read the sources of
all classes: a tenth of its start. Only `ablate parts` shows them.
"""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


def help_of(config: type[BaseModel], name: str) -> str:
    """Of one field, in one line; empty where it has none."""
    described = config.model_fields[name].description  # of a user's own class with `Field(description=...)`
    if not described:
        holder = next((kind for kind in config.__mro__ if name in vars(kind).get("__annotations__", {})), config)
        described = _docstrings(holder).get(name, "")
    return " ".join(described.split())


@cache
def _docstrings(kind: type) -> dict[str, str]:
    """The docstrings under the fields that the class itself declares; none where its source is not at hand."""
    try:
        source = inspect.getsource(kind)
    except (OSError, TypeError):
        return {}
    (declared,) = ast.parse(textwrap.dedent(source)).body
    if not isinstance(declared, ast.ClassDef):
        return {}
    return {
        field.target.id: inspect.cleandoc(said.value.value)
        for field, said in pairwise(declared.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(said, ast.Expr)
        and isinstance(said.value, ast.Constant)
        and isinstance(said.value.value, str)
    }
