"""A Ray that is only a table: tasks wait, run, lose their node, end; nothing is executed. Its clock is the caller's.

It stands behind `import ray` alone: what the engine gives out, hears and writes is as ever.
"""

import heapq
import sys
import types
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ablate.execution.job import Outcome

News = tuple[int, str]
"""A task's number, and `done` or `lost`."""


@dataclass
class Table:
    """slots: tasks at once. seconds: of a run. lost: whether a run loses its node, once, in its middle; it goes on from
    there. finish: what a run leaves behind when it is done."""

    slots: int
    seconds: float
    lost: Callable[[str], bool]
    finish: Callable[[str], None]
    waiting: "deque[tuple[int, str, Path]]" = field(default_factory=deque)
    ends: list[tuple[float, int, str]] = field(default_factory=list)
    begun: Counter = field(default_factory=Counter)
    most_running: int = 0
    last: float = 0.0
    """When the last task ended."""

    def give(self, number: int, key: str, mark: Path, now: float) -> None:
        """A task, which writes its mark when it begins."""
        self.waiting.append((number, key, mark))
        self._fill(now)

    def advance(self, now: float) -> list[News]:
        """What has happened until now."""
        news = []
        while self.ends and self.ends[0][0] <= now:
            self.last, number, key = heapq.heappop(self.ends)
            lost = self.lost(key) and self.begun[key] == 1
            if not lost:
                self.finish(key)
            news.append((number, "lost" if lost else "done"))
            self._fill(self.last)
        return news

    def _fill(self, now: float) -> None:
        while self.waiting and len(self.ends) < self.slots:
            number, key, mark = self.waiting.popleft()
            mark.touch()
            self.begun[key] += 1
            half = self.lost(key) and self.begun[key] <= 2
            heapq.heappush(self.ends, (now + (self.seconds / 2 if half else self.seconds), number, key))
            self.most_running = max(self.most_running, len(self.ends))


@dataclass(frozen=True)
class Ref:
    number: int
    key: str


class SimulatedRay(types.ModuleType):
    """The module `ray`. give: takes a task's number, key and mark. hear: waits so many seconds for news."""

    def __init__(self, give: Callable[[int, str, Path], None], hear: Callable[[float], list[News]]):
        super().__init__("ray")
        names = ("TaskCancelledError", "NodeDiedError", "RayTaskError", "RayError")
        self.exceptions = types.SimpleNamespace(**{name: type(name, (Exception,), {}) for name in names})
        self._give, self._hear, self._number, self._over = give, hear, 0, {}

    def is_initialized(self):
        return True

    def remote(self, **asked):
        def give(order, job) -> Ref:
            self._number += 1
            self._give(self._number, job.key, Path(order.begun) / job.key)
            return Ref(self._number, job.key)

        return lambda perform: types.SimpleNamespace(remote=give)

    def wait(self, refs, *, num_returns, timeout):
        self._over.update(self._hear(0.0 if self._over else timeout))
        ready = [ref for ref in refs if ref.number in self._over][:num_returns]
        return ready, []

    def get(self, ref):
        if self._over.pop(ref.number) == "lost":
            raise self.exceptions.NodeDiedError("its node is gone")
        return Outcome(ref.key, "done", log_tail="x" * 1000, seconds=1.0)


def here(table: Table, step: float = 0.2) -> SimulatedRay:
    """In this process: each look is `step` seconds later."""
    clock = [1.0]

    def hear(seconds: float) -> list[News]:
        clock[0] += step if seconds else 0.0
        return table.advance(clock[0])

    return SimulatedRay(lambda number, key, mark: table.give(number, key, mark, clock[0]), hear)


def put_in_place(patch, ray: SimulatedRay) -> None:
    """For `import ray`, whether it is installed or not."""
    patch.setitem(sys.modules, "ray", ray)
    patch.setattr("ablate.execution.engine.find_spec", lambda name: object())
