"""How far a run under way is, and its curve so far: small files that its worker writes, on whatever machine, and others
read.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from ablate.disk.read import Json
from ablate.result.store.folder import Store


@dataclass(frozen=True)
class RunProgress:
    """A run under way. seconds: since it was begun here. score: its last validation score. started: ISO 8601, UTC.
    host: the machine. threads, gpus: what it uses there, of a GPU that it shares its share."""

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
    gpus: float = 0

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


def curve_path(store: Store, key: str) -> Path:
    """Where a run under way puts the rows of its learning curve, one a line."""
    return store.logs / f"{key}.curve.jsonl"


@dataclass
class CurveReader:
    """Reads a growing curve: each call gives the rows that have come since. A run that is begun again writes its curve
    anew; rows of steps that were given are not given again."""

    path: Path
    last: int = 0
    """Step of the last row that was given."""
    _read: int = field(default=0, repr=False)
    """Bytes of whole lines that were read."""

    def more(self) -> list[Json]:
        rows = self._rows()
        if rows is None:  # written anew meanwhile
            self._read = 0
            rows = self._rows() or []
        new = [row for row in rows if row["step"] > self.last]
        self.last = new[-1]["step"] if new else self.last
        return new

    def _rows(self) -> list[Json] | None:
        """The whole lines behind those that were read; None where these are not the ones that were read."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                if size < self._read:
                    return None
                file.seek(self._read)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            rows: list[Json] = [json.loads(line) for line in whole.splitlines()]
            if any(not isinstance(row["step"], int) for row in rows):
                return None
        except OSError:  # it has not begun, or has ended
            return []
        except (ValueError, KeyError, TypeError):
            return None
        self._read += len(whole)
        return rows
