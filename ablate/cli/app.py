"""The program: its commands by name. Loads no torch: `--help` is instant."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ablate.cli.command.check import check
from ablate.cli.command.clean import clean
from ablate.cli.command.compare import compare
from ablate.cli.command.data import data_app
from ablate.cli.command.fitted.export import export
from ablate.cli.command.fitted.predict import predict
from ablate.cli.command.fitted.show import show
from ablate.cli.command.judge import judge
from ablate.cli.command.params import params
from ablate.cli.command.parts import parts
from ablate.cli.command.report import report
from ablate.cli.command.run import run
from ablate.cli.command.status import status
from ablate.cli.command.stop import stop
from ablate.cli.command.verify import verify
from ablate.cli.exit import end_of, say_interrupted

COMMANDS = (run, status, stop, report, params, check, parts, show, predict, export, judge, compare, verify, clean)
"""In the order of the help."""


class Commands(TyperGroup):
    """The commands, each of which Ctrl-C ends with a word and the shell's exit code for it. ctx: click's context, whose
    class lies elsewhere in each version of typer."""

    def invoke(self, ctx: Any) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(say_interrupted()) from None


app = typer.Typer(
    name="ablate",
    cls=Commands,
    help="Which change to this neural model is worth having? Trains every variant of a recipe through one loop on the "
    "same data, and ranks the patches by what they gained.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(data_app, name="data")


def version(value: bool) -> None:
    if value:
        from ablate import __version__

        typer.echo(f"ablate {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options of `ablate` itself."""


def main() -> None:
    """The entry point. A user's mistake is one clear message and exit code 2, never a traceback."""
    end_of(lambda: app(prog_name="ablate", standalone_mode=False))
