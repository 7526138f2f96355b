"""A Configuration in, every part that a recipe can name out, with its options, defaults and help."""

import inspect
import json
from collections.abc import Iterator
from dataclasses import replace

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ablate.catalogue import Option, Part
from ablate.config import part_type
from ablate.recipe.schema import Configuration
from ablate.recipe.vocabulary.fields import alternatives, expected, single, words
from ablate.recipe.vocabulary.help import help_of

WORDS = {"model": "baseline"}
"""A recipe's word for a field of a configuration."""

NO_OPTIONS = ("type", "metric")
"""Named by the part itself; written beside `data`, for all variants at once."""


def all_parts() -> tuple[Part, ...]:
    """Every config class that a recipe can name, in the order of a configuration's fields, each once."""
    found: dict[tuple[str, str, type[BaseModel]], Part] = {}
    for kind, tag, at, config in _walk(Configuration, ""):
        key = (kind, tag, config)
        if key not in found:
            found[key] = Part(kind, tag, (at,), summary_of(config), options_of(config))
        elif at not in found[key].places:
            found[key] = replace(found[key], places=(*found[key].places, at))
    return tuple(found.values())


def _walk(config: type[BaseModel], at: str) -> Iterator[tuple[str, str, str, type[BaseModel]]]:
    """(kind, type, place, class) of the parts that a class's fields hold, each followed by its own parts."""
    for name, field in config.model_fields.items():
        word = WORDS.get(name, name)
        place = f"{at}.{word}" if at else word
        tagged = alternatives(field)
        alone = single(field)
        if alone is not None and not tagged and not at:
            tagged = {"": alone}
        for tag, inner in tagged.items():
            yield word, tag, place, inner
            yield from _walk(inner, place)


def summary_of(config: type[BaseModel]) -> str:
    """The first paragraph of the class's docstring, or of its module's where the class has none of its own."""
    own = config.__dict__.get("__doc__") or inspect.getdoc(inspect.getmodule(config)) or ""
    return " ".join(inspect.cleandoc(own).partition("\n\n")[0].split())


def options_of(config: type[BaseModel], prefix: str = "") -> tuple[Option, ...]:
    """Every field, those of a nested group by their full name: `tokenizer.kernel_size`."""
    options: list[Option] = []
    for name, field in config.model_fields.items():
        if name in NO_OPTIONS:
            continue
        inner = None if alternatives(field) else single(field)
        if inner is not None:
            options += options_of(inner, f"{prefix}{name}.")
            continue
        options.append(Option(prefix + name, type_of(name, field), default_of(field), help_of(config, name)))
    return tuple(options)


def type_of(name: str, field: FieldInfo) -> str:
    """In plain words; a field that holds a part names the choices."""
    tags = [tag for tag in alternatives(field) if tag]
    if tags:
        plain = f"one of {', '.join(words(field))}, or " if words(field) else ""
        return f"{plain}a {name} part: {', '.join(tags)}"
    said = expected(field)
    optional = not field.is_required() and field.get_default(call_default_factory=True, validated_data={}) is None
    return f"{said} or null" if optional else said


def default_of(field: FieldInfo) -> str:
    """As it would be written in a recipe."""
    if field.is_required():
        return "required"
    return _written(field.get_default(call_default_factory=True, validated_data={}))


def _written(value: object) -> str:
    if isinstance(value, BaseModel):
        return part_type(value) or "as its options say"
    return json.dumps(
        value, default=lambda item: item.model_dump(mode="json") if isinstance(item, BaseModel) else str(item)
    )
