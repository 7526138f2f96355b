"""A lock that a live process holds: the kernel frees it the moment its holder dies, so no heartbeat and no guessing.

`flock` on a small file that tells who holds it. The file of a dead holder is simply taken over; clocks play no part.
"""

import errno
import fcntl
import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ablate.errors import AblateError
from ablate.result.files import writing

_TRIES = 4
"""A look at a lock holds it for microseconds; trying a few times keeps that from being taken for a holder."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock. 0 and empty where the holder has not yet written its name."""

    pid: int
    host: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else "another process"


class Lock:
    """A lock in this process' hands. Given up by `release`, by leaving the `with` block, or by dying."""

    def __init__(self, path: Path, handle: int):
        self.path = path
        self._handle = handle

    def release(self) -> None:
        """Removes the file while the lock still holds, then lets go."""
        if self._handle >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "Lock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def acquire(path: Path) -> Lock | None:
    """The lock, or None when a live process holds it. Raises AblateError where locks cannot be had."""
    for attempt in range(_TRIES):
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        if _flock(path, handle, fcntl.LOCK_EX) and _still_named(path, handle):
            os.ftruncate(handle, 0)
            with writing(path):
                os.pwrite(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
            return Lock(path, handle)
        os.close(handle)
        time.sleep(0.005 * attempt)
    return None


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
    """Who holds the lock now; None when nobody alive does."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _flock(path, handle, fcntl.LOCK_SH):
            return None
        said = json.loads(os.pread(handle, 4096, 0) or b"{}")
        return Holder(int(said.get("pid", 0)), str(said.get("host", "")))
    except (ValueError, AttributeError, TypeError):
        return Holder(0, "")
    finally:
        os.close(handle)


def _flock(path: Path, handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        hint = "keep results on a file system with locks, for example a local disk"
        raise AblateError(f"cannot be locked: {error.strerror}", where=str(path), hint=hint) from None
    return True


def _still_named(path: Path, handle: int) -> bool:
    """Whether the locked file is still the one in the folder: its last holder removes it on release."""
    try:
        named, held = os.stat(path), os.fstat(handle)
    except FileNotFoundError:
        return False
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)
