"""What is run and what comes of it: a `Job` in, an `Outcome` out, and `Settings` for how.

The work is named as `package.module:function`. It takes a job's payload, writes its results to files itself, and
returns nothing. It may raise `Busy` (somebody else does this job right now), `Interrupted` (it was asked to stop and
has saved its place), `Misplaced` (this machine lacks what its jobs need) and, where a job is several processes
(`execution/together.py`), `Lost`; anything else that it raises is a failure of this job and of no other.
"""

import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

from ablate.config import Config
from ablate.disk.read import Json
from ablate.errors import AblateError

OutcomeState = Literal["done", "failed", "interrupted", "busy", "left"]
Work = Callable[[Json], None]

TAIL_LINES = 60
"""A traceback through a deep model takes forty."""
_TAIL_BYTES = 16_384


class Busy(Exception):
    """Raised by the work: a live process elsewhere does this job."""


class Interrupted(Exception):
    """Raised by the work: it was asked to stop and has saved its place."""


class Misplaced(AblateError):
    """Raised by the work: this machine lacks what it needs, and what every job like it will need."""


class Lost(Exception):
    """Raised by the work of one of several processes of a job: another of them is gone."""


@dataclass(frozen=True)
class DeviceUse:
    """What a job took of its GPU, in bytes. peak: that its process held at most. total: of the GPU."""

    peak: int
    total: int


@dataclass(frozen=True)
class Job:
    """One thing to do. key: safe as a file name. payload: what the work gets, JSON-able. label: for people. kind: jobs
    of one kind take the same memory of a GPU. took: what one of its kind took that was done before, where it is known.
    """

    key: str
    payload: Json
    label: str = ""
    kind: str = ""
    took: DeviceUse | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    state: `left` when it runs on although we stopped. reason: why it failed, in one line; empty when done.
    log_tail: the last lines that it printed. seconds: of its last try. peak_bytes: host memory at its peak, shared
    pages counted; 0 where unknown. tries: 2 after a retry. cause: of a failure that another GPU or another machine may
    not have.
    """

    key: str
    state: OutcomeState
    reason: str = ""
    log_tail: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0
    tries: int = 1
    cause: Literal["", "memory", "machine"] = ""


@dataclass(frozen=True)
class Event:
    """Something that a progress display wants to know: a job has started, is tried again, or has ended; or `told`, what
    a person should know since it ended, by its reason. A job that ran is told to have started before it ended."""

    kind: Literal["started", "again", "ended", "told"]
    key: str
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True)
class Settings:
    """How jobs are run.

    engine: its name in the register. workers: jobs at once, over all devices. packs: that is the most; a GPU is given
    one job, and more as memory and idle time leave room. timeout: seconds a job may take.
    grace: seconds between asking a process to stop and killing it. threads: processor threads of each job; cores /
    workers when None (give it where results must be equal bit for bit whatever the number of workers). processes: those
    that a job starts by itself to do it together, each with so many threads; 1: none. devices: values
    of CUDA_VISIBLE_DEVICES that jobs are spread over; empty leaves it alone. preload: modules imported before the fork.
    prepare: `package.module:function`, called with `prepare_with` (JSON-able) where processes are forked from, once,
    so that what it opens is shared by all jobs; a help, never needed: when it fails, nothing is shared.
    start: how processes come to be; `auto` forks on Linux where that is safe and spawns elsewhere.
    gpus, memory_gb, hours: what each job is given on a cluster; None: what the cluster gives by itself. shares: the
    first job of a kind is given those gpus, the others the share that it took. options: the engine's own, of its
    options class.
    """

    engine: str = "pool"
    workers: int = 1
    packs: bool = False
    timeout: float | None = None
    grace: float = 30.0
    threads: int | None = None
    processes: int = 1
    devices: tuple[str, ...] = ()
    preload: tuple[str, ...] = ("torch",)
    prepare: str = ""
    prepare_with: Json = field(default_factory=dict)
    start: Literal["auto", "fork", "spawn"] = "auto"
    gpus: float = 0.0
    shares: bool = False
    memory_gb: float | None = None
    hours: float | None = None
    options: Config | None = None

    @property
    def counted(self) -> int:
        """Jobs at once that an estimate may count on: packing may find room for more, or not."""
        return max(1, len(self.devices)) if self.packs else self.workers

    @property
    def cores(self) -> int:
        """What a job is given on a cluster."""
        return (self.threads or 1) * self.processes


@dataclass
class Stop:
    """The wish to stop: set by SIGINT or SIGTERM while `listening`, or by hand. A second signal stops without grace."""

    signals: int = 0
    name: str = ""
    event: threading.Event = field(default_factory=threading.Event)

    @property
    def requested(self) -> bool:
        return self.event.is_set()

    @property
    def at_once(self) -> bool:
        return self.signals > 1

    def request(self, name: str = "") -> None:
        """Asks for a stop."""
        self.signals += 1
        self.name = self.name or name
        self.event.set()

    @contextmanager
    def listening(self) -> Iterator["Stop"]:
        """Turns SIGINT and SIGTERM into this wish, where that is possible (in the main thread)."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return

        def heard(number: int, frame: FrameType | None) -> None:
            self.request(signal.Signals(number).name)

        before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def resolve(work: str) -> Work:
    """The function named `package.module:function`. Raises AblateError when it cannot be had."""
    module, _, name = work.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)  # named, since jobs travel as text
    except (ImportError, AttributeError, ValueError) as error:
        raise AblateError(f"cannot find {work}: {error}") from error
    assert callable(function)
    return function  # type: ignore[no-any-return]


def why(error: BaseException) -> str:
    """An exception in one line of at most 400 characters."""
    text = " ".join(str(error).split())
    if isinstance(error, AblateError):
        return text.removeprefix("error: ")[:400]
    return f"{type(error).__name__}: {text}"[:400] if text else type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that host or device memory ran out; by name and text, since torch may not be loaded."""
    text = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError | OSError) and ("out of memory" in text or "can't allocate memory" in text))
        or "cannot allocate memory" in text
        or "status_alloc_failed" in text  # cuBLAS and cuDNN
    )


def log_tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


_SHARE = "ABLATE_GPU_SHARE"
"""Of this process and those that it starts."""


def hold_share(share: float) -> None:
    """By an engine, in the process of a job that is given a part of a GPU."""
    os.environ[_SHARE] = f"{share:g}"


def held_share() -> float | None:
    """The part of a GPU that this process was given; None where that is whole ones, or nobody said."""
    try:
        return float(os.environ[_SHARE])
    except (KeyError, ValueError):
        return None
