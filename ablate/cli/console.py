"""Where text goes: results to stdout, everything said about the work to stderr."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ablate.disk.read import without_collection
from ablate.errors import AblateError

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 140
"""Columns when stdout is no terminal: wide enough for the table, narrow enough for a log."""


def out() -> "Console":
    """The console of results. Not a terminal: plain text of a fixed width, so that files and pipes read well."""
    from rich.console import Console  # a tenth of a second that `--help` need not pay

    stage()
    if sys.stdout.isatty():
        return Console(highlight=False)
    asked = os.environ.get("COLUMNS", "")
    width = int(asked) if asked.isascii() and asked.isdigit() else 0
    return Console(highlight=False, width=width or PLAIN_WIDTH, force_terminal=False, color_system=None)


def err() -> "Console":
    """The console of progress, warnings and errors."""
    from rich.console import Console

    stage()
    return Console(stderr=True, highlight=False, soft_wrap=True)


def stage(text: str = "") -> None:
    """What is being done while there is nothing else to see: one line on a terminal, which whatever comes next clears.

    Plain Python, so that it stands there before anything slow is imported.
    """
    if sys.stderr.isatty():
        line = f"{text} ..."[: shutil.get_terminal_size().columns - 1] if text else ""
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()


@contextmanager
def loading(what: str = "torch") -> Iterator[None]:
    """What is imported within stays to the end, and is never looked through for garbage: a tenth of the time."""
    stage(f"loading {what}")
    with without_collection(to_the_end=True):
        yield


def say(text: str = "") -> None:
    """One plain line about the work, on stderr."""
    err().print(text, markup=False)


def show_error(error: AblateError) -> None:
    """The problems of an error, unknown keys first as they come, on stderr."""
    console = err()
    for index, problem in enumerate(error.problems):
        if index:
            console.print()
        for line in str(problem).splitlines():
            style = "bold red" if line.startswith("error:") else "cyan" if line.startswith("hint:") else ""
            console.print(line, markup=False, style=style)
