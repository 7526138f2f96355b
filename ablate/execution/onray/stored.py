"""The same where nodes share nothing but an object store: what is there is taken in first, tasks begin from the newest
place, and a run is done when its result has come here.
"""

import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ablate.disk.whole import whole_file
from ablate.errors import AblateError
from ablate.execution.child import limit_threads
from ablate.execution.job import Busy, Job, Outcome
from ablate.execution.onray.board import Reader
from ablate.execution.onray.tasks import Order, Tasks
from ablate.execution.storage.away import Back, Trip, Ways, work_away
from ablate.execution.storage.depot import Depot, Taken
from ablate.execution.storage.home import Claim, Home

FETCHERS = 8
"""Results fetched at a time: a store answers many, and each answer takes tens of milliseconds."""
MOST_FILES = 65_536

logger = logging.getLogger(__name__)


def perform_away(order: Order, job: Job, trip: Trip, board: Any) -> Back:
    """Does one job on a node that shares nothing with the command but the store."""
    order.enter()
    limit_threads(order.threads)
    host = socket.gethostname()

    def say(text: str) -> None:
        with suppress(Exception):  # whatever Ray makes of a board that is lost: no run needs it
            board.tell.remote(job.key, trip.attempt, host, text)

    return work_away(trip, job, order.function(), order.timeout, Ways(say=say))


@dataclass(frozen=True)
class _Coming:
    """A job that is being taken in. outcome: of its task, where one has just ended."""

    job: Job
    outcome: Outcome | None = None


@dataclass
class StoredTasks(Tasks):
    """depot: the study's part of the store. home: where results go."""

    depot: Depot = field(kw_only=True)
    home: Home = field(kw_only=True)
    reader: Reader = field(default_factory=Reader, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._pool = ThreadPoolExecutor(FETCHERS, "fetch")
        self._coming: dict[Future[Taken], _Coming] = {}
        self._claims: dict[str, Claim] = {}
        self._attempts: dict[str, str] = {}
        self._busy: list[Outcome] = []

    def outcomes(self) -> Iterator[Outcome]:
        _allow_many_files()
        try:
            self._begin()
            for outcome in super().outcomes():
                self._release(outcome.key)  # who hears of it may take up the job
                yield outcome
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for key in list(self._claims):
                self._release(key)

    def _begin(self) -> None:
        """Takes in what is there, and leaves the rest to be given out."""
        found, jobs = self.depot.look(), list(self.waiting)
        self.waiting.clear()
        for job in jobs:
            here = found.get(job.key)
            if here is not None and self.home.afresh(job.key):
                self._fetch(_Coming(job), self.depot.forget, job.key)
            elif here is not None and here.commits:
                self._fetch(_Coming(job), self.depot.take_in, job.key, here.commits)
            else:
                self.waiting.append(job)

    # ------------------------------------------------------------------ what differs

    @property
    def expects(self) -> bool:
        return bool(self._busy) or (bool(self._coming) and not self.desk.stop.at_once)

    def performed(self) -> Callable[..., object]:
        return perform_away

    def sent(self, order: Order, job: Job) -> tuple[object, ...]:
        """Nothing of it names a folder of ours."""
        trip = self.depot.trip(job.key)
        self._attempts[job.key] = trip.attempt
        away = replace(order, logs="", begun="")
        return away, replace(job, payload={**job.payload, self.home.word: ""}), trip, self.reader.board

    def newly_begun(self) -> frozenset[str]:
        """Besides: claims the jobs that have begun, and writes down how far they are, where displays look."""
        import ray

        refs = {one.job.key: (ref, one) for ref, one in self.under_way.items()}
        for key, (attempt, host, progress) in self.reader.news().items():
            if key not in refs or self._attempts.get(key) != attempt:
                continue
            if not refs[key][1].running and key not in self._claims and not self._claim(key):
                ray.cancel(refs[key][0], force=True)
                del self.under_way[refs[key][0]]
                continue
            with suppress(OSError):  # a full disk ends no run
                self.ticket.mark(key, host)
                if progress:
                    place = self.home.root / self.home.files(key).progress
                    place.parent.mkdir(parents=True, exist_ok=True)
                    with whole_file(place, durable=False) as file:
                        file.write(progress.encode())
        return self.ticket.begun()

    def came_back(self, job: Job, answer: object) -> Outcome | None:
        assert isinstance(answer, Back)
        back = answer
        if back.refused is not None:
            self.fault = self.fault or AblateError(problems=(back.refused,))
            return None
        if back.lost:
            return self.lost(job, f"its result could not be kept: {back.lost}")
        if back.outcome.state != "done":
            return back.outcome
        attempts, claimed = (self._attempts[job.key],), job.key in self._claims
        self._fetch(_Coming(job, back.outcome), self.depot.take_in, job.key, attempts, claimed=claimed)
        return None

    def again(self, job: Job) -> None:
        """First what it left: it may have ended just before it was lost."""
        self._release(job.key)
        self._fetch(_Coming(job), self.depot.take_in_what_is_there, job.key)

    def printed(self, job: Job) -> str:
        return ""

    def late(self) -> Iterator[Outcome]:
        """What has come, and what was left to others."""
        while self._busy:
            yield self._busy.pop()
        for future in [future for future in self._coming if future.done()]:
            coming = self._coming.pop(future)
            outcome = self._arrived(coming, future)
            if outcome is not None:
                yield outcome

    # ------------------------------------------------------------------ taking in

    def _fetch(self, coming: _Coming, take: Callable[..., Taken], *given: object, **more: object) -> None:
        self._coming[self._pool.submit(take, *given, **more)] = coming

    def _arrived(self, coming: _Coming, future: "Future[Taken]") -> Outcome | None:
        job = coming.job
        try:
            taken = future.result()
        except Busy as error:
            return Outcome(job.key, "busy", str(error))
        except AblateError as error:
            self.fault = self.fault or error
            return None
        if taken.here:
            return coming.outcome or Outcome(job.key, "done")
        fault = f"what is in the store of it is not whole: {taken.fault}" if taken.fault else ""
        if coming.outcome is not None:
            return self.lost(job, fault or "what is in the store is not what was asked for")
        if fault:
            logger.warning("%s is begun again: %s", job.label or job.key, fault)
        self.waiting.append(job)
        return None

    def _claim(self, key: str) -> bool:
        try:
            self._claims[key] = self.home.claim(key)
        except Busy as error:
            self._busy.append(Outcome(key, "busy", str(error)))
            return False
        return True

    def _release(self, key: str) -> None:
        with suppress(OSError):
            (self.home.root / self.home.files(key).progress).unlink(missing_ok=True)
        if (claim := self._claims.pop(key, None)) is not None:
            claim.release()


def _allow_many_files() -> None:
    """A claim is an open file, and a thousand runs at a time are more than a process is given at first."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
