"""The options that several commands share, with their help texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ablate.errors import AblateError

RecipePath = Annotated[Path, typer.Argument(help="The recipe, a YAML file.", metavar="RECIPE")]
StudyPath = Annotated[Path, typer.Argument(help="A study's folder, or a folder of studies.", metavar="STUDY")]
RunPath = Annotated[
    Path,
    typer.Argument(
        help="A run's folder, results/<study>/runs/<key>, or a study's with --variant and --seed.", metavar="RUN"
    ),
]
OneVariant = Annotated[str | None, typer.Option("--variant", help="Which variant of the study.", metavar="NAME")]
OneSeed = Annotated[int | None, typer.Option("--seed", help="Which seed [default: the first that is finished].")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Override one value of the recipe: training.steps=500. May be repeated.", metavar="KEY=VALUE"
    ),
]
Seeds = Annotated[str | None, typer.Option(help="Seeds instead of the recipe's: 0,1,2 or 0-4.", metavar="LIST")]
Variants = Annotated[str | None, typer.Option(help="Only these variants (and the baseline): p1,p1+p2.", metavar="LIST")]
DataPaths = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        help="Recordings to use instead of the recipe's: a folder, or a folder of them. May be repeated.",
        metavar="PATH",
    ),
]
MovedData = Annotated[
    list[Path] | None,
    typer.Option(
        "--data", help="Where the run's data lie now, if not where they lay. May be repeated.", metavar="PATH"
    ),
]
Out = Annotated[Path, typer.Option(help="Folder of studies; the results go to OUT/<recipe's name>.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="A rehearsal: few steps, little data, one seed. Its numbers are not results.")
]
Details = Annotated[
    bool, typer.Option("--details", help="Print all of the report: changes, sessions, models, methods, provenance.")
]
TableOrJson = Annotated[
    str, typer.Option("--format", help="table, or json: one document on stdout, for programs.", metavar="FORMAT")
]
TABLE_OR_JSON = ("table", "json")


def known_format(format: str, formats: Sequence[str] = TABLE_OR_JSON) -> None:
    """Raises AblateError for a format that the command does not write."""
    if format not in formats:
        raise AblateError(f"--format {format} is unknown", hint=f"choose {', '.join(formats[:-1])} or {formats[-1]}")
