"""One job on its node: its streams go to its log, the work is called, and a file tells how it ended.

Before the time limit SLURM sends SIGUSR2 (sites and people may send SIGUSR1): the work saves its place and the job is
put back into the queue. SIGTERM comes with a cancellation and with preemption, after which SLURM itself puts the job
back or does not: the work saves its place and the job ends.
"""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from ablate.execution.attempt import attempt
from ablate.execution.child import limit_threads, print_into
from ablate.execution.job import Job, Outcome, log_tail, resolve
from ablate.execution.slurm.ticket import write_outcome

WARNINGS = (signal.SIGUSR1, signal.SIGUSR2)


@dataclass(frozen=True)
class Order:
    """What all jobs of an array have in common. folder: the ticket's. path: where Python looks for modules."""

    work: str
    folder: str
    logs: str
    threads: int
    timeout: float | None
    path: tuple[str, ...]


def perform(order: Order, job: Job) -> None:
    """Does one job. Called by submitit, on the node."""
    sys.path[:] = [*order.path, *(place for place in sys.path if place not in order.path)]
    log = Path(order.logs) / f"{job.key}.log"
    print_into(str(log))
    limit_threads(order.threads)
    folder = Path(order.folder)
    (folder / "ended" / job.key).unlink(missing_ok=True)  # of a try before this one
    warned: list[int] = []

    def warn(number: int, frame: FrameType | None) -> None:
        warned.append(number)
        os.kill(os.getpid(), signal.SIGTERM)  # which the work hears

    for number in WARNINGS:
        signal.signal(number, warn)
    outcome = attempt(job, lambda payload: resolve(order.work)(payload), order.timeout)  # heard while it imports, too
    if outcome.state == "interrupted" and warned:
        outcome = _put_back(folder, outcome)
    if outcome.state != "interrupted" or outcome.reason:
        tail = outcome.log_tail or log_tail(log)
        write_outcome(folder, replace(outcome, log_tail=tail))


def _put_back(folder: Path, outcome: Outcome) -> Outcome:
    """Into the queue again; unless the last time, too, ended just there, since then no time limit is long enough."""
    place = folder / f"put-back-{outcome.key}"
    before = place.read_text() if place.exists() else None
    if before == outcome.reason:
        return replace(outcome, state="failed", reason=f"got no further within its time limit ({outcome.reason})")
    place.write_text(outcome.reason)
    number = os.environ["SLURM_JOB_ID"]
    answer = subprocess.run(["scontrol", "requeue", number], capture_output=True, text=True, timeout=60, check=False)
    if answer.returncode:
        words = " ".join(answer.stderr.split())
        return replace(outcome, reason=f"{outcome.reason}; SLURM did not put it back into the queue ({words})")
    return replace(outcome, reason="")
