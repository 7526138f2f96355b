"""What a command has given to Ray, in files beside the study: `ablate status` sees what waits, `ablate stop` stops it.

jobs/ray-<8 hex>/keys.json      the jobs of one command
                 begun/<key>    written by a task when it begins; by the command, with its node, where it cannot
                 ended/<key>    written by the command when a job has ended
                 stop           written by whoever wants the command to stop
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

from ablate.disk.lock import Holder, acquire, holder
from ablate.disk.read import read_json
from ablate.disk.whole import whole_file, write_json, writing
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

    @property
    def ends(self) -> Path:
        """The folder of the marks that tell who has ended."""
        return self.folder / "ended"

    @property
    def wish(self) -> Path:
        """The file that is there once the command is to stop."""
        return self.folder / "stop"

    def begun(self) -> frozenset[str]:
        return _names(self.marks)

    def ended(self, key: str) -> None:
        """The job is neither waiting nor running any more."""
        with suppress(OSError):  # a full disk: `ablate stop` then counts it too
            (self.ends / key).touch()

    def keys(self) -> frozenset[str]:
        """All its jobs. Raises what reading a file that is just being written, or removed, may raise."""
        return frozenset(map(str, read_json(self.folder / "keys.json")))

    def mark(self, key: str, host: str) -> None:
        """By the command, of a task on a node that does not see this folder. Raises OSError."""
        if not (self.marks / key).exists():
            with whole_file(self.marks / key, durable=False) as file:
                file.write(host.encode())

    def where(self, key: str) -> str:
        """The node that a job runs on, as far as a mark says; empty where its own lock does. Raises OSError."""
        return (self.marks / key).read_text()

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
        own.ends.mkdir()
    held = acquire(own.folder / LOCK)
    write_json(own.folder / "keys.json", list(keys))
    try:
        yield own
    finally:
        shutil.rmtree(own.folder, ignore_errors=True)
        if held is not None:
            held.release()


def under_way(tickets: Path) -> Mapping[str, Place]:
    """The jobs that living commands have given to Ray: those that have not begun, and those whose mark tells where they
    run, since their nodes see no lock of ours."""
    found: dict[str, Place] = {}
    for one, command in _living(tickets):
        with suppress(*ABSENT):
            keys, begun, name = one.keys() - _names(one.ends), one.begun(), f"Ray, of {command}"
            waits = Place("waiting", name, since=_changed(one.folder / "keys.json"))
            found |= dict.fromkeys(keys - begun, waits)
            for key in keys & begun:
                if where := one.where(key):
                    found[key] = Place("running", name, where, _changed(one.marks / key))
    return found


def ask_to_stop(tickets: Path) -> int:
    """Asks every living command to stop, as Ctrl-C in its terminal would; how many of its jobs have not ended."""
    number = 0
    for one, _ in _living(tickets):
        with suppress(*ABSENT):
            number += len(one.keys() - _names(one.ends))
            one.wish.touch()
    return number


ABSENT = (AblateError, OSError, TypeError)
"""What reading a ticket raises that is just being written, or removed."""


def _living(tickets: Path) -> Iterator[tuple[Ticket, Holder]]:
    """The tickets whose commands live, each with its command."""
    for folder in sorted(tickets.glob("ray-*")):
        command = holder(folder / LOCK)
        if command is not None:
            yield Ticket(folder), command


def _names(folder: Path) -> frozenset[str]:
    with suppress(OSError):
        return frozenset(os.listdir(folder))
    return frozenset()


def _changed(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime).astimezone().isoformat(timespec="seconds")
