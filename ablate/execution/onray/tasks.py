"""The tasks of one call: free places filled, ends heard and judged, the wish to stop passed on."""

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.execution.attempt import attempt
from ablate.execution.child import limit_threads, print_into
from ablate.execution.engine import Desk
from ablate.execution.job import Event, Job, Outcome, Settings, Work, hold_share, log_tail, resolve
from ablate.execution.onray.options import RayOptions
from ablate.execution.onray.shares import Shares, known_uses
from ablate.execution.onray.ticket import Ticket

TICK = 0.5
MOST_TRIES = 2
PLACED = (
    "every node must see the data under the same path; put them there, or keep runs to the nodes that have them: "
    "`execution: {ray: {resources: {...}}}`"
)


@dataclass(frozen=True)
class Order:
    """What all jobs have in common. begun: the folder of the marks that tell who has begun. cwd: the command's folder,
    from which paths are read. share: of a GPU, where the job is given no whole one."""

    work: str
    logs: str
    begun: str
    threads: int
    timeout: float | None
    path: tuple[str, ...]
    cwd: str = ""
    share: float | None = None

    def function(self) -> Work:
        """The work, before which the job's log and process are told of the share."""
        work, share = resolve(self.work), self.share
        if share is None:
            return work

        def told(payload: Json) -> None:
            print(f"on {share:g} of a GPU", flush=True)
            hold_share(share)
            work(payload)

        return told

    def enter(self) -> None:
        """In the process of a task: modules and files are found as by the command, and the wish to stop is heard."""
        with suppress(OSError):  # no such folder on this node
            os.chdir(self.cwd or ".")
        sys.path[:] = [*self.path, *(place for place in sys.path if place not in self.path)]
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # below `nohup ablate ... &`; Ray asks to stop by it
            signal.signal(signal.SIGINT, signal.default_int_handler)


def perform(order: Order, job: Job) -> Outcome:
    """Does one job, in a process that Ray ends after it."""
    order.enter()
    log = Path(order.logs) / f"{job.key}.log"
    print_into(str(log))
    limit_threads(order.threads)
    with suppress(OSError):
        (Path(order.begun) / job.key).touch()
    outcome = attempt(job, order.function(), order.timeout)
    return replace(outcome, log_tail=outcome.log_tail or log_tail(log))


@dataclass
class _Running:
    job: Job
    gpus: float
    running: bool = False


