"""What a command has given to Ray, in files beside the study, so that `ablate status` sees what waits there.

jobs/ray-<8 hex>/keys.json      the jobs of one command
                 begun/<key>    written by a task when it begins
                 command.lock   held by the command: when it dies, its tasks end, and what this says with them
"""

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ablate.disk.lock import acquire, holder
from ablate.disk.read import read_json
from ablate.disk.whole import write_json, writing
from ablate.errors import AblateError
from ablate.execution.engine import Place

LOCK = "command.lock"


@dataclass(frozen=True)
class Ticket:
    """One command's jobs."""

    folder: Path

    @property
    def marks(self) -> Path:
        """The folder of the marks that tell who has begun."""
        return self.folder / "begun"

    def begun(self) -> frozenset[str]:
        with suppress(OSError):
            return frozenset(os.listdir(self.marks))
        return frozenset()

    def unmark(self, key: str) -> None:
        """Before a job is given to Ray, for the first time or again."""
        (self.marks / key).unlink(missing_ok=True)


@contextmanager
def ticket(tickets: Path, keys: Sequence[str]) -> Iterator[Ticket]:
    """For as long as a command is at it. Removes those of commands that died. Raises AblateError."""
    for folder in tickets.glob("ray-*"):
        if holder(folder / LOCK) is None:
            shutil.rmtree(folder, ignore_errors=True)
    own = Ticket(tickets / f"ray-{uuid.uuid4().hex[:8]}")
    with writing(own.folder):
        own.marks.mkdir(parents=True)
    held = acquire(own.folder / LOCK)
    write_json(own.folder / "keys.json", list(keys))
    try:
        yield own
    finally:
        shutil.rmtree(own.folder, ignore_errors=True)
        if held is not None:
            held.release()


def waiting(tickets: Path) -> Mapping[str, Place]:
    """The jobs that living commands have given to Ray and that have not begun."""
    found: dict[str, Place] = {}
    for folder in sorted(tickets.glob("ray-*")):
        command = holder(folder / LOCK)
        if command is None:
            continue
        with suppress(AblateError, OSError, TypeError):  # it is just being written, or removed
            keys = map(str, read_json(folder / "keys.json"))
            since = datetime.fromtimestamp((folder / "keys.json").stat().st_mtime).astimezone()
            place = Place("waiting", f"Ray, of {command}", since=since.isoformat(timespec="seconds"))
            begun = Ticket(folder).begun()
            found |= {key: place for key in keys if key not in begun}
    return found
