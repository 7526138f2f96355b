"""`ablate data info`: what is in recordings, and how they would be split."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.options import Sets, TableOrJson, known_format


def info(
    paths: Annotated[list[Path], typer.Argument(help="Recording folders, or folders of them.", metavar="PATH...")],
    recipe: Annotated[Path | None, typer.Option(help="Split as the `data` section of this recipe says.")] = None,
    sets: Sets = None,
    format: TableOrJson = "table",
) -> None:
    """Tell what is in recordings. Rates, spikes a unit, repeats found, and how they are split."""
    import torch

    from ablate.cli.command.data.recipe import recipe_of
    from ablate.cli.screen.recordings import print_info, print_json
    from ablate.data.encoding.config import EncodingDataConfig
    from ablate.data.encoding.info import data_info

    known_format(format)
    config = recipe_of(recipe, sets or (), data=tuple(paths)).data
    assert isinstance(config, EncodingDataConfig)
    found = data_info(config.open(torch.device("cpu")))
    if format == "json":
        print_json(found)
    else:
        print_info(found)
