"""What a study set out to train in, what became of every run out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ablate.analysis.outcome import Settling
from ablate.execution import Outcome
from ablate.study.running.job import RunJob
from ablate.study.study import Study


@dataclass(frozen=True)
class StudyEnd:
    """How a study ended. failures: the runs that gave no score, with why. interrupted: stopped by a signal, or runs of
    it were. left: runs that go on without us."""

    study: Study
    trained: int = 0
    kept: int = 0
    failures: tuple[tuple[RunJob, Outcome], ...] = ()
    elsewhere: tuple[RunJob, ...] = ()
    left: tuple[RunJob, ...] = ()
    interrupted: bool = False
    beyond: Settling | None = None
    """The look that the budget does not cover."""
    states: dict[str, str] = field(default_factory=dict)
    unconfirmed: str = ""
    """Why nothing was confirmed although it was asked for."""

    def joined(self, more: "StudyEnd") -> "StudyEnd":
        """With the runs of a further stage."""
        return replace(
            self,
            study=more.study,
            trained=self.trained + more.trained,
            kept=self.kept + more.kept,
            failures=(*self.failures, *more.failures),
            elsewhere=(*self.elsewhere, *more.elsewhere),
            left=(*self.left, *more.left),
            interrupted=self.interrupted or more.interrupted,
            states=self.states | more.states,
        )


def end_of(study: Study, todo: Sequence[RunJob], outcomes: Mapping[str, Outcome], *, interrupted: bool) -> StudyEnd:
    """What became of every run: by its record, or, where none could be written, by what its process said."""
    records = study.store.scan().records
    states = {key: record.state for key, record in records.items()}
    failures = []
    for job in study.jobs:
        record, outcome = records.get(job.key), outcomes.get(job.key)
        if record is not None and record.state in ("failed", "diverged"):
            failures.append((job, Outcome(job.key, "failed", record.reason)))
        elif outcome is not None and outcome.state == "failed" and (record is None or record.state != "done"):
            failures.append((job, outcome))
    busy = {key for key, outcome in outcomes.items() if outcome.state == "busy"}
    cut_short = any(outcomes[job.key].state == "interrupted" for job in todo if job.key in outcomes)
    ended = [job for job in todo if states.get(job.key) == "done" and job.key in outcomes]
    return StudyEnd(
        study=study,
        trained=sum(job.key not in busy for job in ended),
        kept=len(study.jobs) - len(todo),
        failures=tuple(failures),
        elsewhere=tuple(job for job in todo if job.key in busy),
        left=tuple(job for job in todo if job.key in outcomes and outcomes[job.key].state == "left"),
        interrupted=interrupted or cut_short,
        states=dict(states),
    )
