"""MLflow: one experiment a study, one run a run. `mlflow ui` shows them.

By `MlflowClient`, so that many runs are open at once. A run is found again by its tag `ablate.key`.
"""

import logging
import os
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from ablate.config import Config
from ablate.logger.contract import LoggedRun, Point, RunEnd

if TYPE_CHECKING:
    from mlflow.entities import Run

KEY = "ablate.key"
STATES = {"done": "FINISHED", "failed": "FAILED", "diverged": "FAILED"}
LEFT = "KILLED"
"""Of a run that another command may go on with."""
UNNAMEABLE = re.compile(r"[^A-Za-z0-9_\-. :/]")
"""What MLflow takes in no name: the `+` of `p1+p2`."""
MOST_NUMBERS, MOST_PARAMETERS, LONGEST = 1000, 100, 500
"""Of one request, and characters of a parameter that every server takes."""


class MlflowConfig(Config):
    """Curves, final numbers, tags, and the configuration as parameters."""

    needs: ClassVar[str] = "mlflow"
    type: Literal["mlflow"] = "mlflow"
    uri: str | None = None
    """`sqlite:///mlflow.db`, `http://server:5000`; MLflow's own choice where not given: $MLFLOW_TRACKING_URI, else its
    default."""
    experiment: str | None = None
    """The study's name where not given."""

    def build(self, study: str, folder: Path) -> "Mlflow":
        return Mlflow(self.uri, self.experiment or study, study)


class Mlflow:
    """See the top of this file."""

    live: ClassVar[bool] = True

    def __init__(self, uri: str | None, experiment: str, study: str):
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing leaves this machine that nobody asked for
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of every table that it makes
        self._client = MlflowClient(tracking_uri=uri)
        known = self._client.get_experiment_by_name(experiment)
        self._experiment = known.experiment_id if known else self._client.create_experiment(experiment)
        self._study = study
        self._ids: dict[str, str] = {}

    @property
    def shown_by(self) -> str:
        uri = self._client.tracking_uri
        return uri if uri.startswith("http") else f"mlflow ui --backend-store-uri {shlex.quote(uri)}"

    def held(self) -> frozenset[str]:
        ended = set(STATES.values())
        return frozenset(run.data.tags[KEY] for run in self._found("") if run.info.status in ended)

    def begin(self, run: LoggedRun) -> int:
        there = next(self._found(f" and tags.`{KEY}` = '{run.key}'"), None)
        if there is not None and there.info.status not in STATES.values():
            self._ids[run.key] = there.info.run_id
            self._client.update_run(there.info.run_id, status="RUNNING")
            curve = self._client.get_metric_history(there.info.run_id, "train/loss")
            return max((point.step for point in curve), default=0)
        if there is not None:
            self._client.delete_run(there.info.run_id)  # it is trained again
        tags = {f"ablate.{name}": value for name, value in run.tags.items()} | {KEY: run.key}
        made = self._client.create_run(self._experiment, tags=tags, run_name=run.name)
        self._ids[run.key] = made.info.run_id
        self._parameters(run)
        return 0

    def points(self, run: LoggedRun, points: Sequence[Point]) -> None:
        self._numbers(run, [(name, value, point.step) for point in points for name, value in point.numbers.items()])

    def end(self, run: LoggedRun, end: RunEnd) -> None:
        self._numbers(run, [(name, value, end.step) for name, value in end.numbers.items()])
        number = self._ids.pop(run.key)
        for name, value in {"state": end.state, **end.texts}.items():
            self._client.set_tag(number, _named(f"ablate.{name}"), value)
        self._client.set_terminated(number, status=STATES[end.state])

    def close(self) -> None:
        for number in self._ids.values():
            self._client.set_terminated(number, status=LEFT)
        self._ids.clear()

    def _found(self, more: str) -> "Iterator[Run]":
        """The runs of this study that are there, the newest first."""
        page: str | None = None
        while True:
            runs = self._client.search_runs(
                [self._experiment], f"tags.`ablate.study` = '{self._study}'{more}", max_results=1000, page_token=page
            )
            yield from (run for run in runs if KEY in run.data.tags)
            page = runs.token
            if not page:
                return

    def _parameters(self, run: LoggedRun) -> None:
        from mlflow.entities import Param

        all_of_them = [Param(_named(name), str(value)[:LONGEST]) for name, value in run.parameters.items()]
        for first in range(0, len(all_of_them), MOST_PARAMETERS):
            self._client.log_batch(self._ids[run.key], params=all_of_them[first : first + MOST_PARAMETERS])

    def _numbers(self, run: LoggedRun, numbers: Sequence[tuple[str, float, int]]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        told = [Metric(_named(name), value, now, step) for name, value, step in numbers]
        for first in range(0, len(told), MOST_NUMBERS):
            self._client.log_batch(self._ids[run.key], metrics=told[first : first + MOST_NUMBERS])


def _named(name: str) -> str:
    return UNNAMEABLE.sub("_", name)
