"""Loggers hear of a study and change nothing of it: told once, whole, and left alone where they fail."""

import os
import signal
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from tiny_study import TAIL, plain, request_of, run_files, write_recipe

from ablate import logger as room
from ablate.analysis.study import analyse
from ablate.cli.command.run import finished_study
from ablate.errors import AblateError
from ablate.logger import Logger
from ablate.logger.tensorboard import TensorBoardConfig
from ablate.request import Request, request_hash
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.logger import feed
from ablate.study.running import progress
from ablate.study.running.watcher import Watcher
from ablate.study.study import study_of

FILES = ("units.json", "history.jsonl", "weights.safetensors")
LONG = "training: {steps: 300, batch_size: 2, warmup_steps: 1, evaluate_every: 50}\n"


@dataclass
class Book:
    """A logger that writes everything down. It outlives the command, as a real one's files do. fails: the method that
    raises. act: what it does when it is given points."""

    live: ClassVar[bool] = True
    fails: str = ""
    act: object = None
    curves: dict = field(default_factory=dict)
    runs: dict = field(default_factory=dict)
    ends: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)
    shown_by: str = "a look at it"

    def _called(self, name, key=""):
        self.calls.append((name, key))
        if name == self.fails:
            raise OSError("the server is gone")

    def held(self):
        self._called("held")
        return frozenset(self.ends)

    def begin(self, run):
        self._called("begin", run.key)
        if run.key in self.ends:
            del self.ends[run.key], self.curves[run.key]
        self.runs[run.key] = run
        curve = self.curves.setdefault(run.key, [])
        return curve[-1].step if curve else 0

    def points(self, run, points):
        self._called("points", run.key)
        self.curves[run.key] += points
        if self.act is not None:
            self.act()

    def end(self, run, end):
        self._called("end", run.key)
        self.ends[run.key] = end

    def close(self):
        self._called("close")


class Heard(Watcher):
    def __init__(self):
        self.notices = []

    def notice(self, what):
        self.notices.append(what)


@pytest.fixture
def open_book(monkeypatch):
    """Puts a book in TensorBoard's place."""

    def put(book: Book) -> Book:
        assert isinstance(book, Logger)
        monkeypatch.setattr(room, "find_spec", lambda name: object())
        monkeypatch.setattr(TensorBoardConfig, "build", lambda self, study, folder: book)
        return book

    return put


def go(recipe, out, log="tensorboard", **options):
    heard = Heard()
    end = run_study(request_of(recipe, out, log=log, **options), heard)
    return end.study.store, heard.notices


def steps(curve):
    return [point.step for point in curve]


def test_every_run_is_told_once_as_its_record_and_curve_have_it_and_then_the_verdicts(tmp_path, open_book):
    book, recipe = open_book(Book()), write_recipe(tmp_path)
    store, notices = go(recipe, tmp_path / "out")
    records = store.scan().records
    assert len(records) == 3
    assert notices == ["log: tensorboard, shown by `a look at it`"]
    for key, record in records.items():
        run, end, history = book.runs[key], book.ends[key], store.history(key)
        assert run.name == f"{record.variant} seed 0"
        assert run.tags == {
            "study": "tiny",
            "variant": record.variant,
            "seed": "0",
            "metric": "bits_per_spike",
            "key": key,
        }
        assert run.parameters["training.learning_rate"] == record.config["training"]["learning_rate"]
        assert run.parameters["model.type"] == record.config["model"]["type"]
        assert (end.state, end.step) == ("done", record.usage.steps)
        assert end.numbers["final/test"] == record.test.headline
        assert end.numbers["final/validation"] == record.validation.headline
        assert end.numbers["usage/seconds"] == record.usage.seconds
        assert steps(book.curves[key]) == [row["step"] for row in history]
        assert [point.numbers["train/loss"] for point in book.curves[key]] == [row["loss"] for row in history]
        scores = {point.step: point.numbers.get("validation/score") for point in book.curves[key]}
        assert scores == {row["step"]: row.get("validation") for row in history}
    (summary,) = (run for key, run in book.runs.items() if key not in records)
    rows = {row.name: row for row in analyse(store.manifest(), store.records(), units=store.units).rows}
    told = book.ends[summary.key]
    assert summary.name == "study"
    assert told.texts["verdict/fast"] == rows["fast"].verdict
    assert told.numbers["gain/fast"] == rows["fast"].gain.mean
    assert [name for name, _ in book.calls].count("end") == 4
    before = len(book.calls)
    go(recipe, tmp_path / "out")
    assert book.calls[before:] == [("held", ""), ("close", "")]


def test_records_are_the_same_with_a_logger_with_a_broken_one_and_without(tmp_path, open_book):
    recipe = write_recipe(tmp_path)
    without, _ = go(recipe, tmp_path / "without", log=None)
    open_book(Book())
    stores = [go(recipe, tmp_path / "with")[0]]
    for method in ("held", "begin", "points", "end", "close"):
        book = open_book(Book(fails=method))
        store, notices = go(recipe, tmp_path / method)
        stores.append(store)
        what = "cannot be opened, so nothing is" if method == "held" else "failed, so nothing more is"
        fault = f"log: tensorboard {what} logged there: OSError: the server is gone"
        assert [one for one in notices if "server" in one] == ([] if method == "close" else [fault])
        assert [name for name, _ in book.calls].count(method) == 1
        assert not list((store.root / "locks").glob("log-*"))
    for store in stores:
        assert plain(store) == plain(without)
        assert run_files(store, *FILES) == run_files(without, *FILES)


