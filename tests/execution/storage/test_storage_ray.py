"""What follows from Ray's answers where nodes share nothing but a store, without Ray: losses, a killed command, a node
that cannot use the store, a second command.
"""

from collections import Counter
from pathlib import Path

import pytest
from counting import CountingHome, counting, expected
from planted_store import PlantedStore
from stand_in_ray import StandIn, put_in_place

from ablate.errors import AblateError
from ablate.execution import Job, Settings, Stop, execute
from ablate.execution.engine import made
from ablate.execution.onray import stored, tasks
from ablate.execution.onray.options import RayOptions
from ablate.execution.storage.kept import COMMIT

KEYS = [f"{number:08x}" for number in range(20)]


class Cluster:
    def __init__(self, folder: Path):
        self.folder, self.store, self.ray = folder, PlantedStore(folder / "store"), StandIn()
        self.done: Counter = Counter()
        self.at = lambda key, step: None
        self.events: list[tuple[str, str]] = []
        self.under_way_at_end: list[frozenset[str]] = []
        self.homes = 0
        self.machine()

    def machine(self) -> None:
        """Another one, with an empty folder."""
        self.homes += 1
        self.home = CountingHome(self.folder / f"home{self.homes}" / "toy")

    def step(self, key: str, step: int) -> None:
        self.at(key, step)
        self.done[key, step] += 1

    def command(self, keys=KEYS, stop=None, workers=4):
        settings = Settings(engine="ray", workers=workers, options=RayOptions(storage="file:///planted"))
        jobs = [Job(key, {"key": key, "store": "not here"}) for key in keys]
        root = self.home.root

        def tell(event) -> None:
            self.events.append((event.kind, event.key))
            if event.kind == "ended":
                self.under_way_at_end.append(frozenset(made(settings).under_way(root / "jobs")))

        how = {"logs": root / "logs", "home": self.home, "stop": stop, "on_event": tell}
        return execute(jobs, "work:it", settings, **how)

    def states(self, **how) -> dict[str, str]:
        outcomes = list(self.command(**how))
        assert len({outcome.key for outcome in outcomes}) == len(outcomes)
        return {outcome.key: outcome.state for outcome in outcomes}


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    cluster = Cluster(tmp_path)
    put_in_place(monkeypatch, cluster.ray, cluster.store, tmp_path / "node")
    monkeypatch.setattr(tasks, "resolve", lambda work: counting(cluster.step))
    monkeypatch.setattr(stored, "limit_threads", lambda threads: None)
    return cluster


def all_is_here(cluster: Cluster) -> None:
    assert sorted(cluster.home.received) == KEYS
    assert all(cluster.home.result(key) == expected(key) for key in KEYS)
    assert cluster.home.claims == set()
    assert list((cluster.home.root / "jobs").iterdir()) == []
    assert [path.name for path in (cluster.home.root / "logs").iterdir()] == []
    left = [name for name in cluster.store.names() if "/place-" in name or "probe-" in name]
    assert left == []


def test_each_job_is_done_once_and_comes_home(cluster):
    assert cluster.states() == dict.fromkeys(KEYS, "done")
    assert Counter(cluster.ray.given) == Counter(KEYS)
    assert set(cluster.done.values()) == {1}
    all_is_here(cluster)
    assert str(cluster.folder / "home1") not in cluster.ray.sent
    assert "file:///planted/toy" in cluster.ray.sent


def test_jobs_of_lost_nodes_go_on_from_their_places(cluster):
    lost = set(KEYS[::3])

    def answer(job, do):
        if job.key in lost:
            lost.discard(job.key)
            cluster.at = lambda key, step: stop_at(step, 8)
            do()
            cluster.at = lambda key, step: None
            raise cluster.ray.exceptions.NodeDiedError("node 7 is gone")
        return do()

    cluster.ray.answer = answer
    assert cluster.states() == dict.fromkeys(KEYS, "done")
    assert Counter(cluster.ray.given) == Counter(KEYS) + Counter(KEYS[::3])
    assert {step for (_, step), times in cluster.done.items() if times > 1} == {6, 7}
    assert {key for kind, key in cluster.events if kind == "again"} == set(KEYS[::3])
    all_is_here(cluster)


def stop_at(now: int, step: int) -> None:
    if now == step:
        raise RuntimeError("cut off")


def test_a_node_that_is_lost_just_after_the_commit_costs_nothing(cluster):
    lost = set(KEYS)

    def answer(job, do):
        back = do()
        if job.key in lost:
            lost.discard(job.key)
            raise cluster.ray.exceptions.NodeDiedError("node 7 is gone")
        return back

    cluster.ray.answer = answer
    assert cluster.states() == dict.fromkeys(KEYS, "done")
    assert set(cluster.done.values()) == {1}
    all_is_here(cluster)


