"""What is free on the host and on GPUs, memory and time, so that one run more is not one too many. Loads no torch."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_CGROUP = Path("/sys/fs/cgroup")


def free_host_bytes() -> int | None:
    """What processes can still take: the system's estimate or what a container's limit leaves; None where unknown."""
    known = [size for size in (_meminfo(Path("/proc/meminfo")), _container(_CGROUP)) if size is not None]
    return min(known, default=None)


def free_device_bytes(device: str) -> int | None:
    """Free memory of a GPU, or of the fullest of several (a value of CUDA_VISIBLE_DEVICES); None where unknown."""
    rows = _ask(device, ("memory.free",))
    return min(row[0] for row in rows) * 2**20 if rows else None


class DeviceState(NamedTuple):
    """Of a GPU, or of the fullest and the busiest of several."""

    free: int
    """Bytes."""
    taken: int
    busy: float
    """Share of the last moments in which any kernel ran."""


def device_state(device: str) -> DeviceState | None:
    """None where it cannot be known. device: a value of CUDA_VISIBLE_DEVICES."""
    rows = _ask(device, ("memory.free", "memory.used", "utilization.gpu"))
    if not rows:
        return None
    free, taken, busy = zip(*rows, strict=True)
    return DeviceState(min(free) * 2**20, max(taken) * 2**20, max(busy) / 100)


def _ask(device: str, facts: Sequence[str]) -> list[tuple[int, ...]]:
    """Whole numbers that the vendor's tool tells, a row for each GPU; none where it does not."""
    device = device or os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0] or "0"
    command = ["nvidia-smi", f"--query-gpu={','.join(facts)}", "--format=csv,noheader,nounits", "-i", device]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        lines = answer.stdout.splitlines() if answer.returncode == 0 else []
        return [tuple(map(int, line.split(","))) for line in lines if line.strip()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


# ------------------------------------------------------------------ one run more on a GPU

SETTLED = 10.0
"""Seconds after a run began on a GPU before what it takes there counts: it is opened, built, and stepping by then."""
SAMPLE = 3.0
"""Seconds between two looks."""
FEWEST = 5
MOST_BUSY = 0.9
"""Runs that share a GPU take turns: one more wins at most 1 / busy, and here a tenth."""
MARGIN = 1.1
"""Free memory must exceed a run's need by this factor."""


@dataclass
class Packing:
    """Whether a GPU takes one run more beside those that it has: where a tenth of its time is idle, and where as much
    memory is free as the largest run so far took, or those there take on average. Where that many ran at once before,
    they do again."""

    clock: Callable[[], float] = time.monotonic
    _begun: dict[str, float] = field(default_factory=dict)
    _looked: dict[str, float] = field(default_factory=dict)
    _states: dict[tuple[str, int], list[DeviceState]] = field(default_factory=dict)
    """What was seen of a GPU with so many runs."""
    _most: dict[str, int] = field(default_factory=dict)
    """Runs at once that a GPU was found to have room for."""

    def began(self, device: str) -> None:
        """A run began there."""
        self._begun[device] = self.clock()

    def room(self, device: str, runs: int, largest: int) -> bool:
        """runs: there already. largest: bytes that the largest finished run took; 0 where none has finished."""
        if runs < self._most.get(device, 1):
            return True
        self._look(device, runs)
        states = self._states.get((device, runs), [])[-FEWEST:]
        if len(states) < FEWEST or sum(state.busy for state in states) / FEWEST > MOST_BUSY:
            return False
        found = states[-1].free >= MARGIN * max(largest, states[-1].taken / runs)
        if found:
            self._most[device] = runs + 1
        return found

    def _look(self, device: str, runs: int) -> None:
        now = self.clock()
        settled = now - self._begun.get(device, now) >= SETTLED
        if settled and now - self._looked.get(device, -SAMPLE) >= SAMPLE:
            self._looked[device] = now
            if (state := device_state(device)) is not None:
                self._states.setdefault((device, runs), []).append(state)


def _meminfo(path: Path) -> int | None:
    try:
        for line in path.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _container(folder: Path) -> int | None:
    """What a memory-limited cgroup (version 2) leaves; file cache can be given up, so it does not count as taken."""
    try:
        limit = (folder / "memory.max").read_text().strip()
        if limit == "max":
            return None
        taken = int((folder / "memory.current").read_text())
        facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return int(limit) - taken + int(facts.get("inactive_file", 0))
    except (OSError, ValueError):
        return None
