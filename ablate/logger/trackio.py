"""Trackio: one project a study, in its SQLite file below $TRACKIO_DIR. `trackio show` shows it.

By the storage that `trackio.init` writes into and `trackio.import_csv` too: `init` holds one run at a time, prints, and
names its runs by chance.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from ablate.config import Config
from ablate.logger.contract import LoggedRun, Number, Point, RunEnd

STATE = "state"
"""Of the configuration: the run was told whole."""
GROUP = "_Group"
"""Where `trackio.init` keeps a run's group."""


class TrackioConfig(Config):
    """Curves, final numbers, tags and the configuration as config."""

    needs: ClassVar[str] = "trackio"
    type: Literal["trackio"] = "trackio"
    project: str | None = None
    """The study's name where not given."""

    def build(self, study: str, folder: Path) -> "Trackio":
        return Trackio(self.project or study)


class Trackio:
    """See the top of this file."""

    live: ClassVar[bool] = True

    def __init__(self, project: str):
        from trackio.sqlite_storage import SQLiteStorage

        SQLiteStorage.validate_project_name(project)
        self._storage, self._project = SQLiteStorage, project

    @property
    def shown_by(self) -> str:
        return f"trackio show --project {shlex.quote(self._project)}"

    def held(self) -> frozenset[str]:
        configs = self._storage.get_all_run_configs(self._project)
        return frozenset(key for key, config in configs.items() if STATE in config)

    def begin(self, run: LoggedRun) -> int:
        there = self._storage.get_run_config(self._project, run.name, run_id=run.key)
        if there is not None and STATE in there:  # it is trained again
            self._storage.delete_run(self._project, run.name, run_id=run.key)
            return 0
        return self._storage.get_max_step_for_run(self._project, run.name, run_id=run.key) or 0

    def points(self, run: LoggedRun, points: Sequence[Point]) -> None:
        numbers = [dict(point.numbers) for point in points]
        self._write(run, numbers, [point.step for point in points], {})

    def end(self, run: LoggedRun, end: RunEnd) -> None:
        self._write(run, [dict(end.numbers)], [end.step], {STATE: end.state, **end.texts})

    def close(self) -> None:
        pass

    def _write(self, run: LoggedRun, numbers: list[dict[str, float]], steps: list[int], more: dict[str, str]) -> None:
        config: dict[str, str | Number | bool] = {GROUP: run.group, **run.tags, **run.parameters, **more}
        self._storage.bulk_log(self._project, run.name, numbers, steps=steps, config=config, run_id=run.key)
