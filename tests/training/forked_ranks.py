"""Ranks of a run as forked processes of a test: what each gives back, or how it ended."""

import os
import pickle
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ablate.training.ranks import Together, joined

SECONDS = 100
CPU = torch.device("cpu")


def in_ranks(count: int, folder: Path, work: Callable[[Together], Any]) -> list[Any]:
    """What `work` gives in each rank; an exception stands for a rank that raised it, a number for one that a signal
    ended (its negative). Forked, since a fresh process takes seconds to import torch."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork")
    import torch._dynamo  # noqa: F401  # which the first step of an optimizer would import in every rank

    folder.mkdir(exist_ok=True)
    pids = [_rank(rank, count, folder, work) for rank in range(count)]
    return [_ended(pid, folder / f"{rank}.pickle") for rank, pid in enumerate(pids)]


def _rank(rank: int, count: int, folder: Path, work: Callable[[Together], Any]) -> int:
    if pid := os.fork():
        return pid
    try:
        signal.alarm(SECONDS)  # a rank that hangs ends its test
        try:
            with joined(folder / "meeting", rank, count, CPU) as ranks:
                given = work(ranks)
        except Exception as error:
            given = error
        (folder / f"{rank}.pickle").write_bytes(pickle.dumps(given))
    finally:
        os._exit(0)


def _ended(pid: int, told: Path) -> Any:
    until = time.monotonic() + 2 * SECONDS
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code else pickle.loads(told.read_bytes())
        time.sleep(0.02)
    raise AssertionError("a rank hangs")
