"""The program: its commands by name, and what becomes of an error. Loads no torch: `--help` is instant."""

import sys
from typing import Annotated

import typer

from ablate.cli.command.check import check
from ablate.cli.command.clean import clean
from ablate.cli.command.compare import compare
from ablate.cli.command.data import data_app
from ablate.cli.command.params import params
from ablate.cli.command.parts import parts
from ablate.cli.command.report import report
from ablate.cli.command.run import run
from ablate.cli.command.show import show
from ablate.cli.command.verify import verify
from ablate.cli.console import show_error
from ablate.errors import AblateError

USAGE_ERROR = 2
INTERRUPTED = 130
COMMANDS = (run, report, params, check, parts, show, compare, verify, clean)
"""In the order of the help."""

app = typer.Typer(
    name="ablate",
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


def is_torch_mismatch(fault: Exception) -> bool:
    """Whether a fault is that of a torch and a torchvision that do not fit; it is then named with its fix."""
    text = str(fault)
    if "torchvision" not in text and "torch" not in str(getattr(fault, "name", "")):
        return False
    hint = "install a matching pair: pip install --upgrade --force-reinstall torch torchvision timm"
    show_error(AblateError(f"torch and torchvision do not fit each other: {text}", hint=hint))
    return True


def main() -> None:
    """The entry point: a user's mistake is one clear message and exit code 2, never a traceback."""
    try:
        app()
    except AblateError as error:
        show_error(error)
        sys.exit(USAGE_ERROR)
    except (ImportError, RuntimeError) as fault:
        if not is_torch_mismatch(fault):
            raise
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
