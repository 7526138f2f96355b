"""The fork server: a small process that has torch imported already and forks a child for each job.

A fresh `import torch` costs two seconds, a fork some milliseconds. The server stays single-threaded and never touches a
GPU, so that forking it is safe; where that does not hold it says so and its parent starts fresh processes instead. It
speaks lines of JSON with its parent; when that line breaks, the parent is dead, and the server kills its children and
ends. Should the server itself be killed, the kernel kills its children.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

from ablate.disk.read import Json
from ablate.execution.child import die_with_parent, run_and_exit
from ablate.execution.job import resolve


class Server:
    """Forks on request, signals on request, tells of every end."""

    def __init__(self, control: socket.socket):
        self._control = control
        self._buffer = b""
        self._begun: dict[int, tuple[int, float]] = {}  # pid -> ticket, monotonic seconds
        self._wake_in, self._wake_out = os.pipe()
        for end in (self._wake_in, self._wake_out):
            os.set_blocking(end, False)

    def serve(self) -> None:
        """Until the parent hangs up."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # its only use is to wake the select below
        signal.set_wakeup_fd(self._wake_out, warn_on_full_buffer=False)
        listened: list[socket.socket | int] = [self._control, self._wake_in]
        while True:
            ready, _, _ = select.select(listened, [], [])
            if self._wake_in in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_in, 4096)
            self._reap()
            if self._control in ready and not self._listen():
                break
        for pid in self._begun:
            _kill_group(pid, signal.SIGKILL)

    def _listen(self) -> bool:
        """Takes what has come from the parent; False when it has hung up."""
        try:
            data = self._control.recv(1 << 20)
        except ConnectionError:
            return False
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "request" in message:
                self._fork(message["ticket"], message["request"])
            else:
                self._signal(message["ticket"], message["signal"])
        return bool(data)

    def _fork(self, ticket: int, request: Json) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self.tell({"ticket": ticket, "refused": str(error)})
            return
        if pid:
            with contextlib.suppress(OSError):  # both sides do it, so that a signal to the group cannot come too early
                os.setpgid(pid, pid)
            self._begun[pid] = (ticket, time.monotonic())
            return
        try:
            die_with_parent()
            if os.getppid() != parent:
                os._exit(1)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            os.close(self._wake_in)
            os.close(self._wake_out)
            run_and_exit(request)
        finally:
            os._exit(1)

    def _signal(self, ticket: int, number: int) -> None:
        """SIGKILL goes to the whole group of the job, anything else to its process, which knows what to do."""
        for pid, (other, _) in self._begun.items():
            if other == ticket:
                if number == signal.SIGKILL:
                    _kill_group(pid, number)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    def _reap(self) -> None:
        """Tells of every child that has ended. Its group is killed before its id can be given to somebody else."""
        while self._begun:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            _kill_group(ended.si_pid, signal.SIGKILL)
            pid, status, usage = os.wait4(ended.si_pid, 0)
            if pid in self._begun:
                ticket, begun = self._begun.pop(pid)
                seconds = time.monotonic() - begun
                self.tell(
                    {
                        "ticket": ticket,
                        "status": os.waitstatus_to_exitcode(status),
                        "seconds": seconds,
                        "peak_bytes": usage.ru_maxrss * 1024,
                    }
                )

    def tell(self, message: Json) -> None:
        """A line to the parent; a parent that is gone is noticed by the next `recv`."""
        with contextlib.suppress(ConnectionError):
            self._control.sendall(json.dumps(message).encode() + b"\n")


def main(control: int) -> None:
    """Imports what stdin tells, prepares what the jobs share, says whether forking is safe, and serves."""
    server = Server(socket.socket(fileno=control))
    given = json.load(sys.stdin)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        for module in given["preload"]:
            importlib.import_module(module)
        if given["prepare"]:
            with contextlib.suppress(Exception):  # the jobs then open it themselves, and tell what is wrong with it
                resolve(given["prepare"])(given["prepare_with"])
    except BaseException as error:
        server.tell({"error": f"{type(error).__name__}: {error}"})
        return
    danger = unsafe()
    server.tell({"unsafe": danger} if danger else {"ready": True})
    if not danger:
        gc.collect()
        gc.freeze()  # the children's collector then leaves the shared pages alone
        server.serve()


def unsafe() -> str:
    """Why this process must not be forked; empty when it may be."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "a preloaded module has initialised CUDA"
    try:
        threads = len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return "its threads cannot be counted"
    return f"a preloaded module has started {threads - 1} threads" if threads > 1 else ""


def _kill_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
