"""How much memory is free, on the host and on a GPU, so that one run more is not one too many. Loads no torch."""

import os
import subprocess
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def free_host_bytes() -> int | None:
    """What processes can still take: the system's estimate or what a container's limit leaves; None where unknown."""
    known = [size for size in (_meminfo(Path("/proc/meminfo")), _container(_CGROUP)) if size is not None]
    return min(known, default=None)


def free_device_bytes(device: str) -> int | None:
    """Free memory of a GPU, or of the fullest of several (a value of CUDA_VISIBLE_DEVICES); None where unknown."""
    device = device or os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0] or "0"
    command = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits", "-i", device]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        return min(map(int, answer.stdout.split())) * 2**20 if answer.returncode == 0 else None
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


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
