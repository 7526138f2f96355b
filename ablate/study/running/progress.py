"""Listens to a run and writes how far it is into small files, which displays and loggers read. No result needs them."""

import json
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch

from ablate.disk.read import Json
from ablate.disk.whole import whole_file
from ablate.execution.job import held_share
from ablate.result import Score
from ablate.result.progress import RunProgress
from ablate.training import Listener

SECONDS_BETWEEN_WRITES = 0.5


class ProgressFile(Listener):
    """The listener of a run: writes where it is, at most twice a second, and with it the rows that its curve has got.
    Silent on a full disk: that stops no run."""

    def __init__(
        self,
        path: Path,
        curve: Path,
        *,
        variant: str,
        seed: int,
        steps: int,
        device: torch.device | None = None,
        devices: int = 1,
    ):
        self._path, self._curve = path, curve
        self._rows = 0
        """Of the curve that are in its file."""
        self._history: Sequence[Json] = ()
        self._variant, self._seed, self._steps = variant, seed, steps
        self._gpus = (held_share() or devices) if device is not None and device.type == "cuda" else 0
        self._threads = torch.get_num_threads() * devices
        self._begun, self._host = datetime.now(UTC).isoformat(timespec="seconds"), socket.gethostname()
        self._started = time.monotonic()
        self._written = 0.0
        self._step = 0
        self._loss: float | None = None
        self._score: float | None = None
        self._remove()
        self._write()

    def on_told(self, what: str) -> None:
        print(what, flush=True)

    def on_curve(self, rows: Sequence[Json]) -> None:
        self._history = rows

    def on_step(self, step: int, steps: int, loss: float) -> None:
        self._step, self._steps, self._loss = step, steps, loss
        if time.monotonic() - self._written > SECONDS_BETWEEN_WRITES:
            self._write()

    def on_validation(self, step: int, score: Score) -> None:
        self._step, self._score = step, score.headline
        self._write()

    def close(self) -> None:
        """Removes the files."""
        self._remove()

    def _remove(self) -> None:
        for path in (self._path, self._curve):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _write(self) -> None:
        self._written = time.monotonic()
        seconds = self._written - self._started
        progress = RunProgress(
            variant=self._variant,
            seed=self._seed,
            step=self._step,
            steps=self._steps,
            loss=self._loss,
            score=self._score,
            seconds=round(seconds, 2),
            started=self._begun,
            host=self._host,
            threads=self._threads,
            gpus=self._gpus,
        )
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self._path, durable=False) as file:
                file.write(json.dumps(asdict(progress)).encode())
            self._write_curve()

    def _write_curve(self) -> None:
        new = self._history[self._rows :]
        if new:
            with self._curve.open("ab") as file:
                file.write(b"".join(json.dumps(row).encode() + b"\n" for row in new))
            self._rows += len(new)
