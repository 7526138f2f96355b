"""One job as several processes: whatever becomes of one of them, all end, and the job's end says why."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from execution_helpers import alive, settings, wait_until

from ablate.errors import AblateError
from ablate.execution import Job, Stop, execute
from ablate.execution.job import Interrupted
from ablate.execution.together import together

WORK = "together_work:act"


@pytest.fixture(autouse=True)
def _notes(tmp_path):
    (tmp_path / "notes").mkdir()


@pytest.fixture
def call(tmp_path):
    """Calls the work in two processes, each of which notes its process id first."""

    def called(do, *, stop=None, **payload):
        payload = {"do": do, "folder": str(tmp_path / "notes"), **payload}
        together(WORK, payload, 2, log=tmp_path / "logs" / "job.log", threads=1, stop=stop or Stop())

    return called


def notes(tmp_path):
    files = (path for path in (tmp_path / "notes").iterdir() if path.name.isdigit())
    return {int(path.name): path.read_text().split() for path in files}


def gone(tmp_path):
    return not any(alive(int(told[0])) for told in notes(tmp_path).values())


def test_each_has_its_rank_the_same_meeting_its_threads_and_the_first_ones_print_is_in_the_log(call, tmp_path):
    call("tell")
    told = notes(tmp_path)
    assert sorted(told) == [0, 1]
    assert told[0][0] != told[1][0]
    assert told[0][1:] == told[1][1:]
    assert told[0][2] == "1"
    assert not Path(told[0][1]).parent.exists()
    assert (tmp_path / "logs" / "job.log").read_text() == "rank 0\n"


def test_the_job_is_done_when_the_first_one_is_and_who_lingers_is_ended(call, tmp_path):
    call("linger")
    assert gone(tmp_path)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ("raise", AblateError, "ValueError: a bug in a user's part"),
        ("kill", AblateError, r"killed by SIGKILL \(often the system's out-of-memory killer\)"),
        ("memory", MemoryError, "RuntimeError: CUDA out of memory"),
        ("exit", AblateError, "exit status 9"),
    ],
)
def test_who_dies_ends_the_job_with_its_words_and_the_others_that_only_miss_it_have_none(
    call, tmp_path, rank, how, error, words
):
    with pytest.raises(error, match=rf"{words}.* \(process {rank + 1} of 2\)") as caught:
        call("die", who=rank, how=how)
    assert gone(tmp_path)
    if how == "raise":
        assert 'raise ValueError("a bug' in "".join(caught.value.__notes__)


def test_another_that_does_not_miss_it_is_killed(call, tmp_path, monkeypatch):
    monkeypatch.setattr("ablate.execution.together.LAST_WORDS", 0.5)
    with pytest.raises(AblateError, match=r"a bug in a user's part \(process 2 of 2\)"):
        call("die_alone", who=1)
    assert gone(tmp_path)


def stop_when(condition, stop, times=1):
    def wait():
        wait_until(condition)
        for _ in range(times):
            stop.request("SIGINT")

    threading.Thread(target=wait, daemon=True).start()


def test_asked_to_stop_the_first_one_hears_it_and_its_words_are_the_jobs(call, tmp_path):
    stop = Stop()
    stop_when(lambda: len(notes(tmp_path)) == 2, stop)
    with pytest.raises(Interrupted, match="stopped after step 7, says 0"):
        call("listen", stop=stop)
    assert gone(tmp_path)


def test_asked_twice_nobody_is_waited_for(call, tmp_path):
    stop = Stop()
    stop_when(lambda: len(notes(tmp_path)) == 2, stop, times=2)
    begun = time.monotonic()
    with pytest.raises(Interrupted, match="did not stop in time and was killed"):
        call("deaf", stop=stop)
    assert gone(tmp_path)
    assert time.monotonic() - begun < 60


def test_a_wish_that_reaches_another_before_it_listens_is_no_failure(call, tmp_path, monkeypatch):
    monkeypatch.setattr("ablate.execution.together.LAST_WORDS", 0.5)
    with pytest.raises(Interrupted, match="asked to stop"):
        call("warned", who=1)
    assert gone(tmp_path)


def test_when_the_job_itself_is_killed_so_are_its_processes(tmp_path):
    job = Job("one", {"folder": str(tmp_path / "notes")})
    found = []

    def look():
        wait_until(lambda: len(notes(tmp_path)) == 3)
        found.append(notes(tmp_path))
        os.kill(int(found[0][9][0]), signal.SIGKILL)

    threading.Thread(target=look, daemon=True).start()
    (outcome,) = execute([job], "together_work:job_of_two", settings(), logs=tmp_path / "logs")
    assert (outcome.state, outcome.reason, outcome.tries) == ("failed", "RuntimeError: tried again", 2)
    wait_until(lambda: gone(tmp_path))


def test_a_pools_job_of_several_processes_fails_with_the_words_of_the_one_that_did(tmp_path):
    job = Job("one", {"folder": str(tmp_path / "notes"), "do": "die", "who": 1, "how": "raise"})
    (outcome,) = execute([job], "together_work:job_of_two", settings(), logs=tmp_path / "logs")
    assert (outcome.state, outcome.reason) == ("failed", "ValueError: a bug in a user's part (process 2 of 2)")
    assert 'raise ValueError("a bug' in outcome.log_tail
