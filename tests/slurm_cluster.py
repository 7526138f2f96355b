"""A SLURM cluster on this machine: one controller and two nodes, with a configuration of their own in a folder."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
CONFIGURATION = """\
ClusterName=ablate
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=20
MinJobAge=60
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={one} CPUs={cores} RealMemory=4000
NodeName=two NodeHostname={host} NodeAddr=127.0.0.1 Port={two} CPUs={cores} RealMemory=4000 Feature=fast
PartitionName=main Nodes=one,two Default=YES State=UP PriorityTier=1
PartitionName=urgent Nodes=one,two State=UP PriorityTier=10
"""


def missing() -> str:
    """Why no cluster can be started here; empty where one can."""
    if os.geteuid() != 0:
        return "starting a SLURM cluster takes root here"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


@contextmanager
def cluster(cores: int = 1):
    """Yields the environment in which its commands find it. Everything ends with the block. cores: of a node."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm")))  # a socket's path must be short
        (folder / "state").mkdir()
        ports = dict(zip(("controller", "one", "two"), _free_ports(3), strict=True))
        text = CONFIGURATION.format(folder=folder, host=socket.gethostname(), user="root", cores=cores, **ports)
        configuration = folder / "slurm.conf"
        configuration.write_text(text)
        environment = {**os.environ, "SLURM_CONF": str(configuration)}
        key = folder / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
        munge += [f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/munged.seed"]
        start = lambda words: _started(stack, words, folder, environment)  # noqa: E731
        start(munge)
        _wait(lambda: (folder / "munge.socket").exists(), folder)
        start(["slurmctld", "-D"])
        for node in ("one", "two"):
            start(["slurmd", "-D", "-N", node])
        _wait(lambda: _idle_nodes(environment) == 2, folder)
        try:
            yield environment
        finally:
            _empty(environment)


def _empty(environment) -> None:
    """Else a job's srun outlives the controller, and asks for it for ever."""
    answer = {"env": environment, "capture_output": True, "text": True, "timeout": 20, "check": False}
    subprocess.run(["scancel", "--user=root"], **answer)
    until = time.monotonic() + 30
    while subprocess.run(["squeue", "--noheader"], **answer).stdout.strip() and time.monotonic() < until:
        time.sleep(0.2)


def _started(stack, words, folder, environment) -> None:
    name = "-".join(word for word in words if not word.startswith("-"))
    log = stack.enter_context((folder / f"{name}.log").open("wb"))
    process = subprocess.Popen(words, env=environment, stdout=log, stderr=log, start_new_session=True)
    stack.callback(_ended, process)


def _ended(process) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _idle_nodes(environment) -> int:
    command = ["sinfo", "--noheader", "--Node", "--partition=main", "--states=idle", "--format=%n"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    return len(answer.stdout.split())


def _wait(condition, folder) -> None:
    until = time.monotonic() + 60
    while not condition():
        if time.monotonic() > until:
            logs = "\n".join(f"{path.name}: {path.read_text()[-500:]}" for path in sorted(folder.glob("*.log")))
            raise RuntimeError(f"the cluster did not come up\n{logs}")
        time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
