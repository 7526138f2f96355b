"""Damaged files, clocks that jump, folders that were moved: the study goes on and ends with the same numbers."""

import json
import os
import random
import shutil
import socket
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tiny_study import TRAINING, plain, request_of, run_files, write_recipe

from ablate.cli.command.report import report_study
from ablate.cli.command.run import run_recipe
from ablate.cli.command.verify import verify_study
from ablate.errors import AblateError
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running import job as run_job
from ablate.study.running import train
from ablate.study.study import study_of

FILES = ("weights.safetensors", "history.jsonl", "units.json", "config.json")
SAVING = TRAINING.replace("}", ", checkpoint_every: 2}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("undisturbed")
    run_study(request_of(write_recipe(folder, training=SAVING), folder, variants="fast"))
    return Store(folder / "tiny")


def interrupted(recipe: Path, out: Path, monkeypatch, after: int = 5) -> Store:
    """A study whose first run was stopped after some steps, with its last two checkpoints in place."""
    real, looks = train.fit, iter(range(1000))
    with monkeypatch.context() as disturbed:
        disturbed.setattr(
            train, "fit", lambda *given, stop, **named: real(*given, stop=lambda: next(looks) == after, **named)
        )
        end = run_study(request_of(recipe, out, variants="fast"))
    assert end.interrupted
    assert [record.state for record in end.study.store.records()] == ["interrupted"]
    assert len(checkpoints(end.study.store)) == 2
    return end.study.store


def checkpoints(store: Store) -> list[Path]:
    return sorted((store.root / "checkpoints").rglob("step-*.safetensors"))


def same(store: Store, other: Store) -> bool:
    return run_files(store, *FILES) == run_files(other, *FILES) and plain(store) == plain(other)


# ------------------------------------------------------------------ damage


@pytest.mark.parametrize("damaged", [1, 2])
def test_a_run_goes_on_from_the_checkpoint_before_the_damaged_one_or_from_its_start(
    undisturbed, tmp_path, monkeypatch, damaged
):
    recipe = write_recipe(tmp_path, training=SAVING)
    store = interrupted(recipe, tmp_path / "results", monkeypatch)
    for path in checkpoints(store)[-damaged:]:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    end = run_study(request_of(recipe, tmp_path / "results", variants="fast"))
    assert end.trained == 2
    assert same(store, undisturbed)
    assert not checkpoints(store)


def test_a_truncated_record_is_told_by_the_report_and_trained_again_by_the_next_run(undisturbed, tmp_path, capsys):
    recipe = write_recipe(tmp_path, training=SAVING)
    shutil.copytree(undisturbed.root, tmp_path / "results" / "tiny")
    store = Store(tmp_path / "results" / "tiny")
    key = store.keys()[0]
    record = store.folder(key) / "record.json"
    record.write_bytes(record.read_bytes()[:200])
    assert report_study(store.root) == 0
    assert f"warning: run {key} cannot be read and is left out: is damaged" in capsys.readouterr().err
    assert run_recipe(request_of(recipe, tmp_path / "results", variants="fast")) == 0
    assert "1 run trained, 1 kept from before" in capsys.readouterr().err
    assert same(store, undisturbed)


def test_a_truncated_plan_is_one_message_that_says_what_to_do(undisturbed, tmp_path):
    recipe = write_recipe(tmp_path, training=SAVING)
    shutil.copytree(undisturbed.root, tmp_path / "results" / "tiny")
    manifest = tmp_path / "results" / "tiny" / "study.json"
    manifest.write_bytes(manifest.read_bytes()[:300])
    for work in (
        lambda: run_recipe(request_of(recipe, tmp_path / "results", variants="fast")),
        lambda: report_study(manifest.parent),
    ):
        with pytest.raises(AblateError, match="is damaged") as told:
            work()
        assert "ablate run" in told.value.problems[0].hint
    manifest.unlink()  # it holds nothing that the recipe does not say: the runs in place are found again
    end = run_study(request_of(recipe, tmp_path / "results", variants="fast"))
    assert (end.trained, end.kept) == (0, 2)


# ------------------------------------------------------------------ clocks


def test_clocks_that_jump_change_neither_order_nor_locks_nor_results(undisturbed, tmp_path, monkeypatch):
    """Years backwards and forwards, at every look: between runs, within them, and over the files that they leave."""
    recipe = write_recipe(tmp_path, training=SAVING)
    dice, now = random.Random(0), time.time()

    class Clock(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.fromtimestamp(now, zone) + timedelta(days=dice.uniform(-9000, 9000))

    monkeypatch.setattr(run_job, "datetime", Clock)
    monkeypatch.setattr(time, "time", lambda: now + dice.uniform(-1e9, 1e9))
    store = interrupted(recipe, tmp_path / "results", monkeypatch)
    for path in store.root.rglob("*"):
        os.utime(path, (dice.uniform(0, 4e9),) * 2)
    newest, before = checkpoints(store)[-1], checkpoints(store)[0]
    os.utime(newest, (0, 0))  # the newest by its step is the oldest by its date
    os.utime(before, (4e9, 4e9))
    end = run_study(request_of(recipe, tmp_path / "results", variants="fast", run_timeout=1000))
    assert end.trained == 2
    assert same(store, undisturbed)
    assert report_study(store.root) == 0
    assert run_study(request_of(recipe, tmp_path / "results", variants="fast")).trained == 0


# ------------------------------------------------------------------ another place


def test_a_study_that_was_moved_to_another_machine_goes_on_there(undisturbed, tmp_path, monkeypatch, capsys):
    recipe = write_recipe(tmp_path, training=SAVING)
    store = interrupted(recipe, tmp_path / "here" / "results", monkeypatch)
    for job in study_of(request_of(recipe, tmp_path / "here" / "results", variants="fast")).jobs:
        lock = store.lock_path(job.key)  # copied while it ran; a process of that number lives here as well
        lock.parent.mkdir(exist_ok=True)
        lock.write_text(json.dumps({"pid": os.getppid(), "host": "the-old-machine"}))
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    shutil.move(tmp_path / "here", tmp_path / "gone")
    recipe = Path(shutil.copy(recipe, tmp_path / "there"))
    monkeypatch.setattr(socket, "gethostname", lambda: "the-new-machine")
    request = request_of(recipe, tmp_path / "there" / "results", variants="fast")
    moved = Store(request.out / "tiny")
    end = run_study(request)
    assert (end.trained, end.elsewhere) == (2, ())
    assert same(moved, undisturbed)
    shutil.move(moved.root, tmp_path / "once more")
    assert report_study(tmp_path / "once more") == 0
    assert verify_study(tmp_path / "once more", device="cpu", hashes_only=False) == 0
    assert "agree to the last digit" in capsys.readouterr().out
    assert not (tmp_path / "here").exists()


def test_checkpoints_of_a_finished_run_whose_process_was_killed_before_it_cleared_them_go_with_the_next_start(
    tmp_path, undisturbed
):
    out = shutil.copytree(undisturbed.root.parent, tmp_path / "out")
    store = Store(out / "tiny")
    done, failed = store.keys_in_place()[0], "f" * 20  # what is no finished run of this study is left alone
    for key in (done, failed):
        store.checkpoints(key).mkdir(parents=True)
        (store.checkpoints(key) / "step-000000002.safetensors").write_bytes(b"left")
    end = run_study(request_of(write_recipe(tmp_path, training=SAVING), out, variants="fast"))
    assert end.trained == 0
    assert not store.checkpoints(done).exists()
    assert store.checkpoints(failed).exists()
