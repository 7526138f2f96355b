"""A study on a real Ray whose nodes share nothing with the command but a store gives what the pool gives, bit for bit
on a CPU: when a node is lost, when the command is killed and given again on a machine with an empty folder, and when
Ray is on another host, is lost and comes again.
"""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import another_host
import pytest
from ray_cluster import LITTLE, ray_cluster
from s3_server import s3_server
from tiny_study import ROOT, environment, plain, request_of, run_files, write_recipe

from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running.watcher import Watcher
from ablate.study.status import status_of

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.usefixtures("_own_cache"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
FILES = ("units.json", "history.jsonl", "weights.safetensors")
LONG = "training: {steps: 200, batch_size: 2, warmup_steps: 1, evaluate_every: 100, checkpoint_every: 5}\n"
TAIL = "variants: [each]\nseeds: [0]\nglm: false\nexecution: {engine: ray, workers: 1, ray: {resources: {place: 1}}}\n"


class Losing(Watcher):
    """Takes the node away once the first run has a place in the store, and gives another one."""

    def __init__(self, cluster, bucket: Path, nodes: Path):
        self._cluster, self._bucket, self._nodes = cluster, bucket, nodes
        self._node = self.node("first")
        self.events: list[str] = []

    def node(self, name: str):
        """A node whose temporary files lie in a folder of its own."""
        (self._nodes / name).mkdir(parents=True)
        return self._cluster.add_node(**LITTLE, resources={"place": 1}, env_vars={"TMPDIR": str(self._nodes / name)})

    def event(self, event) -> None:
        self.events.append(event.kind)
        if self.events == ["started"]:
            wait_until(lambda: any(self._bucket.rglob("place-*.json")))
            self._cluster.remove_node(self._node, allow_graceful=False)
            self.node("second")


def wait_until(condition, seconds: float = 500) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def committed(bucket: Path) -> Counter:
    return Counter(path.parts[-3] for path in bucket.rglob("commit.json"))


def agree(pool: Store, store: Store, bucket: Path) -> None:
    assert pool.keys() == store.keys() != ()
    assert plain(pool) == plain(store)
    assert run_files(pool, *FILES) == run_files(store, *FILES)
    assert store.verify_hashes() == ()
    assert status_of(store).settled
    assert committed(bucket) == Counter(store.keys())
    assert not any(bucket.rglob("place-*"))


def test_a_lost_node_leaves_its_run_to_another_that_shares_nothing_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    recipe, bucket = write_recipe(tmp_path, training=LONG, tail=TAIL), tmp_path / "bucket"
    with ray_cluster() as cluster:
        watcher = Losing(cluster, bucket, tmp_path / "nodes")
        sets = (f"execution.ray.storage=file://{bucket}",)
        end = run_study(request_of(recipe, tmp_path / "ray", inline=False, sets=sets), watcher)
        assert not any((tmp_path / "nodes" / "second").glob("ablate-*/[0-9a-f]*"))  # each task cleared its folder away
    assert any((tmp_path / "nodes" / "first").glob("ablate-*"))  # it was there that the lost one worked
    assert watcher.events[:2] == ["started", "again"]
    assert (end.failures, end.interrupted, set(end.states.values())) == ((), False, {"done"})
    pool = run_study(request_of(recipe, tmp_path / "pool", inline=False, engine="pool")).study.store
    agree(pool, end.study.store, bucket)


def test_a_command_that_was_killed_is_given_again_on_a_machine_with_an_empty_folder(tmp_path):
    from ray.cluster_utils import Cluster

    tail = "variants: [each]\nseeds: [0]\nglm: false\nexecution: {engine: ray, workers: 1}\n"
    recipe, bucket = write_recipe(tmp_path, training=LONG, tail=tail), tmp_path / "bucket"
    cluster = Cluster(initialize_head=True, head_node_args={**LITTLE, "include_dashboard": False})
    first, second = (Store.of(tmp_path / name, "tiny") for name in ("first", "second"))
    sets = [f"execution.ray.address={cluster.address}", f"execution.ray.storage=file://{bucket}"]

    def command(out: str) -> list[str]:
        words = [
            "run",
            recipe,
            "--out",
            tmp_path / out,
            "--device",
            "cpu",
            *(w for one in sets for w in ("--set", one)),
        ]
        return [sys.executable, "-m", "ablate", *map(str, words)]

    def in_the_middle() -> bool:
        """A run is in place, and another tells of its steps and has a place in the store."""
        if not first.exists():
            return False
        runs = status_of(first).runs
        stepping = {run.key for run in runs if run.state == "running" and run.step}
        placed = {path.parts[-3] for path in bucket.rglob("place-*.json")}
        return any(run.state == "done" for run in runs) and bool(stepping & placed)

    try:
        null = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command("first"), env=environment(), **null) as process:
            try:
                wait_until(lambda: in_the_middle() or process.poll() is not None)
            finally:
                process.kill()
        done = first.keys()
        assert len(done) == 1
        again = subprocess.run(
            command("second"), env=environment(), capture_output=True, text=True, timeout=500, check=False
        )
    finally:
        cluster.shutdown()
    assert again.returncode == 0, again.stderr
    pool = run_study(request_of(recipe, tmp_path / "pool", inline=False, engine="pool")).study.store
    agree(pool, second, bucket)
    assert set(done) < set(second.keys())
    assert plain(first) == {key: record for key, record in plain(second).items() if key in done}
    finished = {record.key: record.finished for record in first.records()}
    assert finished == {record.key: record.finished for record in second.records() if record.key in done}


