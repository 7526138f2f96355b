"""A study on a SLURM that is only a table: what is given to it and when, look by look, and what the command holds."""

from collections import Counter

import pytest
from planted_trainer import score
from simulated_slurm import SimulatedSlurm, put_in_place
from tiny_study import PATCHES, request_of, write_recipe

from ablate.analysis.study import analyse
from ablate.execution import Outcome, Stop
from ablate.study.flow import run_study
from ablate.study.running.job import run_record
from ablate.study.running.missing import missing, train_missing
from ablate.study.running.watcher import Watcher
from ablate.study.setup.merge import keep_manifest
from ablate.study.study import study_of

pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
TAIL = (
    "variants: [each]\nseeds: [0]\nglm: false\nexecution: {engine: slurm, workers: 8, slurm: {poll_seconds: 0.0001}}\n"
)
MORE = PATCHES + "  slow: {title: a lower learning rate, training: {learning_rate: 1.0e-5}}\n"
GAINS = {"baseline": 0.0, "fast": 0.5, "slow": 0.006}
"""`fast` is settled at the first look, `slow` stays open for some."""


class Nodes:
    """Gives every run its planted score, once."""

    def __init__(self, study):
        self.jobs = {job.key: job for job in study.jobs}
        self.store, self.done = study.store, Counter()

    def __call__(self, key: str) -> None:
        job = self.jobs[key]
        self.done[key] += 1
        noise = ((job.seed * 7919 + len(job.variant) * 104729) % 101 - 50) / 5000
        run = run_record(job, state="done", test=score(1.0 + GAINS[job.variant] + noise))
        self.store.put(run)


class Looks(Watcher):
    """What each look trains, and what had been given to the cluster and had ended before it."""

    def __init__(self, cluster, nodes):
        self.cluster, self.nodes, self.seen = cluster, nodes, []

    def look(self, state, todo, ahead=()):
        labels = [[job.label for job in jobs] for jobs in (todo, ahead)]
        self.seen.append((state.to_come.here, *labels, len(self.cluster.order), sum(self.nodes.done.values())))


@pytest.fixture
def simulated(tmp_path, monkeypatch):
    """Runs the study under a name and gives its end, the looks, the cluster and the nodes."""

    def simulated(name: str, **options):
        request = request_of(
            write_recipe(tmp_path, patches=MORE, tail=TAIL), tmp_path / name, inline=False, until="settled", worth="1%",
            **options,
        )  # fmt: skip
        nodes = Nodes(study_of(request))
        cluster = SimulatedSlurm(8, 1.0, lambda key: int(key, 16) % 10 == 0, nodes)
        put_in_place(monkeypatch, cluster)
        looks = Looks(cluster, nodes)
        return run_study(request, looks), looks.seen, cluster, nodes

    return simulated


def table_of(end):
    analysis = analyse(end.study.store.manifest(), end.study.store.records())
    return [
        (row.name, row.verdict, row.gain and row.gain.mean, row.gain and row.gain.interval) for row in analysis.rows
    ]


def test_a_look_happens_when_its_runs_are_in(simulated):
    end, looks, _, nodes = simulated("out")
    assert len(looks) > 2
    given = 0
    for _, todo, ahead, submitted, ended in looks:
        assert ahead == []
        assert submitted == ended == given  # all that were given to the cluster had ended before the look
        given += len(todo)
    assert looks[0][1][:3] == ["baseline seed 0", "fast seed 0", "slow seed 0"]
    assert "fast" not in " ".join(looks[1][1])  # it was settled by the first
    assert set(nodes.done.values()) == {1}
    assert end.trained == given == len(nodes.done)


def test_seeds_ahead_are_trained_with_a_look_and_count_only_at_theirs(simulated):
    plain, looks, _, _ = simulated("plain")
    early, rounds, _, nodes = simulated("early", ahead=1)
    assert len(rounds) < len(looks)
    assert rounds[0][2] == [f"{name} seed 3" for name in ("baseline", "fast", "slow")]
    assert table_of(early) == table_of(plain)
    assert set(nodes.done.values()) == {1}
    bought = set(nodes.done)
    assert bought > {record.key for record in plain.study.store.records()}  # `fast seed 3`, which no look asked for
    fast = next(
        row for row in analyse(early.study.store.manifest(), early.study.store.records()).rows if row.name == "fast"
    )
    assert len(fast.gain.seeds) == 3


def test_seeds_ahead_that_the_budget_does_not_cover_are_not_bought(simulated):
    end, rounds, _, nodes = simulated("short", ahead=1, budget="10")
    assert [(here, len(todo), len(ahead)) for here, todo, ahead, *_ in rounds] == [(3, 9, 0)]
    assert end.trained == sum(nodes.done.values()) == 9


@pytest.mark.slow
def test_a_study_of_hundreds_holds_no_logs_and_runs_each_once(tmp_path, monkeypatch):
    recipe = write_recipe(tmp_path, tail=TAIL)
    request = request_of(recipe, tmp_path / "out", inline=False, seeds="0-99")
    study = keep_manifest(study_of(request), request)
    nodes = Nodes(study)
    cluster = SimulatedSlurm(8, 1.0, lambda key: int(key, 16) % 10 == 0, nodes, log_tail="x" * 10_000)
    put_in_place(monkeypatch, cluster)
    outcomes: dict[str, Outcome] = {}
    train_missing(study, missing(study, request), request, Watcher(), outcomes, Stop())
    assert nodes.done == Counter(job.key for job in study.jobs) == Counter(outcomes.keys())
    assert cluster.order == [job.key for job in study.jobs]
    assert {outcome.log_tail for outcome in outcomes.values()} == {""}
    assert missing(study, request) == ()
