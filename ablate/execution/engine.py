"""What is asked of an engine, a place where jobs run, and the register of those there are: a further one is one file.

inline   in this process, one after the other
pool     each in a process of its own on this machine, several at once
slurm    each a task of an array in a cluster's queue
ray      each a task of Ray's, on this machine or a cluster
"""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from ablate.config import Config
from ablate.errors import AblateError
from ablate.execution.job import Event, Job, Outcome, Settings, Stop
from ablate.execution.storage.home import Home


@dataclass(frozen=True)
class Desk:
    """Where an engine writes, whom it tells, and how it is stopped.

    logs: folder for what jobs print, `<key>.log`. tickets: folder for what an engine must know of jobs that outlive
    this process. home: what an engine must know of the files of jobs whose nodes do not see this machine's folders.
    """

    logs: Path
    tickets: Path
    tell: Callable[[Event], None] = lambda event: None
    stop: Stop = field(default_factory=Stop)
    home: Home | None = None


@dataclass(frozen=True)
class Place:
    """Where a job is that an engine was given. name: what the engine calls it. where: a node's name. since: ISO 8601,
    as its host's clock has it. why: it waits, or it failed while no command was there to record it."""

    state: Literal["waiting", "running", "failed"]
    name: str = ""
    where: str = ""
    since: str = ""
    why: str = ""


@runtime_checkable
class Engine(Protocol):
    """A place where jobs run, made from `Settings`. It knows nothing of what a job does."""

    def run(self, jobs: Sequence[Job], work: str, desk: Desk) -> Iterator[Outcome]:
        """Runs every job and yields its outcome as it ends; a failure is an outcome, never an exception.

        A job that an earlier process handed in, and that still waits or runs, is taken up and not begun again. Once
        `desk.stop` is requested, no job is begun; those under way save their place, or are `left` to run on.
        """

    def under_way(self, tickets: Path) -> Mapping[str, Place]:
        """By key, the jobs that this engine holds or runs apart from any live process of ours, or that failed so."""

    def cancel(self, tickets: Path) -> int:
        """Asks all of those to save their place and end; how many there were."""


class Local:
    """An engine whose jobs end with the process that runs them: nothing is left to be found or to be stopped."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def under_way(self, tickets: Path) -> Mapping[str, Place]:
        return {}

    def cancel(self, tickets: Path) -> int:
        return 0


@dataclass(frozen=True)
class Entry:
    """One engine of the register. made_by: `package.module:Class`. options: the class of its own options, likewise.
    needs: the package that it cannot do without, and which the extra of the engine's name installs. remote: its jobs
    run on other machines, so that cores and GPUs of this one say nothing."""

    made_by: str
    options: str = ""
    needs: str = ""
    remote: bool = False


ENGINES: Mapping[str, Entry] = {
    "inline": Entry("ablate.execution.inline:Inline"),
    "pool": Entry("ablate.execution.pool:Pool"),
    "slurm": Entry(
        "ablate.execution.slurm.engine:Slurm",
        options="ablate.execution.slurm.options:SlurmOptions",
        needs="submitit",
        remote=True,
    ),
    "ray": Entry(
        "ablate.execution.onray.engine:OnRay",
        options="ablate.execution.onray.options:RayOptions",
        needs="ray",
        remote=True,
    ),
}


def entry_of(name: str) -> Entry:
    """Raises AblateError for an engine that nobody wrote, and for one whose package is not installed."""
    if name not in ENGINES:
        near = get_close_matches(name, ENGINES, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"engines: {', '.join(ENGINES)}"
        raise AblateError(f"no engine is called `{name}`", where="--engine", hint=hint)
    entry = ENGINES[name]
    if entry.needs and find_spec(entry.needs) is None:
        what = f"engine `{name}` needs the package {entry.needs}, which is not installed"
        raise AblateError(what, where="--engine", hint=f"pip install 'ablate[{name}]'")
    return entry


def engine_of(settings: Settings) -> Engine:
    """The engine that these settings name. Raises AblateError where it cannot be had."""
    entry_of(settings.engine)
    return made(settings)


def made(settings: Settings) -> Engine:
    """The same, whether its package is installed or not: to ask about jobs takes none."""
    engine: Engine = _named(ENGINES[settings.engine].made_by)(settings)
    return engine


def options_of(name: str) -> type[Config] | None:
    """The class of an engine's own options; None where it has none. Needs no package of the engine's."""
    return _named(ENGINES[name].options) if ENGINES[name].options else None


def _named(path: str) -> type:
    module, _, name = path.partition(":")
    found: type = getattr(importlib.import_module(module), name)  # named, since an engine may need an extra
    return found
