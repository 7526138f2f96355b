"""What several tests of this room need."""

from pathlib import Path

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
