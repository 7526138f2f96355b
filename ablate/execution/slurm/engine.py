"""SLURM as an engine: submits what is not in the queue yet, takes up what is, and waits for what each job says.

Stopped, it leaves the jobs to run on; `cancel` ends them. Given again, on any login node that sees the study's folder,
it finds them by their tickets.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ablate.disk.lock import wait_for
from ablate.disk.name import check_name
from ablate.disk.whole import writing
from ablate.execution.engine import Desk, Place
from ablate.execution.job import Event, Job, Outcome, Settings, log_tail
from ablate.execution.slurm.queue import Task, cancel, look
from ablate.execution.slurm.submit import options_of, submit
from ablate.execution.slurm.ticket import Ticket, tickets_in

TICK = 0.5
"""Seconds between two looks at what the jobs have said."""
LATE_FILES = 60.0
"""Seconds that a shared folder may take to show a file that another machine wrote: the longest that NFS keeps a listing
by default."""
UNCOUNTED = ("NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "REVOKED")
"""Ends that say nothing of the job: it is submitted again however often they come."""
MOST_TRIES = 2


class Slurm:
    """One array a study, throttled to `workers`."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def run(self, jobs: Sequence[Job], work: str, desk: Desk) -> Iterator[Outcome]:
        if not jobs:
            return
        for job in jobs:
            check_name(job.key, "job key")
        for folder in (desk.logs, desk.tickets):
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
        with desk.stop.listening():
            yield from _Watch(jobs, work, self.settings, desk).outcomes()

    def under_way(self, tickets: Path) -> Mapping[str, Place]:
        known = list(tickets_in(tickets))
        told = ((key, ticket.outcome(key)) for ticket in known for key in ticket.ended())
        failed = {
            key: Place("failed", why=end.reason) for key, end in told if end is not None and end.state == "failed"
        }
        return failed | {key: task.place for key, task in look(known).items() if task.alive}

    def cancel(self, tickets: Path) -> int:
        return cancel(list(tickets_in(tickets)))


@dataclass
class _Open:
    """A job whose end is not known yet. silent: since when the queue has it no more while it has said nothing."""

    job: Job
    ticket: Ticket
    tries: int = 1
    running: bool = False
    silent: float | None = None
    looks: int = 0
    last: str = ""
    """Where its last interruption left it."""


