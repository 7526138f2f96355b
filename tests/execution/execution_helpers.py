"""What several tests of this room need."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ablate.execution import Settings


def settings(**changes) -> Settings:
    """Settings for tests: nothing preloaded, a short grace, one thread."""
    return Settings(**{"preload": (), "grace": 1.0, "threads": 1, **changes})


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], Any], seconds: float = 40) -> None:
    """Returns once the condition holds; fails when it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
