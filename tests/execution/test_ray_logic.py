"""What follows from Ray's answers, without Ray: the quick twin of `test_ray_real`."""

import os
import subprocess
import sys
import types
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from ablate.errors import AblateError
from ablate.execution import Job, Outcome, Settings, Stop, execute
from ablate.execution.elsewhere import cancel
from ablate.execution.engine import made
from ablate.execution.onray import engine as module
from ablate.execution.onray.options import RayOptions
from ablate.execution.onray.ticket import ticket

KEYS = [f"{number:08x}" for number in range(200)]


class Lost(Exception):
    """Stands for every error of Ray's."""


@dataclass(eq=False)
class Ref:
    """A task. mark: the file that it writes when it begins."""

    job: Job
    mark: Path


class StandIn(types.ModuleType):
    """A module `ray` whose tasks end by themselves, three a look. lost: keys whose node dies the first time."""

    def __init__(self, lost=()):
        super().__init__("ray")
        self.lost, self.given, self.most, self.functions, self.looks = set(lost), [], 0, 0, 0
        self.alive: list = []
        names = ("TaskCancelledError", "NodeDiedError", "RayTaskError", "RayError")
        self.exceptions = types.SimpleNamespace(**{name: type(name, (Lost,), {}) for name in names})

    def is_initialized(self):
        return True

    def remote(self, **asked):
        self.functions += 1
        return lambda perform: types.SimpleNamespace(remote=self.give)

    def give(self, order, job):
        ref = Ref(job, Path(order.begun) / job.key)
        self.given.append(job.key)
        self.alive.append(ref)
        self.most = max(self.most, len(self.alive))
        return ref

    def wait(self, refs, *, num_returns, timeout):
        self.looks += 1
        ready = refs[:3]
        for ref in ready:
            ref.mark.touch()
        return ready[:num_returns], refs[num_returns:]

    def get(self, ref):
        self.alive.remove(ref)
        if ref.job.key in self.lost:
            self.lost.remove(ref.job.key)
            raise self.exceptions.NodeDiedError("node 7 is gone")
        return Outcome(ref.job.key, "done")


@pytest.fixture
def stand_in(monkeypatch):
    def put(kind=StandIn, **how) -> StandIn:
        ray = kind(**how)
        monkeypatch.setitem(sys.modules, "ray", ray)
        monkeypatch.setattr("ablate.execution.engine.find_spec", lambda name: object())
        return ray

    return put


def test_hundreds_of_jobs_are_each_done_once_with_no_more_than_the_workers_at_a_time(tmp_path, stand_in):
    ray = stand_in(lost=KEYS[::10])
    events: Counter = Counter()
    settings = Settings(engine="ray", workers=20)
    jobs = [Job(key, {}) for key in KEYS]
    tell = lambda event: events.update([event.kind])  # noqa: E731
    ended = [outcome.key for outcome in execute(jobs, "work:it", settings, logs=tmp_path / "logs", on_event=tell)]
    assert sorted(ended) == KEYS
    assert Counter(ray.given) == Counter(KEYS) + Counter(KEYS[::10])
    assert ray.given[:20] == KEYS[:20]
    assert ray.most <= 20
    assert ray.functions == 1  # each would be sent to every node
    assert ray.looks < 200  # what has ended is taken together
    assert events == {"started": 220, "again": 20, "ended": 200}
    assert list((tmp_path / "jobs").glob("*")) == []


class Endless(StandIn):
    """The first task ends by itself, all others when they are asked to."""

    def __init__(self):
        super().__init__()
        self.asked: list[str] = []

    def wait(self, refs, *, num_returns, timeout):
        for ref in refs:
            ref.mark.touch()
        ready = [ref for ref in refs if ref.job.key in (KEYS[0], *self.asked)]
        return ready[:num_returns], []

    def cancel(self, ref, *, force):
        self.asked.append(ref.job.key)

    def get(self, ref):
        asked = ref.job.key in self.asked
        return Outcome(ref.job.key, "interrupted", "after step 3") if asked else Outcome(ref.job.key, "done")


def test_another_terminal_stops_a_command_which_asks_its_runs_and_begins_no_other(tmp_path, stand_in):
    ray, cancelled = stand_in(kind=Endless), []

    def tell(event) -> None:
        if event.kind == "started" and event.key == KEYS[2]:
            cancelled.append(cancel(tmp_path / "jobs"))

    jobs, stop = [Job(key, {}) for key in KEYS[:6]], Stop()
    how = Settings(engine="ray", workers=2)
    outcomes = list(execute(jobs, "work:it", how, logs=tmp_path / "logs", on_event=tell, stop=stop))
    assert {outcome.key: outcome.state for outcome in outcomes} == {
        KEYS[0]: "done",
        KEYS[1]: "interrupted",
        KEYS[2]: "interrupted",
    }
    assert ray.given == KEYS[:3]
    assert ray.asked == KEYS[1:3]  # each once
    assert cancelled == [5]  # two that run and three that wait; the one that has ended is none of them
    assert (stop.requested, stop.at_once) == (True, False)
    assert cancel(tmp_path / "jobs") == 0


