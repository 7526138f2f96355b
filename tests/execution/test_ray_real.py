"""On a real Ray of a head and two nodes on this machine: ends, a lost node, a stop, a killed command.

Slow: Ray takes seconds to start. `.ci/run` installs the extra and runs this file.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import another_host
import pytest
from execution_helpers import alive, wait_until
from ray_cluster import LITTLE, ray_cluster, scaling

from ablate.errors import AblateError
from ablate.execution import Job, Settings, Stop, execute
from ablate.execution.job import DeviceUse
from ablate.execution.onray.options import RayOptions

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (HERE.parents[1], HERE))))
        with ray_cluster() as cluster:
            yield cluster


def run(folder: Path, stop: Stop | None = None, on_event=None, how: Settings | None = None, **payloads: dict) -> dict:
    jobs = [Job(name, payload) for name, payload in payloads.items()]
    how = how or Settings(engine="ray", threads=1, workers=4, grace=20.0)
    outcomes = list(execute(jobs, "execution_work:act", how, logs=folder / "logs", stop=stop, on_event=on_event))
    assert len({outcome.key for outcome in outcomes}) == len(outcomes)
    return {outcome.key: outcome for outcome in outcomes}


@pytest.mark.usefixtures("cluster")
def test_each_way_to_end_is_an_outcome_and_the_others_go_on(tmp_path):
    events: list[tuple[str, str]] = []
    outcomes = run(
        tmp_path,
        on_event=lambda event: events.append((event.kind, event.key)),
        a={"do": "write", "path": str(tmp_path / "a")},
        b={"do": "busy"},
        c={"do": "raise"},
        d={"do": "kill", "path": str(tmp_path / "d")},
        e={"do": "kill_once", "path": str(tmp_path / "e")},
    )
    d = outcomes.pop("d")
    assert {key: (outcome.state, outcome.reason) for key, outcome in outcomes.items()} == {
        "a": ("done", ""),
        "b": ("busy", "process 1 on here trains it"),
        "c": ("failed", "ValueError: a bug in a user's part"),
        "e": ("done", ""),
    }
    assert d.state == "failed"
    assert d.reason.startswith("Ray lost it: WorkerCrashedError")
    assert d.reason.endswith(", in 2 tries")
    assert "in do_raise" in outcomes["c"].log_tail
    assert len((tmp_path / "a").read_text().splitlines()) == 1
    assert len((tmp_path / "d").read_text().splitlines()) == 2
    assert ("again", "e") in events
    assert ("ended", "a") in events


def test_a_job_whose_node_is_lost_is_begun_again_on_another(cluster, tmp_path):
    place, events = tmp_path / "place", []
    doomed = cluster.add_node(**LITTLE, resources={"doomed": 1})
    how = Settings(engine="ray", threads=1, workers=1, options=RayOptions(resources={"doomed": 0.1}))

    def lose(event) -> None:
        events.append(event.kind)
        if event.kind == "started" and "again" not in events:
            wait_until(place.exists)
            cluster.remove_node(doomed, allow_graceful=False)
        if event.kind == "again":
            cluster.add_node(**LITTLE, resources={"doomed": 1})

    outcomes = run(tmp_path, on_event=lose, how=how, a={"do": "slow_once", "path": str(place)})
    assert outcomes["a"].state == "done"
    assert events == ["started", "again", "started", "ended"]
    assert place.read_text() == "begun begun"


def test_a_task_is_given_the_cores_the_share_of_a_gpu_and_the_memory_that_are_asked_for(cluster, tmp_path):
    """The node only claims its GPU."""
    node = cluster.add_node(**LITTLE | {"num_cpus": 2}, num_gpus=1, resources={"asked": 1})
    try:
        options = RayOptions(resources={"asked": 0.5})
        how = Settings(engine="ray", threads=2, workers=1, gpus=0.25, memory_gb=0.5, options=options)
        act = {"do": "tell_what_ray_gave", "path": str(tmp_path / "given")}
        assert run(tmp_path, how=how, a=act)["a"].state == "done"
    finally:
        cluster.remove_node(node)
    given = {"CPU": 2.0, "GPU": 0.25, "memory": 2.0**29, "asked": 0.5, "threads": 2}
    assert json.loads((tmp_path / "given").read_text()) == given


class Measured:
    """A home whose jobs each took a tenth of their GPU."""

    def took(self, key: str) -> DeviceUse:
        return DeviceUse(8 * 2**30, 100 * 2**30)


def test_jobs_share_a_gpu_by_what_the_first_of_them_took_and_one_that_is_full_is_given_a_whole_one(cluster, tmp_path):
    """The node only claims its GPU, and what the first took is planted."""
    card = cluster.add_node(**LITTLE | {"num_cpus": 4}, num_gpus=1)
    try:
        (tmp_path / "gpu").mkdir()
        act = {"do": "share", "folder": str(tmp_path / "gpu")}
        jobs = [Job("a0", act | {"meet": 1}, kind="a")]
        jobs += [Job(f"a{number}", act | {"meet": 3}, kind="a") for number in (1, 2)]
        jobs.append(Job("a3", act | {"meet": 1, "full": True}, kind="a"))
        how = Settings(engine="ray", threads=1, workers=4, gpus=1.0, shares=True)
        events: list[tuple[str, str]] = []
        ended = execute(
            jobs,
            "execution_work:act",
            how,
            logs=tmp_path / "logs",
            home=Measured(),
            on_event=lambda event: events.append((event.kind, event.reason)),
        )
        assert {outcome.key: outcome.state for outcome in ended} == {job.key: "done" for job in jobs}
    finally:
        cluster.remove_node(card)
    assert [one.read_text() for one in (tmp_path / "gpu").iterdir() if one.name != "full"] == ["0"] * 4
    told = [reason for kind, reason in events if kind == "told"]
    assert told == ["a: each run asks for 0.11 of a GPU; a run held 8.0 of 100.0 GiB at its peak"]
    assert ("again", "out of memory on 0.11 of a GPU; now on a whole one") in events
    assert (tmp_path / "logs" / "a1.log").read_text().startswith("on 0.11 of a GPU\n")
    assert "of a GPU\n" not in (tmp_path / "logs" / "a0.log").read_text()


@pytest.mark.timeout(600)
def test_data_are_made_once_on_each_node_whose_runs_need_them(cluster, tmp_path):
    """Two nodes with a cache each: whoever comes first makes the world there, and the others of that node wait."""
    caches = [tmp_path / name for name in ("one", "two")]
    nodes = [
        cluster.add_node(**LITTLE | {"num_cpus": 2}, resources={"cached": 2}, env_vars={"ABLATE_CACHE": str(cache)})
        for cache in caches
    ]
    try:
        data = {"type": "synthetic_v1", "sessions": 1, "units": 4, "frames": 2000, "height": 8, "width": 8}
        data |= {"behaviors": 0, "window": 16, "warmup": 8, "min_spikes": 1, "split": {"blocks": 1}}
        how = Settings(engine="ray", threads=1, workers=8, options=RayOptions(resources={"cached": 1}))
        act = {"do": "open_world", "folder": str(tmp_path), "data": data}
        outcomes = run(tmp_path, how=how, **{f"run{number}": act for number in range(6)})
    finally:
        for node in nodes:
            cluster.remove_node(node)
    assert {outcome.state for outcome in outcomes.values()} == {"done"}, outcomes
    made, opened = ((tmp_path / name).read_text().splitlines() for name in ("made", "opened"))
    assert sorted(made) == sorted(map(str, caches))
    assert (len(opened), set(opened)) == (6, set(made))


@pytest.mark.usefixtures("cluster")
def test_a_stop_lets_running_jobs_save_their_place_and_begins_no_other(tmp_path):
    stop, place = Stop(), tmp_path / "place"

    def ask() -> None:
        wait_until(place.exists)
        stop.request("SIGINT")

    threading.Thread(target=ask).start()
    how = Settings(engine="ray", threads=1, workers=1, grace=20.0)
    outcomes = run(tmp_path, stop, how=how, a={"do": "checkpoint", "path": str(place)}, b={"do": "nothing"})
    assert list(outcomes) == ["a"]
    assert outcomes["a"].state == "interrupted"
    assert place.read_text() == "saved"


def test_the_command_may_be_killed_and_given_again(cluster, tmp_path):
    script = f"""
