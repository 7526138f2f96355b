"""`ablate check`: is the recipe right, and what does each of its variants change? Trains nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.console import say
from ablate.cli.options import DataPaths, Device, Out, RecipePath, Sets
from ablate.errors import Problems
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
) -> None:
    """Validate RECIPE, list its variants with what each changes, and refuse patches that do nothing. Trains nothing."""
    raise typer.Exit(
        check_recipe(recipe, sets=tuple(sets or ()), data=tuple(data or ()), cost=cost, device=device, out=out)
    )


def check_recipe(
    recipe: Path, *, sets: Sequence[str], data: tuple[Path, ...], cost: bool, device: str, out: Path
) -> int:
    """Validates as `ablate run` would, down to the no-op test, and lists the variants."""
    from ablate.cli.screen.variants import print_variants
    from ablate.recipe import load_recipe
    from ablate.study.study import data_sets, study_of
    from ablate.variant import survey
    from ablate.variant.own_part import imported_targets

    request = Request(recipe=recipe, sets=tuple(sets), data=data, device=device, out=out)
    for variant in survey(load_recipe(recipe, sets=data_sets(request)), Problems()).variants:
        for target in imported_targets(variant.configuration.model_dump()):
            say(f"note: {variant.name} runs code of yours: {target}")
    study = study_of(request)
    print_variants(study)
    if cost:
        from ablate.cli.screen.price import show_price
        from ablate.study.price import price_study

        return show_price(price_study(request, lambda name: say(f"timing {name} ...")))
    return 0
