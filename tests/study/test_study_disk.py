"""A disk that fills up or may not be written: one message, nothing half-written, and the study goes on afterwards."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from tiny_study import TRAINING, plain, request_of, run_files, write_recipe

from ablate.cli.command.report import report_study
from ablate.cli.command.run import run_recipe
from ablate.errors import AblateError
from ablate.result import Store
from ablate.result.store.clean import garbage
from ablate.study.flow import run_study
from ablate.study.running import train
from ablate.training.checkpoint import Checkpoints

FILES = ("weights.safetensors", "history.jsonl", "units.json", "config.json")
SAVING = TRAINING.replace("}", ", checkpoint_every: 2}")


@contextmanager
def small_disk(folder: Path, size: str):
    """A file system of its own in `folder`; it can be filled up, and made read-only, for root too."""
    folder.mkdir(exist_ok=True)
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size={size} none '{folder}'"):
        pytest.skip("mounting is not permitted here")
    try:
        yield folder
    finally:
        os.system(f"umount -l '{folder}'")


def fill(folder: Path, leave: int = 0) -> Path:
    """Takes all space but `leave` bytes."""
    filler = folder / "filler"
    free = os.statvfs(folder)
    with filler.open("wb") as file:
        try:
            file.write(b"\0" * (free.f_bavail * free.f_frsize - leave))
        except OSError:
            assert not leave
    return filler


def hindered(monkeypatch, target, name, before):
    """Calls `before` ahead of a method, once."""
    real, called = getattr(target, name), []

    def method(self, *given, **named):
        if not called:
            called.append(before())
        return real(self, *given, **named)

    monkeypatch.setattr(target, name, method)
    return called


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("undisturbed")
    run_study(request_of(write_recipe(folder, training=SAVING), folder, variants="fast"))
    return Store(folder / "tiny")


@pytest.mark.parametrize(
    ("target", "name", "leave", "reason"),
    [
        (Checkpoints, "save", 0, "cannot write a checkpoint: No space left on device"),
        (Store, "writer", 0, "cannot write: No space left on device"),
        (Store, "writer", 12_288, "No space left on device"),  # enough for a folder, not for the weights
    ],
    ids=["at a checkpoint", "at the record", "in the middle of the record"],
)
def test_a_disk_that_fills_up_fails_the_run_and_costs_nothing_that_was_done(
    undisturbed, tmp_path, monkeypatch, target, name, leave, reason
):
    recipe = write_recipe(tmp_path, training=SAVING)
    with small_disk(tmp_path / "results", "2m") as disk:
        request = request_of(recipe, disk, variants="fast")
        with monkeypatch.context() as full:
            fillers = hindered(full, target, name, lambda: fill(disk, leave))
            end = run_study(request)
            reasons = [failure.reason for _, failure in end.failures]
            assert reason in reasons[0]
            assert "No space left on device" in reasons[1]  # wherever the next run meets it
            assert not end.trained
        store = end.study.store
        assert store.scan().damaged == ()
        assert not [path for path in store.runs.glob(".*") if any(path.iterdir())]
        fillers[0].unlink()
        end = run_study(request_of(recipe, disk, variants="fast", retry="failed"))
        assert end.trained == 2
        assert not end.failures
        assert run_files(store, *FILES) == run_files(undisturbed, *FILES)
        assert plain(store) == plain(undisturbed)
        assert store.verify_hashes() == ()
        assert garbage(store) == ()


def test_without_mounting_too_a_full_disk_at_the_record_is_a_failed_run(undisturbed, tmp_path, monkeypatch):
    recipe = write_recipe(tmp_path, training=SAVING)

    def full(*given):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(train, "save_model", full)
        end = run_study(request_of(recipe, tmp_path / "results", variants="fast"))
    assert ["No space left on device" in failure.reason for _, failure in end.failures] == [True, True]
    assert {record.state for record in end.study.store.records()} == {"failed"}
    end = run_study(request_of(recipe, tmp_path / "results", variants="fast", retry="failed"))
    assert plain(end.study.store) == plain(undisturbed)


def test_a_read_only_results_folder_is_read_and_writing_is_refused_in_one_message(tmp_path, capsys):
    recipe = write_recipe(tmp_path)
    with small_disk(tmp_path / "results", "4m") as disk:
        request = request_of(recipe, disk, variants="fast")
        run_study(request)
        assert os.system(f"mount -o remount,ro '{disk}'") == 0
        before = run_files(Store(disk / "tiny"), "record.json")
        assert run_recipe(request) == 0
        assert "every run of this study is done; nothing was trained" in capsys.readouterr().err
        assert report_study(disk / "tiny") == 0
        assert "fast" in capsys.readouterr().out
        for changed in ({"seeds": "0,1"}, {"fresh": True}):
            with pytest.raises(AblateError, match="Read-only file system") as refused:
                run_study(request_of(recipe, disk, variants="fast", **changed))
            assert refused.value.problems[0].hint == "the folder is read-only: choose another folder"
        assert run_files(Store(disk / "tiny"), "record.json") == before
