"""A study's folder for engines whose nodes do not see it: a run's files, who may train it, what is taken in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ablate.errors import AblateError
from ablate.execution.job import Busy, DeviceUse, why
from ablate.execution.storage.home import JobFiles, NotWhole
from ablate.result import Store
from ablate.result.progress import progress_path
from ablate.result.store.folder import Lock
from ablate.result.store.record_file import read_record
from ablate.result.store.verify import changed_files
from ablate.study.running.job import RunJob, device_use
from ablate.study.running.train import counts, is_there, readable_record


@dataclass(frozen=True)
class StudyHome:
    """`Home` of a study's runs. jobs: by key."""

    store: Store
    jobs: Mapping[str, RunJob]
    word: str = "store"

    @property
    def root(self) -> Path:
        return self.store.root

    def files(self, key: str) -> JobFiles:
        places = (
            self.store.checkpoints(key),
            self.store.folder(key),
            progress_path(self.store, key),
            self.store.log_path(key),
        )
        return JobFiles(*(str(place.relative_to(self.root)) for place in places))

    def afresh(self, key: str) -> bool:
        return self.jobs[key].afresh

    def took(self, key: str) -> DeviceUse | None:
        record = readable_record(self.store, key)
        return None if record is None else device_use(record)

    def claim(self, key: str) -> Lock:
        job = self.jobs[key]
        lock = self.store.lock_run(key)
        if lock is None:
            raise Busy(f"{job.label} is being trained by {self.store.holder(key)}")
        if is_there(self.store, job):
            lock.release()
            raise Busy(f"{job.label} is in place already")
        return lock

    def receive(self, key: str, fill: Callable[[Path], None]) -> bool:
        with self.store.writer(key) as run:
            fill(run.folder)
            if wrong := changed_files(run.folder):
                raise NotWhole("; ".join(wrong))
            try:
                record = read_record(str(run.folder), key)
            except AblateError as error:
                raise NotWhole(why(error)) from None
            if not counts(record, self.jobs[key]):
                return False
            run.move_in(replace=True)
        self.store.settle(key)
        return True
