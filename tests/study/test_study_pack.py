"""A study that is committed, in a fresh clone: reported, extended and verified without its runs."""

import shutil
from pathlib import Path

import pytest
from tiny_study import request_of, write_recipe

from ablate.cli.command.fitted.show import show_run
from ablate.cli.command.report import report_study
from ablate.cli.command.run import finished_study
from ablate.cli.studies import analysis_of
from ablate.errors import AblateError
from ablate.report import render
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.verify import shortest_done, train_again


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> Path:
    """A folder with a recipe and a finished study, `report --save` made."""
    folder = tmp_path_factory.mktemp("committed")
    end = run_study(request_of(write_recipe(folder), folder / "results"))
    assert end.trained == 3
    end.study.store.pack()
    return folder


@pytest.fixture
def clone(committed, tmp_path) -> Path:
    shutil.copytree(
        committed, tmp_path / "clone", ignore=shutil.ignore_patterns("runs", "locks", "logs", "checkpoints")
    )
    return tmp_path / "clone"


def test_a_clone_reports_what_its_origin_does(committed, clone):
    for format in ("table", "json", "units"):
        texts = [render(analysis_of(Store(at / "results" / "tiny")), format) for at in (committed, clone)]
        assert texts[0] == texts[1]


def test_committed_runs_count_as_done(clone):
    request = request_of(clone / "tiny.yaml", clone / "results")
    assert finished_study(request) is not None
    end = run_study(request)
    assert (end.trained, end.kept) == (0, 3)
    more = run_study(request_of(clone / "tiny.yaml", clone / "results", seeds="0,1"))
    assert (more.trained, more.kept) == (3, 3)
    assert len(more.study.store.records()) == 6


def test_a_committed_run_that_is_trained_afresh_stands_in_its_place(clone):
    end = run_study(request_of(clone / "tiny.yaml", clone / "results", fresh=True))
    assert end.trained == 3
    assert all(end.study.store.weights(job.key) for job in end.study.jobs)


def test_a_committed_run_is_trained_again_and_agrees_to_the_last_digit(clone):
    store = Store(clone / "results" / "tiny")
    record = shortest_done(store)
    assert record is not None
    found = train_again(store, record, device="cpu")
    assert found.agrees, found.faults
    assert found.largest == 0


def test_a_picture_of_a_committed_run_needs_weights(clone):
    with pytest.raises(AblateError, match="committed studies keep scores, not weights"):
        show_run(clone / "results" / "tiny")


def test_several_studies_open_with_one_line_each(clone, capsys):
    shutil.copytree(clone / "results" / "tiny", clone / "results" / "other")
    assert report_study(clone / "results") == 0
    shown = capsys.readouterr().out
    overview = shown.partition("bits/spike, ")[0]
    assert overview.startswith("2 studies\n")
    assert overview.count("Answer: ") == 2
