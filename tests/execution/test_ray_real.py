"""On a real Ray of a head and two nodes on this machine: ends, a lost node, a stop, a killed command.

Slow: Ray takes seconds to start. `.ci/run` installs the extra and runs this file.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from execution_helpers import alive, wait_until
from ray_cluster import LITTLE, ray_cluster

from ablate.errors import AblateError
from ablate.execution import Job, Settings, Stop, execute
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


def test_an_address_where_nothing_answers_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    how = Settings(engine="ray", options=RayOptions(address="127.0.0.1:1"))
    with pytest.raises(AblateError, match="--engine ray: no Ray answers"):
        run(tmp_path, how=how, a={})
