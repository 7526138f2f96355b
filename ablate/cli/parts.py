"""`ablate parts`: every part of a model, of the data and of the training, with its options, defaults and help."""

import difflib
import inspect
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.table import Table
from rich.text import Text

from ablate.cli.console import out
from ablate.errors import AblateError
from ablate.recipe import Configuration
from ablate.recipe.fields import alternatives, expected, single

FORMATS = ("table", "json")
WORDS = {"model": "baseline"}
"""A recipe's word for a field of a configuration."""


@dataclass(frozen=True)
class Option:
    """One thing that may be written under a part."""

    name: str
    type: str
    default: str
    help: str


@dataclass(frozen=True)
class Part:
    """kind: the key it is written under. at: where in a recipe."""

    kind: str
    type: str
    at: str
    summary: str
    options: tuple[Option, ...]

    @property
    def name(self) -> str:
        return self.type or self.kind


def show_parts(name: str | None, *, format: str) -> int:
    """Prints all parts, those of one kind, or one part."""
    if format not in FORMATS:
        raise AblateError(f"--format {format} is unknown", hint=f"choose {' or '.join(FORMATS)}")
    chosen = select(all_parts(), name)
    if format == "json":
        print(json.dumps({"parts": [as_json(part) for part in chosen]}, indent=1))
        return 0
    if name is None:
        print_index(chosen)
    else:
        for part in chosen:
            print_part(part)
    return 0


def select(parts: Sequence[Part], name: str | None) -> tuple[Part, ...]:
    """By type, by kind, or both as `core.vivit`. Raises AblateError with the nearest name."""
    if name is None:
        return tuple(parts)
    wanted = name.replace("/", ".").replace("convnet", "core")
    chosen = [part for part in parts if wanted in (part.type, part.kind, f"{part.kind}.{part.type}", part.at)]
    if not chosen:
        known = sorted({part.kind for part in parts} | {part.type for part in parts if part.type})
        near = difflib.get_close_matches(wanted.rpartition(".")[2], known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
        raise AblateError(f"no part is called `{name}`", hint=hint)
    return tuple(chosen)


# ------------------------------------------------------------------ from the unions that recipes are validated by


def all_parts() -> tuple[Part, ...]:
    """Every config class that a recipe can name, in the order of a configuration's fields, each once."""
    found: dict[tuple[str, str, type[BaseModel]], Part] = {}
    for kind, tag, at, config in _walk(Configuration, ""):
        found.setdefault((kind, tag, config), Part(kind, tag, at, summary_of(config), options_of(config)))
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
        if name == "type":
            continue
        inner = None if alternatives(field) else single(field)
        if inner is not None:
            options += options_of(inner, f"{prefix}{name}.")
            continue
        help_text = " ".join((field.description or "").split())
        options.append(Option(prefix + name, type_of(name, field), default_of(field), help_text))
    return tuple(options)


def type_of(name: str, field: FieldInfo) -> str:
    """In plain words; a field that holds a part names the choices."""
    tags = [tag for tag in alternatives(field) if tag]
    if tags:
        return f"a {name} part: {', '.join(tags)}"
    words = expected(field)
    optional = not field.is_required() and field.get_default(call_default_factory=True, validated_data={}) is None
    return f"{words} or null" if optional else words


def default_of(field: FieldInfo) -> str:
    """As it would be written in a recipe."""
    if field.is_required():
        return "required"
    return _written(field.get_default(call_default_factory=True, validated_data={}))


def _written(value: Any) -> str:
    if isinstance(value, BaseModel):
        return str(getattr(value, "type", "as its options say"))
    return json.dumps(
        value, default=lambda item: item.model_dump(mode="json") if isinstance(item, BaseModel) else str(item)
    )


# ------------------------------------------------------------------ printing


def as_json(part: Part) -> dict[str, Any]:
    """A stable shape for programs."""
    options = [{"name": o.name, "type": o.type, "default": o.default, "help": o.help} for o in part.options]
    return {"kind": part.kind, "type": part.type or None, "at": part.at, "summary": part.summary, "options": options}


def print_index(parts: Sequence[Part]) -> None:
    """One line a part, under the place where a recipe names it."""
    console = out()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("under")
    table.add_column("part")
    table.add_column("options", justify="right")
    table.add_column("what it is", overflow="fold")
    last = ""
    for part in parts:
        table.add_row(part.at if part.at != last else "", Text(part.name), str(len(part.options)), Text(part.summary))
        last = part.at
    console.print(table)
    console.print("options of one part: ablate parts vivit", markup=False)


def print_part(part: Part) -> None:
    """A part's options with their help."""
    console = out()
    title = f"{part.at}: {part.type}" if part.type else part.at
    console.print(f"{title}\n  {part.summary}", markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), show_header=bool(part.options))
    for name in ("option", "type", "default"):
        table.add_column(name, overflow="fold")
    table.add_column("help", overflow="fold", ratio=1)
    for option in part.options:
        table.add_row(*(Text(text) for text in (option.name, option.type, option.default, option.help)))
    console.print(table if part.options else "  no options", markup=False)
    console.print()
