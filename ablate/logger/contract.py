"""What is asked of a logger: a program of somebody else's that shows curves, scores and parameters of runs.

A logger is told what the records and learning curves of a study hold already. Nothing is ever read back from it but
which runs it has, so that a run is not told twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

Number = float | int
EndState = Literal["done", "failed", "diverged"]


@dataclass(frozen=True)
class LoggedRun:
    """One run, or a study's summary, as loggers name it.

    key: the run's own, so that whoever is told of it twice knows it. group: its variant. name: for people, without the
    study's. tags: text by name, to filter by. parameters: the configuration, flat: `model.core.dropout`.
    """

    key: str
    study: str
    group: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str | Number | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Point:
    """The numbers of one step of a curve, by name: `train/loss`."""

    step: int
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class RunEnd:
    """How a run ended. step: its last one. numbers: scores and what it used, by name: `final/test`. texts: likewise."""

    state: EndState
    step: int
    numbers: Mapping[str, float]
    texts: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class Logger(Protocol):
    """A logger that is open. All calls come from one thread; what one raises ends the logging and nothing else."""

    live: ClassVar[bool]
    """Whether it takes a curve while that grows; else a run is told as a whole when it has ended."""

    @property
    def shown_by(self) -> str:
        """The command, or the address, by which a person looks at it."""

    def held(self) -> frozenset[str]:
        """Keys of the runs that it was told of whole, by this command or an earlier one."""

    def begin(self, run: LoggedRun) -> int:
        """Takes up a run: the curve that an earlier command left unfinished, else a new one in the place of any there.
        Gives the last step of the curve that is there, 0 where there is none."""

    def points(self, run: LoggedRun, points: Sequence[Point]) -> None:
        """More of a curve that was begun, in the order of steps."""

    def end(self, run: LoggedRun, end: RunEnd) -> None:
        """The end of a run that was begun."""

    def close(self) -> None:
        """No more is told. Runs that were begun and have not ended may go on with another command."""


class Opens(Protocol):
    """The options of a logger."""

    needs: ClassVar[str]
    """The package that it cannot do without, and which the extra of the logger's name installs."""

    def build(self, study: str, folder: Path) -> Logger:
        """Opens it. folder: the study's. Loads its package, and raises whatever that raises."""
