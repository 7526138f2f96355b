"""In one process, in order: the failures that leave the process alive are outcomes too."""

import os
import signal
import threading

import pytest
from execution_helpers import settings, wait_until

from ablate.execution import Stop


def test_failures_are_outcomes_and_the_others_finish(run, tmp_path):
    outcomes = run(
        settings(engine="inline"),
        first={"do": "write", "path": str(tmp_path / "pids")},
        raises={"do": "raise"},
        exits={"do": "exit"},
        memory={"do": "memory", "path": str(tmp_path / "memory")},
        busy={"do": "busy"},
        last={"do": "write", "path": str(tmp_path / "pids")},
    )
    assert {key: (outcome.state, outcome.reason) for key, outcome in outcomes.items()} == {
        "first": ("done", ""),
        "raises": ("failed", "ValueError: a bug in a user's part"),
        "exits": ("failed", "SystemExit: 3"),
        "memory": ("failed", "out of memory (MemoryError)"),
        "busy": ("busy", "process 1 on here trains it"),
        "last": ("done", ""),
    }
    assert "in do_raise" in outcomes["raises"].log_tail
    assert {line.split()[0] for line in (tmp_path / "pids").read_text().splitlines()} == {str(os.getpid())}


def test_a_timeout_ends_a_sleeping_run(run):
    outcomes = run(settings(engine="inline", timeout=0.2), slow={"do": "sleep"}, quick={})
    assert (outcomes["slow"].state, outcomes["slow"].reason) == ("failed", "ran longer than 0.2 s")
    assert outcomes["quick"].state == "done"


def send_once_begun(path, number) -> None:
    wait_until(lambda: path.exists() and path.read_text())
    os.kill(os.getpid(), number)


@pytest.fixture
def _interruptible():
    """A worker of the test runner ignores SIGINT, as a program in the background does; here it must be heard."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_a_signal_interrupts_the_run_and_begins_no_other(run, tmp_path):
    for number in (signal.SIGINT, signal.SIGTERM):
        stop = Stop()
        before = signal.getsignal(number)
        path = tmp_path / number.name
        threading.Thread(target=send_once_begun, args=(path, number)).start()
        outcomes = run(settings(engine="inline"), stop=stop, a={"do": "checkpoint", "path": str(path)}, b={})
        assert list(outcomes) == ["a"]
        assert (outcomes["a"].state, outcomes["a"].reason) == ("interrupted", "saved at step 7")
        assert path.read_text() == "saved"
        assert stop.requested
        assert signal.getsignal(number) == before
