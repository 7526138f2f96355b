"""Runs jobs in this process, one after the other: the simplest way, for debugging and for small machines.

A failure of one job does not touch the others, but one that kills the process does: that takes a process of its own
(`pool`). SIGINT and SIGTERM reach the work as KeyboardInterrupt unless it listens itself. A timeout is an alarm, which
Python code obeys and a hanging library call does not.
"""

import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from ablate.execution.job import (
    Busy,
    Event,
    Interrupted,
    Job,
    Outcome,
    Settings,
    Stop,
    Work,
    is_out_of_memory,
    resolve,
    why,
)


class TookTooLong(Exception):
    """A job ran past its timeout."""


def run_inline(
    jobs: Sequence[Job], work: str, settings: Settings, *, on_event: Callable[[Event], None], stop: Stop
) -> Iterator[Outcome]:
    """One outcome a job, in order; after an interruption no further job is begun."""
    function = resolve(work)
    for job in jobs:
        if stop.requested:
            return
        on_event(Event("started", job.key))
        outcome = _run(job, function, settings.timeout, stop)
        on_event(Event("ended", job.key, outcome))
        yield outcome


def _run(job: Job, function: Work, timeout: float | None, stop: Stop) -> Outcome:
    begun = time.monotonic()
    state, reason, tail = "done", "", ""
    try:
        with _signals_raise(timeout):
            function(job.payload)
    except Busy as error:
        state, reason = "busy", str(error)
    except (KeyboardInterrupt, Interrupted) as error:
        stop.request("SIGINT")
        state, reason = "interrupted", str(error) or "asked to stop"
    except TookTooLong:
        state, reason = "failed", f"ran longer than {timeout:g} s"
    except (Exception, SystemExit) as error:
        reason = f"out of memory ({why(error)})" if is_out_of_memory(error) else why(error)
        state, tail = "failed", traceback.format_exc()
    return Outcome(job.key, state, reason, tail, time.monotonic() - begun)  # type: ignore[arg-type]


@contextmanager
def _signals_raise(timeout: float | None) -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt as SIGINT does, and the alarm raises TookTooLong; main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def late(number: int, frame: FrameType | None) -> None:
        raise TookTooLong

    handlers = {signal.SIGTERM: interrupt, signal.SIGALRM: late}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        signal.setitimer(signal.ITIMER_REAL, timeout or 0)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
