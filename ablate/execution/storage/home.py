"""What an engine must know of the files of jobs where its nodes do not see this machine's folders.

The work of a job reads and writes under one folder, which its payload names. Such an engine gives it a folder on its
node instead, sends what the work leaves there to a store, and fetches it from there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ablate.execution.job import DeviceUse


@dataclass(frozen=True)
class JobFiles:
    """Paths of one job, relative to the folder that it works in.

    place: folder in which it saves its place, and from whose newest file it goes on; files there appear whole, never
    change, and their names sort by age. result: folder that is there, whole, once the job is done. progress: a small
    file that it writes again and again. log: what it prints.
    """

    place: str
    result: str
    progress: str
    log: str


class NotWhole(Exception):
    """What was left of a job is not all there, or not as it was written."""


class Claim(Protocol):
    """The right to do a job, or to keep what came of it."""

    def release(self) -> None: ...


class Home(Protocol):
    """The folder in which jobs work on this machine. Its methods may be called from several threads, each for a job of
    its own."""

    @property
    def root(self) -> Path:
        """The folder. Its name stands for the study in a store."""

    @property
    def word(self) -> str:
        """The payload's word for that folder."""

    def files(self, key: str) -> JobFiles:
        """Where a job's files lie below it."""

    def afresh(self, key: str) -> bool:
        """Whether all that earlier tries left is to be removed."""

    def took(self, key: str) -> DeviceUse | None:
        """What a job that is done took of its GPU, where its result says so."""

    def claim(self, key: str) -> Claim:
        """Raises Busy where another process does this job or has done it."""

    def receive(self, key: str, fill: Callable[[Path], None]) -> bool:
        """Moves a result in that `fill` puts into an empty folder; False where it is not the one that is wanted.

        Under the claim. Raises NotWhole, also what `fill` raises of it; AblateError where it cannot be written.
        """
