"""Pydantic's errors in, problems as a person wants them out: file and line, key path, what was expected."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ablate.errors import Problem
from ablate.recipe.tree.node import Node, kind
from ablate.recipe.vocabulary.fields import ConfigClass, alternatives, expected, is_config, is_union, members, single


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely meant."""
    names = sorted(known)
    exact = [name for name in names if name.lower() == word.lower().replace("-", "_")]
    found = exact or difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Sequence[str], *, what: str = "known here") -> str:
    """The next move after a misspelt name: the nearest one, or all that there are."""
    if guess := nearest(word, known):
        return f"did you mean `{guess}`?"
    return f"{what}: {', '.join(known)}" if known else ""


def unknown_type(node: Node, written: object, known: Sequence[str]) -> Problem:
    """A part of a type that nobody wrote."""
    name = node.path.removesuffix(".type").split(".")[-1]
    hint = f"known types: {', '.join(known)}"
    if guess := nearest(str(written), known):
        hint = f"did you mean `{guess}`? ({hint})"
    return Problem(f"`{node.path}` is `{written}`, which is no type of {name}", node.where, hint)


def explain(error: ValidationError, root: Node, config: ConfigClass) -> list[Problem]:
    """One problem for each place that pydantic complains about, in the order of the file."""
    found: dict[tuple[str, str], Problem] = {}
    for details in error.errors(include_url=False):
        if details["type"] == "union_tag_invalid":  # an unknown type, which the normal form has named already
            continue
        place = _locate(details["loc"], root, config)
        problem = _problem(details, place)
        found.setdefault((problem.where, place.name), problem)
    return list(found.values())


@dataclass(frozen=True)
class _Place:
    """The deepest node that an error's location leads to, and the field that is wrong there."""

    node: Node
    field: object
    missing: str = ""

    @property
    def name(self) -> str:
        return f"{self.node.path}.{self.missing}".lstrip(".") if self.missing else self.node.path


def _locate(location: tuple[int | str, ...], root: Node, config: object) -> _Place:
    """Follows a location through the tree and the annotations; the tags of unions stand in it like keys."""
    node, field, steps = root, config, list(location)
    while steps:
        step = steps.pop(0)
        annotation = config_of(field, node)
        if isinstance(step, int) or annotation is None:
            inside = node.get(str(step)) if node.is_mapping else None
            if inside is None:  # an element of a list, or a member of a plain union: the whole value is named
                break
            node = inside
            continue
        field = annotation.model_fields.get(str(step))
        inside = node.get(str(step))
        if inside is None:
            word = "baseline" if node is root and step == "model" else str(step)  # a recipe's word for the model
            return _Place(node, field, word)
        node = inside
        if steps and field is not None and is_union(field) and steps[0] in alternatives(field):
            steps.pop(0)
    return _Place(node, field)


def config_of(field: object, node: Node) -> ConfigClass | None:
    """The config class that a node is read as: the part of its `type`, or the only class there is."""
    if is_config(field):
        return field
    tagged = alternatives(field)
    kind_node = node.get("type")
    if tagged and kind_node is not None and isinstance(kind_node.value, str):
        return tagged.get(kind_node.value)
    if len(tagged) == 1 and len([member for member in members(field) if is_config(member)]) == 1:
        return next(iter(tagged.values()))
    return single(field)


def _problem(details: ErrorDetails, place: _Place) -> Problem:
    """The words for one error."""
    where = place.node.where
    if details["type"] == "missing" and place.missing:
        hint = f"write `{place.missing}:` there"
        return Problem(
            f"`{place.name}` is missing", where, hint + (f" ({expected(place.field)})" if place.field else "")
        )
    if details["type"] in ("value_error", "assertion_error"):
        what = details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")
        return Problem(f"`{place.name}`: {what}" if place.name else what, where)
    if details["type"] == "union_tag_not_found":
        known = ", ".join(alternatives(place.field))
        return Problem(f"`{place.name}.type` is missing", where, f"known types: {known}")
    if details["type"] == "extra_forbidden":
        return Problem(f"unknown key `{place.name}`", where)
    return Problem(f"`{place.name}` is {written(place.node)}, expected {expected(place.field)}", where, _hint(place))


def written(node: Node) -> str:
    """A value in a message: short lists in full."""
    if node.is_list:
        text = str(node.plain()).replace("'", "")
        return text if len(text) <= 60 else f"a list of {len(node.value)}"
    return kind(node)


def _hint(place: _Place) -> str:
    value, wanted = place.node.value, expected(place.field)
    if isinstance(value, str) and value.lower() in ("on", "off", "yes", "no", "y", "n") and "true or false" in wanted:
        return "write true or false: `on`, `off`, `yes`, `no` are plain text in YAML 1.2"
    if isinstance(value, str) and wanted.startswith("one of "):
        choices = wanted.removeprefix("one of ").split(", ")
        guess = nearest(value, choices)
        return f"did you mean `{guess}`?" if guess else ""
    if isinstance(value, str) and "number" in wanted and _is_number(value):
        return "leave the quotation marks out" if value.replace("_", "") == value else "write numbers without `_`"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
