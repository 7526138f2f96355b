"""One run on several devices: `execution.devices`. Here they are processes on the CPU; no GPU is needed."""

import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny_study import BASELINE, plain, request_of, run_files, write_recipe
from torch import nn

from ablate.contract import Model
from ablate.errors import AblateError
from ablate.execution import engine
from ablate.execution.launch import Spawner
from ablate.execution.options import Common
from ablate.request import Request
from ablate.study import price
from ablate.study.flow import run_study
from ablate.study.running import workers
from ablate.study.running.missing import as_executed
from ablate.study.running.workers import device_of, settings_of
from ablate.study.study import study_of
from ablate.study.verify import devices_of, train_again
from ablate.training import TrainingConfig

RECIPE = Path("recipe.yaml")
TWO = "execution.devices=2"
QUIET = BASELINE.replace("ff_dim: 8\n", "ff_dim: 8\n    drop_path: 0\n    dropout: 0\n    patch_dropout: 0\n")
TRAINING = "training: {steps: 6, batch_size: 15, warmup_steps: 1, evaluate_every: 3}\n"


def asked(folder: Path, out: str, *sets: str, baseline: str = QUIET, training: str = TRAINING, **options):
    recipe = write_recipe(folder, baseline=baseline, training=training)
    return request_of(recipe, folder / out, only="baseline", sets=sets, **options)


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(workers, "usable_cores", lambda: 2)


def test_a_run_on_two_devices_has_the_key_and_the_scores_of_one_and_says_how_many_trained_it(tmp_path, two_cores):
    one = run_study(asked(tmp_path, "one")).study.store
    two = run_study(asked(tmp_path, "two", TWO, inline=False, workers=1)).study.store
    assert one.keys() == two.keys()
    (mine,), (theirs,) = two.records(), one.records()
    assert mine.state == "done", mine.reason
    for split in ("validation", "test"):
        ours, other = mine.score(split), theirs.score(split)
        assert ours.headline == pytest.approx(other.headline, rel=1e-5)
        assert ours.scored_hash == other.scored_hash
    for row, same in zip(two.history(mine.key), one.history(mine.key), strict=True):
        assert row == pytest.approx(same, rel=1e-5)
    assert mine.environment["device"]["devices"] == 2
    assert "devices" not in theirs.environment["device"]
    assert mine.config == theirs.config
    assert "log.txt" in os.listdir(two.folder(mine.key))


LONG = TRAINING.replace("steps: 6", "steps: 400, checkpoint_every: 20").replace("every: 3}", "every: 200}")
FILES = ("units.json", "history.jsonl", "weights.safetensors")


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """With dropout, whose draws must be taken up too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "usable_cores", lambda: 2)
        folder = tmp_path_factory.mktemp("straight")
        return run_study(asked(folder, "out", TWO, baseline=BASELINE, training=LONG)).study.store


@pytest.fixture
def processes(monkeypatch):
    """The ids of the ranks' processes, as they are started."""
    found, start = {}, Spawner.start

    def started(self, ticket, request):
        start(self, ticket, request)
        found[ticket] = self._running[ticket][0].pid

    monkeypatch.setattr(Spawner, "start", started)
    return found


