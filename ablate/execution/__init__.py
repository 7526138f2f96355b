"""Takes jobs and a function's name, gives outcomes: in this process or each in its own. Knows nothing of models."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ablate.execution.inline import run_inline
from ablate.execution.job import Busy, Event, Interrupted, Job, Outcome, Settings, Stop
from ablate.execution.pool import run_in_processes


def execute(
    jobs: Sequence[Job],
    work: str,
    settings: Settings | None = None,
    *,
    logs: Path,
    on_event: Callable[[Event], None] | None = None,
    stop: Stop | None = None,
) -> Iterator[Outcome]:
    """Runs every job and yields its outcome as it ends; failures are outcomes, never exceptions.

    work: `package.module:function`, called with each payload. logs: folder for what isolated jobs print, `<key>.log`.
    stop: once requested (by SIGINT and SIGTERM too), running jobs are asked to save their place, and no job is begun;
    those never begun have no outcome.
    """
    settings, stop = settings or Settings(), stop or Stop()
    tell = on_event or (lambda event: None)
    if settings.isolate:
        return run_in_processes(jobs, work, settings, logs=logs, on_event=tell, stop=stop)
    return run_inline(jobs, work, settings, on_event=tell, stop=stop)


__all__ = ["Busy", "Event", "Interrupted", "Job", "Outcome", "Settings", "Stop", "execute"]
