"""Ray as an engine: each job a task that asks for its cores, its share of a GPU and its memory.

Ray's tasks belong to the command that began them: when it dies they end at once, and given again it goes on from their
checkpoints. Stopped, also by `ablate stop`, it asks them to save their place. A task whose worker or node is lost is
begun again.
"""

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ablate.disk.name import check_name
from ablate.disk.whole import writing
from ablate.errors import AblateError
from ablate.execution.attempt import attempt
from ablate.execution.child import limit_threads, print_into
from ablate.execution.engine import Desk, Place
from ablate.execution.job import Event, Job, Outcome, Settings, log_tail, resolve
from ablate.execution.onray.options import RayOptions
from ablate.execution.onray.ticket import Ticket, ask_to_stop, ticket, waiting

TICK = 0.5
MOST_TRIES = 2
LOCAL_OBJECTS = 80 * 2**20
"""Bytes of shared memory that a Ray of our own takes: jobs pass nothing but their outcome, and this is about the least
that Ray accepts."""


@dataclass(frozen=True)
class Order:
    """What all jobs have in common. begun: the folder of the marks that tell who has begun."""

    work: str
    logs: str
    begun: str
    threads: int
    timeout: float | None
    path: tuple[str, ...]


def perform(order: Order, job: Job) -> Outcome:
    """Does one job, in a process that Ray ends after it."""
    sys.path[:] = [*order.path, *(place for place in sys.path if place not in order.path)]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # below `nohup ablate ... &`; Ray asks to stop by this signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
    log = Path(order.logs) / f"{job.key}.log"
    print_into(str(log))
    limit_threads(order.threads)
    with suppress(OSError):
        (Path(order.begun) / job.key).touch()
    outcome = attempt(job, resolve(order.work), order.timeout)
    return replace(outcome, log_tail=outcome.log_tail or log_tail(log))