@dataclass
class Tasks:
    """On nodes that see the study's folder: a task tells that it has begun by a mark there."""

    waiting: "deque[Job]"
    order: Order
    settings: Settings
    desk: Desk
    ticket: Ticket
    under_way: dict[Any, _Running] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    """Where a job was when it was last interrupted."""
    asked: float | None = None
    asked_again: bool = False
    fault: AblateError | None = None
    """Why nothing more is begun."""

    def __post_init__(self) -> None:
        self.task = remote(self.settings, self.performed())
        self.shares = Shares(
            self.settings.gpus,
            self.settings.shares,
            known_uses(self.waiting),
            self.desk.home.took if self.desk.home is not None else lambda key: None,
            lambda key, words: self.desk.tell(Event("told", key, reason=words)),
        )

    # ------------------------------------------------------------------ what differs where no folder is shared

    def performed(self) -> Callable[..., object]:
        """What a task does."""
        return perform

    def sent(self, order: Order, job: Job) -> tuple[object, ...]:
        """What it is given."""
        return order, job

    def newly_begun(self) -> frozenset[str]:
        """The jobs that have begun, as far as their tasks have told."""
        return self.ticket.begun()

    def came_back(self, job: Job, answer: object) -> Outcome | None:
        """The outcome by what a task returned; None where it is not known yet, or the job is to be done again."""
        assert isinstance(answer, Outcome)
        return answer

    def again(self, job: Job) -> None:
        """A job that was lost is to be done again."""
        self.waiting.append(job)

    def printed(self, job: Job) -> str:
        """The last that a lost job printed, where that can be read."""
        return log_tail(self.desk.logs / f"{job.key}.log")

    def late(self) -> Iterator[Outcome]:
        """Outcomes that follow from no task's end just now."""
        return iter(())

    @property
    def expects(self) -> bool:
        """Whether there is more to come although no task is under way."""
        return False

    @property
    def stopping(self) -> bool:
        """Whether no job is to be begun any more."""
        return self.desk.stop.requested or self.fault is not None

    # ------------------------------------------------------------------ the same everywhere

    def outcomes(self) -> Iterator[Outcome]:
        """Raises AblateError, at the end, where a node, or the store, cannot be used."""
        while self.under_way or self.expects or (self.waiting and not self.stopping):
            if self.ticket.wish.exists() and not self.desk.stop.requested:
                self.desk.stop.request("ablate stop")
            self._fill()
            ended = self._wait()
            self._tell_begun()
            here = [ref for ref in ended if ref in self.under_way]  # and not left to another process just now
            for outcome in (*map(self._ended, here), *self.late()):
                if outcome is not None:
                    self.ticket.ended(outcome.key)
                    self.desk.tell(Event("ended", outcome.key, outcome))
                    self.waiting.extendleft(reversed(self.shares.ended(outcome)))
                    yield outcome
            if self.stopping:
                yield from self._press()
        if self.fault is not None:
            raise self.fault

    def _fill(self) -> None:
        while self.waiting and len(self.under_way) < self.settings.workers and not self.stopping:
            job = self.waiting.popleft()
            gpus = self.shares.asked(job)
            if gpus is None:
                continue
            task = self.task if gpus == self.settings.gpus else self.task.options(num_gpus=gpus)
            order = replace(self.order, share=gpus if 0 < gpus < 1 else None)
            self.ticket.unmark(job.key)
            self.under_way[task.remote(*self.sent(order, job))] = _Running(job, gpus)

    def _wait(self) -> list[Any]:
        """The tasks that have ended, waited for no longer than a tick."""
        import ray

        if not self.under_way:
            time.sleep(TICK / 10)
            return []
        ended, _ = ray.wait(list(self.under_way), num_returns=1, timeout=TICK)
        if ended:  # and all others that have: to wait for each of a thousand alone takes a second
            ended, _ = ray.wait(list(self.under_way), num_returns=len(self.under_way), timeout=0)
        return list(ended)

    def _tell_begun(self) -> None:
        begun = self.newly_begun()
        for one in self.under_way.values():
            if not one.running and one.job.key in begun:
                one.running = True
                self.desk.tell(Event("started", one.job.key))

    def _ended(self, ref: Any) -> Outcome | None:
        """The outcome of a task that has ended; None when its job is to be done again, or was never begun."""
        import ray

        one = self.under_way.pop(ref)
        job = one.job
        try:
            outcome = self.came_back(job, ray.get(ref))
        except ray.exceptions.TaskCancelledError:
            return Outcome(job.key, "interrupted", "asked to stop") if job.key in self.ticket.begun() else None
        except ray.exceptions.NodeDiedError as error:
            return self._again(job, f"its node was lost ({first_line(error)})")
        except ray.exceptions.RayTaskError as error:  # before or after the job itself: no such module there, say
            return Outcome(job.key, "failed", first_line(error.cause or error), str(error))
        except ray.exceptions.RayError as error:
            return self.lost(job, f"Ray lost it: {type(error).__name__}, {first_line(error)}")
        if outcome is None:
            return None
        if outcome.cause == "machine":
            self.fault = self.fault or AblateError(outcome.reason, where="--engine ray", hint=PLACED)
            return None
        if outcome.cause == "memory" and self.shares.too_small(job, one.gpus):
            return self._again(job, f"out of memory on {one.gpus:g} of a GPU; now on a whole one")
        unasked = outcome.state == "interrupted" and not self.stopping
        if unasked and self.places.get(job.key) != outcome.reason:  # its node is being drained
            self.places[job.key] = outcome.reason
            return self._again(job, outcome.reason)
        return outcome

    def lost(self, job: Job, reason: str) -> Outcome | None:
        """A job whose end is its own fault or nobody's is tried once more."""
        self.tries[job.key] = tries = self.tries.get(job.key, 1) + 1
        if tries <= MOST_TRIES:
            return self._again(job, reason)
        tries_told = f"{reason}, in {MOST_TRIES} tries"
        return Outcome(job.key, "failed", tries_told, self.printed(job), tries=MOST_TRIES)

    def _again(self, job: Job, reason: str) -> Outcome | None:
        if self.stopping:
            return Outcome(job.key, "interrupted", reason)
        self.ticket.unmark(job.key)
        self.desk.tell(Event("again", job.key, reason=reason))
        self.again(job)
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


def remote(settings: Settings, function: Callable[..., object]) -> Any:
    """The remote function with what a run asks for. Losses are ours to judge, so Ray retries nothing by itself; a task
    has a process of its own, since a run's memory on a GPU is freed only with its process."""
    import ray

    own = settings.options if isinstance(settings.options, RayOptions) else RayOptions()
    memory = None if settings.memory_gb is None else int(settings.memory_gb * 2**30)
    asked = {"num_cpus": settings.cores, "num_gpus": settings.gpus, "memory": memory, "resources": own.resources}
    made: Any = ray.remote  # its overloads take no dict of options
    return made(**{name: value for name, value in asked.items() if value}, max_retries=0, max_calls=1)(function)


def first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]
