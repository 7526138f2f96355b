"""On a real SLURM cluster of two nodes on this machine: ends, cancellation, preemption, the time limit, a lost command.

Slow: every job starts Python anew. `.ci/run` installs the packages and runs this file.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import slurm_cluster
from execution_helpers import wait_until

from ablate.execution import Job, Settings, Stop, execute
from ablate.execution.engine import engine_of
from ablate.execution.slurm.options import SlurmOptions
from ablate.execution.slurm.queue import ask

pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm_cluster.missing()), reason=slurm_cluster.missing() or "a cluster can be started"),
]
WORK = "execution_work:act"


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    with slurm_cluster.cluster() as environment, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", environment["SLURM_CONF"])
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (Path(__file__).parents[2], Path(__file__).parent))))
        yield


def settings(**options) -> Settings:
    common = {name: options.pop(name) for name in ("workers", "hours", "timeout", "memory_gb") if name in options}
    own = SlurmOptions(poll_seconds=0.5, **options)
    return Settings(engine="slurm", threads=1, options=own, **{"workers": 4, **common})


def run(
    folder: Path, how: Settings, stop: Stop | None = None, on_event=None, work: str = WORK, **payloads: dict
) -> dict:
    jobs = [Job(name, payload) for name, payload in payloads.items()]
    outcomes = list(execute(jobs, work, how, logs=folder / "logs", stop=stop, on_event=on_event))
    assert len({outcome.key for outcome in outcomes}) == len(outcomes)
    return {outcome.key: outcome for outcome in outcomes}


def test_each_way_to_end_is_an_outcome_and_the_others_go_on(tmp_path):
    path = str(tmp_path / "written")
    done = {"a": {"do": "write", "path": path}, "c": {"do": "raise"}, "d": {"do": "kill", "path": str(tmp_path / "d")}}
    outcomes = run(tmp_path, settings(), b={"do": "busy"}, **done)
    assert {key: (outcome.state, outcome.reason) for key, outcome in outcomes.items()} == {
        "a": ("done", ""),
        "b": ("busy", "process 1 on here trains it"),
        "c": ("failed", "ValueError: a bug in a user's part"),
        "d": ("failed", "SLURM ended it: FAILED, in 2 tries"),
    }
    assert "in do_raise" in outcomes["c"].log_tail
    assert "Killed" in outcomes["d"].log_tail
    assert (tmp_path / "logs" / "a.log").read_text().startswith("written\n")
    assert len((tmp_path / "written").read_text().splitlines()) == 1
    assert [path.name for path in (tmp_path / "jobs").iterdir()] in ([], ["submit.lock"])


def test_a_job_is_given_what_is_asked_for_it(tmp_path):
    """Read from the queue by the job itself: a word of ours that SLURM never heard would be missing there."""
    asked = settings(
        workers=1,
        hours=0.5,
        memory_gb=1.5,
        partition="urgent",
        account="lab",
        constraint="fast",
        setup=("export FROM_SETUP=heard",),
        extra={"comment": "mine"},
    )
    act = {"do": "tell_what_slurm_gave"}
    outcomes = run(tmp_path, asked, **{name: act | {"path": str(tmp_path / name)} for name in ("a", "b")})
    assert {outcome.state for outcome in outcomes.values()} == {"done"}
    told = {"Partition=urgent", "Account=lab", "Features=fast", "node=two", "setup=heard", "Comment=mine"}
    told |= {"TimeLimit=00:30:00", "MinMemoryNode=1.50G", "NumCPUs=1", "Requeue=1", "ArrayTaskThrottle=1"}
    for name in ("a", "b"):
        assert told - {*(tmp_path / name).read_text().split()} == set()


def test_a_command_that_is_left_finds_its_jobs_again(tmp_path):
    stop, began = Stop(), []

    def leave(event) -> None:
        began.append(event.key)
        stop.request("SIGINT")

    payloads = {
        "a": {"do": "overlap", "path": str(tmp_path), "seconds": 8},
        "b": {"do": "write", "path": str(tmp_path / "b")},
    }
    left = run(tmp_path, settings(workers=1), stop, leave, **payloads)
    assert {outcome.state for outcome in left.values()} == {"left"}
    assert set(left) == {"a", "b"}
    places = engine_of(settings()).under_way(tmp_path / "jobs")
    assert places["a"].state == "running"
    assert places["a"].where in ("one", "two")
    assert (places["b"].state, places["b"].why) == ("waiting", "JobArrayTaskLimit")
    again = run(tmp_path, settings(workers=1), **payloads)
    assert {key: outcome.state for key, outcome in again.items()} == {"a": "done", "b": "done"}
    assert (tmp_path / "seen").read_text() == "1\n"  # `a` ran once
    assert len((tmp_path / "b").read_text().splitlines()) == 1


def test_what_ended_while_nobody_watched_is_told_by_the_next_command(tmp_path):
    stop = Stop()
    stop.request()
    assert run(tmp_path, settings(), stop, a={"do": "raise"})["a"].state == "left"
    wait_until(lambda: engine_of(settings()).under_way(tmp_path / "jobs")["a"].state == "failed")
    begun = time.monotonic()
    assert run(tmp_path, settings(), a={"do": "raise"})["a"].reason == "ValueError: a bug in a user's part"
    assert time.monotonic() - begun < 5  # told from its file, not run again


def test_cancelled_jobs_save_their_place_and_are_interrupted(tmp_path):
    place = tmp_path / "place"

    def cancel(event) -> None:
        if event.kind == "started":
            wait_until(place.exists)
            assert engine_of(settings()).cancel(tmp_path / "jobs") == 2

    outcomes = run(
        tmp_path, settings(workers=1), None, cancel, a={"do": "checkpoint", "path": str(place)}, b={"do": "nothing"}
    )
    assert {key: (outcome.state, outcome.reason) for key, outcome in outcomes.items()} == {
        "a": ("interrupted", "saved at step 7"),
        "b": ("interrupted", "cancelled in SLURM"),
    }
    assert place.read_text() == "saved"


def test_a_preempted_job_saves_its_place_and_runs_on_later(tmp_path):
    place, started = tmp_path / "place", []

    def preempt(event) -> None:
        if event.kind == "started" and not started:  # the first time, whether or not it has written by then
            started.append(event.key)
            wait_until(place.exists)
            for node in ("one", "two"):
                command = ["sbatch", "--partition=urgent", f"--nodelist={node}", "--output=/dev/null", "--wrap=sleep 3"]
                subprocess.run(command, check=True, capture_output=True)

    outcomes = run(tmp_path, settings(), None, preempt, a={"do": "resume", "path": str(place)})
    assert outcomes["a"].state == "done"
    assert place.read_text() == "begun saved begun done"


def test_a_job_at_its_time_limit_saves_its_place_and_goes_on_in_the_queue(tmp_path):
    place = tmp_path / "place"
    outcomes = run(tmp_path, settings(hours=1 / 60, signal_seconds=55), a={"do": "resume", "path": str(place)})
    assert outcomes["a"].state == "done"
    assert place.read_text() == "begun saved begun done"


def test_a_job_that_gets_no_further_within_its_time_limit_fails(tmp_path):
    place = tmp_path / "place"

    def warn(event) -> None:
        """The signal that SLURM sends before the limit."""
        if event.kind == "started":
            wait_until(lambda: place.exists() and place.read_text() != "saved")
            number = engine_of(settings()).under_way(tmp_path / "jobs")["a"].name.removeprefix("job ")
            ask("scancel", "--signal=USR2", number)

    outcome = run(tmp_path, settings(), None, warn, a={"do": "checkpoint", "path": str(place)})["a"]
    assert (outcome.state, outcome.reason) == ("failed", "got no further within its time limit (saved at step 7)")


def test_a_warning_that_comes_while_the_work_is_still_imported_is_heard(tmp_path, monkeypatch):
    """It was lost: the job went on to its limit, and ended there without a place and without a word."""
    place, events = tmp_path / "place", []
    (tmp_path / "slow_to_import.py").write_text(f"""
