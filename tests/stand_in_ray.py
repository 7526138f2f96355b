"""A Ray whose tasks are done in this process, for jobs whose nodes share nothing but a store."""

import sys
import tempfile
import types
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from planted_store import PlantedStore

from ablate.execution.job import Job
from ablate.execution.onray import engine, stored
from ablate.execution.storage import mirror
from ablate.execution.storage.away import Ways


class Lost(Exception):
    """Stands for every error of Ray's."""


@dataclass(eq=False)
class Ref:
    """A task, or a question to the board."""

    do: object
    job: Job | None = None


class StandIn(types.ModuleType):
    """A module `ray` whose tasks are done in this process when their answer is asked for.

    answer: called with the job and what does it, gives what the task gives or raises. looked: whether any task has
    ended. sent: all that nodes were told.
    """

    def __init__(self):
        super().__init__("ray")
        names = ("TaskCancelledError", "NodeDiedError", "RayTaskError", "RayError")
        self.exceptions = types.SimpleNamespace(**{name: type(name, (Lost,), {}) for name in names})
        self.given: list[str] = []
        self.sent = ""
        self.cancelled: list[str] = []
        self.answer = lambda job, do: do()
        self.looked = lambda refs: True

    def is_initialized(self):
        return True

    def get_runtime_context(self):
        return types.SimpleNamespace(get_node_id=lambda: "here")

    def remote(self, **asked):
        return self._actor if "scheduling_strategy" in asked else self._task

    def _actor(self, kind):
        board = kind()
        ways = {name: types.SimpleNamespace(remote=getattr(board, name)) for name in ("tell",)}
        read = types.SimpleNamespace(remote=lambda: Ref(board.read))
        return types.SimpleNamespace(remote=lambda: types.SimpleNamespace(read=read, **ways))

    def _task(self, function):
        def give(order, job, *more):
            self.given.append(job.key)
            self.sent += f"{order} {job} {more[0]}"
            return Ref(partial(function, order, job, *more), job)

        return types.SimpleNamespace(remote=give)

    def wait(self, refs, *, num_returns=1, timeout):
        if refs[0].job is not None and not self.looked(refs):
            return [], refs
        return refs[: min(num_returns, 3)], refs[3:]

    def get(self, ref):
        return ref.do() if ref.job is None else self.answer(ref.job, ref.do)

    def cancel(self, ref, *, force):
        self.cancelled.append(ref.job.key)


def put_in_place(monkeypatch, ray: StandIn, store: PlantedStore, node: Path) -> None:
    """This Ray for `import ray`, and this store whatever URL is given. node: where its tasks have their folders."""
    strategies = types.ModuleType("ray.util.scheduling_strategies")
    strategies.NodeAffinitySchedulingStrategy = lambda name, soft: name
    modules = {"ray": ray, "ray.util": types.ModuleType("ray.util"), strategies.__name__: strategies}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    node.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(node))
    monkeypatch.setattr("ablate.execution.engine.find_spec", lambda name: object())
    monkeypatch.setattr(engine, "open_bucket", lambda url, pause: store.bucket(url))
    monkeypatch.setattr(stored, "Ways", partial(Ways, printing=lambda log: None, opened=store.bucket))
    monkeypatch.setattr(mirror, "SECONDS_BETWEEN_PLACES", 0.01)
