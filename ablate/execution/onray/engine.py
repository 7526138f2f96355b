"""Ray as an engine: each job a task that asks for its cores, its share of a GPU and its memory.

Ray's tasks belong to the command that began them: when it dies they end at once, and given again it goes on from their
checkpoints. Stopped, also by `ablate stop`, it asks them to save their place. A task whose worker or node is lost is
begun again.
"""

import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate.disk.name import check_name
from ablate.disk.whole import writing
from ablate.errors import AblateError
from ablate.execution.engine import Desk, Place
from ablate.execution.job import Job, Outcome, Settings
from ablate.execution.onray.options import RayOptions
from ablate.execution.onray.stored import StoredTasks
from ablate.execution.onray.tasks import Order, Tasks, first_line
from ablate.execution.onray.ticket import ask_to_stop, ticket, under_way
from ablate.execution.storage.depot import Depot
from ablate.execution.storage.url import open_bucket

LOCAL_OBJECTS = 80 * 2**20
"""Bytes of shared memory that a Ray of our own takes: jobs pass nothing but their outcome, and this is about the least
that Ray accepts."""


class OnRay:
    """At most `workers` tasks at a time, all at once where nothing is said."""

    def __init__(self, settings: Settings):
        self.settings = settings

    @property
    def options(self) -> RayOptions:
        own = self.settings.options
        return own if isinstance(own, RayOptions) else RayOptions()

    def under_way(self, tickets: Path) -> Mapping[str, Place]:
        """What waits, and what runs on nodes that see no lock of ours."""
        return under_way(tickets)

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
        depot = self._depot(desk)
        ours = _connect(self.options)
        try:
            with desk.stop.listening(), ticket(desk.tickets, [job.key for job in jobs]) as own:
                order = Order(
                    work=work,
                    logs=str(desk.logs.resolve()),
                    begun=str(own.marks.resolve()),
                    threads=self.settings.threads or 1,
                    timeout=self.settings.timeout,
                    path=tuple(sys.path),
                    cwd=os.getcwd(),
                )
                given = (deque(jobs), order, self.settings, desk, own)
                if depot is None or desk.home is None:
                    yield from Tasks(*given).outcomes()
                else:
                    yield from StoredTasks(*given, depot=depot, home=desk.home).outcomes()
        except ConnectionError as error:  # by `ray://`; else Ray itself ends the process
            what = f"the connection to Ray was lost: {first_line(error)}"
            raise AblateError(what, where="--engine ray", hint=AGAIN) from None
        finally:
            _disconnect(ours)

    def _depot(self, desk: Desk) -> Depot | None:
        """The study's part of the store, if there is one. Raises AblateError where it cannot be used from here."""
        if self.options.storage is None:
            return None
        if desk.home is None:
            raise AblateError("nothing says which files these jobs leave", where="execution.ray.storage")
        bucket = open_bucket(self.options.storage, desk.stop.event.wait).under(desk.home.root.resolve().name)
        bucket.probe(listing=True)
        return Depot(bucket, desk.home)


def _connect(own: RayOptions) -> bool:
    """Whether the connection is ours to end. Raises AblateError where no Ray answers."""
    import ray

    if ray.is_initialized():
        return False
    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    try:
        if address := own.address or os.environ.get("RAY_ADDRESS"):
            ray.init(address=address, **quiet)
        else:
            ray.init(address="local", include_dashboard=False, object_store_memory=LOCAL_OBJECTS, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        hint = HINT if os.environ.get("RAY_AUTH_MODE") or not TOKEN.is_file() else f"{HINT}; {ASKED}"
        raise AblateError(f"no Ray answers: {first_line(error)}", where="--engine ray", hint=hint) from None
    return True


AGAIN = "start Ray again if it has ended, and give the same command: it goes on from the checkpoints"
HINT = "start one (`ray start --head`), or name its address: `execution: {ray: {address: ray://head:10001}}`"
TOKEN = Path(os.path.expanduser("~/.ray/auth_token"))  # Path.home() raises where a container has no home
"""Written by the first Ray that a user begins by itself; every head that the user begins later asks for it."""
ASKED = f"a head may ask for the token in {TOKEN}, which is sent to an address only with `RAY_AUTH_MODE=token`"


def _disconnect(ours: bool) -> None:
    import ray

    if ours:
        ray.shutdown()