def test_a_package_that_is_missing_is_told_before_anything_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    with pytest.raises(AblateError) as caught:
        go(write_recipe(tmp_path), tmp_path / "out", log="mlflow")
    assert str(caught.value) == (
        "error: --log: logger `mlflow` needs the package mlflow, which is not installed\n\n"
        "hint: pip install 'ablate[mlflow]'"
    )
    assert not (tmp_path / "out").exists()


def test_the_recipes_loggers_enter_no_key_and_the_flag_stands_over_them(tmp_path, open_book):
    open_book(Book())
    for name in ("plain", "other"):
        (tmp_path / name).mkdir()
    bare = study_of(request_of(write_recipe(tmp_path / "plain"), tmp_path / "out"))
    recipe = write_recipe(tmp_path / "other", tail=TAIL + "log: [wandb, {type: mlflow, uri: sqlite:///a.db}]\n")
    written = study_of(request_of(recipe, tmp_path / "out"))
    flagged = study_of(request_of(recipe, tmp_path / "out", log="mlflow, trackio", sets=("log=trackio",)))
    assert [job.key for job in bare.jobs] == [job.key for job in written.jobs] == [job.key for job in flagged.jobs]
    assert [one.type for one in written.loggers] == ["wandb", "mlflow"]
    assert [one.type for one in flagged.loggers] == ["mlflow", "trackio"]
    kept = study_of(request_of(recipe, tmp_path / "out", log="mlflow"))
    assert kept.loggers[0].uri == "sqlite:///a.db"
    assert study_of(request_of(recipe, tmp_path / "out", log="none")).loggers == ()
    assert flagged.manifest.overrides == ()
    assert request_hash(Request(recipe, log="mlflow")) == request_hash(Request(recipe))


def test_a_finished_study_is_told_to_a_logger_that_lacks_it(tmp_path, open_book):
    recipe, out = write_recipe(tmp_path), tmp_path / "out"
    store, _ = go(recipe, out, log=None)
    assert finished_study(request_of(recipe, out)) is not None
    assert finished_study(request_of(recipe, out, log="tensorboard")) is None
    book = open_book(Book())
    go(recipe, out)
    keys = {*store.keys()}
    assert keys < {*book.ends}
    for key in keys:
        assert steps(book.curves[key]) == [row["step"] for row in store.history(key)]


def test_a_curve_is_told_while_it_grows_and_goes_on_after_a_stop(tmp_path, open_book, monkeypatch):
    monkeypatch.setattr(feed, "SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_WRITES", 0.0)
    recipe = write_recipe(tmp_path, training=LONG, patches="", tail="variants: []\nseeds: [0]\nglm: false\n")
    book = open_book(Book(act=lambda: os.kill(os.getpid(), signal.SIGINT)))
    store, _ = go(recipe, tmp_path / "out")
    (key,) = study_of(request_of(recipe, tmp_path / "out")).manifest.run_keys
    assert store.record(key).state == "interrupted"
    assert 0 < len(book.curves[key]) < 300
    assert book.ends == {}
    book.act = None
    go(recipe, tmp_path / "out")
    history = store.history(key)
    assert steps(book.curves[key]) == [row["step"] for row in history] == list(range(1, 301))
    assert [point.numbers.get("validation/score") for point in book.curves[key]] == [
        row.get("validation") for row in history
    ]
    assert [name for name, of in book.calls if of == key and name != "points"] == ["begin", "begin", "end"]


def test_a_run_that_is_trained_again_is_told_anew_and_a_failed_one_with_its_reason(tmp_path, open_book, monkeypatch):
    from ablate.study.running import train

    recipe, book = write_recipe(tmp_path), open_book(Book())
    with monkeypatch.context() as patch:
        patch.setattr(train, "fit", lambda *given, **how: 1 / 0)
        store, _ = go(recipe, tmp_path / "out")
    keys = set(store.keys())
    assert {end.state for key, end in book.ends.items() if key in keys} == {"failed"}
    assert {end.texts["reason"] for key, end in book.ends.items() if key in keys} == {
        "ZeroDivisionError: division by zero"
    }
    go(recipe, tmp_path / "out", retry="failed")
    assert {key: book.ends[key].state for key in keys} == dict.fromkeys(keys, "done")
    assert {len(book.curves[key]) for key in keys} == {6}


def test_a_study_that_another_command_tells_of_is_left_to_it(tmp_path, open_book):
    from ablate.disk.lock import acquire

    recipe, book = write_recipe(tmp_path), open_book(Book())
    with acquire(Store.of(tmp_path / "out", "tiny").root / "locks" / "log-tensorboard.lock"):
        _, notices = go(recipe, tmp_path / "out")
    assert book.calls == []
    (notice,) = notices
    assert notice.startswith(f"log: tensorboard is told by process {os.getpid()} on ")


def test_a_logger_that_hangs_is_waited_for_no_longer_than_its_patience(tmp_path, open_book, monkeypatch):
    import threading

    monkeypatch.setattr(feed, "PATIENCE", 0.2)
    free = threading.Event()
    open_book(Book(act=lambda: free.wait(60)))
    store, notices = go(write_recipe(tmp_path), tmp_path / "out")
    free.set()
    assert {record.state for record in store.records()} == {"done"}
    assert notices[1] == "log: tensorboard did not answer for 0 s; what is missing there is told next time"
