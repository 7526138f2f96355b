"""How far a run is, read from a small file that its worker writes and the display reads. No result needs it."""

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ablate.disk.whole import whole_file
from ablate.result import Score, Store
from ablate.training import Listener

SECONDS_BETWEEN_WRITES = 0.5


@dataclass(frozen=True)
class RunProgress:
    """A run under way. seconds: since its start. score: its last validation score."""

    variant: str
    seed: int
    step: int
    steps: int
    loss: float | None
    score: float | None
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before the first step."""
        return None if self.step == 0 else self.seconds / self.step * (self.steps - self.step)


class ProgressFile(Listener):
    """The listener of a run: writes where it is, at most twice a second. Silent on a full disk: that stops no run."""

    def __init__(self, path: Path, *, variant: str, seed: int, steps: int):
        self._path = path
        self._variant, self._seed, self._steps = variant, seed, steps
        self._started = time.monotonic()
        self._written = 0.0
        self._step = 0
        self._loss: float | None = None
        self._score: float | None = None
        self._write()

    def on_step(self, step: int, steps: int, loss: float) -> None:
        self._step, self._steps, self._loss = step, steps, loss
        if time.monotonic() - self._written > SECONDS_BETWEEN_WRITES:
            self._write()

    def on_validation(self, step: int, score: Score) -> None:
        self._step, self._score = step, score.headline
        self._write()

    def close(self) -> None:
        """Removes the file."""
        with suppress(OSError):
            self._path.unlink()

    def _write(self) -> None:
        self._written = time.monotonic()
        seconds = self._written - self._started
        progress = RunProgress(
            self._variant, self._seed, self._step, self._steps, self._loss, self._score, round(seconds, 2)
        )
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self._path, durable=False) as file:
                file.write(json.dumps(asdict(progress)).encode())


def progress_path(store: Store, key: str) -> Path:
    """Where a run under way says how far it is."""
    return store.logs / f"{key}.progress.json"


def read_progress(store: Store, key: str) -> RunProgress | None:
    """How far a run is, or None when it has not said."""
    try:
        value: dict[str, Any] = json.loads(progress_path(store, key).read_text())
        return RunProgress(**value)
    except (OSError, ValueError, TypeError):
        return None
