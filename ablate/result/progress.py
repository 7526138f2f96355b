"""How far a run under way is: a small file that its worker writes, on whatever machine, and others read."""

import json
from dataclasses import dataclass
from pathlib import Path

from ablate.disk.read import Json
from ablate.result.store.folder import Store


@dataclass(frozen=True)
class RunProgress:
    """A run under way. seconds: since it was begun here. score: its last validation score. started: ISO 8601, UTC.
    host: the machine. threads, gpus: what it uses there."""

    variant: str
    seed: int
    step: int
    steps: int
    loss: float | None
    score: float | None
    seconds: float
    started: str = ""
    host: str = ""
    threads: int = 1
    gpus: int = 0

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before the first step."""
        return None if self.step == 0 else self.seconds / self.step * (self.steps - self.step)


def progress_path(store: Store, key: str) -> Path:
    """Where a run under way says how far it is."""
    return store.logs / f"{key}.progress.json"


def read_progress(store: Store, key: str) -> RunProgress | None:
    """How far a run is, or None when it has not said."""
    try:
        value: Json = json.loads(progress_path(store, key).read_text())
        return RunProgress(**value)
    except (OSError, ValueError, TypeError):
        return None
