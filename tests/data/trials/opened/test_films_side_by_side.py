"""Films of a batch are decoded side by side, within the threads that a process was given, to the same bytes."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from trial_folders import SMALL_FILM, film, mne_folder, native, opened

from ablate.data import TrialsConfig
from ablate.data.trials.opened.rows import FilmOfRows
from ablate.errors import AblateError


def rows_of(folder: Path, frames: Any) -> FilmOfRows:
    """The rows of a folder whose frames are read by `frames(row)`."""
    rows = TrialsConfig(path=str(folder)).read_table().rows[:6]
    for row in rows:
        object.__setattr__(row, "frames", lambda row=row, honest=row.frames: frames(row, honest))
    return FilmOfRows(rows, 2, 3)


def test_as_many_are_read_at_once_as_there_are_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most, lock, met = 0, 0, threading.Lock(), threading.Barrier(3, timeout=60)

    def counted(row: Any, honest: Any) -> Any:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        met.wait()  # three must be here at once: one after the other would wait in vain
        with lock:
            at_once -= 1
        return honest()

    source = rows_of(native(tmp_path), counted)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    found = source[np.arange(6)]
    assert most == 3
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    met = threading.Barrier(1)
    most = 0
    assert np.array_equal(source[np.arange(6)], found)  # in the order of the rows, whoever was ready first
    assert most == 1


def test_what_is_wrong_with_one_of_them_is_told_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(row: Any, honest: Any) -> Any:
        if row.trial_id == "t004":
            raise AblateError("cannot be decoded", where=row.trial_id)
        return honest()

    source = rows_of(native(tmp_path), broken)
    for threads in (1, 4):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        with pytest.raises(AblateError, match="t004: cannot be decoded"):
            source[np.arange(6)]


def test_films_give_the_same_bytes_on_one_thread_and_on_four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = mne_folder(tmp_path, subjects=1, each=8)
    lines = (folder / "manifest.csv").read_text().splitlines()
    for index in range(8):  # a film for each trial, of its own rate
        rng = np.random.default_rng(index)
        film(folder / f"film{index}.mp4", rng.integers(0, 256, 400).tolist(), rate=5 + index)
        lines[1 + index] = lines[1 + index].replace("film.mp4", f"film{index}.mp4")
    (folder / "manifest.csv").write_text("\n".join(lines))
    found = {}
    for threads in (1, 4):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        data = opened(folder, **SMALL_FILM)
        found[threads] = data.batch("train", np.arange(len(data.splits["train"]))).frames
    assert torch.equal(found[1], found[4])
    assert len(torch.unique(found[1])) > 20
