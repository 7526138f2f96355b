"""A study on nodes that share nothing with its command but a store gives the records of one on this machine, also from
a command on another machine.
"""

import json

import pytest
from planted_store import PlantedStore
from stand_in_ray import StandIn, put_in_place
from tiny_study import TAIL, plain, request_of, run_files, write_recipe

from ablate.execution.job import Busy
from ablate.execution.storage.home import NotWhole
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running import train
from ablate.study.running.home import StudyHome
from ablate.study.status import status_of
from ablate.study.study import study_of

FILES = ("units.json", "history.jsonl", "weights.safetensors")
AWAY = TAIL + "execution: {engine: ray, ray: {storage: 's3://bucket/runs'}}\n"
TRAINING = "training: {steps: 6, batch_size: 16, warmup_steps: 1, evaluate_every: 3, checkpoint_every: 2}\n"


class Lab:
    def __init__(self, folder, recipe):
        self.folder, self.recipe = folder, recipe
        self.store, self.ray = PlantedStore(folder / "bucket"), StandIn()
        self.steps: list[int] = []

    def study(self, out: str, **options) -> Store:
        options = {"inline": False, **options}
        end = run_study(request_of(self.recipe, self.folder / out, **options))
        assert (end.failures, end.interrupted, set(end.states.values())) == ((), False, {"done"})
        return end.study.store


@pytest.fixture
def lab(tmp_path, monkeypatch):
    lab = Lab(tmp_path, write_recipe(tmp_path, training=TRAINING, tail=AWAY))
    put_in_place(monkeypatch, lab.ray, lab.store, tmp_path / "node")
    return lab


def agree(one: Store, other: Store) -> None:
    assert one.keys() == other.keys() != ()
    assert plain(one) == plain(other)
    assert run_files(one, *FILES) == run_files(other, *FILES)
    assert other.verify_hashes() == ()
    assert status_of(other).settled
    assert other.with_checkpoints() == ()


def test_records_are_those_of_this_machine_also_after_a_lost_node_and_for_an_empty_folder(lab, monkeypatch):
    here = lab.study("here", engine="inline")
    begun: list[tuple[str, bool]] = []
    real = train.fit

    def fit(*given, **more):
        checkpoints = more["checkpoints"]
        begun.append((checkpoints.folder.name, bool(checkpoints.paths())))
        return real(*given, **more)

    monkeypatch.setattr(train, "fit", fit)
    first, *others = here.keys()
    lost = [first]

    def answer(job, do):
        if job.key in lost:  # after its second checkpoint
            lost.remove(job.key)
            with monkeypatch.context() as patch:
                patch.setattr(train, "_keep", lambda *given, **more: 1 / 0)
                do()
            raise lab.ray.exceptions.NodeDiedError("node 7 is gone")
        return do()

    lab.ray.answer = answer
    away = lab.study("away")
    agree(here, away)
    assert sorted(begun) == sorted([(first, False), (first, True), *((key, False) for key in others)])
    assert str(lab.folder / "away") not in lab.ray.sent
    lab.ray.given.clear()
    agree(here, lab.study("elsewhere"))
    assert lab.ray.given == []
    agree(here, lab.study("elsewhere", fresh=True))
    assert sorted(lab.ray.given) == list(here.keys())


@pytest.fixture
def home(lab):
    study = study_of(request_of(lab.recipe, lab.folder / "out", inline=False))
    return StudyHome(study.store, {job.key: job for job in study.jobs})


def filling(home: StudyHome, source: Store, key: str, change=lambda folder: None):
    def fill(folder) -> None:
        for path in source.folder(key).iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        change(folder)

    return fill


def change_units(folder) -> None:
    (folder / "units.json").write_text("{}")


def another_key(folder) -> None:
    record = json.loads((folder / "record.json").read_text())
    (folder / "record.json").write_text(json.dumps(record | {"key": "00000000"}))
    (folder / "hashes.json").unlink()
    from ablate.result.store.writer import write_hashes

    write_hashes(folder)


def test_only_a_whole_record_of_the_run_itself_is_taken_in(lab, home):
    here = lab.study("here", engine="inline")
    key = here.keys()[0]
    for change, told in ((change_units, "units.json has"), (another_key, "is the record of another run")):
        with home.claim(key), pytest.raises(NotWhole, match=told):
            home.receive(key, filling(home, here, key, change))
        assert home.store.keys() == ()
    with home.claim(key):
        assert home.receive(key, filling(home, here, key))
    assert home.store.keys() == (key,)
    assert home.store.verify_hashes() == ()
    with pytest.raises(Busy, match="is in place already"):
        home.claim(key)


def test_the_record_that_is_to_be_trained_again_is_not_taken_in(lab, home):
    here = lab.study("here", engine="inline")
    key = here.keys()[0]
    old = train.record_hash(here.record(key))
    again = StudyHome(home.store, {key: home.jobs[key].model_copy(update={"replaces": old})})
    with again.claim(key):
        assert not again.receive(key, filling(again, here, key))
    assert home.store.keys() == ()


def test_a_run_that_is_trained_here_is_nobody_elses(home):
    key = next(iter(home.jobs))
    with home.store.lock_run(key), pytest.raises(Busy, match="is being trained by process "):
        home.claim(key)
