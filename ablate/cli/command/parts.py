"""`ablate parts`: every part of a model, of the data and of the training, with its options, defaults and help."""

import difflib
from collections.abc import Sequence
from typing import Annotated

import typer

from ablate.catalogue import Part
from ablate.cli.console import stage
from ablate.cli.options import TableOrJson, known_format
from ablate.errors import AblateError


def parts(
    name: Annotated[str | None, typer.Argument(help="Only this part or folder: vivit, core.", metavar="[PART]")] = None,
    format: TableOrJson = "table",
) -> None:
    """List the parts that a recipe can name. Of models, data and training, with options, defaults and help."""
    from ablate.cli.catalogued import catalogued
    from ablate.cli.screen.table.parts import print_index, print_json, print_part

    known_format(format)
    chosen = select(catalogued(), name)
    stage()
    if format == "json":
        print_json(chosen)
    elif name is None:
        print_index(chosen)
    else:
        for part in chosen:
            print_part(part)


def select(parts: Sequence[Part], name: str | None) -> tuple[Part, ...]:
    """By type, by kind, or both as `core.vivit`. Raises AblateError with the nearest name."""
    if name is None:
        return tuple(parts)
    wanted = name.replace("/", ".").replace("convnet", "core")
    chosen = [
        part
        for part in parts
        if wanted
        in (
            part.type,
            part.kind,
            f"{part.kind}.{part.type}",
            *part.places,
            *(f"{at}.{part.type}" for at in part.places),
        )
    ]
    if not chosen:
        known = sorted({part.kind for part in parts} | {part.type for part in parts if part.type})
        near = difflib.get_close_matches(wanted.rpartition(".")[2], known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
        raise AblateError(f"no part is called `{name}`", hint=hint)
    return tuple(chosen)
