"""Weights & Biases, offline: one folder a run, which `wandb sync` sends when and where its owner likes.

A run is written when it has ended: what is synced twice under one number cannot be taken back, so a run that is stopped
and goes on later must not be there in two pieces.
"""

import os
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from ablate.config import Config
from ablate.logger.contract import LoggedRun, Point, RunEnd
from ablate.logger.mark import NAME, mark, marked

if TYPE_CHECKING:
    from wandb import Run


class WandbConfig(Config):
    """Curves, final numbers as summary, tags and the configuration as config. Nothing is sent."""

    needs: ClassVar[str] = "wandb"
    type: Literal["wandb"] = "wandb"
    project: str | None = None
    """The study's name where not given."""
    folder: str | None = None
    """Where `wandb/` is made; $WANDB_DIR, else the study's folder, where not given."""

    def build(self, study: str, folder: Path) -> "Wandb":
        return Wandb(Path(self.folder or os.environ.get("WANDB_DIR") or folder), self.project or study)


class Wandb:
    """See the top of this file."""

    live: ClassVar[bool] = False

    def __init__(self, root: Path, project: str):
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nothing leaves this machine that nobody asked for
        import wandb

        self._wandb, self._root, self._project = wandb, root, project
        self._quiet = wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True)
        self._runs: dict[str, Run] = {}

    @property
    def shown_by(self) -> str:
        return f"wandb sync {shlex.quote(str(self._root / 'wandb'))}/offline-run-*"

    def held(self) -> frozenset[str]:
        return marked(self._root / "wandb")

    def begin(self, run: LoggedRun) -> int:
        self._root.mkdir(parents=True, exist_ok=True)
        tries = [path for path in self._root.glob(f"wandb/offline-run-*-{run.key}*") if path.is_dir()]
        for half in tries:
            if not (half / NAME).is_file():  # its writer died
                shutil.rmtree(half, ignore_errors=True)
        before = sum((path / NAME).is_file() for path in tries)
        self._runs[run.key] = self._wandb.init(
            mode="offline",
            project=self._project,
            dir=str(self._root),
            id=f"{run.key}-{before + 1}" if before else run.key,
            name=run.name,
            group=run.group,
            config={**run.tags, **run.parameters},
            reinit="create_new",
            settings=self._quiet,
        )
        return 0

    def points(self, run: LoggedRun, points: Sequence[Point]) -> None:
        for point in points:
            self._runs[run.key].log(dict(point.numbers), step=point.step)

    def end(self, run: LoggedRun, end: RunEnd) -> None:
        theirs = self._runs.pop(run.key)
        place = Path(theirs.dir).parent
        theirs.summary.update({**end.numbers, "state": end.state, **end.texts})
        theirs.finish(exit_code=0 if end.state == "done" else 1)
        mark(place, run.key)

    def close(self) -> None:
        for run in self._runs.values():
            run.finish(exit_code=1)
        self._runs.clear()
        self._wandb.teardown()
