"""TensorBoard: one folder of event files a run; `tensorboard --logdir results/<study>/tensorboard` shows them.

Written by `torch.utils.tensorboard`. A run that goes on with another command is written anew from its first step, and
the reader is told to forget what it read before (`purge_step`).
"""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from ablate.config import Config
from ablate.logger.contract import LoggedRun, Point, RunEnd
from ablate.logger.mark import mark, marked


class TensorBoardConfig(Config):
    """Curves, final numbers, and the configuration under HPARAMS."""

    needs: ClassVar[str] = "tensorboard"
    type: Literal["tensorboard"] = "tensorboard"
    folder: str | None = None
    """Where studies are written, each in a folder of its name; `tensorboard/` of the study's own folder where not
    given."""

    def build(self, study: str, folder: Path) -> "TensorBoard":
        return TensorBoard(Path(self.folder) / study if self.folder else folder / "tensorboard")


class TensorBoard:
    """See the top of this file."""

    live: ClassVar[bool] = True

    def __init__(self, root: Path):
        from torch.utils.tensorboard import SummaryWriter  # fails here where the package is broken

        self._root, self._open = root, SummaryWriter
        self._writers: dict[str, SummaryWriter] = {}

    @property
    def shown_by(self) -> str:
        return f"tensorboard --logdir {shlex.quote(str(self._root))}"

    def held(self) -> frozenset[str]:
        return marked(self._root)

    def begin(self, run: LoggedRun) -> int:
        place = self._place(run)
        again = place.is_dir()
        self._writers[run.key] = self._open(str(place), purge_step=0 if again else None)
        return 0

    def points(self, run: LoggedRun, points: Sequence[Point]) -> None:
        writer = self._writers[run.key]
        for point in points:
            for name, value in point.numbers.items():
                writer.add_scalar(name, value, point.step)
        writer.flush()

    def end(self, run: LoggedRun, end: RunEnd) -> None:
        from torch.utils.tensorboard.summary import hparams

        writer = self._writers.pop(run.key)
        for name, value in end.numbers.items():
            writer.add_scalar(name, value, end.step)
        told = {**run.tags, "state": end.state, **end.texts}
        writer.add_text("run", "\n".join(f"* {name}: {value}" for name, value in told.items()), end.step)
        ranked = {name: value for name, value in end.numbers.items() if name.startswith("final/")}
        assert writer.file_writer is not None, "it is until it is closed"
        for summary in hparams({**run.tags, **run.parameters}, ranked):
            writer.file_writer.add_summary(summary)
        writer.close()
        mark(self._place(run), run.key)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _place(self, run: LoggedRun) -> Path:
        return self._root / f"{re.sub(r'[^A-Za-z0-9_.+-]+', '-', run.name)}-{run.key[:8]}"