@dataclass
class _Watch:
    """The jobs of one call."""

    jobs: Sequence[Job]
    work: str
    settings: Settings
    desk: Desk
    open: dict[str, _Open] = field(default_factory=dict)

    def outcomes(self) -> Iterator[Outcome]:
        self._take_up()
        wait, looked = options_of(self.settings).poll_seconds, 0.0
        while self.open and not self.desk.stop.requested:
            yield from self._said()
            if self.open and time.monotonic() - looked >= wait:
                yield from self._asked(look(self._tickets()))
                looked = time.monotonic()
            if self.open:
                self.desk.stop.event.wait(min(TICK, wait))
        if not self.open:
            self._tidy()
        yield from (Outcome(key, "left", "goes on in SLURM") for key in self.open)

    # ------------------------------------------------------------------ beginning

    def _take_up(self) -> None:
        """Jobs in the queue, and those that ended unheard, are taken up; the others are submitted."""
        wanted = {job.key: job for job in self.jobs}
        with wait_for(self.desk.tickets / "submit.lock", 120.0):  # two commands at once would both submit
            tickets = list(tickets_in(self.desk.tickets))
            queue = look(tickets)
            for ticket in tickets:
                kept = _alive_or_told(ticket, queue)
                self.open |= {key: _Open(wanted[key], ticket) for key in wanted.keys() & kept}
                if not kept:
                    ticket.remove()
            self._submit([job for job in self.jobs if job.key not in self.open])

    def _tidy(self) -> None:
        """Tickets of which nothing is to be heard any more; another command may wait for others."""
        tickets = list(tickets_in(self.desk.tickets))
        queue = look(tickets)
        for ticket in tickets:
            if not _alive_or_told(ticket, queue):
                ticket.remove()

    def _submit(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        by_key = {job.key: job for job in jobs}
        for ticket in submit(jobs, self.work, self.settings, self.desk.logs, self.desk.tickets):
            for key in ticket.keys:
                before = self.open.get(key, _Open(by_key[key], ticket))
                self.open[key] = replace(before, ticket=ticket, running=False, silent=None, looks=0)

    def _tickets(self) -> list[Ticket]:
        return list({one.ticket.name: one.ticket for one in self.open.values()}.values())

    # ------------------------------------------------------------------ ending

    def _said(self) -> Iterator[Outcome]:
        """What jobs have said of their end. A job that was interrupted may come back: the queue knows."""
        for ticket in self._tickets():
            for key in ticket.ended():
                one = self.open.get(key)
                outcome = ticket.outcome(key) if one is not None and one.ticket == ticket else None
                if outcome is not None and outcome.state != "interrupted":
                    yield from self._end(outcome)

    def _asked(self, queue: Mapping[str, Task]) -> Iterator[Outcome]:
        """What follows from the queue: who runs, and who has left it without a word."""
        again: list[Job] = []
        for key, one in list(self.open.items()):
            task = queue.get(key)
            if task is not None and task.alive:
                self._seen(one, task.place)
                continue
            outcome = self._silent(one, task)
            if isinstance(outcome, Outcome):
                yield from self._end(outcome)
            elif outcome:
                self.desk.tell(Event("again", key, reason=outcome))
                again.append(one.job)
        self._submit(again)

    def _seen(self, one: _Open, place: Place) -> None:
        """A job that is in the queue: it may have begun, or have been put back."""
        one.silent, one.looks = None, 0
        runs = place.state == "running"
        if runs and not one.running:
            self.desk.tell(Event("started", one.job.key))
        elif one.running and not runs:
            self.desk.tell(Event("again", one.job.key, reason="back in SLURM's queue"))
        one.running = runs

    def _silent(self, one: _Open, task: Task | None) -> Outcome | str | None:
        """A job that the queue has no more: its outcome, why it is submitted again, or None as long as it may speak."""
        said = one.ticket.outcome(one.job.key)
        if said is not None and said.state != "interrupted":
            return said
        now = time.monotonic()
        one.silent, one.looks = one.silent or now, one.looks + 1
        state = "" if task is None else task.state
        if one.looks < 2 or (said is None and state in ("", "COMPLETED") and now - one.silent < LATE_FILES):
            return None
        if state == "CANCELLED" or (said is not None and not state):
            return said or Outcome(one.job.key, "interrupted", "cancelled in SLURM", tries=one.tries)
        tail = "\n".join(
            filter(None, (log_tail(self.desk.logs / f"{one.job.key}.log"), _words_of_slurm(one.ticket, task)))
        )
        if said is not None and said.reason != one.last:
            one.last = said.reason
            return said.reason
        words = f"SLURM ended it: {state or 'it left the queue without a word'}"
        if state in UNCOUNTED:
            return words
        if state == "OUT_OF_MEMORY":
            return Outcome(one.job.key, "failed", f"out of memory ({words})", tail, tries=one.tries)
        one.tries += 1
        if one.tries > MOST_TRIES:
            return Outcome(one.job.key, "failed", f"{words}, in {MOST_TRIES} tries", tail, tries=MOST_TRIES)
        return words

    def _end(self, outcome: Outcome) -> Iterator[Outcome]:
        one = self.open.pop(outcome.key)
        if not one.running and one.ticket.outcome(outcome.key) is not None:  # it began and ended between two looks
            self.desk.tell(Event("started", outcome.key))
        self.desk.tell(Event("ended", outcome.key, outcome))
        yield outcome
        one.ticket.forget(outcome.key)  # it is recorded now


def _alive_or_told(ticket: Ticket, queue: Mapping[str, Task]) -> set[str]:
    """The keys of jobs in the queue, and of those whose end is still to be recorded."""
    alive = {key for key in ticket.keys if key in queue and queue[key].alive}
    told = {key: ticket.outcome(key) for key in ticket.ended()}
    return alive | {key for key, outcome in told.items() if outcome is not None and outcome.state != "interrupted"}


def _words_of_slurm(ticket: Ticket, task: Task | None) -> str:
    """What was printed before the job had a log of its own: by the setup lines, by Python, by SLURM itself."""
    return log_tail(ticket.folder / f"{task.number}_0_log.out") if task is not None else ""
