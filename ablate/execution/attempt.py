"""One job done in this process, its failure as an outcome: by `inline`, and on the machines of a cluster."""

import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal

from ablate.execution.job import Busy, Interrupted, Job, Misplaced, Outcome, OutcomeState, Work, is_out_of_memory, why


class TookTooLong(Exception):
    """A job ran past its timeout."""


def attempt(job: Job, function: Work, timeout: float | None = None) -> Outcome:
    """What came of a job. timeout: seconds; by an alarm, which Python obeys and a library call that hangs does not."""
    begun = time.monotonic()
    state: OutcomeState = "done"
    reason, tail = "", ""
    cause: Literal["", "memory", "machine"] = ""
    try:
        with _signals_raise(timeout):
            function(job.payload)
    except Busy as error:
        state, reason = "busy", str(error)
    except (KeyboardInterrupt, Interrupted) as error:
        state, reason = "interrupted", str(error) or "asked to stop"
    except TookTooLong:
        state, reason = "failed", f"ran longer than {timeout:g} s"
    except (Exception, SystemExit) as error:
        cause = "machine" if isinstance(error, Misplaced) else "memory" if is_out_of_memory(error) else ""
        reason = f"out of memory ({why(error)})" if cause == "memory" else why(error)
        state, tail = "failed", traceback.format_exc()
    return Outcome(job.key, state, reason, tail, time.monotonic() - begun, cause=cause)


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
