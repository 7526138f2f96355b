"""A SLURM that is only a table: tasks wait, run, are preempted, end; nothing is executed. Its clock is the caller's.

It stands behind `sbatch`, `squeue` and `scontrol` alone: submitit writes its pickles, the engine reads the queue, and
what a run tells of its end is written to the same files as on a node.
"""

import heapq
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ablate.execution.job import Outcome

MOST_TASKS = 1001
"""SLURM's own largest array where a site says nothing."""


@dataclass
class Task:
    """One task of an array. left: seconds of work still to be done."""

    array: "Array"
    index: int
    key: str
    left: float
    state: str = "PENDING"
    began: float = 0.0
    cut: bool = False

    def line(self) -> str:
        """As squeue prints it in the format that the engine asks for."""
        node = f"node{hash(self.key) % 100}" if self.state == "RUNNING" else ""
        when = "2026-01-01T00:00:00"
        name, number = self.array.folder.name, self.array.number
        return f"{name}|{self.index}|{number}_{self.index}|{self.state}|{node}|{when}|{when}|None"


@dataclass
class Array:
    """One call of sbatch. folder: its ticket's. room: its tasks that may run at once, by its throttle."""

    folder: Path
    number: int
    room: int
    running: int = 0
    tasks: list[Task] = field(default_factory=list)
    waiting: "deque[Task]" = field(default_factory=deque)


@dataclass
class SimulatedSlurm:
    """slots: tasks at once. seconds: of a run. preempted: whether a run is, once, in its middle. finish: what a run
    leaves behind when it is done."""

    slots: int
    seconds: float
    preempted: Callable[[str], bool]
    finish: Callable[[str], None]
    requeues: bool = True
    most_tasks: int = MOST_TASKS
    log_tail: str = ""
    """requeues: puts preempted tasks back by itself; else they are gone, as at sites that cancel. most_tasks: of an
    array. log_tail: of every run."""
    arrays: dict[str, Array] = field(default_factory=dict)
    ends: list[tuple[float, int, Task]] = field(default_factory=list)
    begun: Counter = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    """begun: times that each run has begun. order: of their submission."""
    running: int = 0
    most_running: int = 0
    first: float = 0.0
    last: float = 0.0
    """When the first task began, and when the last one ended."""

    def submit(self, file: Path, now: float) -> int:
        """What sbatch does with a file that submitit wrote into a ticket's folder. Gives the job's number."""
        folder = file.parent
        keys = json.loads((folder / "ticket.json").read_text())["keys"]
        said = re.search(r"#SBATCH --array=0-(\d+)%(\d+)", file.read_text())
        assert (int(said[1]) + 1 if said else 1) == len(keys)
        array = Array(folder, len(self.arrays) + 1, int(said[2]) if said else 1)
        array.tasks = [Task(array, index, key, self.seconds) for index, key in enumerate(keys)]
        array.waiting.extend(array.tasks)
        self.order.extend(keys)
        self.arrays[folder.name] = array
        self.first = self.first or now
        self.advance(now)
        return array.number

    def advance(self, now: float) -> None:
        """What has happened until now."""
        while self.ends and self.ends[0][0] <= now:
            at, _, task = heapq.heappop(self.ends)
            self.running -= 1
            task.array.running -= 1
            self.last = at
            self._end(task, at)
            self._fill(at)
        self._fill(now)

    def squeue(self, names: Sequence[str]) -> str:
        """The lines of these jobs; what has left the queue is not kept."""
        shown = (task for name in names if name in self.arrays for task in self.arrays[name].tasks)
        return "\n".join(task.line() for task in shown if task.state in ("PENDING", "RUNNING", "PREEMPTED"))

    def _fill(self, now: float) -> None:
        for array in self.arrays.values():
            while array.waiting and self.running < self.slots and array.running < array.room:
                task = array.waiting.popleft()
                task.state, task.began = "RUNNING", now
                (array.folder / "ended" / task.key).unlink(missing_ok=True)
                self.begun[task.key] += 1
                self.running += 1
                array.running += 1
                self.most_running = max(self.most_running, self.running)
                stays = task.left / 2 if self.preempted(task.key) and self.begun[task.key] == 1 else task.left
                heapq.heappush(self.ends, (now + stays, sum(self.begun.values()), task))

    def _end(self, task: Task, now: float) -> None:
        task.left -= now - task.began
        if task.left > 1e-6:
            self._say(task, Outcome(task.key, "interrupted", f"saved with {task.left:.3f} s to go"))
            task.state = "PENDING" if self.requeues else "PREEMPTED"
            if self.requeues:
                task.array.waiting.append(task)
            return
        self.finish(task.key)
        task.state = "COMPLETED"
        self._say(task, Outcome(task.key, "done", log_tail=self.log_tail, seconds=self.seconds))

    def _say(self, task: Task, outcome: Outcome) -> None:
        (task.array.folder / "ended" / f".{task.key}").write_text(json.dumps(asdict(outcome)))
        (task.array.folder / "ended" / f".{task.key}").rename(task.array.folder / "ended" / task.key)


def put_in_place(patch, cluster: SimulatedSlurm, step: float = 0.2) -> None:
    """The cluster in the place of SLURM's commands, in this process: each look at the queue is `step` seconds later."""
    import submitit.slurm.slurm as theirs

    from ablate.execution.slurm import engine, queue, submit

    clock = [1.0]

    def ask(*words: str) -> str:
        if words[0] == "scontrol":
            return f"MaxArraySize = {cluster.most_tasks}\n"
        clock[0] += step
        cluster.advance(clock[0])
        return cluster.squeue(words[-1].removeprefix("--name=").split(","))

    def sbatch(self: object, file: Path) -> list[str]:
        return ["echo", f"Submitted batch job {cluster.submit(file, clock[0])}"]

    patch.setattr(queue, "ask", ask)
    patch.setattr(submit, "most_tasks", lambda: cluster.most_tasks)
    patch.setattr(engine, "TICK", 0.0001)
    patch.setattr(theirs.SlurmExecutor, "_make_submission_command", sbatch)
    patch.setattr(theirs.SlurmExecutor, "affinity", classmethod(lambda kind: 2))