class OnRay:
    """At most `workers` tasks at a time, all at once where nothing is said."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def under_way(self, tickets: Path) -> Mapping[str, Place]:
        """What waits; what runs is known by its lock."""
        return waiting(tickets)

    def cancel(self, tickets: Path) -> int:
        """By the command that began them: it asks them, waits for them, and ends."""
        return ask_to_stop(tickets)

    def run(self, jobs: Sequence[Job], work: str, desk: Desk) -> Iterator[Outcome]:
        if not jobs:
            return
        for job in jobs:
            check_name(job.key, "job key")
        with writing(desk.logs):
            desk.logs.mkdir(parents=True, exist_ok=True)
        ours = _connect(self.settings)
        try:
            with desk.stop.listening(), ticket(desk.tickets, [job.key for job in jobs]) as own:
                order = Order(
                    work=work,
                    logs=str(desk.logs.resolve()),
                    begun=str(own.marks.resolve()),
                    threads=self.settings.threads or 1,
                    timeout=self.settings.timeout,
                    path=tuple(sys.path),
                )
                yield from _Tasks(deque(jobs), order, self.settings, desk, own, _task(self.settings)).outcomes()
        finally:
            _disconnect(ours)


@dataclass
class _Running:
    job: Job
    running: bool = False


@dataclass
class _Tasks:
    """The tasks of one call: fills free places, hears ends, passes the wish to stop on."""

    waiting: "deque[Job]"
    order: Order
    settings: Settings
    desk: Desk
    ticket: Ticket
    task: Any
    under_way: dict[Any, _Running] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """Where a job was when it was last interrupted."""
    asked: float | None = None
    asked_again: bool = False

    def outcomes(self) -> Iterator[Outcome]:
        import ray

        while self.under_way or (self.waiting and not self.desk.stop.requested):
            if self.ticket.wish.exists() and not self.desk.stop.requested:
                self.desk.stop.request("ablate stop")
            self._fill()
            ended, _ = ray.wait(list(self.under_way), num_returns=1, timeout=TICK)
            if ended:  # and all others that have: to wait for each of a thousand alone takes a second
                ended, _ = ray.wait(list(self.under_way), num_returns=len(self.under_way), timeout=0)
            self._tell_begun()
            for ref in ended:
                outcome = self._ended(ref)
                if outcome is not None:
                    self.ticket.ended(outcome.key)
                    self.desk.tell(Event("ended", outcome.key, outcome))
                    yield outcome
            if self.desk.stop.requested:
                yield from self._press()

    def _fill(self) -> None:
        while self.waiting and len(self.under_way) < self.settings.workers and not self.desk.stop.requested:
            job = self.waiting.popleft()
            self.ticket.unmark(job.key)
            self.under_way[self.task.remote(self.order, job)] = _Running(job)

    def _tell_begun(self) -> None:
        begun = self.ticket.begun()
        for one in self.under_way.values():
            if not one.running and one.job.key in begun:
                one.running = True
                self.desk.tell(Event("started", one.job.key))

    def _ended(self, ref: Any) -> Outcome | None:
        """The outcome of a task that has ended; None when its job is to be done again, or was never begun."""
        import ray

        job = self.under_way.pop(ref).job
        try:
            outcome: Outcome = ray.get(ref)
        except ray.exceptions.TaskCancelledError:
            return Outcome(job.key, "interrupted", "asked to stop") if job.key in self.ticket.begun() else None
        except ray.exceptions.NodeDiedError as error:
            return self._again(job, f"its node was lost ({_first_line(error)})")
        except ray.exceptions.RayTaskError as error:  # before or after the job itself: no such module there, say
            return Outcome(job.key, "failed", _first_line(error.cause or error), str(error))
        except ray.exceptions.RayError as error:
            self.tries[job.key] = tries = self.tries.get(job.key, 1) + 1
            reason = f"Ray lost it: {type(error).__name__}, {_first_line(error)}"
            if tries <= MOST_TRIES:
                return self._again(job, reason)
            tail = log_tail(self.desk.logs / f"{job.key}.log")
            return Outcome(job.key, "failed", f"{reason}, in {MOST_TRIES} tries", tail, tries=MOST_TRIES)
        unasked = outcome.state == "interrupted" and not self.desk.stop.requested
        if unasked and self.places.get(job.key) != outcome.reason:  # its node is being drained
            self.places[job.key] = outcome.reason
            return self._again(job, outcome.reason)
        return outcome

    def _again(self, job: Job, reason: str) -> Outcome | None:
        if self.desk.stop.requested:
            return Outcome(job.key, "interrupted", reason)
        self.ticket.unmark(job.key)
        self.desk.tell(Event("again", job.key, reason=reason))
        self.waiting.append(job)
        return None

    def _press(self) -> Iterator[Outcome]:
        """Asks every task to save its place, those that have not heard it after half of the grace once more, and waits
        for that no longer than the grace."""
        import ray

        now = time.monotonic()
        if self.asked is None:
            self.asked = now
            self._ask()
        elif not self.asked_again and now - self.asked > self.settings.grace / 2:  # Ray may lose the first wish
            self.asked_again = True
            self._ask()
        if now - self.asked > self.settings.grace or self.desk.stop.at_once:
            for ref, one in list(self.under_way.items()):
                ray.cancel(ref, force=True)
                del self.under_way[ref]
                yield Outcome(one.job.key, "interrupted", "did not stop in time and was killed")

    def _ask(self) -> None:
        import ray

        for ref in self.under_way:
            ray.cancel(ref, force=False)


def _task(settings: Settings) -> Any:
    """The remote function with what a run asks for. Losses are ours to judge, so Ray retries nothing by itself; a task
    has a process of its own, since a run's memory on a GPU is freed only with its process."""
    import ray

    own = settings.options if isinstance(settings.options, RayOptions) else RayOptions()
    memory = None if settings.memory_gb is None else int(settings.memory_gb * 2**30)
    asked = {"num_cpus": settings.cores, "num_gpus": settings.gpus, "memory": memory, "resources": own.resources}
    remote: Any = ray.remote  # its overloads take no dict of options
    return remote(**{name: value for name, value in asked.items() if value}, max_retries=0, max_calls=1)(perform)


def _connect(settings: Settings) -> bool:
    """Whether the connection is ours to end. Raises AblateError where no Ray answers."""
    import ray

    if ray.is_initialized():
        return False
    own = settings.options if isinstance(settings.options, RayOptions) else RayOptions()
    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    try:
        if address := own.address or os.environ.get("RAY_ADDRESS"):
            ray.init(address=address, **quiet)
        else:
            ray.init(address="local", include_dashboard=False, object_store_memory=LOCAL_OBJECTS, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise AblateError(f"no Ray answers: {_first_line(error)}", where="--engine ray", hint=HINT) from None
    return True


HINT = "start one (`ray start --head`), or name its address: `execution: {ray: {address: ray://head:10001}}`"


def _disconnect(ours: bool) -> None:
    import ray

    if ours:
        ray.shutdown()


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
