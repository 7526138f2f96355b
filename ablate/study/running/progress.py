"""Listens to a run and writes how far it is into a small file, which displays read. No result needs it."""

import json
import socket
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch

from ablate.disk.whole import whole_file
from ablate.result import Score
from ablate.result.progress import RunProgress
from ablate.training import Listener

SECONDS_BETWEEN_WRITES = 0.5


class ProgressFile(Listener):
    """The listener of a run: writes where it is, at most twice a second. Silent on a full disk: that stops no run."""

    def __init__(self, path: Path, *, variant: str, seed: int, steps: int, device: torch.device | None = None):
        self._path = path
        self._variant, self._seed, self._steps = variant, seed, steps
        self._gpus = int(device is not None and device.type == "cuda")
        self._begun, self._host = datetime.now(UTC).isoformat(timespec="seconds"), socket.gethostname()
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
            variant=self._variant,
            seed=self._seed,
            step=self._step,
            steps=self._steps,
            loss=self._loss,
            score=self._score,
            seconds=round(seconds, 2),
            started=self._begun,
            host=self._host,
            threads=torch.get_num_threads(),
            gpus=self._gpus,
        )
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self._path, durable=False) as file:
                file.write(json.dumps(asdict(progress)).encode())
