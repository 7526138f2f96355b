"""A long count on its way: on a terminal a bar with the time left, elsewhere a plain line now and then."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ablate.analysis.words import duration

PLAIN_EVERY = 15.0
"""Seconds between two lines where there is no terminal."""


class Count:
    """`with Count(console, "frames", total) as count: count.add(5)`. What is free is not counted into the pace."""

    def __init__(self, console: Console, what: str, total: int, *, plain_every: float = PLAIN_EVERY):
        self._console, self._what, self._total, self._every = console, what, total, plain_every
        self._done = self._worked = 0
        self._started = self._last_said = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task(what, total=total)

    def __enter__(self) -> "Count":
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def add(self, number: int, *, free: bool = False) -> None:
        """So many more are done. free: they were there already and say nothing about the pace."""
        self._done += number
        self._worked += 0 if free else number
        self._bar.update(self._task, completed=self._done)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_said >= self._every:
            self._last_said = now
            self._console.print(f"{self._what}: {self._done:,} of {self._total:,}{self._left(now)}", markup=False)

    def _left(self, now: float) -> str:
        if not self._worked:
            return ""
        seconds = (self._total - self._done) * (now - self._started) / self._worked
        return f", about {duration(seconds)} left"
