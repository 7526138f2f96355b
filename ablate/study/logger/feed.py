"""Tells the loggers of a study what its runs do, in a thread of its own: a slow one delays no run.

What a logger raises is told once, and it is asked no more. No run and no record depends on any of this.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue

from ablate.disk.lock import Lock, acquire, holder
from ablate.errors import AblateError
from ablate.execution.job import why
from ablate.logger import AnyLogger, LoggedRun, Logger, Point, RunEnd
from ablate.result import Store
from ablate.result.progress import CurveReader, curve_path
from ablate.study.logger.told import points

SECONDS_BETWEEN_LOOKS = 5.0
"""At the curves of runs under way."""
PATIENCE = 60.0
"""Seconds that a logger may take for one call at the end, while nothing else is left to do."""

Ended = tuple[LoggedRun, Sequence[Point], RunEnd]


@dataclass
class Sink:
    """An open logger, and how far it has been told. last: step of each run that was begun and has not ended."""

    name: str
    logger: Logger
    lock: Lock
    held: set[str]
    last: dict[str, int] = field(default_factory=dict)

    def begin(self, run: LoggedRun) -> None:
        """A run that is being trained: one that was told whole is told anew."""
        if run.key not in self.last:
            self.held.discard(run.key)
            self.last[run.key] = self.logger.begin(run)

    def more(self, run: LoggedRun, curve: Sequence[Point]) -> None:
        """Of its curve; steps that it has been told of are left out."""
        new = [point for point in curve if point.step > self.last[run.key]]
        if new:
            self.logger.points(run, new)
            self.last[run.key] = new[-1].step

    def whole(self, run: LoggedRun, curve: Sequence[Point], end: RunEnd) -> None:
        """A run that has ended, unless it was told of it before."""
        if run.key not in self.held:
            self.begin(run)
            self.more(run, curve)
            self.logger.end(run, end)
            del self.last[run.key]
            self.held.add(run.key)


class Feed:
    """The loggers of one study. Every call only notes what is to be told, and returns at once, but for `finish`."""

    def __init__(self, loggers: Sequence[AnyLogger], study: str, store: Store, tell: Callable[[str], None]):
        """tell: hears what a person should know, from another thread."""
        self._configs, self._study, self._store, self._tell = loggers, study, store, tell
        self._sinks: list[Sink] = []
        self._under_way: dict[str, tuple[LoggedRun, CurveReader]] = {}
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._sign_of_life = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="loggers", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ for whoever has something to tell

    def started(self, run: LoggedRun) -> None:
        """A run is being trained, somewhere."""
        self._tasks.put(lambda: self._begin(run))

    def left(self, key: str) -> None:
        """It is so no longer, and has not ended."""
        self._tasks.put(lambda: self._leave(key))

    def ended(self, give: Callable[[], Iterable[Ended]]) -> None:
        """What has ended. give: fetches it, in the feed's thread."""

        def task() -> None:
            with suppress(AblateError):  # a damaged record, which the report tells of
                for told in give():
                    self._whole(*told)

        self._tasks.put(task)

    def lacks(self, key: str) -> bool:
        """Whether a logger has not been told of a run as a whole. In the feed's thread alone."""
        return any(key not in sink.held for sink in self._sinks)

    def finish(self) -> None:
        """Waits until all is told, as long as the loggers take things in."""
        self._tasks.put(None)
        asked = time.monotonic()
        while self._thread.is_alive():
            self._thread.join(0.5)
            silent = time.monotonic() - max(asked, self._sign_of_life)
            if self._thread.is_alive() and silent > PATIENCE:
                names = ", ".join(sink.name for sink in self._sinks)
                self._tell(f"log: {names} did not answer for {PATIENCE:.0f} s; what is missing there is told next time")
                return

    # ------------------------------------------------------------------ in the thread

    def _work(self) -> None:
        for config in self._configs:
            self._open(config)
        look = time.monotonic() + SECONDS_BETWEEN_LOOKS
        while True:
            with suppress(Empty):
                task = self._tasks.get(timeout=max(0.0, look - time.monotonic()))
                if task is None:
                    break
                task()
            if time.monotonic() >= look:
                self._follow()
                look = time.monotonic() + SECONDS_BETWEEN_LOOKS
        for sink in list(self._sinks):
            self._close(sink)

    def _open(self, config: AnyLogger) -> None:
        place = self._store.root / "locks" / f"log-{config.type}.lock"
        lock: Lock | None = None
        try:
            lock = acquire(place)
            if lock is None:
                self._tell(f"log: {config.type} is told by {holder(place) or 'another command'} already, not by us")
                return
            logger = config.build(self._study, self._store.root)
            self._sinks.append(Sink(config.type, logger, lock, set(logger.held())))
            self._tell(f"log: {config.type}, shown by `{logger.shown_by}`")
        except Exception as error:  # whatever a library may raise
            self._tell(f"log: {config.type} cannot be opened, so nothing is logged there: {why(error)}")
            if lock is not None:
                lock.release()

    def _begin(self, run: LoggedRun) -> None:
        if run.key not in self._under_way:
            self._under_way[run.key] = (run, CurveReader(curve_path(self._store, run.key)))
        self._each(lambda sink: sink.begin(run), live=True)

    def _leave(self, key: str) -> None:
        self._under_way.pop(key, None)

    def _follow(self) -> None:
        """The rows that have come in the curves of runs under way."""
        for run, reader in self._under_way.values():
            if curve := points(reader.more()):
                self._each(partial(Sink.more, run=run, curve=curve), live=True)

    def _whole(self, run: LoggedRun, curve: Sequence[Point], end: RunEnd) -> None:
        self._leave(run.key)
        self._each(lambda sink: sink.whole(run, curve, end))

    def _each(self, act: Callable[[Sink], None], *, live: bool = False) -> None:
        """live: those alone that take a curve while it grows."""
        for sink in list(self._sinks):
            if sink.logger.live or not live:
                try:
                    act(sink)
                except Exception as error:  # whatever a library may raise
                    self._tell(f"log: {sink.name} failed, so nothing more is logged there: {why(error)}")
                    self._close(sink)
                self._sign_of_life = time.monotonic()

    def _close(self, sink: Sink) -> None:
        self._sinks.remove(sink)
        with suppress(Exception):  # it may have failed before
            sink.logger.close()
        sink.lock.release()
