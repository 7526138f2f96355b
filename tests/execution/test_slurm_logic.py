"""What follows from SLURM's words, without SLURM: the quick twin of `test_slurm_real`."""

import json
from pathlib import Path

import pytest

from ablate.errors import AblateError
from ablate.execution import Job, Outcome, Settings, Stop, execute
from ablate.execution.engine import Place
from ablate.execution.slurm import engine, queue, submit
from ablate.execution.slurm.options import SlurmOptions
from ablate.execution.slurm.queue import Task
from ablate.execution.slurm.ticket import Ticket, new_ticket, tickets_in, write_outcome

SETTINGS = Settings(engine="slurm", workers=4, options=SlurmOptions(poll_seconds=0.001))


def task(state: str) -> Task:
    return Task("7_0", state, "one", "2026-01-01T00:00:00", "2026-01-01T00:00:00", "None")


class Cluster:
    """Stands where SLURM stands. script: for each try of each job, its states, look by look, then what it says."""

    def __init__(self, **script: list):
        self.script, self.submitted, self.looks = script, [], 0
        self.tries: dict[str, list] = {}

    def submit(self, jobs, work, settings, logs, tickets) -> list[Ticket]:
        ticket = new_ticket(tickets, [job.key for job in jobs])
        for job in jobs:
            self.submitted.append(job.key)
            self.tries[job.key] = [ticket, *self.script[job.key].pop(0)]
        return [ticket]

    def look(self, tickets):
        """A job's next state; an Outcome among its states is what it says from then on."""
        self.looks += 1
        seen = {}
        for key, (ticket, *states) in self.tries.items():
            if isinstance(states[0], Outcome):
                write_outcome(ticket.folder, states.pop(0))
            if states[0] is not None:
                seen[key] = task(states[0])
            self.tries[key] = [ticket, *(states[1:] or states)]
        return seen


@pytest.fixture
def played(tmp_path, monkeypatch):
    """Runs a script and gives what came of it, the events and the cluster."""

    def played(stop: Stop | None = None, on_event=None, **script):
        cluster, events = Cluster(**script), []
        for name in ("submit", "look"):
            monkeypatch.setattr(engine, name, getattr(cluster, name))
        monkeypatch.setattr(engine, "TICK", 0.001)
        monkeypatch.setattr(engine, "LATE_FILES", 0.05)

        def tell(event) -> None:
            events.append((event.kind, event.key))
            if on_event is not None:
                on_event(event)

        monkeypatch.setattr("ablate.execution.engine.find_spec", lambda name: object())
        jobs = [Job(key, {}) for key in script]
        outcomes = execute(jobs, "work:it", SETTINGS, logs=tmp_path / "logs", on_event=tell, stop=stop)
        return {outcome.key: outcome for outcome in outcomes}, events, cluster

    return played


def test_a_job_that_was_put_back_is_waited_for_although_it_said_that_it_was_interrupted(played):
    cut, done = Outcome("aa", "interrupted", "step 3"), Outcome("aa", "done")
    outcomes, events, cluster = played(
        aa=[["PENDING", "RUNNING", cut, "COMPLETING", "PENDING", "RUNNING", done, "COMPLETED"]]
    )
    assert outcomes["aa"].state == "done"
    assert events == [("started", "aa"), ("again", "aa"), ("started", "aa"), ("ended", "aa")]
    assert cluster.submitted == ["aa"]


def test_a_job_that_began_and_ended_between_two_looks_is_told_to_have_started(played):
    _, events, _ = played(aa=[["PENDING", Outcome("aa", "done"), "COMPLETED"]], bb=[["OUT_OF_MEMORY"]])
    assert [kind for kind, key in events if key == "aa"] == ["started", "ended"]
    assert [kind for kind, key in events if key == "bb"] == ["ended"], "it never said that it had begun"


@pytest.mark.parametrize(
    ("states", "state", "reason"),
    [
        (["CANCELLED"], "interrupted", "cancelled in SLURM"),
        (["RUNNING", Outcome("aa", "interrupted", "saved at step 3"), "CANCELLED"], "interrupted", "saved at step 3"),
        (["OUT_OF_MEMORY"], "failed", "out of memory (SLURM ended it: OUT_OF_MEMORY)"),
        (["RUNNING", Outcome("aa", "failed", "a bug"), "FAILED"], "failed", "a bug"),
    ],
)
def test_an_end_that_speaks_for_itself_is_not_tried_again(played, states, state, reason):
    outcomes, _, cluster = played(aa=[states])
    assert (outcomes["aa"].state, outcomes["aa"].reason) == (state, reason)
    assert cluster.submitted == ["aa"]


@pytest.mark.parametrize("state", ["FAILED", "TIMEOUT", None])
def test_an_end_without_a_word_is_tried_once_more(played, state):
    outcomes, events, cluster = played(aa=[[state], [state]])
    word = state or "it left the queue without a word"
    assert outcomes["aa"].reason == f"SLURM ended it: {word}, in 2 tries"
    assert cluster.submitted == ["aa", "aa"]
    assert events == [("again", "aa"), ("ended", "aa")]


def test_a_lost_node_or_preemption_costs_no_try(played):
    ends = [["RUNNING", "NODE_FAIL"], ["PREEMPTED"], ["NODE_FAIL"], ["RUNNING", Outcome("aa", "done"), "COMPLETED"]]
    outcomes, _, cluster = played(aa=ends)
    assert outcomes["aa"].state == "done"
    assert len(cluster.submitted) == 4


