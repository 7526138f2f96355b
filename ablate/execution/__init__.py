"""Takes jobs and a function's name, gives outcomes: in this process, in others, on other machines. Knows no model."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ablate.execution.engine import Desk, engine_of
from ablate.execution.job import Busy, Event, Interrupted, Job, Outcome, Settings, Stop
from ablate.execution.storage.home import Home


def execute(
    jobs: Sequence[Job],
    work: str,
    settings: Settings | None = None,
    *,
    logs: Path,
    tickets: Path | None = None,
    on_event: Callable[[Event], None] | None = None,
    stop: Stop | None = None,
    home: Home | None = None,
) -> Iterator[Outcome]:
    """Runs every job by the engine of the settings and yields its outcome as it ends (`Engine.run`).

    work: `package.module:function`, called with each payload. logs, tickets: folders (`Desk`); home likewise.
    stop: once requested (by SIGINT and SIGTERM too), no job is begun; those never begun have no outcome.
    """
    desk = Desk(logs, tickets or logs.with_name("jobs"), on_event or (lambda event: None), stop or Stop(), home)
    return engine_of(settings or Settings()).run(jobs, work, desk)
