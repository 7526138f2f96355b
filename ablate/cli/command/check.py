"""`ablate check`: is the recipe right, and what does each of its variants change? Trains nothing."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.console import loading, stage
from ablate.cli.options import DataPaths, Device, Out, RecipePath, Sets, TableOrJson, known_format
from ablate.request import Request


def check(
    recipe: RecipePath,
    sets: Sets = None,
    data: DataPaths = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Also time a few steps of every variant, as `ablate run --price` does.")
    ] = False,
    device: Device = "auto",
    out: Out = Path("results"),
    format: TableOrJson = "table",
) -> None:
    """Check RECIPE and list what its variants change. Patches that do nothing are refused; nothing is trained."""
    known_format(format)
    with loading():
        from ablate.cli.screen.document import kept_free, memory_record, price_record, print_document, variants_record
        from ablate.cli.screen.table.memory import print_memory
        from ablate.cli.screen.table.price import price_code, print_price
        from ablate.cli.screen.table.variants import print_variants
        from ablate.study.memory import predicted
        from ablate.study.study import study_of

    request = Request(recipe=recipe, sets=tuple(sets or ()), data=tuple(data or ()), device=device, out=out)
    with kept_free(format):
        study = study_of(request, stage)
        steps = predicted(study, request, stage, every=cost)
    if format == "table":
        print_variants(study)
        print_memory(steps, len(study.manifest.variants))
    price = None
    if cost:
        from ablate.study.price import price_study  # it loads the whole analysis of results

        with kept_free(format):
            price = price_study(request, stage)
    code = price_code(price) if price else 0
    if format == "json":
        found = {**variants_record(study), "memory": memory_record(steps)}
        print_document({**found, "price": price_record(price) if price else None}, exit_code=code)
    elif price:
        print_price(price)
    raise typer.Exit(code)
