"""`gpus: auto` on Ray: the first job of a kind is given a whole GPU, the others the share that it took. No card here:
what a job took is planted, and Ray is a stand-in whose tasks end in the order in which they were given.
"""

import sys
import types
from dataclasses import dataclass, field

import pytest

from ablate.errors import AblateError
from ablate.execution import Job, Outcome, Settings, execute
from ablate.execution.job import DeviceUse
from ablate.execution.options import Common
from ablate.execution.slurm import submit
from ablate.execution.slurm.options import SlurmOptions

GIB = 2**30
USE = DeviceUse(8 * GIB, 80 * GIB)
SHARE = 0.14
"""(8 GiB and a fifth, and one for CUDA itself) of 80."""
SETTINGS = Settings(engine="ray", workers=100, gpus=1.0, shares=True)


@dataclass(eq=False)
class Ref:
    job: Job
    gpus: float


class Cards(types.ModuleType):
    """A module `ray` that notes what each task asks for. One task ends a look. comes: what becomes of it."""

    def __init__(self, comes):
        super().__init__("ray")
        names = ("TaskCancelledError", "NodeDiedError", "RayTaskError", "RayError")
        self.exceptions = types.SimpleNamespace(**{name: type(name, (Exception,), {}) for name in names})
        self.comes, self.asked, self.orders, self.together = comes, [], [], []

    def is_initialized(self):
        return True

    def remote(self, **asked):
        def task(gpus):
            return types.SimpleNamespace(
                remote=lambda order, job: self.give(order, job, gpus), options=lambda num_gpus: task(num_gpus)
            )

        return lambda perform: task(asked["num_gpus"])

    def give(self, order, job, gpus):
        self.asked.append((job.key, gpus))
        self.orders.append(order)
        return Ref(job, gpus)

    def wait(self, refs, *, num_returns, timeout):
        if timeout:
            self.together.append({ref.job.key for ref in refs})
        return refs[:1], refs[1:]

    def get(self, ref):
        return self.comes(self, ref)


def well(ray, ref):
    return Outcome(ref.job.key, "done")


@dataclass
class Home:
    """What each job took, by key; USE where nothing else is said."""

    uses: dict = field(default_factory=dict)

    def took(self, key):
        return self.uses.get(key, USE)


@pytest.fixture
def carried_out(tmp_path, monkeypatch):
    def run(jobs, comes=well, home=None, how=SETTINGS):
        ray, events = Cards(comes), []
        monkeypatch.setitem(sys.modules, "ray", ray)
        monkeypatch.setattr("ablate.execution.engine.find_spec", lambda name: object())
        given = {"logs": tmp_path / "logs", "on_event": events.append, "home": home or Home()}
        ray.outcomes = {outcome.key: outcome for outcome in execute(jobs, "work:it", how, **given)}
        ray.said = [event.reason for event in events if event.kind in ("told", "again")]
        return ray

    return run


def jobs(*keys: str, took: DeviceUse | None = None) -> list[Job]:
    """Each of the kind of its first letter."""
    return [Job(key, {}, kind=key[0], took=took) for key in keys]


def test_the_first_of_each_kind_is_given_a_whole_gpu_and_the_others_wait_and_ask_for_what_it_took(carried_out):
    ray = carried_out(jobs("a0", "b0", "a1", "b1", "a2"), home=Home({"b0": DeviceUse(39 * GIB, 80 * GIB)}))
    assert ray.asked == [("a0", 1.0), ("b0", 1.0), ("a1", SHARE), ("a2", SHARE), ("b1", 0.6)]
    assert ray.together == [{"a0", "b0"}, {"b0", "a1", "a2"}, {"a1", "a2", "b1"}, {"a2", "b1"}, {"b1"}]
    assert [order.share for order in ray.orders] == [None, None, SHARE, SHARE, 0.6]
    assert ray.said == [
        "a: each run asks for 0.14 of a GPU; a run held 8.0 of 80.0 GiB at its peak",
        "b: each run asks for 0.6 of a GPU; a run held 39.0 of 80.0 GiB at its peak",
    ]
    assert {outcome.state for outcome in ray.outcomes.values()} == {"done"}


