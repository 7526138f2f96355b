"""The hash of the code changes with what runs, and with nothing else."""

import os
import sys
from pathlib import Path

import pytest

from ablate.disk.code import PACKAGE, code_hash


def test_a_source_that_was_changed_added_removed_or_renamed_changes_the_hash(tmp_path: Path):
    one, two = tmp_path / "a.py", tmp_path / "b" / "c.py"
    one.write_text("x = 1\n")
    hashes = [code_hash(tmp_path)]
    one.write_text("x = 2\n")
    os.utime(one, ns=(0, 0))  # put back with an older time
    hashes.append(code_hash(tmp_path))
    two.parent.mkdir()
    two.write_text("")
    hashes.append(code_hash(tmp_path))
    two.rename(tmp_path / "b" / "d.py")
    hashes.append(code_hash(tmp_path))
    assert len(set(hashes)) == len(hashes)
    one.write_text("x = 1\n")
    (tmp_path / "b" / "d.py").unlink()
    assert code_hash(tmp_path) == hashes[0]
    assert len(hashes[0]) == 20


def test_what_moves_from_one_file_to_another_changes_the_hash(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "b.py").write_text("")
    before = code_hash(tmp_path)
    (tmp_path / "a.py").write_text("")
    (tmp_path / "b.py").write_text("x = 1\n")
    assert code_hash(tmp_path) != before


def test_another_version_of_a_package_or_of_python_changes_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / "absent")])
    hashes = [code_hash()]
    (tmp_path / "pydantic-2.11.dist-info").mkdir()
    hashes.append(code_hash())
    (tmp_path / "pydantic-2.11.dist-info").rename(tmp_path / "pydantic-2.12.dist-info")
    hashes.append(code_hash())
    monkeypatch.setattr(sys, "version", "3.99")
    hashes.append(code_hash())
    assert len(set(hashes)) == 4


def test_other_files_do_not_count(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = 1\n")
    before = code_hash(tmp_path)
    (tmp_path / "a.pyc").write_text("")
    (tmp_path / "page.css").write_text("")
    assert code_hash(tmp_path) == before
    assert (PACKAGE / "disk" / "code.py").is_file()
