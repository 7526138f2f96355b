"""What the processes of one job do in the tests: each way to live together and each way to die."""

import os
import signal
import time
from pathlib import Path

from ablate.execution.job import Interrupted, Lost, Stop
from ablate.execution.together import together


def note(payload: dict, *more: object) -> None:
    path = Path(payload["folder"]) / str(payload["rank"])
    path.with_suffix(".new").write_text(" ".join(map(str, (os.getpid(), *more))))
    path.with_suffix(".new").rename(path)


def others_noted(payload: dict) -> bool:
    return (Path(payload["folder"]) / str(1 - payload["rank"])).exists()


def act(payload: dict) -> None:
    globals()["do_" + payload["do"]](payload)


def job_of_two(payload: dict) -> None:
    """A job that is two processes, and tells its own id as that of rank 9. It is not done twice."""
    if (Path(payload["folder"]) / "9").exists():
        raise RuntimeError("tried again")
    note({**payload, "rank": 9})
    log = Path(payload["folder"]).with_name("log")
    together("together_work:act", {"do": "sleep", **payload}, 2, log=log, threads=1, stop=Stop())


def do_tell(payload: dict) -> None:
    note(payload, payload["meeting"], os.environ["OMP_NUM_THREADS"])
    while not others_noted(payload):  # the job is done when the first one is, and the other would be ended
        time.sleep(0.02)
    print(f"rank {payload['rank']}")


def do_sleep(payload: dict) -> None:
    note(payload)
    time.sleep(60)


def do_linger(payload: dict) -> None:
    note(payload)
    while payload["rank"] == 1 or not others_noted(payload):
        time.sleep(0.02)


def do_die(payload: dict) -> None:
    """One dies; the other misses it."""
    note(payload)
    while not others_noted(payload):
        time.sleep(0.02)
    if payload["rank"] != payload["who"]:
        time.sleep(0.3)
        raise Lost("another process of this run is gone")
    if payload["how"] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if payload["how"] == "exit":
        os._exit(9)
    if payload["how"] == "memory":
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
    raise ValueError("a bug in a user's part")


def do_die_alone(payload: dict) -> None:
    """One dies; the other goes on as if nothing had happened."""
    do_die({**payload, "how": "raise"}) if payload["rank"] == payload["who"] else do_sleep(payload)


def do_warned(payload: dict) -> None:
    """A signal that SLURM sends to all processes ends one that does not listen yet."""
    note(payload)
    if payload["rank"] == payload["who"]:
        os.kill(os.getpid(), signal.SIGUSR2)
    time.sleep(60)


def do_listen(payload: dict) -> None:
    """The first one hears the wish, and both stop."""
    stop, told = Stop(), Path(payload["folder"]) / "told"
    with stop.listening():
        note(payload)
        while not (stop.requested or told.exists()):
            time.sleep(0.02)
    if payload["rank"] == 0:
        told.touch()
        time.sleep(0.5)  # as it saves its place
    raise Interrupted(f"stopped after step 7, says {payload['rank']}")


def do_deaf(payload: dict) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    do_sleep(payload)
