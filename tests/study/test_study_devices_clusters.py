"""A run that two processes train together is the same on the pool, on a real Ray, there without a shared folder, and on
a real SLURM: bit for bit on a CPU, also when it is stopped in the middle.
"""

import threading
import time
from pathlib import Path

import pytest
import slurm_cluster
from ray_cluster import LITTLE, ray_cluster
from tiny_study import ROOT, plain, request_of, run_files, write_recipe

from ablate.execution.elsewhere import cancel
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running import workers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("_own_cache"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
TRAINING = "training: {steps: 200, batch_size: 15, warmup_steps: 1, evaluate_every: 100, checkpoint_every: 10}\n"
FILES = ("units.json", "history.jsonl", "weights.safetensors")


def study_on(engine: str, folder: Path, *sets: str):
    """The baseline alone, on two processes."""
    recipe = write_recipe(folder, training=TRAINING)
    how = {"inline": False, "engine": engine, "only": "baseline", "sets": ("execution.devices=2", *sets)}
    return run_study(request_of(recipe, folder / "out", **how))


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "usable_cores", lambda: 2)
        return study_on("pool", tmp_path_factory.mktemp("pool")).study.store


@pytest.fixture
def ray(monkeypatch):
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with ray_cluster() as cluster:
        cluster.add_node(**LITTLE | {"num_cpus": 2})
        yield cluster


def agree(pool: Store, end) -> None:
    store = end.study.store
    assert (end.failures, end.left, end.interrupted) == ((), (), False)
    assert pool.keys() == store.keys() != ()
    assert plain(pool) == plain(store)
    assert run_files(pool, *FILES) == run_files(store, *FILES)
    assert [record.environment["device"]["devices"] for record in store.records()] == [2]


@pytest.mark.usefixtures("ray")
def test_on_ray_stopped_in_the_middle_and_given_again(tmp_path, pool):
    store = Store.of(tmp_path / "out", "tiny")

    def stop() -> None:
        until = time.monotonic() + 300
        while not any(store.root.glob("checkpoints/*/step-*")) and time.monotonic() < until:
            time.sleep(0.05)
        cancel(store.tickets)

    threading.Thread(target=stop, daemon=True).start()
    assert study_on("ray", tmp_path).interrupted
    (record,) = store.records()
    assert "of 200; the next start goes on from there" in record.reason
    agree(pool, study_on("ray", tmp_path))


@pytest.mark.usefixtures("ray")
def test_on_ray_without_a_shared_folder(tmp_path, pool):
    agree(pool, study_on("ray", tmp_path, f"execution.ray.storage=file://{tmp_path / 'bucket'}"))


@pytest.mark.skipif(bool(slurm_cluster.missing()), reason=slurm_cluster.missing() or "a cluster can be started")
def test_on_slurm(tmp_path, pool, monkeypatch):
    pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with slurm_cluster.cluster(cores=2) as environment:
        monkeypatch.setenv("SLURM_CONF", environment["SLURM_CONF"])
        agree(pool, study_on("slurm", tmp_path, "execution.slurm.poll_seconds=1"))