def test_what_an_earlier_command_measured_is_asked_for_at_once(carried_out):
    assert carried_out(jobs("a0", "a1", took=USE)).asked == [("a0", SHARE), ("a1", SHARE)]


def test_the_share_is_one_of_the_smallest_gpu_that_is_known_of_and_never_more_than_a_whole_one(carried_out):
    small = [Job("b0", {}, kind="b", took=DeviceUse(2 * GIB, 16 * GIB))]
    ray = carried_out([*small, *jobs("a0", took=USE), *jobs("c0", took=DeviceUse(70 * GIB, 80 * GIB))])
    assert ray.asked == [("b0", 0.22), ("a0", 0.67), ("c0", 1.0)]


def test_a_run_whose_memory_runs_out_on_a_share_is_given_a_whole_gpu_and_so_are_all_of_its_kind(carried_out):
    def full(ray, ref):
        failed = Outcome(ref.job.key, "failed", "out of memory", cause="memory")
        return failed if ref.job.key == "a0" and ref.gpus < 1 else well(ray, ref)

    ray = carried_out(jobs("a0", "a1", "b0", took=USE), full, how=Settings("ray", workers=1, gpus=1.0, shares=True))
    assert ray.asked == [("a0", SHARE), ("a1", 1.0), ("b0", SHARE), ("a0", 1.0)]
    assert "out of memory on 0.14 of a GPU; now on a whole one" in ray.said
    assert {key: outcome.state for key, outcome in ray.outcomes.items()} == dict.fromkeys(("a0", "a1", "b0"), "done")


def test_memory_that_runs_out_on_a_whole_gpu_is_the_runs_end_and_the_next_of_its_kind_is_measured(carried_out):
    def full(ray, ref):
        failed = Outcome(ref.job.key, "failed", "out of memory", cause="memory")
        return failed if ref.job.key == "a0" else well(ray, ref)

    ray = carried_out(jobs("a0", "a1", "a2"), full)
    assert ray.asked == [("a0", 1.0), ("a1", 1.0), ("a2", SHARE)]
    assert (ray.outcomes["a0"].state, ray.outcomes["a2"].state) == ("failed", "done")


def test_a_first_run_whose_node_is_lost_is_still_the_first(carried_out):
    lost = ["a0"]

    def comes(ray, ref):
        if ref.job.key in lost:
            lost.remove(ref.job.key)
            raise ray.exceptions.NodeDiedError("node 7 is gone")
        return well(ray, ref)

    ray = carried_out(jobs("a0", "a1"), comes)
    assert ray.asked == [("a0", 1.0), ("a0", 1.0), ("a1", SHARE)]


def test_where_nothing_was_measured_every_run_is_given_a_whole_gpu(carried_out):
    ray = carried_out(jobs("a0", "a1", "a2"), home=Home(dict.fromkeys(("a0", "a1", "a2"))))
    assert ray.asked == [("a0", 1.0), ("a1", 1.0), ("a2", 1.0)]
    assert ray.together[1] == {"a1", "a2"}
    assert ray.said == ["a: whole GPUs for all runs, since its first one measured no GPU's memory"]


@pytest.mark.parametrize(
    ("said", "gpus"), [({"gpus": 0.25}, 0.25), ({"gpus": 1}, 1.0), ({"gpus": "auto", "devices": 2}, 2.0)]
)
def test_what_is_stated_is_used_as_stated_and_several_devices_are_whole(carried_out, said, gpus):
    common = Common(engine="ray", **said)
    assert not common.shares
    how = Settings("ray", workers=100, gpus=common.whole_gpus, shares=common.shares)
    assert {asked for _, asked in carried_out(jobs("a0", "a1", took=USE), how=how).asked} == {gpus}


def test_slurm_says_that_it_gives_whole_gpus():
    assert (Common(gpus="auto").whole_gpus, Common(gpus="auto").shares) == (1.0, True)
    with pytest.raises(AblateError, match=r"`execution.gpus` is auto, and SLURM gives whole GPUs"):
        submit.parameters(Settings("slurm", gpus=1.0, shares=True), SlurmOptions(), "name", 1)
