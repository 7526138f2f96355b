"""`ablate data info`: what one checks of recordings or trials first, and how they would be split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.console import say, stage
from ablate.cli.options import Sets, TableOrJson, known_format
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.data import DataConfig, TrialsConfig

BATCH = 64


def info(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Recording folders, folders of them, or one folder of trials.", metavar="PATH..."),
    ],
    recipe: Annotated[Path | None, typer.Option(help="Split as the `data` section of this recipe says.")] = None,
    sets: Sets = None,
    plot: Annotated[Path | None, typer.Option(help="Draw recordings as png, pdf or svg.", metavar="FILE")] = None,
    format: TableOrJson = "table",
) -> None:
    """Tell what is in recordings or trials, what is odd, and the split."""
    from ablate.cli.command.data.recipe import recipe_of
    from ablate.data import TrialsConfig

    known_format(format)
    config = recipe_of(recipe, sets or (), data=tuple(paths)).data
    if not isinstance(config, TrialsConfig):
        _tell_recordings(config, format, plot)
    elif plot is not None:
        raise AblateError("--plot draws recordings; these are trials", where=str(paths[0]))
    else:
        _tell_trials(config, format)


def _tell_trials(config: "TrialsConfig", format: str) -> None:
    from ablate.cli.screen.table.trials import print_info, print_json
    from ablate.data.trials.info import trials_info

    (print_json if format == "json" else print_info)(trials_info(config))


def _tell_recordings(config: "DataConfig", format: str, plot: Path | None) -> None:
    import torch

    from ablate.cli.screen.table.survey import print_json, print_survey
    from ablate.data.encoding.config import EncodingDataConfig
    from ablate.data.survey import survey
    from ablate.training.repeated import evaluate_repeats

    assert isinstance(config, EncodingDataConfig)
    stage("opening the recordings, looking for what recurs")
    cpu = torch.device("cpu")
    data = config.open(cpu)
    found = survey(data, stage)
    repeats = evaluate_repeats(None, data, batch_size=BATCH, device=cpu)
    stage()
    (print_json if format == "json" else print_survey)(found, repeats)
    if plot is not None:
        from ablate.report.figures.survey import write_survey

        say(f"wrote {write_survey(found, plot)}")