def once_saved(store, act):
    """Does something when the first checkpoint is there."""

    def wait():
        until = time.monotonic() + 100
        while not list((store.root / "checkpoints").rglob("step-*.safetensors")) and time.monotonic() < until:
            time.sleep(0.02)
        act()

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_run_one_of_whose_processes_is_killed_says_so_and_goes_on_to_the_same_bits(
    rank, tmp_path, two_cores, processes, straight
):
    request = asked(tmp_path, "killed", TWO, baseline=BASELINE, training=LONG)
    store = study_of(request).store
    once_saved(store, lambda: os.kill(processes[rank], signal.SIGKILL))
    (failed,) = run_study(request).failures
    assert failed[1].reason == f"killed by SIGKILL (often the system's out-of-memory killer) (process {rank + 1} of 2)"
    run_study(asked(tmp_path, "killed", TWO, baseline=BASELINE, training=LONG, retry="failed"))
    assert plain(store) == plain(straight)
    assert run_files(store, *FILES) == run_files(straight, *FILES)


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_saves_its_place_and_goes_on_to_the_same_bits(tmp_path, two_cores, straight):
    request = asked(tmp_path, "stopped", TWO, baseline=BASELINE, training=LONG)
    store = study_of(request).store
    once_saved(store, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert run_study(request).interrupted
    (record,) = store.records()
    assert "of 400; the next start goes on from there" in record.reason
    run_study(request)
    assert plain(store) == plain(straight)
    assert run_files(store, *FILES) == run_files(straight, *FILES)
    again = train_again(store, store.records()[0], device="cpu")  # on as many, or the last digits would differ
    assert again.agrees, again.faults


# ------------------------------------------------------------------ what runs are given


CARDS = torch.device("cuda")


@pytest.fixture
def clusters(monkeypatch):
    """As if the packages of all engines were installed."""
    monkeypatch.setattr(engine, "find_spec", lambda name: object())


@pytest.fixture
def cards(monkeypatch):
    """A machine with five GPUs and sixteen cores."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(workers, "pick_device", lambda name: torch.device("cuda" if name == "auto" else name))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 5)
    monkeypatch.setattr(workers, "usable_cores", lambda: 16)


def given(runs=4, device="auto", **said):
    return settings_of(Request(RECIPE, device=device), Common(**said), runs)


def test_on_this_machine_each_run_has_so_many_cards_and_what_is_over_stays_idle(cards):
    settings = given(devices=2)
    assert (settings.processes, settings.devices, settings.workers, settings.threads) == (2, ("0,1", "2,3"), 2, 4)
    assert given(devices=5).devices == ("0,1,2,3,4",)
    assert given().devices == ("0", "1", "2", "3", "4")


def test_auto_packs_cards_as_far_as_there_are_cores_and_an_estimate_counts_on_one_run_a_card(cards, clusters):
    settings = given(runs=40, workers="auto")
    assert (settings.packs, settings.workers, settings.counted, settings.threads) == (True, 16, 5, 1)
    asked, plain = given(runs=40, workers=7), given(runs=40)
    assert [(one.packs, one.workers, one.counted) for one in (asked, plain)] == [(False, 7, 7), (False, 5, 5)]
    assert given(device="cpu", workers="auto") == given(device="cpu")
    assert given(engine="slurm", workers="auto") == given(engine="slurm")


def test_cards_that_are_named_in_the_environment_are_handed_on_by_their_names(cards, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7,GPU-ab,3,1,0")
    assert given(devices=2).devices == ("7,GPU-ab", "3,1")


def test_on_a_cpu_a_run_takes_a_core_for_each(monkeypatch):
    monkeypatch.setattr(workers, "usable_cores", lambda: 8)
    settings = given(runs=9, device="cpu", devices=2)
    assert (settings.processes, settings.devices, settings.workers, settings.threads) == (2, (), 4, 1)


def test_on_a_cluster_a_run_is_given_cores_for_each_and_trains_on_all_gpus_that_it_is_given(clusters):
    settings = given(engine="slurm", gpus=4, cpus=2)
    assert (settings.processes, settings.gpus, settings.threads, settings.cores) == (4, 4, 2, 8)
    assert device_of(Request(RECIPE), Common(engine="ray", gpus=4)) == "cuda"
    on_cpu = given(engine="ray", devices=3)
    assert (on_cpu.processes, on_cpu.gpus, on_cpu.cores) == (3, 0, 3)
    assert given(engine="ray", gpus=0.25).processes == 1


def test_gpus_and_devices_that_disagree_are_refused():
    assert Common(gpus=2, devices=2).processes == 2
    assert Common(gpus=0, devices=2).processes == 2
    for gpus, devices in ((2, 1), (0.5, 2), (1, 3)):
        with pytest.raises(ValueError, match=f"gpus {gpus:g} and devices {devices} disagree; say one of them"):
            Common(gpus=gpus, devices=devices)


def test_more_devices_than_there_are_are_refused_before_anything_is_written(tmp_path, two_cores):
    with pytest.raises(AblateError) as caught:
        run_study(asked(tmp_path, "out", "execution.devices=3"))
    assert str(caught.value) == (
        "error: execution.devices: 3 devices are to train a run together, and 2 cores can be used here\n\n"
        "hint: write `devices: 2`"
    )
    assert not (tmp_path / "out").exists()


def test_more_cards_than_there_are_or_than_one_is_named_are_refused(cards):
    with pytest.raises(AblateError, match="6 devices are to train a run together, and 5 GPUs can be used here"):
        given(devices=6)
    with pytest.raises(AblateError, match="and 1 GPU can be used here\n\nhint: leave `--device cuda:1` out"):
        given(device="cuda:1", devices=2)


def test_a_batch_of_fewer_rows_than_devices_is_refused_and_a_rehearsal_takes_fewer_devices(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "usable_cores", lambda: 8)
    with pytest.raises(AblateError, match="8 devices cannot share a batch of 5"):
        study_of(asked(tmp_path, "out", "execution.devices=8", "training.batch_size=5"))
    study = study_of(asked(tmp_path, "out", "execution.devices=8", quick=True))
    settings = settings_of(Request(RECIPE, device="cpu"), study.execution, 1)
    assert [job.devices for job in as_executed(study.jobs, "cpu", settings)] == [2]


class Normed(Model):
    """A user's own model, with batch statistics."""

    def __init__(self, spec):
        super().__init__()
        self.norm = nn.BatchNorm1d(1)
        self.rates = nn.Parameter(torch.zeros(sum(one.units for one in spec.sessions)))

    def forward(self, batch):
        return tuple(self.rates.expand_as(one.target.values) for one in batch.sessions)


def test_a_model_that_takes_statistics_of_a_batch_is_refused_before_training(tmp_path, two_cores, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    own = "baseline: {type: import, target: 'test_study_devices:Normed'}\n"
    with pytest.raises(
        AblateError, match=r"`norm \(BatchNorm1d\)` takes statistics of its batch, and each of 2 devices"
    ):
        study_of(asked(tmp_path, "out", TWO, baseline=own))
    assert study_of(asked(tmp_path, "out", baseline=own)).jobs


# ------------------------------------------------------------------ what it costs, and trained again


def test_a_share_is_what_one_device_computes_of_a_step():
    for batch, accumulate, devices, rows, pieces in (
        (16, 1, 2, 8, 1),
        (16, 4, 2, 8, 2),
        (15, 1, 2, 8, 1),
        (16, 2, 4, 4, 1),
    ):
        share = price.share_of(TrainingConfig(batch_size=batch, accumulate=accumulate), devices)
        assert (share.batch_size, share.accumulate) == (rows, pieces)


def test_a_run_is_trained_again_on_as_many_devices_where_they_are(monkeypatch):
    record = SimpleNamespace(environment={"device": {"devices": 3}})
    assert devices_of(record, "cpu") == 3
    assert devices_of(SimpleNamespace(environment={}), "cpu") == 1
    monkeypatch.setattr("ablate.study.verify.pick_device", lambda name: CARDS)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices_of(record, "cuda") == 1
