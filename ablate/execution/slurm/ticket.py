"""What is known of jobs that were handed to SLURM, in files beside the study, so that any login node can go on.

    jobs/<name>/ticket.json     the keys of one array, in the order of its tasks; `name` is also the job's in the queue
                ended/<key>     what a job said at its end, as JSON
                ...             submitit's own files

A ticket is written before its array is submitted: whoever dies in between leaves a ticket without jobs, never jobs
without a ticket.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from ablate.disk.read import read_json
from ablate.disk.whole import whole_file, write_json, writing
from ablate.errors import AblateError
from ablate.execution.job import Outcome


@dataclass(frozen=True)
class Ticket:
    """One array. keys: of its tasks, in their order."""

    folder: Path
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """The job's name in the queue."""
        return self.folder.name

    def ended(self) -> frozenset[str]:
        """The keys of the jobs that have said how they ended."""
        with suppress(OSError):
            return frozenset(name for name in os.listdir(self.folder / "ended") if not name.startswith("."))
        return frozenset()

    def outcome(self, key: str) -> Outcome | None:
        """What a job said at its end; None where it said nothing that can be read."""
        return read_outcome(self.folder, key)

    def forget(self, key: str) -> None:
        """Once an outcome is recorded, it is not told again."""
        with suppress(OSError):
            (self.folder / "ended" / key).unlink()

    def remove(self) -> None:
        """Once all is told."""
        shutil.rmtree(self.folder, ignore_errors=True)


def new_ticket(tickets: Path, keys: Sequence[str]) -> Ticket:
    """Written before anything is submitted. Raises AblateError."""
    study = "".join(c if c.isalnum() or c in "._-" else "_" for c in tickets.parent.name)
    folder = tickets / f"ablate-{study}-{uuid.uuid4().hex[:8]}"
    with writing(folder):
        (folder / "ended").mkdir(parents=True)
    write_json(folder / "ticket.json", {"engine": "slurm", "keys": list(keys)})
    return Ticket(folder, tuple(keys))


def tickets_in(tickets: Path) -> Iterator[Ticket]:
    """All tickets of a study, the oldest first; what is no ticket is passed over."""
    folders = [path for path in tickets.glob("ablate-*") if (path / "ticket.json").is_file()]
    for folder in sorted(folders, key=lambda path: (path / "ticket.json").stat().st_mtime_ns):
        with suppress(AblateError, KeyError, TypeError):
            yield Ticket(folder, tuple(map(str, read_json(folder / "ticket.json")["keys"])))


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """By the job, at its end. Raises OSError."""
    with whole_file(folder / "ended" / outcome.key) as file:
        file.write(json.dumps(asdict(outcome)).encode())


def read_outcome(folder: Path, key: str) -> Outcome | None:
    try:
        return Outcome(**read_json(folder / "ended" / key))
    except (AblateError, TypeError):
        return None
