"""Inside the process of one job: its streams go to its log, the work is called, and the exit status tells the rest."""

import contextlib
import ctypes
import faulthandler
import json
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

from ablate.disk.read import Json
from ablate.execution.job import Busy, Interrupted, Lost, is_out_of_memory, resolve, why

DONE, FAILED, BUSY, INTERRUPTED, OUT_OF_MEMORY, LOST = 0, 1, 75, 76, 77, 78
_PR_SET_PDEATHSIG = 1


def request_of(work: str, payload: Json, log: Path, environment: dict[str, str], threads: int) -> Json:
    """What a child is given, as JSON."""
    return {"work": work, "payload": payload, "log": str(log), "environment": environment, "threads": threads}


def run_and_exit(request: Json) -> NoReturn:
    """Does one job and ends the process. Skips the interpreter's clean-up, which takes longer than the fork."""
    status = FAILED
    try:
        _enter(request)
        status = _perform(request)
        _report_device_peak(Path(request["log"]))
    except BaseException:  # nothing may get back into the server's loop
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):  # a full disk, or a stream that the work has closed
                status = status or FAILED
        os._exit(status)


def die_with_parent() -> None:
    """Linux kills this process when its parent (the thread that made it) dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def spawned() -> NoReturn:
    """Entry of a process started afresh: the request is the first line of stdin; its end tells that the parent died."""
    pipe = os.fdopen(os.dup(0), "rb", buffering=0)
    line = b""
    while not line.endswith(b"\n"):
        piece = pipe.read(65536)
        if not piece:
            os._exit(FAILED)
        line += piece
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)

    def watch() -> None:
        pipe.read()
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    run_and_exit(json.loads(line))


def _enter(request: Json) -> None:
    """A process group of its own, streams into the log, SIGTERM as KeyboardInterrupt, threads bounded."""
    if os.getpgid(0) != os.getpid():
        os.setpgid(0, 0)
    print_into(request["log"])
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear; it sends SIGTERM
    signal.signal(signal.SIGTERM, _interrupt)
    os.environ.update(request["environment"])
    limit_threads(request["threads"])


def print_into(log: str) -> None:
    """This process' streams, those of C code too, are appended to a log from here on."""
    handle = _open_log(log)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="replace", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="replace", closefd=False)


def limit_threads(threads: int) -> None:
    """Bounds the thread pools of this process and of those it starts; torch's only where it is loaded."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)


def _perform(request: Json) -> int:
    """The exit status; a failure's last line in the log says why."""
    try:
        resolve(request["work"])(request["payload"])
    except Busy as error:
        return _said(BUSY, str(error))
    except (Interrupted, KeyboardInterrupt) as error:
        return _said(INTERRUPTED, str(error) or "asked to stop")
    except Lost as error:
        return _said(LOST, str(error))
    except SystemExit as error:
        return DONE if error.code in (None, 0) else _said(FAILED, f"exit status {error.code}")
    except BaseException as error:
        traceback.print_exc()
        return _said(OUT_OF_MEMORY if is_out_of_memory(error) else FAILED, why(error))
    return DONE


def _said(status: int, line: str) -> int:
    with contextlib.suppress(OSError):  # a full disk must not turn `interrupted` into `failed`
        print(line, file=sys.stderr, flush=True)
    return status


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _open_log(path: str) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:  # the job may well succeed without a log
        return os.open(os.devnull, os.O_WRONLY)


def _report_device_peak(log: Path) -> None:
    """Tells the parent how much device memory the job reserved at most, so that it can judge whether another fits."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        with contextlib.suppress(OSError, RuntimeError):
            log.with_suffix(".peak").write_text(str(torch.cuda.max_memory_reserved()))
