"""Files and folders are whole or absent, whatever happens while they are written."""

import contextlib
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.disk.listing import files_under, visible
from ablate.disk.lock import locked
from ablate.disk.whole import BESIDE, move_folder, whole_entries, whole_file, whole_folder, write_bytes, write_json
from ablate.errors import AblateError

ROOT = Path(__file__).parents[2]


def full(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch, call):
    write_bytes(tmp_path / "a", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(AblateError, match="cannot write: No space left on device") as refused:
            write_bytes(tmp_path / "a", b"new")
    assert "`ablate clean` lists what can go" in refused.value.problems[0].hint
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_block_that_raises_leaves_no_file_and_no_folder(tmp_path):
    with contextlib.suppress(KeyError), whole_file(tmp_path / "a") as file:
        file.write(b"half")
        assert [path.name[: len(BESIDE)] for path in tmp_path.iterdir()] == [BESIDE]
        raise KeyError
    with contextlib.suppress(KeyError), whole_folder(tmp_path / "deep" / "b") as folder:
        (folder / "half").write_bytes(b"x")
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_folder_appears_with_all_that_is_in_it(tmp_path):
    with whole_folder(tmp_path / "b") as folder:
        (folder / "one").write_bytes(b"1")
        assert not (tmp_path / "b").exists()
    assert (tmp_path / "b" / "one").read_bytes() == b"1"


@pytest.mark.parametrize("there", [False, True])
def test_entries_come_into_a_folder_together_or_not_at_all(tmp_path, there):
    place = tmp_path / "all"
    if there:
        place.mkdir()
        (place / "before").touch()
    with contextlib.suppress(KeyError), whole_entries(place) as beside:
        (beside / "one").touch()
        raise KeyError
    assert [path.name for path in place.iterdir()] == ["before"] if there else not place.exists()
    with whole_entries(place) as beside:
        (beside / "one").touch()
        (beside / "two").touch()
    assert sorted(path.name for path in place.iterdir()) == ["before", "one", "two"][not there :]
    with contextlib.ExitStack() as stack:
        beside = stack.enter_context(whole_entries(place))
        (beside / "new").touch()
        (beside / "two").touch()
        with pytest.raises(FileExistsError, match="two"):
            stack.close()
    assert not (place / "new").exists()


def test_a_link_that_leads_back_and_hidden_files_are_not_followed(tmp_path):
    (tmp_path / "data" / ".git").mkdir(parents=True)
    for name in ("data/1.npy", "data/._1.npy", "data/.git/2.npy"):
        (tmp_path / name).touch()
    (tmp_path / "data" / "back").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "data" / "1.npy")
    assert [path.name for path in files_under(tmp_path)] == ["linked", "1.npy"]
    assert [path.name for path in visible(tmp_path / "data")] == ["1.npy", "back"]


def test_a_folder_never_takes_the_place_of_one_that_is_filled(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with pytest.raises(OSError, match="not empty"):
        move_folder(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / name / "file").read_text() for name in ("a", "b")] == ["a", "b"]


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object()])
def test_what_is_no_json_is_refused_before_anything_is_written(tmp_path, value):
    with pytest.raises(AblateError, match="cannot be written as JSON"):
        write_json(tmp_path / "a.json", {"value": value})
    assert list(tmp_path.iterdir()) == []


def test_work_under_a_lock_is_left_to_the_process_that_has_it(tmp_path):
    look = (
        "import sys; from pathlib import Path; from ablate.disk.lock import locked\n"
        "with locked(Path(sys.argv[1]), wait=False) as held: print(held)"
    )
    said = [sys.executable, "-c", look, str(tmp_path / "lock")]
    with locked(tmp_path / "lock", wait=True) as held:
        assert held
        assert subprocess.run(said, cwd=ROOT, capture_output=True, text=True).stdout == "False\n"
    assert subprocess.run(said, cwd=ROOT, capture_output=True, text=True).stdout == "True\n"
