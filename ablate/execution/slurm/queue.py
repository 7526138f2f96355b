"""What the queue says of our jobs, by `squeue`, which every SLURM has; accounting (`sacct`) is not needed."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ablate.errors import AblateError
from ablate.execution.engine import Place
from ablate.execution.slurm.ticket import Ticket

ENDED = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED")
) | {"TIMEOUT"}
"""States from which a job does not come back by itself."""
WAITING = frozenset(("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"))
_FORMAT = "%j|%K|%i|%T|%N|%S|%V|%r"
_SECONDS = 60.0


@dataclass(frozen=True)
class Task:
    """One task of an array. number: as squeue names it, 17_3. began, submitted: ISO 8601, local to the cluster."""

    number: str
    state: str
    node: str
    began: str
    submitted: str
    reason: str

    @property
    def alive(self) -> bool:
        return self.state not in ENDED

    @property
    def place(self) -> Place:
        if self.state in WAITING:
            why = "" if self.reason == "None" else self.reason
            return Place("waiting", f"job {self.number}", since=self.submitted, why=why)
        return Place("running", f"job {self.number}", self.node, self.began)


def look(tickets: Sequence[Ticket]) -> Mapping[str, Task]:
    """By key, what the queue says; the newest ticket's word where a key was submitted twice.

    Raises AblateError where the queue cannot be asked.
    """
    if not tickets:
        return {}
    names = ",".join(ticket.name for ticket in tickets)
    lines = ask("squeue", "--noheader", "--array", "--states=all", f"--format={_FORMAT}", f"--name={names}")
    found: dict[str, tuple[bool, int, Task]] = {}
    order = {ticket.name: (at, ticket.keys) for at, ticket in enumerate(tickets)}
    for line in lines.splitlines():
        name, index, number, state, node, began, submitted, reason = (line.split("|", 7) + [""] * 8)[:8]
        if name not in order:
            continue
        at, keys = order[name]
        place = int(index) if index.isdigit() else 0  # a job that is no array has one task
        if place < len(keys):
            task = Task(number, state, node, began, submitted, reason)
            rank = (task.alive, at, task)
            if keys[place] not in found or rank[:2] >= found[keys[place]][:2]:
                found[keys[place]] = rank
    return {key: task for key, (_, _, task) in found.items()}


def cancel(tickets: Sequence[Ticket]) -> int:
    """Asks all jobs of these tickets to end; how many were alive."""
    alive = sum(task.alive for task in look(tickets).values())
    for ticket in tickets:
        ask("scancel", f"--name={ticket.name}")
    return alive


def most_tasks() -> int:
    """Tasks that one array may have here."""
    for line in ask("scontrol", "show", "config").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "MaxArraySize" and value.strip().isdigit():
            return max(1, int(value))
    return 1000


def ask(*command: str) -> str:
    """What one of SLURM's commands prints. Raises AblateError with its own words where it fails."""
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except FileNotFoundError:
        hint = "say this on a login node of the cluster, where its commands are installed"
        raise AblateError(f"there is no `{command[0]}` here", where="slurm", hint=hint) from None
    except subprocess.TimeoutExpired:
        raise AblateError(f"`{command[0]}` did not answer within {_SECONDS:g} s", where="slurm") from None
    if answer.returncode:
        words = " ".join((answer.stderr or answer.stdout).split())
        raise AblateError(f"`{command[0]}` failed: {words[:400]}", where="slurm")
    return answer.stdout
