"""A study's tickets in, where its jobs are on any cluster out: asked of every engine whose jobs outlive the command."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ablate.errors import AblateError
from ablate.execution.engine import ENGINES, Engine, Place, made
from ablate.execution.job import Settings


def under_way(tickets: Path) -> tuple[Mapping[str, Place], tuple[str, ...]]:
    """By key, the jobs that wait or run; and why an engine could not be asked, for people."""
    found: dict[str, Place] = {}
    silent: list[str] = []
    for engine in _elsewhere():
        try:
            found |= engine.under_way(tickets)
        except AblateError as error:
            silent.append(f"{error.problems[0].where}: {error.problems[0].what}")
    return found, tuple(silent)


def cancel(tickets: Path) -> int:
    """Asks all of them to save their place and end; how many there were. Raises AblateError where that cannot be."""
    return sum(engine.cancel(tickets) for engine in _elsewhere())


def _elsewhere() -> Iterator[Engine]:
    """The engines of the register whose jobs may outlive us; none needs its package for this."""
    for name, entry in ENGINES.items():
        if entry.remote:
            yield made(Settings(engine=name))
