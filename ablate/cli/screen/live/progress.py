"""How far a study is: on a terminal the table so far, the runs under way and the time left; elsewhere a plain line a
run.
"""

import shlex
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from ablate.analysis.words import duration, plural, unit_of
from ablate.cli.console import stage
from ablate.cli.screen.live.fitted import Fitted, shortened
from ablate.cli.studies import analysis_of
from ablate.errors import AblateError
from ablate.report import live_table
from ablate.study.running.watcher import Watcher

if TYPE_CHECKING:
    from ablate.analysis.outcome import Settling
    from ablate.execution import Event
    from ablate.study.running.job import RunJob
    from ablate.study.study import Study

REFRESHES_PER_SECOND = 2
TABLE_SHARE = 20
"""A table of thousands of runs takes a second: it is made again after so many times as long as it took."""
FACTS_WIDTH = 60
"""Columns for step, score and time left: `: step 100000 of 100000, validation -0.1234, 100 h 59 min left`."""


class ProgressDisplay(Watcher):
    """Watches a study. `with display: run_study(request, display)`."""

    def __init__(self, console: Console, warn: "Callable[[Sequence[RunJob]], None]" = lambda todo: None):
        """warn: says what should be known of the runs before they begin."""
        self._console, self._warn = console, warn
        self._study: Study | None = None
        self._todo: dict[str, RunJob] = {}
        self._running: dict[str, None] = {}
        self._ended = 0
        self._started = 0.0
        self._table: RenderableType = Text()
        self._table_again, self._stale = 0.0, False
        self._live = Live(
            get_renderable=self._picture, console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True
        )

    def __enter__(self) -> "ProgressDisplay":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live.is_started:
            self._live.stop()

    # ------------------------------------------------------------------ what the study tells

    def doing(self, what: str) -> None:
        stage(what)

    def notice(self, what: str) -> None:
        self._say(what)

    def planned(self, study: "Study", todo: "Sequence[RunJob]") -> None:
        stage()
        self._study, self._todo = study, {job.key: job for job in todo}
        self._started = time.monotonic()
        manifest = study.manifest
        for notice in study.notices:
            self._say(str(notice).removeprefix("error: "))
        if manifest.rehearsal:
            self._say("REHEARSAL: few steps on little data, one seed. Its numbers are not results.")
        looks = manifest.schedule is not None
        done = len(study.jobs) - len(todo)
        kept = f", {done} of them done already" if done and not looks else ""
        most = "at most " if looks else ""
        self._say(
            f"{manifest.name}: {plural(len(manifest.variants), 'variant')}, "
            f"{most}{plural(len(study.jobs), 'run')}{kept}; {manifest.data_description}"
        )
        self._warn(todo)
        if todo and self._console.is_terminal:
            self._make_table()
            self._live.start()

    def look(self, state: "Settling", todo: "Sequence[RunJob]", ahead: "Sequence[RunJob]" = ()) -> None:
        """A study that is run until settled: what is settled, and what the next look costs."""
        if state.look is not None:
            self._say(f"settled: {', '.join(state.settled) or 'none'}; open: {', '.join(state.open)}")
        if state.to_come is not None:
            more = f", {len(ahead)} of them ahead, for the looks after" if ahead else ""
            self.stage(f"look at {state.to_come.here} seeds", (*todo, *ahead), more)

    def stage(self, name: str, todo: "Sequence[RunJob]", more: str = "") -> None:
        """Further runs, and what they are for. more: to be told of them."""
        self._todo |= {job.key: job for job in todo}
        self._started = self._started if self._ended else time.monotonic()
        self._say(f"{name}: {plural(len(todo), 'run')}{more}")
        if self._console.is_terminal and not self._live.is_started:
            self._make_table()
            self._live.start()

    def event(self, event: "Event") -> None:
        if event.kind == "started":
            self._running[event.key] = None
        elif event.kind == "ended":
            self._running.pop(event.key, None)
            if event.outcome is not None and event.outcome.state == "busy":
                self._say(f"{self._todo[event.key].label}: left to another process, {event.outcome.reason}")
                return
            self._ended += 1
            self._tell_end(event)
        elif event.kind == "again":
            self._running.pop(event.key, None)
            self._say(f"{self._todo[event.key].label}: tried once more ({event.reason})")
        elif event.kind == "told":
            self._say(event.reason)

    def finished(self) -> None:
        if self._live.is_started:
            self._live.stop()

    # ------------------------------------------------------------------ what a person sees

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _tell_end(self, event: "Event") -> None:
        assert self._study is not None
        if self._live.is_started:
            self._stale = True
            self._renew_table()
            return
        job = self._todo[event.key]
        left = self._seconds_left()
        place = f"[{self._ended}/{len(self._todo)}]"
        self._say(
            f"{place} {job.label}: {self._result(event)}" + (f", about {duration(round(left))} left" if left else "")
        )

    def _result(self, event: "Event") -> str:
        """A run's end in a few words."""
        assert self._study is not None
        outcome = event.outcome
        if outcome is None or outcome.state != "done":
            return f"{outcome.state}: {outcome.reason}" if outcome else "ended"
        try:
            record = self._study.store.record(event.key)
        except AblateError as error:
            return str(error)
        if record.test is None:
            return f"{record.state}: {record.reason}"
        unit = unit_of(self._study.manifest.metric)
        return f"{record.test.headline:.4f} {unit} in {duration(outcome.seconds)}"

    def _seconds_left(self) -> float | None:
        """At the pace of the runs that have ended; finished runs of one seed take much the same time as the next
        seed's.
        """
        if self._ended == 0 or self._ended >= len(self._todo):
            return None
        return (time.monotonic() - self._started) / self._ended * (len(self._todo) - self._ended)

    def _picture(self) -> RenderableType:
        if self._study is None:
            return Text()
        self._renew_table()
        left = self._seconds_left()
        total = f"{self._study.manifest.name}: {self._ended} of {len(self._todo)} runs"
        total += f", about {duration(round(left))} left" if left else ""
        total += "; until all have ended, verdicts are provisional"  # without curves and units some guards are silent
        lines = [partial(self._running_line, key) for key in tuple(self._running)]
        return Fitted(total, lines, self._table, f"ablate report {shlex.quote(str(self._study.store.root))}")

    def _running_line(self, key: str) -> str:
        """Run, variant, seed, step, score and the time left, the label cut so that all of it has room."""
        from ablate.result.progress import read_progress

        assert self._study is not None
        label = f"  {shortened(self._todo[key].label, max(20, self._console.width - FACTS_WIDTH))}: "
        now = read_progress(self._study.store, key)
        if now is None:
            return f"{label}starting"
        facts = [f"step {now.step} of {now.steps}"]
        if now.score is not None:
            facts.append(f"validation {now.score:.4f}")
        if now.seconds_left is not None:
            facts.append(f"{duration(round(now.seconds_left))} left")
        return label + ", ".join(facts)

    def _renew_table(self) -> None:
        if self._stale and time.monotonic() >= self._table_again:
            self._make_table()

    def _make_table(self) -> None:
        assert self._study is not None
        begun, self._stale = time.monotonic(), False
        try:
            self._table = live_table(analysis_of(self._study.store, quick_look=True))
        except AblateError as error:  # the table is a comfort here; the runs are what matters
            self._table = Text(str(error))
        now = time.monotonic()
        self._table_again = now + TABLE_SHARE * (now - begun)
