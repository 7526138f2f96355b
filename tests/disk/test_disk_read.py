import os

import pytest

from ablate.disk.read import parse_lines, read_bytes, read_if_there
from ablate.errors import AblateError


def test_a_file_is_read_whole_also_where_the_system_gives_it_in_pieces(tmp_path, monkeypatch):
    path, read = tmp_path / "file", os.read
    path.write_bytes(bytes(range(256)) * 20)
    monkeypatch.setattr(os, "read", lambda handle, size: read(handle, min(size, 1000)))
    assert read_bytes(path) == path.read_bytes()
    path.write_bytes(b"")
    assert read_bytes(path) == b""


def test_an_absent_file_is_none_or_refused(tmp_path):
    assert read_if_there(tmp_path / "none") is None
    with pytest.raises(AblateError, match="No such file"):
        read_bytes(tmp_path / "none")


def test_links_pipes_folders_and_large_files_are_refused_and_nothing_stays_open(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "nowhere").symlink_to(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe")
    opened = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for name, what in (("link", "a link"), ("nowhere", "a link"), ("pipe", "no plain"), (".", "no plain")):
        with pytest.raises(AblateError, match=what):
            read_if_there(tmp_path / name)
    with pytest.raises(AblateError, match="too large"):
        read_if_there(tmp_path / "file", limit=4)
    assert not opened or len(os.listdir("/proc/self/fd")) == opened


def test_lines_are_values_each_and_empty_ones_are_left_out():
    assert parse_lines(b'{"a": 1}\n\n  [2, 3]\r\nnull\n', "here") == [{"a": 1}, [2, 3], None]
    assert parse_lines(b"\n \n", "here") == []


@pytest.mark.parametrize("text", [b"1, 2", b"[1\n2]", b"1], [2", b"1,[2\n3]", b'{"a":1}],[{"b":[1\n2]}', b"NaN"])
def test_lines_that_make_sense_only_together_are_damaged(text):
    with pytest.raises(AblateError, match="damaged"):
        parse_lines(b"{}\n" + text, "here")