class WithoutData(Endless):
    """A node finds no data for the first task, and none for those that are asked to stop."""

    def get(self, ref):
        if ref.job.key == KEYS[0]:
            return Outcome(ref.job.key, "failed", "node 7 sees no data", cause="machine")
        return super().get(ref)


def test_a_node_without_the_data_ends_the_command_since_it_would_fail_run_after_run(tmp_path, stand_in):
    ray, outcomes = stand_in(kind=WithoutData), {}
    how = Settings(engine="ray", workers=2)
    with pytest.raises(AblateError, match="--engine ray: node 7 sees no data") as told:  # noqa: PT012 - what came before
        for outcome in execute([Job(key, {}) for key in KEYS[:6]], "work:it", how, logs=tmp_path / "logs"):
            outcomes[outcome.key] = outcome.state
    assert "every node must see the data under the same path" in str(told.value)
    assert ray.given == KEYS[:2]
    assert outcomes == {KEYS[1]: "interrupted"}  # and none for the first: it is trained where the data are


class Gone(StandIn):
    """The head of a `ray://` address is lost; Ray's client says so in words of its own."""

    def wait(self, refs, *, num_returns, timeout):
        raise ConnectionError("Failed to reconnect within the reconnection grace period (30s)\nmore of it")


def test_a_connection_that_is_lost_ends_the_command_with_what_to_do(tmp_path, stand_in):
    stand_in(kind=Gone)
    with pytest.raises(AblateError) as told:
        list(execute([Job("aa", {})], "work:it", Settings(engine="ray", workers=2), logs=tmp_path / "logs"))
    assert str(told.value) == (
        "error: --engine ray: the connection to Ray was lost: "
        "Failed to reconnect within the reconnection grace period (30s)\n\n"
        "hint: start Ray again if it has ended, and give the same command: it goes on from the checkpoints"
    )
    assert list((tmp_path / "jobs").glob("*")) == []


class Silent(StandIn):
    """A head that asks for a token, which Ray's client was not told to send."""

    def is_initialized(self):
        return False

    def init(self, **asked):
        raise ConnectionError("ray client connection timeout")


@pytest.mark.parametrize(("token", "mode", "told"), [(True, "", True), (True, "disabled", False), (False, "", False)])
def test_where_nothing_answers_a_token_is_named_that_the_head_may_ask_for(
    tmp_path, stand_in, monkeypatch, token, mode, told
):
    stand_in(kind=Silent)
    monkeypatch.setattr(module, "TOKEN", tmp_path / "auth_token")
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    if mode:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    if token:
        (tmp_path / "auth_token").touch()
    how = Settings(engine="ray", options=RayOptions(address="ray://head:10001"))
    with pytest.raises(AblateError, match="no Ray answers: ray client connection timeout") as error:
        list(execute([Job("aa", {})], "work:it", how, logs=tmp_path / "logs"))
    assert "`ray start --head`" in str(error.value)
    assert ("RAY_AUTH_MODE=token" in str(error.value)) == told


def test_the_engine_loads_where_there_is_no_home():
    """As in a container whose user is in no list of users."""
    code = "import os, pwd; del os.environ['HOME']; pwd.getpwuid = {}.__getitem__; import ablate.execution.onray.engine"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_what_waits_in_ray_is_known_by_its_command_and_forgotten_with_it(tmp_path):
    engine = made(Settings(engine="ray"))
    with ticket(tmp_path, ["aa", "bb"]) as own:
        places = engine.under_way(tmp_path)
        assert {key: place.state for key, place in places.items()} == {"aa": "waiting", "bb": "waiting"}
        assert places["aa"].name.startswith("Ray, of process ")
        (own.marks / "aa").touch()
        assert set(engine.under_way(tmp_path)) == {"bb"}
        own.unmark("aa")
        assert set(engine.under_way(tmp_path)) == {"aa", "bb"}
    assert engine.under_way(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_what_a_command_that_died_left_is_cleared_by_the_next(tmp_path):
    left = tmp_path / "ray-01234567"
    (left / "begun").mkdir(parents=True)
    (left / "keys.json").write_text('["aa"]')
    assert made(Settings(engine="ray")).under_way(tmp_path) == {}
    with ticket(tmp_path, ["bb"]):
        assert set(made(Settings(engine="ray")).under_way(tmp_path)) == {"bb"}
        assert not left.exists()


def test_a_task_works_in_the_commands_folder_and_hears_the_wish_to_stop_below_one_that_ignores_ctrl_c(tmp_path):
    """As one does that a script began in the background: its workers inherit that. Ray may be begun elsewhere."""
    script = f"""
import os, signal, sys
os.chdir("/")
signal.signal(signal.SIGINT, signal.SIG_IGN)
from ablate.execution import Job
from ablate.execution.onray.tasks import Order, perform
place = {str(tmp_path)!r}
order = Order("execution_work:act", logs=place, begun=place, threads=1, timeout=None, path=tuple(sys.path), cwd=place)
assert perform(order, Job("a", {{"do": "nothing"}})).state == "done"
assert os.path.samefile(os.getcwd(), place)
sys.exit(signal.getsignal(signal.SIGINT) is not signal.default_int_handler)
"""
    here = Path(__file__).parent
    where = os.pathsep.join(map(str, (here.parents[1], here)))
    end = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": where}, check=False)
    assert end.returncode == 0
