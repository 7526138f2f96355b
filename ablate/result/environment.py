"""Where a number came from: package versions, git commit, processor, and what the caller knows of the device.

No host name, user name or absolute path is kept: results are made to be shared. Never loads torch.
"""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from ablate.disk.read import Json

PACKAGES = ("ablate", "torch", "timm", "numpy", "scipy", "einops", "pydantic", "safetensors")
"""What can change a number."""


def environment(*, folder: Path | None = None, device: Json | None = None) -> Json:
    """Provenance of a run.

    folder: whose git state is kept, the current one by default. device: GPU, driver, precision, kept as given.
    """
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": usable_cores(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "git": git_state(folder or Path.cwd()),
        "device": device or {},
    }


def git_state(folder: Path) -> Json:
    """`{"commit": ..., "dirty": bool}` of the working tree around `folder`; empty outside one or without git."""
    # one question for both: each starts a process that reads the whole tree, and every run asks
    asked = _git(folder, "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
    lines = asked.splitlines()
    heads = [line for line in lines if line.startswith("# ")]
    commit = next((line.split()[2] for line in heads if line.startswith("# branch.oid ")), "(initial)")
    return {} if commit == "(initial)" else {"commit": commit, "dirty": len(lines) > len(heads)}


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _git(folder: Path, *arguments: str) -> str:
    """Git's answer, or nothing. The file-system monitor is off, since a foreign tree could name any program as one."""
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    settings = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, env=settings, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _version(name: str) -> str:
    module = sys.modules.get(name)
    loaded = None if module is None else vars(module).get("__version__")  # a source tree is not always installed
    try:
        return str(loaded or metadata.version(name))
    except metadata.PackageNotFoundError:
        return ""


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