from pathlib import Path
from ablate.execution import Job, Settings, execute
from ablate.execution.onray.options import RayOptions
root = Path({str(tmp_path)!r})
jobs = [Job("a", {{"do": "write", "path": str(root / "a")}}), Job("b", {{"do": "slow_once", "path": str(root / "b")}})]
how = Settings(engine="ray", threads=1, workers=1, options=RayOptions(address={cluster.address!r}))
for outcome in execute(jobs, "execution_work:act", how, logs=root / "logs"):
    print(outcome.key, outcome.state, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "a done\n"
        wait_until(lambda: (tmp_path / "b.pid").exists())
        os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: not alive(int((tmp_path / "b.pid").read_text())))  # its task ends with it
    second = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert sorted(second.stdout.splitlines()) == ["a done", "b done"]
    assert (tmp_path / "b").read_text() == "begun begun"


def test_a_cluster_without_cores_on_another_host_grows_by_the_jobs_that_wait(tmp_path):
    """Ray's autoscaler on another host, whose new nodes are processes there (`fake_multinode`, Ray's own for tests)."""
    if why := another_host.missing():
        pytest.skip(why)
    (tmp_path / "scaling.json").write_text(json.dumps(scaling(most=2)))
    (tmp_path / "seen").mkdir()
    act = {"do": "meet", "folder": str(tmp_path / "seen"), "meet": 2}
    with another_host.network() as (name, _, there):
        script = f"""
from pathlib import Path
from ablate.execution import Job, Settings, execute
from ablate.execution.onray.options import RayOptions
how = Settings(engine="ray", threads=1, workers=9, options=RayOptions(address="ray://{there}:{another_host.PORT}"))
jobs = [Job(name, {act!r}) for name in ("a", "b", "c")]
for outcome in execute(jobs, "execution_work:act", how, logs=Path({str(tmp_path)!r}) / "logs"):
    print(outcome.key, outcome.state, outcome.reason)
"""
        path = {"PYTHONPATH": os.pathsep.join(map(str, (HERE.parents[1], HERE)))}
        growing = {"RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1", **path}
        words = (f"--autoscaling-config={tmp_path / 'scaling.json'}",)
        with another_host.ray_there(name, there, tmp_path / "hidden", *words, cores=0, **growing):
            command, given = [sys.executable, "-c", script], {**os.environ, **path}
            end = subprocess.run(command, env=given, capture_output=True, text=True, timeout=200, check=False)
    assert sorted(end.stdout.split()) == ["a", "b", "c", "done", "done", "done"], end.stderr


def test_an_address_where_nothing_answers_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    how = Settings(engine="ray", options=RayOptions(address="127.0.0.1:1"))
    with pytest.raises(AblateError, match="--engine ray: no Ray answers"):
        run(tmp_path, how=how, a={})
