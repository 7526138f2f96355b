"""The cache on disk: whole shards or none, many writers, kills."""

import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from ablate.contract import frame_key
from ablate.model.video.cache import FeatureCache, cache_folder


def keys_of(numbers: range) -> np.ndarray:
    return np.array([frame_key(np.array(number)) for number in numbers])


def values_of(numbers: range) -> np.ndarray:
    return np.array([[number, number / 2, -number] for number in numbers], dtype=np.float16)


def test_what_was_put_is_found_before_and_after_it_is_written(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, 3)
    cache.put(keys_of(range(5)), values_of(range(5)))
    for _ in range(2):
        values, found = cache.get(keys_of(range(3, 7)))
        assert found.tolist() == [True, True, False, False]
        assert np.array_equal(values[:2], values_of(range(3, 5)))
        cache.flush()
    assert len(cache) == 5


def test_another_process_finds_it_memory_mapped(tmp_path: Path) -> None:
    reader, writer = FeatureCache(tmp_path, 3), FeatureCache(tmp_path, 3)
    assert not reader.get(keys_of(range(2)))[1].any()
    writer.put(keys_of(range(2)), values_of(range(2)))
    writer.flush()
    values, found = reader.get(keys_of(range(2)))
    assert found.all()
    assert np.array_equal(values, values_of(range(2)))
    assert isinstance(next(iter(reader._shards.values())), np.memmap)


def test_half_written_shards_are_never_read(tmp_path: Path) -> None:
    (tmp_path / ".abc.partial").write_bytes(b"half")
    assert not FeatureCache(tmp_path, 3).get(keys_of(range(1)))[1].any()


def write_forever(folder: Path, first: int) -> None:
    cache = FeatureCache(folder, 3)
    for start in range(first, first + 100_000, 7):
        numbers = range(start, start + 10)  # neighbours overlap, and so do the writers
        cache.put(keys_of(numbers), values_of(numbers))
        cache.flush()


def test_writers_at_once_that_are_killed_leave_a_cache_that_is_right(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_forever, args=(tmp_path, first)) for first in (0, 5)]
    for writer in writers:
        writer.start()
    while len(list(tmp_path.glob("*.npy"))) < 8:
        assert all(writer.is_alive() for writer in writers)
    for writer in writers:
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
    cache = FeatureCache(tmp_path, 3)
    values, found = cache.get(keys_of(range(200)))
    assert found.sum() >= 17
    assert np.array_equal(values[found], values_of(range(200))[found])


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_CACHE", "somewhere")
    assert cache_folder() == Path("somewhere")
    monkeypatch.delenv("ABLATE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "elsewhere")
    assert cache_folder() == Path("elsewhere/ablate")


def test_frames_that_differ_in_a_pixel_or_in_type_have_other_keys() -> None:
    frame = np.zeros((3, 4, 4), dtype=np.uint8)
    other = frame.copy()
    other[1, 2, 3] = 1
    assert np.array_equal(frame_key(frame), frame_key(frame.copy()))
    assert not np.array_equal(frame_key(frame), frame_key(other))
    assert not np.array_equal(frame_key(frame), frame_key(frame.astype(np.int8)))
