"""A job whose node shares nothing with its command but a store: it goes on from the newest place that is whole, and
counts once its commit and all that this names are there.
"""

import json
import logging
import tempfile
from pathlib import Path

import pytest
from counting import CountingHome, counting, expected
from execution_helpers import wait_until
from planted_store import PlantedStore, cut

from ablate.disk.lock import acquire
from ablate.execution.job import Busy, Job, Outcome
from ablate.execution.storage import mirror
from ablate.execution.storage.away import HELD, Back, Ways, own_folder, work_away
from ablate.execution.storage.depot import Depot, Taken
from ablate.execution.storage.kept import COMMIT, kept

KEY = "0a0b0c0d"
WHOLE = Taken(here=True)


class Stopped(Exception):
    """Ends an attempt in its middle."""


class Lab:
    """A store, a command's folder, and nodes."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.store = PlantedStore(folder / "store")
        self.homes = 0
        self.command()
        self.begun_at: list[int] = []
        self.said: list[str] = []

    def command(self) -> None:
        """Another command, on a machine with an empty folder."""
        self.homes += 1
        self.home = CountingHome(self.folder / f"home{self.homes}" / "toy")
        self.home.root.mkdir(parents=True)
        self.depot = Depot(self.store.bucket("planted://toy"), self.home)
        self.depot.look()

    def attempt(self, at=lambda key, step: None, trip=None) -> Back:
        first = True

        def noted(key: str, step: int) -> None:
            nonlocal first
            if first:
                self.begun_at.append(step)
            first = False
            at(key, step)

        trip = trip or self.depot.trip(KEY)
        ways = Ways(say=self.said.append, printing=lambda log: None, opened=self.store.bucket)
        return work_away(trip, Job(KEY, {"key": KEY, "store": "not here"}), counting(noted), None, ways)

    def attempts(self) -> list[str]:
        return sorted({name.split("/")[2] for name in self.store.names()})

    def take_in(self) -> Taken:
        return self.depot.take_in_what_is_there(KEY)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "node").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "node"))
    monkeypatch.setattr(mirror, "SECONDS_BETWEEN_PLACES", 0.01)
    monkeypatch.setattr(mirror, "SECONDS_BETWEEN_WORDS", 0.01)
    return Lab(tmp_path)


def stopping_after(step: int):
    def at(key: str, now: int) -> None:
        if now > step:
            raise Stopped("a bug")

    return at


def test_a_job_comes_home_by_its_commit_and_leaves_in_the_store_its_result_alone(lab):
    back = lab.attempt()
    assert (back.outcome.state, back.refused, back.lost) == ("done", None, "")
    assert lab.take_in() == WHOLE
    assert lab.home.result(KEY) == expected(KEY)
    assert lab.home.claims == set()
    (attempt,) = lab.attempts()
    names = kept(name.removeprefix(f"toy/{KEY}/") for name in lab.store.names())
    assert (names.commits, names.places) == ((attempt,), ())
    assert len(names.names) == 3  # two files and what tells of them
    assert lab.said[0] == ""


def test_a_job_that_ended_early_goes_on_from_its_newest_place(lab):
    assert lab.attempt(stopping_after(12)).outcome.state == "failed"
    lab.depot.look()
    assert lab.attempt().outcome.state == "done"
    assert lab.begun_at == [1, 11]
    assert lab.take_in() == WHOLE
    assert lab.home.result(KEY) == expected(KEY)


def test_a_place_is_sent_while_the_job_works_and_the_last_two_of_an_attempt_stay(lab):
    def at(key: str, step: int) -> None:
        if step in (6, 11, 16):
            wait_until(lambda: any(f"step-{step - 1:09d}" in name for name in lab.store.names()))

    def dying(key: str, step: int) -> None:
        at(key, step)
        if step == 17:
            wait_until(lambda: "16 of 20" in lab.said)
            raise Stopped

    lab.attempt(dying)
    places = [name.split("/")[-1] for name in lab.store.names() if "/place-" in name]
    assert places == ["place-step-000000010.json", "place-step-000000015.json"]
    assert len(lab.store.names()) == 4
    lab.depot.look()
    lab.attempt()
    assert lab.begun_at == [1, 16]


@pytest.mark.parametrize("which", ["its file", "what tells of it"])
def test_a_place_whose_upload_was_cut_is_passed_over_for_the_one_before(lab, which, capfd):
    lab.attempt(stopping_after(7))
    lab.depot.look()
    lab.attempt(stopping_after(12))
    newest = max(name for name in lab.store.names() if "step-000000010" in name)
    told = json.loads((lab.store.folder / newest).read_text())["files"][0]["blake2b"]
    cut(lab.store, newest if which == "what tells of it" else newest.replace(newest.split("/")[-1], told))
    lab.depot.look()
    lab.attempt()
    assert lab.begun_at == [1, 6, 6]
    assert "is passed over: " in capfd.readouterr().out
    assert lab.take_in() == WHOLE


def test_a_result_whose_upload_was_cut_has_no_commit_and_is_never_read(lab):
    def cutting(operation: str, path: str) -> None:
        if operation == "put_file":
            cut(lab.store, path)
            raise PermissionError("the token has run out")

    lab.store.after = cutting
    back = lab.attempt()
    assert back.outcome.state == "done"
    assert "the token has run out" in back.lost
    assert not any(name.endswith(COMMIT) for name in lab.store.names())
    assert lab.take_in() == Taken(here=False)
    assert lab.home.received == []


def damage(store: PlantedStore, how: str) -> None:
    commit = next(name for name in store.names() if name.endswith(COMMIT))
    large = next(p for p in json.loads((store.folder / commit).read_text())["files"] if p["name"] == "large")
    path = (store.folder / commit).with_name(large["blake2b"])
    if how == "missing":
        path.unlink()
    elif how == "cut":
        cut(store, str(path.relative_to(store.folder)))
    elif how == "another":
        path.write_bytes(b"x" * path.stat().st_size)
    elif how == "commit":
        cut(store, commit)
    else:
        told = json.loads((store.folder / commit).read_text())
        told["files"][0]["name"] = how
        (store.folder / commit).write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ("missing", "large is missing"),
        ("cut", "large has 4000 bytes instead of 8000"),
        ("another", "large is not what was written"),
        ("commit", "commit.json is damaged"),
        ("../../elsewhere", "commit.json is damaged"),
        ("sum", "commit.json is damaged"),
    ],
)
def test_a_result_that_is_not_whole_is_told_and_the_whole_one_of_another_attempt_stands(lab, how, fault):
    lab.attempt()
    damage(lab.store, how)
    newest = lab.attempts()[-1]
    assert lab.take_in() == Taken(here=False, fault=f"{newest}: {fault}")
    assert lab.home.received == []
    assert lab.home.claims == set()
    lab.depot.look()
    lab.attempt()
    assert lab.take_in() == WHOLE
    assert lab.home.result(KEY) == expected(KEY)
    assert not (lab.folder / "elsewhere").exists()


def test_what_a_late_listing_hides_costs_time_and_no_more(lab):
    lab.attempt()
    lab.store.hidden = lambda name: True
    assert lab.take_in() == Taken(here=False)
    lab.command()
    lab.attempt()
    assert lab.begun_at == [1, 1]
    assert len(lab.attempts()) == 2  # although both commands counted from one
    lab.store.hidden = lambda name: False
    assert lab.take_in() == WHOLE
    assert lab.home.result(KEY) == expected(KEY)
    assert len(lab.attempts()) == 1


def test_an_attempt_thought_dead_that_comes_back_overwrites_nothing(lab):
    early = lab.depot.trip(KEY)
    lab.attempt(stopping_after(12), trip=early)
    before = {name: (lab.store.folder / name).read_bytes() for name in lab.store.names()}
    lab.depot.look()
    late = lab.depot.trip(KEY)
    assert late.attempt > early.attempt
    lab.attempt(trip=late)
    assert {name: (lab.store.folder / name).read_bytes() for name in before} == before
    assert lab.take_in() == WHOLE
    committed = lab.store.names()
    lab.attempt(trip=early)  # its node was only cut off
    assert set(committed) < set(lab.store.names())
    lab.command()
    assert lab.depot.look()[KEY].commits == (late.attempt, early.attempt)
    assert lab.take_in() == WHOLE
    assert lab.home.result(KEY) == expected(KEY)
    assert lab.store.names() == committed


def test_a_command_on_another_machine_takes_in_what_is_committed(lab):
    lab.attempt()
    lab.command()
    assert lab.take_in() == WHOLE
    lab.command()  # and so does the next, since the result stays
    assert lab.take_in() == WHOLE
    assert lab.home.result(KEY) == expected(KEY)


def test_what_another_process_does_or_has_done_is_not_taken_in(lab):
    lab.attempt()
    lab.home.elsewhere.add(KEY)
    with pytest.raises(Busy):
        lab.take_in()
    assert lab.home.received == []


def test_afresh_nothing_earlier_is_begun_from_or_taken_in_however_late_it_was_written(lab):
    early = lab.depot.trip(KEY)
    lab.attempt(stopping_after(12), trip=early)
    lab.command()
    lab.home.fresh.add(KEY)
    lab.depot.forget(KEY)
    assert lab.store.names() == []
    lab.attempt(trip=early)
    lab.attempt(stopping_after(7))
    assert lab.begun_at == [1, 1, 1]
    assert lab.take_in() == Taken(here=False)  # the early attempt's commit is left aside
    lab.attempt()
    assert lab.begun_at[-1] == 6


def test_a_place_that_another_engine_has_saved_here_goes_along(lab):
    place = lab.home.root / "places" / KEY
    place.mkdir(parents=True)
    (place / "step-000000015").write_text("of the pool")
    lab.attempt()
    assert lab.begun_at == [16]


def test_a_job_whose_node_cannot_use_the_store_is_not_begun(lab):
    lab.store.before = lambda operation, path: (_ for _ in ()).throw(PermissionError("Access Denied"))
    back = lab.attempt()
    assert back.refused is not None
    assert back.refused.where == f"planted://toy/{KEY}"
    assert "Access Denied" in back.refused.what
    assert ", on node " in back.refused.what
    assert (lab.begun_at, lab.said) == ([], [])


def test_an_outage_while_a_job_works_costs_places_and_not_the_job(lab, caplog):
    down = [False]
    lab.store.waits = (0.01, 0.01)

    def at(key: str, step: int) -> None:
        down[0] = 5 <= step <= 12
        if step == 12:
            wait_until(lambda: "this place is not kept" in caplog.text)

    def before(operation: str, path: str) -> None:
        if down[0]:
            raise ConnectionError("no route to host")

    lab.store.before = before
    with caplog.at_level(logging.WARNING):
        assert lab.attempt(at).outcome.state == "done"
    assert lab.take_in() == WHOLE


def test_each_task_has_a_folder_of_its_own_and_those_of_killed_ones_are_swept(lab):
    with own_folder("aa") as first, own_folder("aa") as second:
        assert first != second
        assert first.is_dir()  # the second has swept already
        assert second.is_dir()
    assert not first.exists()
    left, lives = first.parent / "left", first.parent / "lives"
    left.mkdir()
    lives.mkdir()
    held = acquire(lives / HELD)
    with own_folder("bb"):
        assert not left.exists()
        assert lives.exists()
    held.release()


def test_a_job_that_leaves_no_result_is_told(lab):
    trip = lab.depot.trip(KEY)
    ways = Ways(printing=lambda log: None, opened=lab.store.bucket)
    back = work_away(trip, Job(KEY, {}), lambda payload: None, None, ways)
    assert back == Back(Outcome(KEY, "done", seconds=back.outcome.seconds), lost="it left no result")
