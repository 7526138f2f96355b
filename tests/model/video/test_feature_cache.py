"""The cache on disk: whole shards or none, many writers, merging, claims, kills."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from ablate.contract import frame_key
from ablate.disk.cache import cache_folder
from ablate.errors import AblateError
from ablate.model.video.cache.features import STRIPES, FeatureCache
from ablate.model.video.cache.shard import MERGE_AT, locked


def keys_of(numbers: range) -> np.ndarray:
    return np.array([frame_key(np.array(number)) for number in numbers])


def values_of(numbers: range) -> np.ndarray:
    return np.array([[number, number / 2, -number] for number in numbers], dtype=np.float16)


def test_what_was_put_is_found_here_and_by_another_process_memory_mapped(tmp_path: Path) -> None:
    writer, reader = FeatureCache(tmp_path, 3), FeatureCache(tmp_path, 3)
    assert not reader.get(keys_of(range(2)))[1].any()
    writer.put(keys_of(range(5)), values_of(range(5)))
    for cache in (writer, reader):
        values, found = cache.get(keys_of(range(3, 7)))
        assert found.tolist() == [True, True, False, False]
        assert np.array_equal(values[:2], values_of(range(3, 5)))
        assert isinstance(next(iter(cache._shards.values())), np.memmap)
    assert len(reader) == 5


def test_half_written_and_damaged_shards_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".tmp-abc").write_bytes(b"half")
    (tmp_path / "empty.npy").write_bytes(b"")
    np.save(tmp_path / "other.npy", np.zeros(3))
    cache = FeatureCache(tmp_path, 3)
    cache.put(keys_of(range(4)), values_of(range(4)))
    whole = next(path for path in tmp_path.glob("*.npy") if path.stem not in ("empty", "other"))
    whole.write_bytes(whole.read_bytes()[:-7])
    reader = FeatureCache(tmp_path, 3)
    assert not reader.get(keys_of(range(4)))[1].any()
    reader.put(keys_of(range(4)), values_of(range(4)))
    assert FeatureCache(tmp_path, 3).get(keys_of(range(4)))[1].all()


def test_many_small_shards_become_one_and_readers_go_on(tmp_path: Path) -> None:
    """A shard for every forward pass would open a file each: thousands of them end at the system's limit."""
    writer, reader = FeatureCache(tmp_path, 3), FeatureCache(tmp_path, 3)
    for start in range(0, 3 * MERGE_AT, 2):
        writer.put(keys_of(range(start, start + 2)), values_of(range(start, start + 2)))
        reader.get(keys_of(range(start, start + 1)))
    everything = range(3 * MERGE_AT)
    for cache in (writer, reader, FeatureCache(tmp_path, 3)):
        values, found = cache.get(keys_of(everything))
        assert found.all()
        assert np.array_equal(values, values_of(everything))
        assert len(cache._shards) <= MERGE_AT + 1
    assert len(list(tmp_path.glob("*.npy"))) <= MERGE_AT


def test_a_claimed_frame_is_left_to_its_claimer_and_a_kill_frees_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()

    def claim_and_hang() -> None:
        for _ in FeatureCache(tmp_path, 3).claims(keys_of(range(20)), 100):
            ready.set()
            signal.pause()

    other = context.Process(target=claim_and_hang)
    other.start()
    assert ready.wait(20)
    cache, keys = FeatureCache(tmp_path, 3), keys_of(range(20))
    with locked(tmp_path / f".lock{keys[0, 0] % STRIPES:02d}", wait=False) as held:
        assert not held
    os.kill(other.pid or 0, signal.SIGKILL)
    other.join()
    rows = np.concatenate(list(cache.claims(keys, 7)))
    assert sorted(rows.tolist()) == list(range(20))


def compute(folder: Path, order: list[int], counts: Path) -> None:
    """Computes what is missing, slowly, and writes down what it computed."""
    cache, keys = FeatureCache(folder, 3), keys_of(range(120))[order]
    for start in range(0, len(keys), 40):
        some = keys[start : start + 40]
        for rows in cache.claims(some, 8):
            time.sleep(0.002)
            with counts.open("a") as file:
                file.writelines(f"{order[start + row]}\n" for row in rows)
            numbers = np.array([[n, n / 2, -n] for n in (order[start + row] for row in rows)], dtype=np.float16)
            cache.put(some[rows], numbers)
        assert cache.get(some)[1].all()


@pytest.mark.parametrize("orders", ["same", "different"])
def test_processes_that_start_together_compute_every_frame_once(tmp_path: Path, orders: str) -> None:
    context = multiprocessing.get_context("fork")
    drawn = [np.random.default_rng(0 if orders == "same" else seed).permutation(120).tolist() for seed in range(4)]
    workers = [context.Process(target=compute, args=(tmp_path / "c", order, tmp_path / "log")) for order in drawn]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    computed = [int(line) for line in (tmp_path / "log").read_text().split()]
    assert sorted(computed) == list(range(120))
    values, found = FeatureCache(tmp_path / "c", 3).get(keys_of(range(120)))
    assert found.all()
    assert np.array_equal(values, values_of(range(120)))


def write_forever(folder: Path, first: int) -> None:
    cache = FeatureCache(folder, 3)
    for start in range(first, first + 100_000, 7):
        numbers = range(start, start + 10)  # neighbours overlap, and so do the writers
        cache.put(keys_of(numbers), values_of(numbers))


def test_writers_that_are_killed_while_they_write_and_merge_leave_a_cache_that_is_right(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_forever, args=(tmp_path, first)) for first in (0, 5)]
    for writer in writers:
        writer.start()
    reader = FeatureCache(tmp_path, 3)
    while not reader.get(keys_of(range(1200, 1210)))[1].all():  # both have merged by then, more than once
        assert all(writer.is_alive() for writer in writers)
    for writer in writers:
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
    for cache in (reader, FeatureCache(tmp_path, 3)):
        values, found = cache.get(keys_of(range(1210)))
        assert found.all()
        assert np.array_equal(values, values_of(range(1210)))


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AblateError, match="features cannot be kept"):
        FeatureCache(tmp_path / "file" / "below", 3).put(keys_of(range(2)), values_of(range(2)))


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