def test_a_command_that_was_killed_goes_on_on_another_machine_with_an_empty_folder(cluster):
    answered = []

    def answer(job, do):
        answered.append(job.key)
        if len(answered) == 9:
            cluster.at = lambda key, step: stop_at(step, 13)
            do()
            cluster.at = lambda key, step: None
            raise KeyboardInterrupt  # nothing of this command runs after it
        return do()

    cluster.ray.answer = answer
    with pytest.raises(KeyboardInterrupt):
        list(cluster.command())
    committed = {name.split("/")[-3] for name in cluster.store.names() if name.endswith(COMMIT)}
    assert len(committed) == 8
    cluster.machine()
    cluster.ray.answer, cluster.ray.given = lambda job, do: do(), []
    assert cluster.states() == dict.fromkeys(KEYS, "done")
    assert committed.isdisjoint(cluster.ray.given)
    assert {key for (key, _), times in cluster.done.items() if times > 1} == {answered[-1]}
    assert [step for (_, step), times in cluster.done.items() if times > 1] == [11, 12]
    all_is_here(cluster)


def test_a_result_that_is_not_whole_is_done_again_once_and_then_fails_with_why(cluster):
    def cutting(operation: str, path: str) -> None:
        if path.endswith(COMMIT) and f"/{KEYS[3]}/" in path:
            (cluster.store.folder / path).write_bytes(b'{"files": [')

    cluster.store.after = cutting
    outcomes = {outcome.key: outcome for outcome in cluster.command()}
    bad = outcomes.pop(KEYS[3])
    assert (bad.state, bad.tries) == ("failed", 2)
    assert bad.reason.endswith("commit.json is damaged, in 2 tries")
    assert {outcome.state for outcome in outcomes.values()} == {"done"}
    cluster.store.after = lambda operation, path: None
    cluster.machine()
    assert cluster.states() == dict.fromkeys(KEYS, "done")
    all_is_here(cluster)


def test_a_node_that_cannot_use_the_store_ends_the_command_with_its_name_and_the_cause(cluster):
    nodes = [0]

    def answer(job, do):
        nodes[0] += 1
        if nodes[0] == 3:
            cluster.store.before = refuse
            try:
                return do()
            finally:
                cluster.store.before = lambda operation, path: None
        return do()

    def refuse(operation: str, path: str) -> None:
        raise PermissionError("Access Denied")

    cluster.ray.answer = answer
    with pytest.raises(
        AblateError, match=r"file:///planted/toy/0000000\d: cannot write probe-.*Access Denied, on node "
    ):
        list(cluster.command())
    assert len(cluster.ray.given) < len(KEYS)
    assert cluster.home.claims == set()


def test_a_store_that_the_command_cannot_use_is_told_before_anything_is_given_out(cluster):
    def refuse(operation: str, path: str) -> None:
        raise PermissionError("Access Denied")

    cluster.store.before = refuse
    with pytest.raises(AblateError, match=r"file:///planted/toy: cannot write probe-.*Access Denied"):
        list(cluster.command())
    assert cluster.ray.given == []


def test_what_another_process_trains_is_left_to_it(cluster):
    cluster.home.elsewhere = {KEYS[0], KEYS[1]}
    states = cluster.states()
    assert {key for key, state in states.items() if state == "busy"} == {KEYS[0], KEYS[1]}
    assert sorted(cluster.home.received) == KEYS[2:]


def test_afresh_all_is_done_again(cluster):
    cluster.states()
    cluster.machine()
    cluster.home.fresh = set(KEYS)
    cluster.ray.given.clear()
    assert cluster.states() == dict.fromkeys(KEYS, "done")
    assert sorted(cluster.ray.given) == KEYS
    assert set(cluster.done.values()) == {2}
    all_is_here(cluster)


def test_a_stop_begins_nothing_and_takes_in_what_has_ended(cluster):
    stop = Stop()

    def answer(job, do):
        if len(cluster.ray.given) > 6 and not stop.requested:
            stop.request("SIGINT")
        return do()

    cluster.ray.answer = answer
    states = cluster.states(stop=stop)
    assert 0 < len(states) < len(KEYS)
    assert set(states.values()) == {"done"}
    assert sorted(states) == sorted(cluster.home.received)


def test_how_far_a_job_is_and_where_it_runs_is_written_down_beside_the_study(cluster):
    seen = []

    def looked(refs) -> bool:
        _, job, trip, board = refs[0].do.args
        progress = cluster.home.root / cluster.home.files(job.key).progress
        place = made(Settings(engine="ray")).under_way(cluster.home.root / "jobs").get(job.key)
        seen.append(
            (place.state, place.where, progress.read_text() if progress.exists() else "", len(cluster.home.claims))
        )
        if len(seen) == 1:
            board.tell.remote(job.key, trip.attempt, "node7", "")
        if len(seen) == 2:
            board.tell.remote(job.key, trip.attempt, "node7", "5 of 20")
        if len(seen) == 3:
            board.tell.remote(job.key, "000000-01234567", "node9", "19 of 20")  # of an attempt thought dead
        return len(seen) > 4

    cluster.ray.looked = looked
    assert cluster.states(keys=KEYS[:1]) == {KEYS[0]: "done"}
    assert seen[:4] == [
        ("waiting", "", "", 0),
        ("running", "node7", "", 1),
        ("running", "node7", "5 of 20", 1),
        ("running", "node7", "5 of 20", 1),
    ]
    assert ("started", KEYS[0]) in cluster.events
    assert seen[-1][0] == "running"
    assert len(cluster.under_way_at_end) == 1
    assert cluster.under_way_at_end[0] == frozenset()  # although its command lives
    assert list((cluster.home.root / "logs").iterdir()) == []
