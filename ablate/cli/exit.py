"""How the program ends: errors as messages (or one JSON document), the exit code, whether its output was written."""

import gc
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any, NoReturn

import typer

from ablate.cli.console import say, show_error
from ablate.cli.streams import make_streams_last, write_fault
from ablate.errors import AblateError, Problem

FAILED = 1
USAGE_ERROR = 2
INTERRUPTED = 130
CLICK_ERROR: type[Any] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What typer raises for a command line that it cannot read; the class lies elsewhere in each of its versions."""


def end_of(program: Callable[[], object]) -> NoReturn:
    """Runs the program and leaves with its exit code."""
    out = make_streams_last()
    code = exit_code(program)
    fault = write_fault(out)
    if fault:
        say(f"error: standard output: {fault}; what was printed there is not whole")
        if code == 0 and sys.argv[1:2] != ["run"]:  # a study lies in its folder, and the exit code is the study's
            code = FAILED
    gc.freeze()  # the interpreter would look through all of torch once more before it leaves: a second
    sys.exit(code)


def exit_code(program: Callable[[], object]) -> int:
    """The exit code of a program, its errors said."""
    try:
        code = program()
        return code if isinstance(code, int) else 0
    except AblateError as error:
        return say_error(error)
    except CLICK_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # no command: the help is the answer
            error.show()
            return USAGE_ERROR
        return say_error(AblateError(problems=(usage_problem(error),)))
    except (ImportError, RuntimeError) as fault:
        if not is_torch_mismatch(fault):
            raise
        hint = "install a matching pair: pip install --upgrade --force-reinstall torch torchvision timm"
        return say_error(AblateError(f"torch and torchvision do not fit each other: {fault}", hint=hint))
    except (KeyboardInterrupt, typer.Abort):
        return say_interrupted()


def say_error(error: AblateError) -> int:
    """The exit code of a user's mistake, on stderr, and for a program on stdout too."""
    show_error(error)
    tell_program(USAGE_ERROR, error.problems)
    return USAGE_ERROR


def say_interrupted() -> int:
    """The shell's exit code for Ctrl-C."""
    say("interrupted")
    tell_program(INTERRUPTED)
    return INTERRUPTED


def tell_program(code: int, problems: Sequence[Problem] = ()) -> None:
    """The document of a command that gave no other."""
    if wants_json(sys.argv[1:]):
        print(json.dumps({"exit_code": code, "errors": list(map(asdict, problems))}, indent=1))


def wants_json(words: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, also where it cannot be read otherwise."""
    return "--format=json" in words or ("--format", "json") in pairwise(words)


def usage_problem(error: Any) -> Problem:
    """A command line that cannot be read, in the form of all other errors; typer names what is near."""
    what = error.format_message().strip().rstrip(".")
    what = what[:1].lower() + what[1:]
    if error.ctx is None:
        return Problem(what)
    path = error.ctx.command_path
    return Problem(what, path, f"{path} --help")


def is_torch_mismatch(fault: Exception) -> bool:
    """Whether a fault is that of a torch and a torchvision that do not fit each other."""
    return "torchvision" in str(fault) or (isinstance(fault, ImportError) and "torch" in str(fault.name))
