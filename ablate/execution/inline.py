"""Runs jobs in this process, one after the other: the simplest way, for debugging and for small machines.

A failure of one job does not touch the others, but one that kills the process does: that takes a process of its own
(`pool`). SIGINT and SIGTERM reach the work as KeyboardInterrupt unless it listens itself.
"""

from collections.abc import Iterator, Sequence

from ablate.execution.attempt import attempt
from ablate.execution.engine import Desk, Local
from ablate.execution.job import Event, Job, Outcome, resolve


class Inline(Local):
    """One outcome a job, in order; after an interruption no further job is begun."""

    def run(self, jobs: Sequence[Job], work: str, desk: Desk) -> Iterator[Outcome]:
        function = resolve(work)
        for job in jobs:
            if desk.stop.requested:
                return
            desk.tell(Event("started", job.key))
            outcome = attempt(job, function, self.settings.timeout)
            if outcome.state == "interrupted":
                desk.stop.request("SIGINT")
            desk.tell(Event("ended", job.key, outcome))
            yield outcome
