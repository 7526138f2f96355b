"""Every run in its own process: whatever one does to itself, the others finish."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from execution_helpers import alive, settings, wait_until

from ablate.errors import AblateError
from ablate.execution import Job, Stop, execute, memory, pool
from ablate.execution.launch import ForkServer, UnsafeFork

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

PARENT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from ablate.execution import Job, Settings, Stop, execute
folder, start, do = Path(sys.argv[2]), sys.argv[3], sys.argv[4]
jobs = [Job(name, {"do": do, "path": str(folder / name), "seconds": 60}) for name in ("a", "b")] + [Job("c", {})]
stop = Stop()
how = Settings(workers=2, preload=(), start=start, threads=1, grace=float(sys.argv[5]))
for outcome in execute(jobs, "execution_work:act", how, logs=folder, stop=stop):
    print(outcome.key, outcome.state, outcome.reason, flush=True)
print("stopped by", stop.name, flush=True)
"""


def parent(folder: Path, start: str, do: str, grace: float = 20) -> subprocess.Popen:
    """A process that runs two jobs and has a third waiting; the jobs have begun."""
    command = [sys.executable, "-c", PARENT, str(HERE), str(folder), start, do, str(grace)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: all((folder / name).exists() and (folder / name).read_text() for name in "ab"))
    return process


@pytest.fixture(params=["fork", "spawn"])
def start(request) -> str:
    return request.param


def test_each_way_to_die_is_an_outcome_and_the_others_finish(run, tmp_path, start):
    outcomes = run(
        settings(workers=2, start=start),
        first={"do": "write", "path": str(tmp_path / "first")},
        raises={"do": "raise"},
        exits={"do": "exit", "status": 3},
        exits_with_words={"do": "exit", "status": "no such file"},
        exits_well={"do": "exit", "status": 0},
        exits_hard={"do": "hard_exit"},
        crashes={"do": "crash"},
        killed={"do": "kill", "path": str(tmp_path / "killed")},
        memory={"do": "memory", "path": str(tmp_path / "memory")},
        gpu={"do": "gpu_memory"},
        busy={"do": "busy"},
        last={"do": "write", "path": str(tmp_path / "last")},
    )
    assert {key: (outcome.state, outcome.reason, outcome.tries) for key, outcome in outcomes.items()} == {
        "first": ("done", "", 1),
        "raises": ("failed", "ValueError: a bug in a user's part", 1),
        "exits": ("failed", "exit status 3", 1),
        "exits_with_words": ("failed", "exit status no such file", 1),
        "exits_well": ("done", "", 1),
        "exits_hard": ("failed", "exit status 9", 1),
        "crashes": ("failed", "killed by SIGSEGV", 1),
        "killed": ("failed", "killed by SIGKILL, also when run alone (often the system's out-of-memory killer)", 2),
        "memory": ("failed", "out of memory, also when run alone (MemoryError)", 2),
        "gpu": (
            "failed",
            "out of memory, also when run alone (RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB)",
            2,
        ),
        "busy": ("busy", "process 1 on here trains it", 1),
        "last": ("done", "", 1),
    }
    assert "Segmentation fault" in outcomes["crashes"].log_tail
    assert outcomes["raises"].log_tail.startswith("before\nTraceback")
    assert outcomes["first"].log_tail == "written"
    assert (tmp_path / "killed").read_text() == (tmp_path / "memory").read_text() == "tried\ntried\n"
    assert all(outcome.seconds > 0 and outcome.peak_bytes > 0 for outcome in outcomes.values())


def test_every_job_has_a_process_of_its_own(run, tmp_path):
    path = str(tmp_path / "pids")
    run(settings(workers=2), **{name: {"do": "write", "path": path} for name in "abcdef"})
    pids = {line.split()[0] for line in Path(path).read_text().splitlines()}
    assert len(pids) == 6
    assert str(os.getpid()) not in pids


def test_what_was_killed_for_memory_succeeds_alone(run, tmp_path):
    events = []
    outcomes = run(
        settings(workers=2),
        on_event=lambda event: events.append((event.kind, event.key)),
        big={"do": "kill_once", "path": str(tmp_path / "big")},
        small={"do": "sleep", "seconds": 0.3},
    )
    assert (outcomes["big"].state, outcomes["big"].tries) == ("done", 2)
    assert events.index(("again", "big")) < events.index(("ended", "small"))
    assert events[-2:] == [("started", "big"), ("ended", "big")]


