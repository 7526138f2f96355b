"""A user's frontend that behaves until training is under way, and then does one of the things that end runs."""

import os
import signal
import time
from pathlib import Path

import torch

from ablate import contract

WELL_UNTIL = 4
"""Training steps; a check probes fewer."""


class Frontend(contract.Frontend):
    """The identity times `gain`, so that every variant differs. does: what it does at last; marker: a file of its own
    to remember an earlier try by."""

    def __init__(self, input, *, gain: float = 1.0, does: str = "nothing", marker: str = "") -> None:
        super().__init__()
        self.out, self.gain = input, gain
        self._does, self._marker, self._steps = does, Path(marker), 0

    def forward(self, video):
        self._steps += self.training and video.device.type != "meta"
        if self._steps > WELL_UNTIL:
            getattr(self, self._does)()
        return video * self.gain

    def nothing(self) -> None: ...

    def wrong(self) -> None:
        raise ValueError("a bug in a user's part")

    def hang(self) -> None:
        """For ever, and deaf."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("the part waits for an answer", flush=True)
        while True:
            time.sleep(0.1)

    def memory_once(self) -> None:
        if not self._marker.exists():
            self._marker.touch()
            raise MemoryError

    def gpu_memory(self) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    def dawdle(self) -> None:
        """As long as the environment says: a run that takes a minute, and little of the processor's time."""
        time.sleep(float(os.environ.get("DAWDLE_SECONDS", "0")))

    def killed(self) -> None:
        """As the system's out-of-memory killer does."""
        os.kill(os.getpid(), signal.SIGKILL)
