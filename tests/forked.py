"""The program in a process of its own, forked from the tests' one, where torch is imported already: that spares each
command the two to five seconds that an interpreter takes to import it.

The child has its own descriptors, environment, folder and arguments, and leaves with its own exit code. What the start
of an interpreter does (`python -m ablate`) is left to the tests that start one.
"""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

POSSIBLE = sys.platform == "linux"
"""Elsewhere a forked process may not use what the first one has loaded."""
STANDARD = {0: ("stdin", "r"), 1: ("stdout", "w"), 2: ("stderr", "w")}
QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)  # as an interpreter starts


def fork(
    words: Sequence[str],
    descriptors: Mapping[int, int | None],
    *,
    environment: Mapping[str, str],
    cwd: str | Path | None = None,
    ours: Sequence[int] = (),
) -> int:
    """The child's process id. descriptors: what its 0, 1 and 2 are of ours, None = closed. ours: not for the child."""
    import torch._dynamo  # noqa: F401  # which the first step of an optimizer would import in every child

    import ablate.cli.app
    import ablate.study.flow  # noqa: F401

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: those of the tests' worker stay with it
        pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for own, given in descriptors.items():
            os.close(own) if given is None else os.dup2(given, own)
        for one in ours:
            os.close(one)
        code = _program(words, environment, cwd)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def wait(pid: int) -> int:
    """The child's exit code, -n where signal n ended it. A test that is stopped takes its child along."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _program(words: Sequence[str], environment: Mapping[str, str], cwd: str | Path | None) -> int:
    os.environ.clear()
    os.environ.update(environment)
    if cwd is not None:
        os.chdir(cwd)
    warnings.resetwarnings()
    for kind in QUIET:
        warnings.simplefilter("ignore", kind)
    sys.argv = ["ablate", *words]
    for descriptor, (name, mode) in STANDARD.items():
        setattr(sys, name, _stream(descriptor, mode))
    try:
        sys.modules["ablate.cli.app"].main()
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


def _stream(descriptor: int, mode: str) -> TextIO | None:
    """As an interpreter opens it; None where it is closed."""
    try:
        os.fstat(descriptor)
    except OSError:
        return None
    return open(descriptor, mode, encoding="utf-8", closefd=False)
