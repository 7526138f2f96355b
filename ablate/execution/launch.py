"""Two ways to get a process for each job, with one face: fork a server that has all imported, or start afresh."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, Protocol, runtime_checkable

from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.execution.job import Settings

_FORK = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from ablate.execution.server import main; "
_FORK += "main(int(sys.argv[2]))"
_SPAWN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from ablate.execution.child import spawned; spawned()"
)


class UnsafeFork(Exception):
    """The fork server may not be forked here."""


@dataclass(frozen=True)
class Exit:
    """How a job's process ended. status: exit code, or minus the signal; None when the server was lost with it."""

    ticket: int
    status: int | None
    seconds: float = 0.0
    peak_bytes: int = 0
    refused: str = ""


@runtime_checkable
class Launcher(Protocol):
    """Starts, signals and reaps the processes of jobs, each known by its ticket."""

    def start(self, ticket: int, request: Json) -> None: ...

    def signal(self, ticket: int, number: int) -> None: ...

    def poll(self, seconds: float) -> list[Exit]: ...

    def close(self) -> None: ...


def launcher(settings: Settings, modules: tuple[str, ...], threads: int) -> Launcher:
    """The fastest safe way here. `modules` are imported before the first fork; AblateError when they cannot be."""
    if settings.start == "fork" or (settings.start == "auto" and sys.platform == "linux"):
        given = {"preload": modules, "prepare": settings.prepare, "prepare_with": settings.prepare_with}
        try:
            return ForkServer(given, threads)
        except UnsafeFork:
            if settings.prepare:  # perhaps it was this that started threads
                return launcher(replace(settings, prepare=""), modules, threads)
            if settings.start == "fork":
                raise
    return Spawner(threads)


class ForkServer:
    """Speaks with `server`; a server that was killed is started again for the next job."""

    def __init__(self, settings: Json, threads: int):
        """settings: `preload`, the modules to import, and `prepare` and `prepare_with` of `Settings`."""
        self._settings, self._threads = settings, threads
        self._running: set[int] = set()
        self._boot()

    def start(self, ticket: int, request: Json) -> None:
        self._running.add(ticket)
        self._say({"ticket": ticket, "request": request})

    def signal(self, ticket: int, number: int) -> None:
        self._say({"ticket": ticket, "signal": int(number)})

    def poll(self, seconds: float) -> list[Exit]:
        ready, _, _ = select.select([self._control], [], [], max(seconds, 0))
        messages = self._receive() if ready else []
        if messages is None:
            lost = [Exit(ticket, None) for ticket in sorted(self._running)]
            self._running.clear()
            self.close()
            self._boot()
            return lost
        exits = [_exit(message) for message in messages]
        self._running.difference_update(end.ticket for end in exits)
        return exits

    def close(self) -> None:
        """Hanging up ends the server and its children."""
        self._control.close()
        with suppress(subprocess.TimeoutExpired):
            self._server.wait(10)
        if self._server.poll() is None:
            self._server.kill()
            self._server.wait()
        self._output.close()

    def _boot(self) -> None:
        self._control, theirs = socket.socketpair()
        self._buffer = b""
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
        with tempfile.TemporaryFile() as sent:
            sent.write(json.dumps(self._settings).encode())
            sent.seek(0)
            self._server = subprocess.Popen(
                [sys.executable, "-c", _FORK, json.dumps(sys.path), str(theirs.fileno())],
                stdin=sent,
                stdout=self._output,
                stderr=self._output,
                pass_fds=[theirs.fileno()],
                env=_environment(self._threads),
                start_new_session=True,  # Ctrl-C in the terminal is for the parent alone
            )
        theirs.close()
        first: list[Json] | None = []
        while first == []:
            first = self._receive()
        answer = first[0] if first else {"error": self._last_words()}
        if "ready" not in answer:
            self.close()
            if "unsafe" in answer:
                raise UnsafeFork(answer["unsafe"])
            raise AblateError(f"the workers' process could not start: {answer['error']}")

    def _say(self, message: Json) -> None:
        with suppress(OSError):  # a server that is gone is noticed by the next poll
            self._control.sendall(json.dumps(message).encode() + b"\n")

    def _receive(self) -> list[Json] | None:
        """Whole lines that have come; None when the server is gone."""
        try:
            data = self._control.recv(1 << 16)
        except ConnectionError:
            return None
        if not data:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def _last_words(self) -> str:
        self._output.seek(0)
        lines = self._output.read().decode("utf-8", "replace").splitlines()
        return lines[-1] if lines else "it ended without a word"


class Spawner:
    """A fresh process for each job: seconds of imports, but nothing shared."""

    def __init__(self, threads: int):
        self._environment = _environment(threads)
        self._running: dict[int, tuple[subprocess.Popen[bytes], float]] = {}

    def start(self, ticket: int, request: Json) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", _SPAWN, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,
        )
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        self._running[ticket] = (process, time.monotonic())

    def signal(self, ticket: int, number: int) -> None:
        if ticket in self._running:
            pid = self._running[ticket][0].pid
            with suppress(ProcessLookupError):
                (os.killpg if number == signal.SIGKILL else os.kill)(pid, number)

    def poll(self, seconds: float) -> list[Exit]:
        until = time.monotonic() + seconds
        while not (exits := self._ended()) and time.monotonic() < until:
            time.sleep(0.02)
        return exits

    def close(self) -> None:
        for ticket in list(self._running):
            self.signal(ticket, signal.SIGKILL)
        while self._running:
            self.poll(1)

    def _ended(self) -> list[Exit]:
        exits = []
        for ticket, (process, begun) in list(self._running.items()):
            if _has_ended(process.pid):  # what it left behind goes with it
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                assert process.stdin is not None
                with suppress(OSError):
                    process.stdin.close()
                unit = 1 if sys.platform == "darwin" else 1024
                peak = usage.ru_maxrss * unit
                exits.append(Exit(ticket, process.returncode, time.monotonic() - begun, peak))
                del self._running[ticket]
        return exits


def _has_ended(pid: int) -> bool:
    """Whether a child has ended, as far as can be seen without reaping it: its id is also its group's."""
    if not hasattr(os, "waitid"):  # on macOS, before Python 3.13
        return False
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _exit(message: Json) -> Exit:
    return Exit(
        message["ticket"],
        message.get("status", 1),
        message.get("seconds", 0.0),
        message.get("peak_bytes", 0),
        message.get("refused", ""),
    )


def _environment(threads: int) -> dict[str, str]:
    """Thread pools bounded from the start: a BLAS that starts its threads when it is imported could not be forked."""
    bounds = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, **bounds}
