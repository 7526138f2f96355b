"""A lock tells the living from the dead at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ablate.disk.lock import acquire, holder
from ablate.errors import AblateError
from ablate.result import Store

ROOT = Path(__file__).parents[2]
KEY = "ab" * 10

HOLD = """
import sys, time
from pathlib import Path
from ablate.disk.lock import acquire
lock = acquire(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""

RACE = """
import sys, time
from pathlib import Path
from ablate.result import RunRecord, Store
store, me, keys = Store(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
trained = 0
for key in keys:
    lock = store.lock_run(key)
    if lock is None:
        continue
    with lock:
        if store.has(key):
            continue
        time.sleep(0.01)
        with open(f"{sys.argv[1]}/trained-{key}", "a") as file:
            file.write(me)
        record = RunRecord(key=key, study="s", variant=me, seed=0, state="done", config={})
        assert store.put(record)
"""


def test_a_lock_is_held_once_and_says_by_whom(tmp_path):
    path = tmp_path / "locks" / "run.lock"
    with acquire(path) as lock:
        assert lock is not None
        assert acquire(path) is None
        assert holder(path).pid == os.getpid()
        assert str(holder(path)).startswith(f"process {os.getpid()} on ")
    assert holder(path) is None
    assert not path.exists()
    with acquire(path):
        pass


def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path):
    path = tmp_path / "run.lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        assert acquire(path) is None
        assert holder(path).pid == process.pid
        os.utime(path, (0, 0))  # however old it looks
        assert acquire(path) is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    os.utime(path, (4e9, 4e9))  # however new it looks
    assert holder(path) is None
    with acquire(path) as lock:
        assert lock is not None


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"pid": "x"}', "\x00"])
def test_a_lock_file_with_anything_in_it_is_still_a_lock(tmp_path, text):
    path = tmp_path / "run.lock"
    with acquire(path):
        path.write_text(text)
        assert holder(path) is not None
    path.write_text(text)
    assert holder(path) is None
    with acquire(path) as lock:
        assert lock is not None


def test_waiting_for_the_manifest_ends_with_the_holders_name(tmp_path):
    store = Store(tmp_path)
    with store.lock_study():
        begun = time.monotonic()
        with pytest.raises(AblateError, match=f"is held by process {os.getpid()}"):
            store.lock_study(wait=0.1)
        assert time.monotonic() - begun < 5
    store.lock_study(wait=0).release()


def test_processes_that_race_for_the_same_runs_do_each_once(tmp_path):
    keys = [f"{i:020x}" for i in range(12)]
    racers = [
        subprocess.Popen([sys.executable, "-c", RACE, str(tmp_path), name, ",".join(order)], cwd=ROOT)
        for name, order in (("a", keys), ("b", keys), ("c", keys[::-1]))
    ]
    assert [racer.wait(60) for racer in racers] == [0, 0, 0]
    store = Store(tmp_path)
    assert store.keys() == tuple(keys)
    for key in keys:
        assert (tmp_path / f"trained-{key}").read_text() == store.record(key).variant
