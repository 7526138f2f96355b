"""`ablate data features`: the frames of a recipe through its frozen encoder, once."""

import typer

from ablate.cli.options import DataPaths, Device, RecipePath, Sets


def features(
    recipe: RecipePath,
    sets: Sets = None,
    data: DataPaths = None,
    device: Device = "auto",
) -> None:
    """Encode every frame once by a frozen encoder of RECIPE. Its features are kept in the cache."""
    from ablate.cli.command.data.encode import make_features

    raise typer.Exit(make_features(recipe, sets=tuple(sets or ()), data=tuple(data or ()), device=device))