import time
from pathlib import Path
place = Path({str(place)!r})
if not place.exists():
    place.write_text("imported")
    time.sleep(60)
def act(payload):
    place.write_text("done")
""")
    monkeypatch.syspath_prepend(str(tmp_path))

    def warn(event) -> None:
        events.append(event.kind)
        if events == ["started"]:
            wait_until(place.exists)
            number = engine_of(settings()).under_way(tmp_path / "jobs")["a"].name.removeprefix("job ")
            ask("scancel", "--signal=USR2", number)

    outcome = run(tmp_path, settings(), None, warn, "slow_to_import:act", a={})["a"]
    assert (outcome.state, place.read_text()) == ("done", "done")
    assert events == ["started", "again", "started", "ended"]


def test_the_command_may_be_killed_and_nothing_is_run_twice(tmp_path):
    script = f"""
import sys
from pathlib import Path
from ablate.execution import Job, Settings, execute
from ablate.execution.slurm.options import SlurmOptions
root = Path({str(tmp_path)!r})
jobs = [Job(name, {{"do": "write", "path": str(root / name)}}) for name in "abcd"]
how = Settings(engine="slurm", threads=1, workers=1, options=SlurmOptions(poll_seconds=0.5))
for outcome in execute(jobs, "execution_work:act", how, logs=root / "logs"):
    print(outcome.key, outcome.state, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "a done\n"
        os.kill(first.pid, signal.SIGKILL)
    second = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert {line.split()[1] for line in second.stdout.splitlines()} == {"done"}
    assert all(len((tmp_path / name).read_text().splitlines()) == 1 for name in "bcd")
