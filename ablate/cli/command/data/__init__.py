"""The commands of `ablate data`: write, inspect and prepare data."""

import typer

from ablate.cli.command.data.features import features
from ablate.cli.command.data.imported import imported
from ablate.cli.command.data.info import info
from ablate.cli.command.data.inspect import inspect
from ablate.cli.command.data.make import make

data_app = typer.Typer(help="Write, inspect and prepare data.", no_args_is_help=True, rich_markup_mode=None)
data_app.command()(make)
data_app.command()(info)
data_app.command()(inspect)
data_app.command("import")(imported)
data_app.command()(features)
