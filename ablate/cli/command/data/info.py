"""`ablate data info`: what is in recordings or trials, and how they would be split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.options import Sets, TableOrJson, known_format

if TYPE_CHECKING:
    from ablate.data import DataConfig, TrialsConfig


def info(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Recording folders, folders of them, or one folder of trials.", metavar="PATH..."),
    ],
    recipe: Annotated[Path | None, typer.Option(help="Split as the `data` section of this recipe says.")] = None,
    sets: Sets = None,
    format: TableOrJson = "table",
) -> None:
    """Tell what is in recordings or in trials of EEG and video, and how they are split."""
    from ablate.cli.command.data.recipe import recipe_of
    from ablate.data import TrialsConfig

    known_format(format)
    config = recipe_of(recipe, sets or (), data=tuple(paths)).data
    if isinstance(config, TrialsConfig):
        _tell_trials(config, format)
    else:
        _tell_recordings(config, format)


def _tell_trials(config: "TrialsConfig", format: str) -> None:
    from ablate.cli.screen.trials import print_info, print_json
    from ablate.data.trials.info import trials_info

    (print_json if format == "json" else print_info)(trials_info(config))


def _tell_recordings(config: "DataConfig", format: str) -> None:
    import torch

    from ablate.cli.screen.recordings import print_info, print_json
    from ablate.data.encoding.config import EncodingDataConfig
    from ablate.data.encoding.info import data_info

    assert isinstance(config, EncodingDataConfig)
    (print_json if format == "json" else print_info)(data_info(config.open(torch.device("cpu"))))
