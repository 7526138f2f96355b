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


def environment(*, folder: Path | None = None, device: Json | None = None, results: Path | None = None) -> Json:
    """Provenance of a run.

    folder: whose git state is kept, the current one by default. device: GPU, driver, precision, kept as given.
    results: the folder of studies; what changes there is no change of the code.
    """
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": usable_cores(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "git": git_state(folder or Path.cwd(), results),
        "device": device or {},
    }


def git_state(folder: Path, results: Path | None = None) -> Json:
    """`{"commit": ..., "dirty": bool}` of the working tree around `folder`; empty outside one or without git.

    dirty: a tracked file is changed, be it not one in `results`: a study writes tables there that may be committed.
    """
    # one question for both: each starts a process that reads the whole tree, and every run asks
    asked = _git(folder, "status", "--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=no")
    lines = asked.splitlines()
    heads = [line for line in lines if line.startswith("# ")]
    commit = next((line.split()[2] for line in heads if line.startswith("# branch.oid ")), "(initial)")
    if commit == "(initial)":
        return {}
    own = _within_tree(results) if results else ""
    changed = [line for line in lines if not line.startswith("# ")]
    return {"commit": commit, "dirty": any(not own or not _path(line).startswith(f"{own}/") for line in changed)}


def _path(line: str) -> str:
    """Of a line of `git status --porcelain=v2`: behind eight fields, nine if renamed, ten if in conflict."""
    return line.split(" ", {"2": 9, "u": 10}.get(line[0], 8))[-1]


def _within_tree(folder: Path) -> str:
    """The folder as git names it, from the top of its working tree; empty at the top and outside a tree."""
    inside = folder.resolve()
    top = next((parent for parent in inside.parents if (parent / ".git").exists()), inside)
    return "" if inside == top else inside.relative_to(top).as_posix()


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
    plain = ("core.fsmonitor=false", "core.quotePath=false", "status.relativePaths=false")
    command = ["git", *(word for setting in plain for word in ("-c", setting)), "-C", str(folder), *arguments]
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
