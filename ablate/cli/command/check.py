"""`ablate check`: is the recipe right, and what does each of its variants change? Trains nothing."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.console import stage
from ablate.cli.options import DataPaths, Device, Out, RecipePath, Sets
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
    """Check RECIPE and list what its variants change. Patches that do nothing are refused; nothing is trained."""
    stage("loading torch")
    from ablate.cli.screen.price import show_price
    from ablate.cli.screen.variants import print_variants
    from ablate.study.price import price_study
    from ablate.study.study import study_of

    request = Request(recipe=recipe, sets=tuple(sets or ()), data=tuple(data or ()), device=device, out=out)
    print_variants(study_of(request, stage))
    raise typer.Exit(show_price(price_study(request, stage)) if cost else 0)
