"""A second host on this machine, by Linux's namespaces: a network, processes, a name and a folder of its own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PORT = 10001
"""Where Ray's server for clients listens, by Ray's own default."""
OPEN = {"RAY_AUTH_MODE": "disabled"}
"""A head asks for a token where its user has one, which the first local Ray of any test writes."""
APART = ("unshare", "--pid", "--fork", "--kill-child", "--uts", "--mount-proc")
BEGIN = """
set -e
hostname another
mount --make-rprivate /
mkdir -p /tmp/ray
mount -t tmpfs none /tmp/ray
mount -t tmpfs none "$HIDDEN"
exec "$@"
"""
"""hidden: a folder of this host's, empty there; a Ray of this host's stays unknown there, too."""


def missing() -> str:
    """Why there can be no other host here; empty where there can."""
    if os.geteuid() != 0:
        return "another host takes root here"
    absent = [name for name in ("ip", "unshare") if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    tried = subprocess.run(
        ["unshare", "--net", "--pid", "--fork", "--uts", "--mount-proc", "true"], capture_output=True
    )
    return f"no namespaces here: {tried.stderr.decode().strip()}" if tried.returncode else ""


@contextmanager
def network() -> Iterator[tuple[str, str, str]]:
    """Its name, and the addresses of this host and of the other one in it, a cable between the two."""
    name, net = f"other{os.getpid()}", f"198.18.{os.getpid() % 250}"  # of the block that is kept for tests of networks
    here, there, far = f"{net}.1", f"{net}.2", ["ip", "netns", "exec", name, "ip"]
    with ExitStack() as stack:
        subprocess.run(["ip", "netns", "add", name], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "del", name], check=True)  # and the cable with it
        cable = ["ip", "link", "add", f"o{os.getpid()}", "type", "veth", "peer", "name", "eth0", "netns", name]
        for command in (
            cable,
            ["ip", "addr", "add", f"{here}/24", "dev", f"o{os.getpid()}"],
            ["ip", "link", "set", f"o{os.getpid()}", "up"],
            [*far, "addr", "add", f"{there}/24", "dev", "eth0"],
            [*far, "link", "set", "eth0", "up"],
            [*far, "link", "set", "lo", "up"],
        ):
            subprocess.run(command, check=True)
        yield name, here, there


@contextmanager
def ray_there(
    name: str, there: str, hidden: Path, *words: str, cores: int = 1, **environment: str
) -> Iterator[subprocess.Popen]:
    """A Ray's head on the other host. With the process that this yields all of that host is killed."""
    command = ["ip", "netns", "exec", name, *APART]
    command += ["sh", "-c", BEGIN, "sh", sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    command += [f"--node-ip-address={there}", f"--ray-client-server-port={PORT}", f"--num-cpus={cores}"]
    command += [f"--object-store-memory={80 * 2**20}", "--include-dashboard=false", "--disable-usage-stats", *words]
    hidden.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as log:
        given = {**os.environ, **environment, "HIDDEN": str(hidden), **OPEN}
        with subprocess.Popen(command, env=given, stdout=log, stderr=log, start_new_session=True) as host:
            try:
                _wait_for(there, host, log)
                yield host
            finally:
                host.kill()


def _wait_for(there: str, host: subprocess.Popen, log) -> None:
    until = time.monotonic() + 200
    while True:
        try:
            socket.create_connection((there, PORT), timeout=5).close()
        except OSError:
            if host.poll() is not None or time.monotonic() > until:
                log.seek(0)
                raise RuntimeError(f"Ray did not come up there\n{log.read().decode()[-2000:]}") from None
            time.sleep(0.2)
        else:
            return
