"""`ablate data features`: the frames of a recipe through its frozen encoder, once."""

import typer

from ablate.cli.options import DataPaths, Device, RecipePath, Sets


def features(
    recipe: RecipePath,
    sets: Sets = None,
    data: DataPaths = None,
    device: Device = "auto",
) -> None:
    """Run the frozen frame encoder of RECIPE once over every frame and keep its features in the cache."""
    from ablate.cli.command.data.encode import make_features

    raise typer.Exit(make_features(recipe, sets=tuple(sets or ()), data=tuple(data or ()), device=device))
