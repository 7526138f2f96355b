"""What the jobs of the tests do: each way to live and each way to die."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

opened: dict = {}
"""What `prepare` has opened in the process that jobs are forked from."""


def prepare(payload: dict) -> None:
    """Opens something, once for all jobs; or goes wrong."""
    if payload["how"] == "wrong":
        raise OSError("cannot be opened")
    if payload["how"] == "threads":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    opened["by"] = os.getpid()


def do_tell_opened(payload: dict) -> None:
    with Path(payload["path"]).open("a") as file:
        file.write(f"{opened.get('by')} {os.getppid()}\n")


def act(payload: dict) -> None:
    """Does what `payload["do"]` says."""
    globals()["do_" + payload.get("do", "nothing")](payload)


def do_nothing(payload: dict) -> None:
    pass


def do_write(payload: dict) -> None:
    with Path(payload["path"]).open("a") as file:
        file.write(f"{os.getpid()} {os.environ.get('CUDA_VISIBLE_DEVICES', '')}\n")
    print("written")


def do_raise(payload: dict) -> None:
    print("before")
    raise ValueError("a bug\nin a user's part")


def do_exit(payload: dict) -> None:
    sys.exit(payload.get("status", 3))


def do_hard_exit(payload: dict) -> None:
    os._exit(9)


def do_kill(payload: dict) -> None:
    with Path(payload["path"]).open("a") as file:
        file.write("tried\n")
    os.kill(os.getpid(), signal.SIGKILL)


def do_kill_once(payload: dict) -> None:
    if not Path(payload["path"]).exists():
        do_kill(payload)


def do_crash(payload: dict) -> None:
    ctypes.string_at(0)


def do_memory(payload: dict) -> None:
    with Path(payload["path"]).open("a") as file:
        file.write("tried\n")
    raise MemoryError


def do_gpu_memory(payload: dict) -> None:
    raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")


def do_meet(payload: dict) -> None:
    """Ends once so many are there at once, or were."""
    folder, until = Path(payload["folder"]), time.monotonic() + 100
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < payload["meet"]:
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def do_share(payload: dict) -> None:
    """Runs out of a GPU's memory the first time it is told to; else notes its GPU, and ends once so many have."""
    folder, own = Path(payload["folder"]), Path(payload["folder"]) / str(os.getpid())
    if payload.get("full") and not (folder / "full").exists():
        (folder / "full").touch()
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
    own.write_text(os.environ["CUDA_VISIBLE_DEVICES"])
    until = time.monotonic() + 100
    while len([one for one in folder.iterdir() if one.name != "full"]) < payload["meet"]:
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def do_open_world(payload: dict) -> None:
    """Opens synthetic data; whoever makes them says where."""
    import torch

    from ablate.data.synthetic import make
    from ablate.data.synthetic.config import SyntheticV1Config

    real = make._make

    def told(world, folder: Path) -> None:
        with (Path(payload["folder"]) / "made").open("a") as file:
            file.write(f"{folder.parent}\n")
        time.sleep(1)  # so that others come meanwhile
        real(world, folder)

    make._make = told
    SyntheticV1Config.model_validate(payload["data"]).open(torch.device("cpu"))
    with (Path(payload["folder"]) / "opened").open("a") as file:
        file.write(f"{os.environ['ABLATE_CACHE']}\n")


def do_tell_what_slurm_gave(payload: dict) -> None:
    show = ["scontrol", "show", "job", os.environ["SLURM_JOB_ID"]]
    told = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    given = f"{told} node={os.environ['SLURMD_NODENAME']} setup={os.environ.get('FROM_SETUP')}"
    Path(payload["path"]).write_text(given)


def do_tell_what_ray_gave(payload: dict) -> None:
    import ray

    given = ray.get_runtime_context().get_assigned_resources()
    Path(payload["path"]).write_text(json.dumps(given | {"threads": int(os.environ["OMP_NUM_THREADS"])}))


def do_sleep(payload: dict) -> None:
    time.sleep(payload.get("seconds", 60))


def do_deaf(payload: dict) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(payload["path"]).write_text(str(os.getpid()))
    while True:
        time.sleep(0.1)


def do_checkpoint(payload: dict) -> None:
    from ablate.execution import Interrupted

    Path(payload["path"]).write_text(str(os.getpid()))
    try:
        for _ in range(600):  # as steps are: Ray interrupts between two, not in the middle of a call
            time.sleep(0.1)
    except KeyboardInterrupt:
        Path(payload["path"]).write_text("saved")
        raise Interrupted("saved at step 7") from None


def do_busy(payload: dict) -> None:
    from ablate.execution import Busy

    raise Busy("process 1 on here trains it")


def do_grandchild(payload: dict) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(payload["path"]).write_text(str(child.pid))
    time.sleep(payload.get("seconds", 0))


def do_overlap(payload: dict) -> None:
    """Notes how many run at once."""
    folder = Path(payload["path"])
    mine = folder / f"running-{os.getpid()}"
    mine.touch()
    if "peak_of" in payload:
        Path(payload["peak_of"]).write_text(str(2**40))
    with (folder / "seen").open("a") as file:
        file.write(f"{len(list(folder.glob('running-*')))}\n")
    time.sleep(payload.get("seconds", 0.2))
    mine.unlink()


def do_threads(payload: dict) -> None:
    before = "loaded" if "torch" in sys.modules else "not loaded"
    import torch

    Path(payload["path"]).write_text(f"{before} {torch.get_num_threads()} {os.environ['OMP_NUM_THREADS']}")


def do_server_dies(payload: dict) -> None:
    if not Path(payload["path"]).exists():
        Path(payload["path"]).touch()
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)


def do_resume(payload: dict) -> None:
    """Stopped the first time, it saves its place; the second time it goes on from there and is done."""
    from ablate.execution import Interrupted

    path = Path(payload["path"])
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before} begun".strip())
    if before:
        path.write_text(f"{before} begun done")
        return
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        path.write_text("begun saved")
        raise Interrupted("saved at step 7") from None


def do_slow_once(payload: dict) -> None:
    """Takes a minute the first time."""
    path = Path(payload["path"])
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before} begun".strip())
    path.with_suffix(".pid").write_text(str(os.getpid()))
    if not before:
        time.sleep(60)