def test_a_job_cut_short_is_submitted_again_while_it_gets_on(played):
    """A site that cancels instead of requeueing: the job says where it stopped and is not in the queue any more."""
    cuts = [["RUNNING", Outcome("aa", "interrupted", f"step {step}"), "COMPLETED"] for step in (3, 5)]
    outcomes, _, cluster = played(aa=[*cuts, ["RUNNING", Outcome("aa", "done"), "COMPLETED"]])
    assert outcomes["aa"].state == "done"
    assert len(cluster.submitted) == 3


def test_a_command_that_stops_leaves_its_jobs_and_the_next_takes_them_up(played, tmp_path):
    stop = Stop()
    left, _, cluster = played(stop, lambda event: stop.request(), aa=[["RUNNING"]], bb=[["PENDING"]])
    assert {key: outcome.state for key, outcome in left.items()} == {"aa": "left", "bb": "left"}
    (ticket,) = tickets_in(tmp_path / "jobs")
    write_outcome(ticket.folder, Outcome("aa", "failed", "a bug"))
    cluster.tries = {"bb": [ticket, "RUNNING", Outcome("bb", "done"), "COMPLETED"]}
    jobs = [Job(key, {}) for key in ("aa", "bb")]
    outcomes = {outcome.key: outcome for outcome in execute(jobs, "work:it", SETTINGS, logs=tmp_path / "logs")}
    assert {key: outcome.state for key, outcome in outcomes.items()} == {"aa": "failed", "bb": "done"}
    assert cluster.submitted == ["aa", "bb"]
    assert list(tickets_in(tmp_path / "jobs")) == []


def test_what_was_interrupted_unheard_is_submitted_again(played, tmp_path):
    stop = Stop()
    _, _, cluster = played(stop, lambda event: stop.request(), aa=[["RUNNING"], [Outcome("aa", "done"), "COMPLETED"]])
    (ticket,) = tickets_in(tmp_path / "jobs")
    write_outcome(ticket.folder, Outcome("aa", "interrupted", "cancelled meanwhile"))
    cluster.tries = {}
    (outcome,) = execute([Job("aa", {})], "work:it", SETTINGS, logs=tmp_path / "logs")
    assert outcome.state == "done"
    assert cluster.submitted == ["aa", "aa"]


# ------------------------------------------------------------------ what is asked of the cluster, and what it answers


def test_the_queue_is_read_by_name_and_index_and_the_living_count_before_the_dead(tmp_path, monkeypatch):
    old, new = (new_ticket(tmp_path / "study" / "jobs", keys) for keys in (["aa", "bb"], ["bb"]))
    lines = [
        f"{old.name}|0|7_0|RUNNING|node3|2026-01-01T10:00:00|2026-01-01T09:00:00|None",
        f"{old.name}|1|7_1|NODE_FAIL|node4|2026-01-01T10:00:00|2026-01-01T09:00:00|None",
        f"{new.name}|N/A|8|PENDING||N/A|2026-01-01T11:00:00|Priority",
        "someone-else|0|9_0|RUNNING|node1|x|y|None",
    ]
    monkeypatch.setattr(queue, "ask", lambda *words: "\n".join(lines))
    found = queue.look([old, new])
    assert found["aa"].place == Place("running", "job 7_0", "node3", "2026-01-01T10:00:00")
    assert found["bb"].place == Place("waiting", "job 8", since="2026-01-01T11:00:00", why="Priority")
    assert queue.look([]) == {}


def test_a_command_that_is_not_there_or_fails_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AblateError) as caught:
        queue.ask("squeue")
    assert "slurm: there is no `squeue` here" in str(caught.value)
    with pytest.raises(AblateError, match="failed: no such partition"):
        queue.ask("/bin/sh", "-c", "echo no such partition >&2; exit 1")


def test_what_was_not_said_is_left_to_the_cluster():
    bare = submit.parameters(Settings(engine="slurm", threads=2), SlurmOptions(), "name", 3)
    assert bare == {
        "job_name": "name",
        "cpus_per_task": 2,
        "ntasks_per_node": 1,
        "nodes": 1,
        "array_parallelism": 3,
        "signal_delay_s": 90,
        "stderr_to_stdout": True,
        "additional_parameters": {"requeue": True},
    }
    options = SlurmOptions(account="lab", setup=("module load x",), extra={"reservation": "mine"})
    full = submit.parameters(Settings(gpus=1, memory_gb=1.5, hours=0.5, options=options), options, "name", 3)
    assert (full["time"], full["mem"], full["gpus_per_node"], full["account"]) == (30, "1536M", 1, "lab")
    assert full["additional_parameters"] == {"requeue": True, "reservation": "mine"}
    shared = submit.parameters(Settings(gpus=4, threads=2, processes=4), SlurmOptions(), "name", 3)
    assert (shared["gpus_per_node"], shared["cpus_per_task"], shared["nodes"]) == (4, 8, 1)
    with pytest.raises(AblateError, match=r"`execution.gpus` is 0.5, and SLURM gives whole GPUs"):
        submit.parameters(Settings(gpus=0.5), SlurmOptions(), "name", 1)


def test_a_damaged_ticket_is_passed_over(tmp_path):
    whole = new_ticket(tmp_path, ["aa"])
    (new_ticket(tmp_path, ["bb"]).folder / "ticket.json").write_text("{")
    assert [ticket.name for ticket in tickets_in(tmp_path)] == [whole.name]
    (whole.folder / "ended" / "aa").write_text(json.dumps({"key": "aa"}))
    assert whole.outcome("aa") is None


def test_an_array_is_cut_where_the_cluster_has_a_largest(tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(submit, "most_tasks", lambda: 2)
    monkeypatch.setattr(submit, "_submit", lambda jobs, *rest: sent.append((len(jobs), rest[2])))
    submit.submit([Job(key, {}) for key in "abcde"], "work:it", Settings(workers=6), Path("l"), tmp_path)
    assert sent == [(2, 2), (2, 2), (1, 2)]
