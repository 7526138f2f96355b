"""One study on the pool and on Ray gives the same, bit for bit on a CPU, also when a node, the command or Ray's head is
lost in the middle.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from ray_cluster import LITTLE, ray_cluster
from tiny_study import ROOT, ablate, environment, plain, request_of, run_files, write_recipe

from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running.watcher import Watcher
from ablate.study.status import status_of

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
FILES = ("units.json", "history.jsonl", "weights.safetensors")
LONG = "training: {steps: 200, batch_size: 2, warmup_steps: 1, evaluate_every: 100, checkpoint_every: 5}\n"
TAIL = "variants: [each]\nseeds: [0]\nglm: false\nexecution: {engine: ray, workers: 1, ray: {resources: {place: 1}}}\n"


class Losing(Watcher):
    """Takes the node away in the middle of the first run, and gives another one."""

    def __init__(self, cluster, store: Store):
        self._cluster, self._store = cluster, store
        self._node = cluster.add_node(**LITTLE, resources={"place": 1})
        self.events: list[str] = []

    def event(self, event) -> None:
        self.events.append(event.kind)
        if self.events == ["started"]:
            until = time.monotonic() + 200
            while not any(self._store.root.glob("checkpoints/*/step-*")):
                assert time.monotonic() < until, "waited in vain"
                time.sleep(0.02)
            self._cluster.remove_node(self._node, allow_graceful=False)
            self._cluster.add_node(**LITTLE, resources={"place": 1})


@pytest.mark.usefixtures("_own_cache")
def test_pool_and_ray_give_the_same_records_although_a_node_is_lost(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    recipe = write_recipe(tmp_path, training=LONG, tail=TAIL)
    store = Store.of(tmp_path / "ray", "tiny")
    with ray_cluster() as cluster:
        watcher = Losing(cluster, store)
        end = run_study(request_of(recipe, tmp_path / "ray", inline=False), watcher)
    assert watcher.events[:2] == ["started", "again"]
    assert (end.failures, end.interrupted, set(end.states.values())) == ((), False, {"done"})
    pool = run_study(request_of(recipe, tmp_path / "pool", inline=False, engine="pool")).study.store
    assert pool.keys() == store.keys() != ()
    assert plain(pool) == plain(store)
    assert run_files(pool, *FILES) == run_files(store, *FILES)
    assert store.verify_hashes() == ()


@contextmanager
def lone_head():
    """A Ray of its head alone, to which this process is not connected. Yields the cluster."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**LITTLE, "include_dashboard": False})
    try:
        yield cluster
    finally:
        cluster.shutdown()


def words(recipe, out, cluster) -> list[str]:
    return list(
        map(str, ("run", recipe, "--out", out, "--device", "cpu", "--set", f"execution.ray.address={cluster.address}"))
    )


def interrupted(command: list[str], store: Store, lose) -> int:
    """Gives the command, in the middle of a run does `lose` with its process, and waits for its end. Its exit code."""
    with subprocess.Popen(
        [sys.executable, "-m", "ablate", *command],
        env=environment(RAY_gcs_rpc_server_reconnect_timeout_s="5"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until = time.monotonic() + 280
        while not (store.exists() and any(map(in_the_middle, status_of(store).runs))):
            assert process.poll() is None
            assert time.monotonic() < until, "waited in vain"
            time.sleep(0.1)
        lose(process)
        code = process.wait(200)
    assert code != 0
    return code


def in_the_middle(run) -> bool:
    """It holds its lock and has told of a step."""
    return run.state == "running" and run.step is not None and run.step > 0


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("_own_cache")
def test_a_study_that_another_terminal_stops_goes_on_from_its_places(tmp_path):
    tail = "variants: [each]\nseeds: [0]\nglm: false\nexecution: {engine: ray, workers: 1}\n"
    recipe, store = write_recipe(tmp_path, training=LONG, tail=tail), Store.of(tmp_path / "cut", "tiny")
    command, said = ["run", str(recipe), "--out", str(tmp_path / "cut"), "--device", "cpu"], []
    code = interrupted(command, store, lambda process: said.append(ablate("stop", store.root)))
    assert code == 130
    assert said[0].returncode == 0
    assert said[0].stderr.splitlines() == [f"{store.root}: 2 jobs cancelled; what runs saves its place first"]
    states = {run.variant: run.state for run in status_of(store).runs}
    assert sorted(states.values()) == ["interrupted", "to do"]
    assert list(store.root.glob("checkpoints/*/step-*"))
    assert ablate("stop", store.root).stderr.startswith(f"{store.root}: nothing waits or runs on a cluster")
    command = [sys.executable, "-m", "ablate", *command]
    again = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=400, check=False)
    assert again.returncode == 0, again.stderr
    whole = run_study(request_of(recipe, tmp_path / "whole", inline=False, engine="pool")).study.store
    assert plain(whole) == plain(store)
    assert run_files(whole, *FILES) == run_files(store, *FILES)


@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("_own_cache")
def test_a_study_whose_command_and_whose_ray_die_ends_like_an_undisturbed_one(tmp_path):
    """First the command is killed, then, given again, it loses Ray's head; the third time it ends on a new Ray."""
    longer = LONG.replace("steps: 200", "steps: 400")
    tail = "variants: [each]\nseeds: [0]\nglm: false\nexecution: {engine: ray, workers: 1}\n"
    recipe, store = write_recipe(tmp_path, training=longer, tail=tail), Store.of(tmp_path / "cut", "tiny")
    with lone_head() as cluster:
        command = words(recipe, tmp_path / "cut", cluster)
        interrupted(command, store, lambda process: os.kill(process.pid, signal.SIGKILL))
        until = time.monotonic() + 60
        while any(run.state != "to do" for run in status_of(store).runs):  # its task ends with it
            assert time.monotonic() < until, "its task goes on"
            time.sleep(0.1)
        interrupted(command, store, lambda process: cluster.remove_node(cluster.head_node, allow_graceful=False))
    with lone_head() as cluster:
        command = [sys.executable, "-m", "ablate", *words(recipe, tmp_path / "cut", cluster)]  # gRPC survives no fork
        again = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=400, check=False)
    assert again.returncode == 0, again.stderr
    whole = run_study(request_of(recipe, tmp_path / "whole", inline=False, engine="pool")).study.store
    assert whole.keys() == store.keys() != ()
    assert plain(whole) == plain(store)
    assert run_files(whole, *FILES) == run_files(store, *FILES)
    assert status_of(store).settled
