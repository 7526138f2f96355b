"""Listens to a study for its loggers: which runs begin and end, and in the end what its records say."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ablate.analysis.row.files import files_of, quietly
from ablate.analysis.study import analyse
from ablate.disk.read import without_collection
from ablate.execution import Event
from ablate.result import Store, StudyManifest
from ablate.study.logger.feed import Ended, Feed
from ablate.study.logger.told import logged_job, logged_record, points, run_end, summary
from ablate.study.running.job import RunJob
from ablate.study.running.train import readable_record
from ablate.study.running.watcher import Watcher
from ablate.study.status import is_over
from ablate.study.study import Study

if TYPE_CHECKING:
    from ablate.analysis.outcome import Settling


@contextmanager
def logging_to(study: Study, watcher: Watcher) -> Iterator[Watcher]:
    """The watcher, and with it the study's loggers, if it has any."""
    if not study.loggers:
        yield watcher
        return
    loggers = LoggerWatcher(study, watcher)
    try:
        yield loggers
    finally:
        loggers.feed.finish()


class LoggerWatcher(Watcher):
    """Passes everything on to another watcher, and what loggers care for to them."""

    def __init__(self, study: Study, other: Watcher):
        self._other, self._store = other, study.store
        self._jobs: dict[str, RunJob] = {}
        self._manifest = study.manifest
        self._unfinished: set[str] = set()
        """Begun by this command and not at their end: what is in their place is of an earlier time."""
        self.feed = Feed(study.loggers, study.manifest.name, study.store, other.notice)

    def doing(self, what: str) -> None:
        self._other.doing(what)

    def notice(self, what: str) -> None:
        self._other.notice(what)

    def planned(self, study: Study, todo: Sequence[RunJob]) -> None:
        self._know(todo)
        self._other.planned(study, todo)

    def look(self, state: "Settling", todo: Sequence[RunJob], ahead: Sequence[RunJob] = ()) -> None:
        self._know((*todo, *ahead))
        self._other.look(state, todo, ahead)

    def stage(self, name: str, todo: Sequence[RunJob]) -> None:
        self._know(todo)
        self._other.stage(name, todo)

    def event(self, event: Event) -> None:
        self._other.event(event)
        key = event.key
        if event.kind == "started":
            self._unfinished.add(key)
            self.feed.started(logged_job(self._jobs[key], self._manifest))
        elif event.kind == "ended" and event.outcome is not None:
            if event.outcome.state in ("done", "failed"):
                self._unfinished.discard(key)
            self.feed.left(key)
            if event.outcome.state == "done":  # the record of one that failed is written only after this
                self.feed.ended(lambda: ended(self._store, self._manifest, (key,)))

    def finished(self) -> None:
        self._other.finished()
        self._other.doing("telling the loggers")
        self.feed.ended(self._all)
        self.feed.finish()

    def _know(self, jobs: Sequence[RunJob]) -> None:
        self._jobs |= {job.key: job for job in jobs}

    def _all(self) -> Iterator[Ended]:
        """All runs of the study that have ended and that a logger lacks, those of earlier commands among them, and the
        verdicts if it is over."""
        manifest = self._store.manifest()
        keys = [key for key in sorted(manifest.run_keys - self._unfinished) if self.feed.lacks(key)]
        yield from ended(self._store, manifest, keys)
        records = self._store.records()
        if is_over(manifest, records):
            with without_collection():
                analysis = analyse(manifest, records, **files_of(self._store))
            run, end = summary(analysis)
            yield run, (), end


def ended(store: Store, manifest: StudyManifest, keys: Sequence[str]) -> Iterator[Ended]:
    """What records and curves say of these runs; those that have not ended, or cannot be read, are left out."""
    for key in keys:
        record = readable_record(store, key)
        if record is not None and record.state != "interrupted":
            yield logged_record(record, manifest), points(quietly(store.history)(key) or ()), run_end(record)
