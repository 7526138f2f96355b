"""One study on the pool and on Ray gives the same, bit for bit on a CPU, also when a node is lost in the middle."""

import time

import pytest
from ray_cluster import LITTLE, ray_cluster
from tiny_study import ROOT, plain, request_of, run_files, write_recipe

from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running.watcher import Watcher

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
