"""A lock that a live process holds: the system frees it the moment its holder dies, so no heartbeat and no guessing.

`filelock` on a small file that says who holds it. The file of a dead holder is simply taken over; clocks play no part.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from ablate.disk.whole import writing
from ablate.errors import AblateError

_LOOK = 0.02
"""Seconds. A look at a lock holds it for less; waiting this long keeps that from being taken for a holder."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock. 0 and empty where the holder has not yet written its name."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else "another process"


class Lock:
    """A lock in this process' hands. Given up by `release`, by leaving the `with` block, or by dying."""

    def __init__(self, path: Path, held: FileLock):
        self.path = path
        self._held = held

    def release(self) -> None:
        """Removes the file while the lock still holds, then lets go."""
        if self._held.is_locked:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
            self._held.release()

    def __enter__(self) -> "Lock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def acquire(path: Path) -> Lock | None:
    """The lock, or None when a live process holds it. Raises AblateError where locks cannot be had."""
    held = FileLock(path, thread_local=False)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            held.acquire(timeout=_LOOK, poll_interval=_LOOK / 4)
        except Timeout:  # itself an OSError
            return None
    try:
        with writing(path):
            path.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
    except AblateError:
        held.release()
        raise
    return Lock(path, held)


def wait_for(path: Path, seconds: float) -> Lock:
    """The lock, waited for. Raises AblateError, naming the holder, when it is not free in time."""
    until = time.monotonic() + seconds
    while (lock := acquire(path)) is None:
        if time.monotonic() > until:
            raise AblateError(
                f"is held by {holder(path) or 'another process'}", where=str(path), hint="try again later"
            )
        time.sleep(0.05)
    return lock


def holder(path: Path) -> Holder | None:
    """Who holds the lock now; None when nobody alive does, or where that cannot be asked."""
    if not path.exists():
        return None
    look = FileLock(path, thread_local=False)
    try:
        with look.acquire(timeout=0):
            return None
    except Timeout:
        return _named_in(path)
    except (OSError, NotImplementedError):
        return None


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Holds a lock between processes on work that may be done twice, only not at once; False if another holds it.

    The file stays. Where the file system knows no locks everybody holds them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(path, thread_local=False)
    try:
        held.acquire(timeout=-1 if wait else 0)
    except Timeout:
        yield False
        return
    except NotImplementedError:
        pass
    try:
        yield True
    finally:
        held.release()


def _named_in(path: Path) -> Holder:
    try:
        said = json.loads(path.read_bytes()[:4096])
        return Holder(int(said.get("pid", 0)), str(said.get("host", "")))
    except (OSError, ValueError, AttributeError, TypeError):
        return Holder(0, "")
