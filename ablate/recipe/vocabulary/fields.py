"""A pydantic annotation in, what may be written there out: the parts it knows, its fields, and its kind in plain
words."""

import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ablate.config import part_type

ConfigClass = type[BaseModel]


def alternatives(annotation: object) -> dict[str, ConfigClass]:
    """The parts that a tagged union knows, by their `type`; {} if the annotation is no such union."""
    tagged = {}
    for member in members(annotation):
        if is_config(member) and "type" in member.model_fields:
            for tag in get_args(member.model_fields["type"].annotation):
                tagged[tag] = member
    return tagged


def words(annotation: object) -> tuple[str, ...]:
    """The plain words that may stand in the place of a part: `trial` for `split`, beside its folds."""
    found = (member for member in members(annotation) if get_origin(member) is Literal)
    return tuple(value for member in found for value in get_args(member) if isinstance(value, str))


def single(annotation: object) -> ConfigClass | None:
    """The one config class that the annotation allows, apart from None and parts with a `type`."""
    found = [member for member in members(annotation) if is_config(member) and "type" not in member.model_fields]
    return found[0] if len(found) == 1 else None


def members(annotation: object) -> tuple[object, ...]:
    """The members of a union with Annotated peeled off; a tuple of one for anything else."""
    return tuple(member for member, _ in _bounded(annotation))


def _bounded(annotation: object) -> Iterator[tuple[object, list[object]]]:
    """The members, each with the constraints that stand at it and not at the field as a whole."""
    if isinstance(annotation, FieldInfo):
        yield from _bounded(annotation.annotation)
    elif get_origin(annotation) is Annotated:
        inner, constraints = _peel(annotation)
        yield from ((member, [*own, *constraints]) for member, own in _bounded(inner))
    elif get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _bounded(member)
    else:
        yield annotation, []


def is_config(annotation: object) -> TypeGuard[ConfigClass]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def is_union(annotation: object) -> bool:
    """Whether pydantic puts the `type` of a part into the place of an error."""
    return len([member for member in members(annotation) if is_config(member)]) > 1


def accepts_none(annotation: object) -> bool:
    return type(None) in members(annotation)


def default_type(field: FieldInfo | None) -> str | None:
    """The `type` of the part that a field holds when nothing is written."""
    default = field.get_default(call_default_factory=True, validated_data={}) if field is not None else None
    return part_type(default)


def expected(field: object) -> str:
    """What may be written, in plain words: `a whole number of at least 1`, `one of cosine, constant`."""
    annotation, constraints = _peel(field)
    if tags := alternatives(annotation):
        return "a mapping with a `type`" if len(tags) > 1 else "a mapping"
    words: list[str] = []
    choices: list[str] = []
    for member, limits in _bounded(annotation):
        if get_origin(member) is Literal:
            choices += [_choice(value) for value in get_args(member)]
        elif member is not type(None) and (word := _kind(member) + _limits(limits)) not in words:
            words.append(word)
    if choices:
        words.insert(0, choices[0] if len(choices) == 1 else "one of " + ", ".join(choices))
    return " or ".join(words) + _limits(constraints)


def _peel(field: object) -> tuple[object, list[object]]:
    """Annotation and constraints of a field, or of an annotation."""
    if isinstance(field, FieldInfo):
        annotation, outer = _peel(field.annotation)
        return annotation, [*outer, *field.metadata]
    if get_origin(field) is Annotated:
        inner, *metadata = get_args(field)
        flat = [piece for extra in metadata for piece in (extra.metadata if isinstance(extra, FieldInfo) else [extra])]
        return inner, flat
    return field, []


NAMES: Mapping[object, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "values true or false"),
    str: ("text", "texts"),
    Path: ("a path", "paths"),
    Any: ("any value", "values"),
}


def _kind(annotation: object, *, plural: bool = False) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(arguments[0], plural=plural)
    if annotation in NAMES:
        return NAMES[annotation][plural]
    if origin in (tuple, list, set, frozenset):
        return ("lists of " if plural else "a list of ") + _items(arguments)
    if origin is dict or is_config(annotation):
        return "mappings" if plural else "a mapping"
    if origin is Literal:
        return "one of " + ", ".join(_choice(value) for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(member, plural=plural) for member in arguments if member is not type(None))
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _items(arguments: tuple[object, ...]) -> str:
    """`3 whole numbers`, `numbers`."""
    if not arguments:
        return "values"
    if len(arguments) == 1 or arguments[-1] is Ellipsis:
        return _kind(arguments[0], plural=True)
    kinds = {_kind(argument, plural=True) for argument in arguments}
    return f"{len(arguments)} {' or '.join(sorted(kinds))}"


def _limits(constraints: Sequence[object]) -> str:
    """The bounds of a number: ` of at least 0 and below 1`."""
    words = []
    for limit in constraints:
        if isinstance(limit, annotated_types.Interval | annotated_types.Len):
            words += [piece for piece in (_limits(list(limit)),) if piece]
    for limit in constraints:
        match limit:
            case annotated_types.Ge(bound):
                words.append(f"at least {bound}")
            case annotated_types.Gt(bound):
                words.append(f"more than {bound}")
            case annotated_types.Le(bound):
                words.append(f"at most {bound}")
            case annotated_types.Lt(bound):
                words.append(f"less than {bound}")
    return f" of {' and '.join(words)}" if words else ""


def _choice(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
