"""Runs every job in a process of its own, several at once: what a job does to its process it does to no other job.

A job that raises, is killed, exits, runs out of memory or hangs past its timeout is an outcome; the others go on. Out
of memory (an exception that says so, or a SIGKILL that was not ours, as the system's out-of-memory killer sends) is
tried once more, alone, after all others.
"""

import signal
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ablate.disk.name import check_name
from ablate.disk.whole import writing
from ablate.execution.child import BUSY, DONE, INTERRUPTED, OUT_OF_MEMORY, request_of
from ablate.execution.engine import Desk, Local
from ablate.execution.job import Event, Job, Outcome, OutcomeState, Settings, log_tail
from ablate.execution.launch import Exit, Launcher, launcher
from ablate.execution.memory import MARGIN, Packing, free_device_bytes, free_host_bytes
from ablate.result.environment import usable_cores

_TICK = 0.2
"""Seconds between two looks at deadlines and at the wish to stop."""


class Pool(Local):
    """One outcome a job, as they end. Closing the iterator early kills what still runs."""

    def run(self, jobs: Sequence[Job], work: str, desk: Desk) -> Iterator[Outcome]:
        if not jobs:
            return
        with writing(desk.logs):
            desk.logs.mkdir(parents=True, exist_ok=True)
        for job in jobs:
            check_name(job.key, "job key")
        settings = self.settings
        modules = tuple(dict.fromkeys((*settings.preload, work.partition(":")[0])))
        threads = settings.threads or max(1, usable_cores() // settings.workers)
        with desk.stop.listening():
            processes = launcher(settings, modules, threads)
            try:
                yield from _Scheduler(jobs, work, settings, threads, processes, desk).outcomes()
            finally:
                processes.close()


@dataclass
class _Running:
    """A job under way."""

    job: Job
    tries: int
    device: str
    log_start: int
    deadline: float | None
    asked: Literal["", "timeout", "stop"] = ""
    kill_at: float | None = None


class _Scheduler:
    """Fills free places, listens for ends, presses those that are late."""

    def __init__(
        self,
        jobs: Sequence[Job],
        work: str,
        settings: Settings,
        threads: int,
        processes: Launcher,
        desk: Desk,
    ):
        self._waiting = deque((job, 1) for job in jobs)
        self._alone: deque[tuple[Job, int]] = deque()
        self._running: dict[int, _Running] = {}
        self._work, self._settings, self._threads = work, settings, threads
        self._processes, self._logs, self._on_event, self._stop = processes, desk.logs, desk.tell, desk.stop
        self._tickets = 0
        self._largest_host = 0
        self._largest_device = 0
        self._packing = Packing()

    def outcomes(self) -> Iterator[Outcome]:
        while True:
            self._fill()
            if not self._running:
                return
            for end in self._processes.poll(self._patience()):
                outcome = self._ended(end)
                if outcome is not None:
                    self._on_event(Event("ended", outcome.key, outcome))
                    yield outcome
            self._press()

    # ------------------------------------------------------------------ starting

    def _fill(self) -> None:
        while not self._stop.requested and len(self._running) < self._settings.workers and self._waiting:
            device = self._freest_device()
            if self._running and not (self._fits(device) and self._has_room(device)):
                break
            self._start(*self._waiting.popleft(), device)
        if not self._stop.requested and not self._running and self._alone:
            self._start(*self._alone.popleft(), self._freest_device())

    def _start(self, job: Job, tries: int, device: str) -> None:
        self._tickets += 1
        log = self._log(job)
        log_start = log.stat().st_size if log.exists() else 0
        environment = {"CUDA_VISIBLE_DEVICES": device} if device else {}
        timeout = self._settings.timeout
        deadline = time.monotonic() + timeout if timeout else None
        self._running[self._tickets] = _Running(job, tries, device, log_start, deadline)
        self._processes.start(self._tickets, request_of(self._work, job.payload, log, environment, self._threads))
        self._packing.began(device)
        self._on_event(Event("started", job.key))

    def _freest_device(self) -> str:
        taken = Counter(running.device for running in self._running.values())
        return min(self._settings.devices, key=lambda device: taken[device], default="")

    def _has_room(self, device: str) -> bool:
        """Whether a GPU that runs share takes another."""
        runs = sum(running.device == device for running in self._running.values())
        return not self._settings.packs or self._packing.room(device, runs, self._largest_device)

    def _fits(self, device: str) -> bool:
        """Whether the largest need of a finished job is free once more. Unknown needs fit."""
        free = free_host_bytes()
        if free is not None and free < self._largest_host * MARGIN:
            return False
        if not self._largest_device:
            return True
        free = free_device_bytes(device)
        return free is None or free >= self._largest_device * MARGIN

    # ------------------------------------------------------------------ ending

    def _ended(self, end: Exit) -> Outcome | None:
        """The outcome of a process that has ended; None when its job is to be tried again."""
        running = self._running.pop(end.ticket)
        self._largest_host = max(self._largest_host, end.peak_bytes)
        self._largest_device = max(self._largest_device, self._device_peak(running.job))
        state, reason = self._judge(running, end)
        if state == "failed" and running.tries == 1 and not running.asked and not self._stop.requested:
            lost, full = end.status is None, end.status in (OUT_OF_MEMORY, -signal.SIGKILL)
            if lost or full:
                (self._waiting if lost else self._alone).append((running.job, 2))
                self._on_event(Event("again", running.job.key, reason=reason if lost else f"alone: {reason}"))
                return None
        tail = log_tail(self._log(running.job))
        return Outcome(running.job.key, state, reason, tail, end.seconds, end.peak_bytes, running.tries)

    def _judge(self, running: _Running, end: Exit) -> tuple[OutcomeState, str]:
        last = self._last_line(running)
        again = ", also when run alone" if running.tries > 1 else ""
        if end.status == DONE:
            return "done", ""
        if running.asked == "timeout":
            return "failed", f"ran longer than {self._settings.timeout:g} s"
        if running.asked == "stop" and (end.status == INTERRUPTED or (end.status or 0) < 0):
            late = "did not stop in time and was killed" if end.status == -signal.SIGKILL else "asked to stop"
            return "interrupted", last if end.status == INTERRUPTED else late
        if end.status == BUSY:
            return "busy", last
        if end.status == INTERRUPTED:
            return "interrupted", last
        if end.status is None:
            return "failed", "killed together with the process that starts the workers"
        if end.refused:
            return "failed", f"no process could be started: {end.refused}"
        if end.status == OUT_OF_MEMORY:
            return "failed", f"out of memory{again} ({last})"
        if end.status == -signal.SIGKILL:
            return "failed", f"killed by SIGKILL{again} (often the system's out-of-memory killer)"
        if end.status < 0:
            return "failed", f"killed by {signal.Signals(-end.status).name}"
        return "failed", last if end.status == 1 and last else f"exit status {end.status}"

    def _last_line(self, running: _Running) -> str:
        """The last line that this try printed: a failed child ends with its reason."""
        log = self._log(running.job)
        if not log.exists() or log.stat().st_size <= running.log_start:
            return ""
        lines = [line for line in log_tail(log).splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""

    def _device_peak(self, job: Job) -> int:
        peak_file = self._log(job).with_suffix(".peak")
        try:
            peak = int(peak_file.read_text())
            peak_file.unlink()
        except (OSError, ValueError):
            return 0
        return peak

    # ------------------------------------------------------------------ pressing

    def _press(self) -> None:
        """Asks the late to stop (SIGTERM), and kills those that do not."""
        now = time.monotonic()
        for ticket, running in self._running.items():
            if not running.asked and running.deadline is not None and now > running.deadline:
                self._ask(ticket, running, "timeout")
            elif self._stop.requested and not running.asked:
                self._ask(ticket, running, "stop")
            if running.kill_at is not None and (now > running.kill_at or (self._stop.at_once and running.asked)):
                self._processes.signal(ticket, signal.SIGKILL)
                running.kill_at = now + 1.0

    def _ask(self, ticket: int, running: _Running, why: Literal["timeout", "stop"]) -> None:
        self._processes.signal(ticket, signal.SIGTERM)
        running.asked, running.kill_at = why, time.monotonic() + self._settings.grace

    def _patience(self) -> float:
        """Seconds until something may have to be done."""
        times = [at for running in self._running.values() for at in (running.deadline, running.kill_at) if at]
        return max(0.0, min([_TICK, *(at - time.monotonic() for at in times if at > time.monotonic())]))

    def _log(self, job: Job) -> Path:
        return self._logs / f"{job.key}.log"