NAMES = "from ablate.execution.storage.url import open_bucket\nprint(*open_bucket('s3://lab/runs').names())"


def test_a_ray_on_another_host_is_lost_and_comes_again_and_all_that_is_shared_is_a_bucket(tmp_path, monkeypatch):
    """By Ray's client (`ray://`). The other host sees neither the study's folder nor this host's cache."""
    pytest.importorskip("s3fs", reason="the extra `s3` is not installed")
    pytest.importorskip("moto.server", reason="moto[server] is not installed")
    if why := another_host.missing():
        pytest.skip(why)
    tail = "variants: [each]\nseeds: [0]\nglm: false\nexecution: {engine: ray, workers: 1}\n"
    recipe, mine = write_recipe(tmp_path, training=LONG, tail=tail), tmp_path / "mine"
    first, second = (Store.of(mine / name, "tiny") for name in ("first", "second"))

    def command(out: str) -> list[str]:
        where = [f"execution.ray.address=ray://{there}:{another_host.PORT}", "execution.ray.storage=s3://lab/runs"]
        words = ["run", recipe, "--out", mine / out, "--device", "cpu", *(w for one in where for w in ("--set", one))]
        return [sys.executable, "-m", "ablate", *map(str, words)]

    def in_the_middle() -> bool:
        return first.exists() and any(run.state == "running" and run.step for run in status_of(first).runs)

    with another_host.network() as (name, here, there), s3_server(here) as named:
        for key, value in {**named, "PYTHONPATH": str(ROOT), "RAY_CLIENT_RECONNECT_GRACE_PERIOD": "5"}.items():
            monkeypatch.setenv(key, value)
        run_python("import boto3; boto3.client('s3').create_bucket(Bucket='lab')")
        with another_host.ray_there(name, there, mine, ABLATE_CACHE=str(mine / "cache")) as host:
            pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
            with subprocess.Popen(command("first"), env=environment(), **pipes) as process:
                wait_until(lambda: in_the_middle() or process.poll() is not None)
                assert process.poll() is None, process.stderr.read()
                where = [run.where for run in status_of(first).runs if run.state == "running"]
                host.kill()
                told = process.communicate(timeout=200)[1]
            assert process.returncode == 2
            assert [place.split(", ")[0] for place in where] == ["another"]
            assert "error: --engine ray: the connection to Ray was lost" in told
        with another_host.ray_there(name, there, mine, ABLATE_CACHE=str(mine / "cache")):
            again = subprocess.run(
                command("second"), env=environment(), capture_output=True, text=True, timeout=500, check=False
            )
        names = run_python(NAMES).split()
    assert again.returncode == 0, again.stderr
    pool = run_study(request_of(recipe, tmp_path / "pool", inline=False, engine="pool")).study.store
    assert pool.keys() == second.keys() != ()
    assert plain(pool) == plain(second)
    assert run_files(pool, *FILES) == run_files(second, *FILES)
    commits = [one for one in names if one.endswith("/commit.json")]
    assert Counter(one.split("/")[-3] for one in commits) == Counter(second.keys())


def run_python(code: str) -> str:
    """In a process of its own: s3fs keeps a thread and its connections."""
    end = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert end.returncode == 0, end.stderr
    return end.stdout
