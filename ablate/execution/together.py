"""One job as several processes on this machine, which begin together and end together.

Each calls the work with the job's payload, its `rank` (from 0) and `meeting`, a file at which they find each other. The
first one does the job; the others help. When one dies, the others are ended and its words are the job's; when the first
has done the job, so are those that linger. Asked to stop, the first one is told: it has to agree with the others on
where. When this process dies, however that comes, all of them do.
"""

import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ablate.disk.read import Json
from ablate.disk.whole import writing
from ablate.errors import AblateError
from ablate.execution.child import BUSY, DONE, FAILED, INTERRUPTED, LOST, OUT_OF_MEMORY, request_of
from ablate.execution.job import Interrupted, Stop, log_tail
from ablate.execution.launch import Exit, Spawner

TICK = 0.2
LAST_WORDS = 10.0
"""Seconds that the others have to end by themselves once one has failed: whose words count is known only then."""
LAST_SAVE = 300.0
"""The same once one has stopped as it was asked to: the first may be writing a large checkpoint."""
WISHES = (-signal.SIGTERM, -signal.SIGUSR1, -signal.SIGUSR2)
"""Ends of a process that was asked to stop before it could listen."""
SPEAKING = (FAILED, INTERRUPTED, OUT_OF_MEMORY, LOST, BUSY)
"""Exit statuses of a process whose last line says why."""


def together(work: str, payload: Json, count: int, *, log: Path, threads: int, stop: Stop) -> None:
    """Returns once the job is done. log: the first one prints there. threads: of each process.

    Raises Interrupted, MemoryError where one ran out of memory, and AblateError where one failed, with its words.
    """
    with writing(log.parent):
        log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ablate-") as folder:
        logs = [log, *(Path(folder) / f"{rank}.log" for rank in range(1, count))]
        processes = Spawner(threads)
        try:
            for rank, own in enumerate(logs):
                given = {**payload, "rank": rank, "meeting": str(Path(folder) / "meeting")}
                processes.start(rank, request_of(work, given, own, {}, threads))
            ends = _ends(processes, count, stop)
        finally:
            processes.close()
        _judge(ends, logs)


def _ends(processes: Spawner, count: int, stop: Stop) -> Mapping[int, Exit]:
    """How they ended, as far as they did so by themselves before the job was done, or could not be any more."""
    ends: dict[int, Exit] = {}
    asked, until = False, float("inf")
    while len(ends) < count and time.monotonic() < until and not stop.at_once:
        if stop.requested and not asked:
            processes.signal(0, signal.SIGTERM)
            asked = True
        for end in processes.poll(TICK):
            ends[end.ticket] = end
            if end.ticket == 0 and end.status in (DONE, INTERRUPTED):
                return ends
            if end.status != DONE:
                until = min(until, time.monotonic() + (LAST_SAVE if end.status == INTERRUPTED else LAST_WORDS))
    return ends


def _judge(ends: Mapping[int, Exit], logs: Sequence[Path]) -> None:
    if 0 in ends and ends[0].status == DONE:
        return
    worst = sorted((end for end in ends.values() if end.status != DONE), key=_rank_of_blame)
    if not worst:
        raise Interrupted("did not stop in time and was killed")
    end = worst[0]
    words = _words(end, log_tail(logs[end.ticket]))
    if end.status == INTERRUPTED or end.status in WISHES:
        raise Interrupted(words if end.ticket == 0 else "asked to stop")
    said = f"{words} (process {end.ticket + 1} of {len(logs)})"
    error = MemoryError(said) if end.status == OUT_OF_MEMORY else AblateError(said)
    error.add_note(log_tail(logs[end.ticket]))
    raise error


def _rank_of_blame(end: Exit) -> tuple[int, int]:
    """Who failed by itself, then who was asked to stop, then who merely lost the others."""
    asked = end.status == INTERRUPTED or end.status in WISHES
    return (2 if end.status == LOST else 1 if asked else 0), end.ticket


def _words(end: Exit, tail: str) -> str:
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    if end.status in SPEAKING and lines:
        return lines[-1]
    if end.status is not None and end.status < 0:
        killer = " (often the system's out-of-memory killer)" if end.status == -signal.SIGKILL else ""
        return f"killed by {signal.Signals(-end.status).name}{killer}"
    return f"exit status {end.status}"
