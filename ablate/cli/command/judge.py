"""`ablate judge`: a table of scores that any program measured in, the report of a study out. Loads no torch."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ablate.cli.console import say
from ablate.cli.options import Details, known_format
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.analysis.judge import Choice
    from ablate.result.manifest import Variance


def judge(
    file: Annotated[Path, typer.Argument(help="A table with one run a row (CSV).", metavar="FILE")],
    score: Annotated[str | None, typer.Option(help="The column of the score.", metavar="COLUMN")] = None,
    variant: Annotated[str | None, typer.Option(help="The column of the variant.", metavar="COLUMN")] = None,
    seed: Annotated[str | None, typer.Option(help="The column of the seed.", metavar="COLUMN")] = None,
    baseline: Annotated[str | None, typer.Option(help="Which variant is the baseline.", metavar="NAME")] = None,
    lower: Annotated[
        bool | None, typer.Option("--lower-is-better/--higher-is-better", help="Where the score's name does not say.")
    ] = None,
    worth: Annotated[
        str | None, typer.Option(help="The smallest relative gain worth having: 2% or 0.02.", metavar="SHARE")
    ] = None,
    variance: Annotated[
        str,
        typer.Option(help="`moderated`: all rows tell what spread is usual; `own`: each row's own.", metavar="RULE"),
    ] = "moderated",
    expect: Annotated[
        list[str] | None,
        typer.Option(
            help="What was expected of a variant, in percent: name=3..5. May be repeated.", metavar="NAME=RANGE"
        ),
    ] = None,
    format: Annotated[str, typer.Option(help="table, markdown, csv, json, latex or units.")] = "table",
    html: Annotated[Path | None, typer.Option(help="Write one self-contained HTML file.", metavar="FILE")] = None,
    figures: Annotated[Path | None, typer.Option(help="Write every figure as SVG, PNG and PDF.", metavar="DIR")] = None,
    details: Details = False,
) -> None:
    """Judge runs that another program trained, from a table. Its columns: variant, seed, score, and session or unit."""
    from ablate.analysis.judge import Choice

    choice = Choice(
        score=score,
        variant=variant,
        seed=seed,
        baseline=baseline,
        lower_is_better=lower,
        worth=None if worth is None else share(worth),
        variance=rule_of(variance),
        expect=dict(expected(text) for text in expect or ()),
    )
    raise typer.Exit(judge_table(file, choice, format=format, html=html, figures=figures, details=details))


def judge_table(
    file: Path, choice: "Choice", *, format: str, html: Path | None, figures: Path | None, details: bool
) -> int:
    """Prints the report of the table. Raises AblateError where it cannot be read, or could be read in two ways."""
    from ablate.analysis.judge import judge_file
    from ablate.cli.screen.ranking import print_report
    from ablate.report import Format

    known_format(format, get_args(Format))
    judged = judge_file(file, choice)
    for text in judged.said:
        say(text)
    if html is not None:
        from ablate.report import compose
        from ablate.report.writer.page import write_page

        write_page(compose(judged.analysis), html)
        say(f"wrote {html}")
    if figures is not None:
        from ablate.report.figures import write_figures

        for written in write_figures(judged.analysis, figures):
            say(f"wrote {written}")
    if format != "table" or not (html or figures):
        print_report(judged.analysis, format, details=details, again=f"ablate judge {shlex.quote(str(file))}")
    return 0


def rule_of(text: str) -> "Variance":
    """Raises AblateError for anything but the two rules."""
    from ablate.result.manifest import Variance

    known: tuple[Variance, ...] = get_args(Variance)
    for rule in known:
        if text == rule:
            return rule
    raise AblateError(f"--variance {text} is unknown", hint=f"write {' or '.join(known)}")


def share(text: str) -> float:
    """`2%` and `0.02` are both 0.02. Raises AblateError for what is no share between 0 and 1."""
    try:
        value = float(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise AblateError(f"--worth {text} is no share", hint="write 2% or 0.02")
    return value


def expected(text: str) -> tuple[str, tuple[float, float]]:
    """`p1=3..5` -> ("p1", (0.03, 0.05)); one number is a range of one. Raises AblateError for anything else."""
    name, sign, written = text.rpartition("=")
    low, _, high = written.strip().removesuffix("%").partition("..")
    try:
        found = float(low) / 100, float(high or low) / 100
    except ValueError:
        found = (1.0, 0.0)
    if not sign or not name or found[0] > found[1]:
        raise AblateError(f"--expect {text} is no range", hint="write --expect NAME=3..5, in percent of the baseline")
    return name, found