def test_a_run_past_its_timeout_is_ended_even_if_it_ignores_sigterm(run, tmp_path, start):
    timeout = {"fork": 1, "spawn": 12}[start]  # a busy machine takes seconds to spawn `quick`
    outcomes = run(
        settings(workers=3, timeout=timeout, grace=0.5, start=start),
        sleeps={"do": "sleep"},
        deaf={"do": "deaf", "path": str(tmp_path / "deaf")},
        quick={},
    )
    assert outcomes["sleeps"].state == outcomes["deaf"].state == "failed"
    assert outcomes["sleeps"].reason == outcomes["deaf"].reason == f"ran longer than {timeout} s"
    assert outcomes["quick"].state == "done"
    assert not alive(int((tmp_path / "deaf").read_text()))


def test_no_more_run_at_once_than_asked_for(run, tmp_path):
    run(settings(workers=2), **{f"job{i}": {"do": "overlap", "path": str(tmp_path)} for i in range(6)})
    seen = [int(line) for line in (tmp_path / "seen").read_text().split()]
    assert max(seen) == 2


def test_no_second_run_starts_when_memory_is_short(run, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "free_host_bytes", lambda: 1)
    jobs = {f"job{i}": {"do": "overlap", "path": str(tmp_path), "seconds": 0.05} for i in range(4)}
    assert all(outcome.state == "done" for outcome in run(settings(workers=2), first={}, **jobs).values())
    seen = [int(line) for line in (tmp_path / "seen").read_text().split()]
    assert len(seen) == 4
    assert max(seen[1:]) == 1  # what the first needed is known by then


def test_no_second_run_starts_on_a_device_whose_memory_is_short(run, tmp_path, monkeypatch):
    monkeypatch.setattr(pool, "free_device_bytes", lambda device: 2**40 if device == "roomy" else 2**41)
    do = {"do": "overlap", "path": str(tmp_path), "seconds": 0.05}
    jobs = {f"job{i}": do | {"peak_of": str(tmp_path / "logs" / f"job{i}.peak")} for i in range(4)}
    run(settings(workers=1, devices=("roomy",)), **jobs)
    assert not list((tmp_path / "logs").glob("*.peak"))
    (tmp_path / "seen").unlink()
    assert len(run(settings(workers=2, devices=("roomy",)), **jobs)) == 4
    seen = [int(line) for line in (tmp_path / "seen").read_text().split()]
    assert max(seen[2:]) == 1  # what the first two needed is known by then


@pytest.mark.parametrize(("busy", "most"), [(0.3, 3), (0.95, 1)])
def test_a_device_is_packed_as_far_as_it_is_idle(run, tmp_path, monkeypatch, busy, most):
    state = memory.DeviceState(free=2**40, taken=2**30, busy=busy)
    for name, value in {"device_state": lambda device: state, "SETTLED": 0.0, "SAMPLE": 0.0, "FEWEST": 1}.items():
        monkeypatch.setattr(memory, name, value)
    jobs = {f"job{i}": {"do": "overlap", "path": str(tmp_path), "seconds": 1.0} for i in range(5)}
    run(settings(workers=3, devices=("0",), packs=True), **jobs)
    seen = [int(line) for line in (tmp_path / "seen").read_text().split()]
    assert max(seen) == most


def test_runs_are_spread_over_the_devices(run, tmp_path):
    path = str(tmp_path / "seen")
    run(settings(workers=2, devices=("0", "1")), **{f"job{i}": {"do": "write", "path": path} for i in range(2)})
    assert sorted(line.split()[1] for line in Path(path).read_text().splitlines()) == ["0", "1"]


def test_a_worker_has_torch_already_and_its_threads_are_bounded(run, tmp_path):
    outcomes = run(
        settings(threads=2, preload=("torch",), start="fork"), a={"do": "threads", "path": str(tmp_path / "a")}
    )
    assert outcomes["a"].state == "done"
    assert (tmp_path / "a").read_text() == "loaded 2 2"


def test_processes_that_a_run_leaves_behind_are_ended_with_it(run, tmp_path, start):
    outcomes = run(settings(start=start), a={"do": "grandchild", "path": str(tmp_path / "pid")})
    assert outcomes["a"].state == "done"
    wait_until(lambda: not alive(int((tmp_path / "pid").read_text())))


def test_a_killed_server_is_started_again_and_its_runs_with_it(run, tmp_path):
    outcomes = run(
        settings(workers=2, start="fork"),
        a={"do": "server_dies", "path": str(tmp_path / "a")},
        b={"do": "sleep", "seconds": 0.5},
        c={},
    )
    assert {outcome.state for outcome in outcomes.values()} == {"done"}


