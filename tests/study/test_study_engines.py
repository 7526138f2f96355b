"""A study knows only the Protocol of engines: one that a test registers runs it, leaves it, takes it up again."""

from collections.abc import Iterator

import pytest
from tiny_study import plain, request_of, run_files, write_recipe

from ablate.cli.screen.ending import ending_of, say_end
from ablate.execution import Outcome
from ablate.execution.engine import ENGINES, Entry, Local
from ablate.execution.inline import Inline
from ablate.study.flow import run_study

FILES = ("units.json", "history.jsonl", "weights.safetensors")


class Leaving(Local):
    """An engine that does the first job, and then is stopped while the others run on."""

    def run(self, jobs, work, desk) -> Iterator[Outcome]:
        yield from Inline(self.settings).run(jobs[:1], work, desk)
        desk.stop.request("SIGINT")
        yield from (Outcome(job.key, "left", "goes on") for job in jobs[1:])


class Cancelling(Local):
    """An engine in which somebody cancels every job."""

    def run(self, jobs, work, desk) -> Iterator[Outcome]:
        yield from (Outcome(job.key, "interrupted", "cancelled by hand") for job in jobs)


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    for name, kind in (("leaving", Leaving), ("cancelling", Cancelling)):
        monkeypatch.setitem(ENGINES, name, Entry(f"{__name__}:{kind.__name__}", remote=True))


def test_a_study_whose_runs_are_left_says_so_and_ends_as_if_it_had_not_been(tmp_path, capsys):
    recipe = write_recipe(tmp_path)
    request = request_of(recipe, tmp_path / "out", inline=False, engine="leaving")
    end = run_study(request)
    assert (end.trained, [job.variant for job in end.left], end.interrupted) == (1, ["glm", "fast"], True)
    ending = ending_of(end, request)
    say_end(ending)
    told = capsys.readouterr().err
    root = end.study.store.root
    assert f"2 runs go on without this command. How far: ablate status {root}; cancel: ablate stop {root}" in told
    assert f"take up again: ablate run {recipe} --out {tmp_path / 'out'} --device cpu --engine leaving" in told
    assert ending.exit_code == 130
    whole = run_study(request_of(recipe, tmp_path / "out"))
    straight = run_study(request_of(recipe, tmp_path / "straight"))
    assert plain(whole.study.store) == plain(straight.study.store)
    assert run_files(whole.study.store, *FILES) == run_files(straight.study.store, *FILES)


def test_runs_that_somebody_cancels_leave_an_unfinished_study(tmp_path):
    request = request_of(write_recipe(tmp_path), tmp_path / "out", inline=False, engine="cancelling")
    end = run_study(request)
    assert end.interrupted
    assert {record.reason for record in end.study.store.records()} == {"cancelled by hand"}
    assert ending_of(end, request).state == "interrupted"