@pytest.mark.parametrize("do", ["deaf", "grandchild"])
def test_a_killed_parent_leaves_no_orphans(tmp_path, start, do):
    process = parent(tmp_path, start, do)
    pids = [int((tmp_path / name).read_text()) for name in "ab"]
    assert all(alive(pid) for pid in pids)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_until(lambda: not any(alive(pid) for pid in pids))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_running_jobs_save_their_place_and_begins_no_other(tmp_path, start, number):
    process = parent(tmp_path, start, "checkpoint")
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert sorted(said.splitlines()) == [
        "a interrupted saved at step 7",
        "b interrupted saved at step 7",
        f"stopped by {number.name}",
    ]
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "saved"


def test_what_does_not_stop_within_the_grace_is_killed(tmp_path):
    process = parent(tmp_path, "fork", "deaf", grace=0.3)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert said.splitlines()[:2] in (
        [f"{name} interrupted did not stop in time and was killed" for name in order] for order in ("ab", "ba")
    )


def test_a_second_signal_does_not_wait(tmp_path):
    process = parent(tmp_path, "fork", "deaf", grace=600)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


def test_a_stop_can_be_asked_for_from_another_thread(run, tmp_path):
    stop, path = Stop(), tmp_path / "a"

    def ask() -> None:
        wait_until(lambda: path.exists() and path.read_text())
        stop.request()

    threading.Thread(target=ask).start()
    outcomes = run(settings(), stop=stop, a={"do": "checkpoint", "path": str(path)}, b={})
    assert list(outcomes) == ["a"]
    assert (outcomes["a"].state, outcomes["a"].reason) == ("interrupted", "saved at step 7")


def test_leaving_early_ends_what_runs(tmp_path):
    jobs = [Job("a", {}), Job("b", {"do": "deaf", "path": str(tmp_path / "b")})]
    outcomes = execute(jobs, "execution_work:act", settings(workers=2), logs=tmp_path)
    assert next(outcomes).key == "a"
    wait_until(lambda: (tmp_path / "b").exists() and (tmp_path / "b").read_text())
    outcomes.close()
    wait_until(lambda: not alive(int((tmp_path / "b").read_text())))


def test_signal_handlers_are_as_before_when_all_is_done(run):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run(settings(), a={})
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_module_that_cannot_be_preloaded_is_told(tmp_path):
    with pytest.raises(AblateError, match="could not start: ModuleNotFoundError: No module named 'no_such_module'"):
        list(execute([Job("a", {})], "no_such_module:f", settings(), logs=tmp_path))


def test_a_function_that_does_not_exist_fails_the_job(run, tmp_path):
    (outcome,) = execute([Job("a", {})], "execution_work:nowhere", settings(), logs=tmp_path)
    assert outcome.state == "failed"
    assert outcome.reason.startswith("cannot find execution_work:nowhere")


def test_a_server_with_threads_is_not_forked(tmp_path, monkeypatch):
    (tmp_path / "threaded_module.py").write_text(
        "import threading, time\n" + "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnsafeFork, match="a preloaded module has started 1 threads"):
        ForkServer({"preload": ["threaded_module"], "prepare": "", "prepare_with": {}}, 1)
    (outcome,) = execute(
        [Job("a", {})], "execution_work:act", settings(preload=("threaded_module",)), logs=tmp_path / "logs"
    )
    assert outcome.state == "done"


@pytest.mark.parametrize("how", ["well", "wrong", "threads"])
def test_what_is_prepared_is_opened_once_for_all_jobs_and_is_never_needed(run, tmp_path, how):
    path = tmp_path / "told"
    shared = settings(workers=2, start="fork", prepare="execution_work:prepare", prepare_with={"how": how})
    outcomes = run(shared, **{name: {"do": "tell_opened", "path": str(path)} for name in "abc"})
    assert {outcome.state for outcome in outcomes.values()} == {"done"}
    told = [line.split() for line in path.read_text().splitlines()]
    assert len({server for _, server in told}) == 1
    for opened_by, server in told:
        assert opened_by == (server if how == "well" else "None")  # threads could not be forked: done without


def test_a_job_key_cannot_lead_out_of_the_log_folder(tmp_path):
    with pytest.raises(AblateError, match="cannot be a job key"):
        list(execute([Job("../a", {})], "execution_work:act", settings(), logs=tmp_path))


def test_a_log_that_cannot_be_written_stops_no_job(run, tmp_path):
    (tmp_path / "logs" / "a.log").mkdir(parents=True)
    assert run(settings(), a={})["a"].state == "done"


def test_no_jobs_take_no_processes(tmp_path):
    assert list(execute([], "execution_work:act", settings(), logs=tmp_path / "logs")) == []
    assert not (tmp_path / "logs").exists()
