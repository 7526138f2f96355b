"""The numbers behind a fitted model's pictures: `pictures/<key>/pictures.json` in a study, beside the hashed runs.

Collected with torch by `ablate show`, drawn without it. Places and sizes are stimulus coordinates in [-1, 1]; rates
are expected spikes a bin; kernels begin at the newest frame.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ablate.config import Config
from ablate.disk.name import check_key
from ablate.disk.read import read_bytes
from ablate.disk.whole import write_bytes, writing
from ablate.errors import AblateError

Numbers = tuple[float, ...]


class ReadoutPicture(Config):
    """Where each unit of a session reads, with the standard deviations along and across `angle` (radians)."""

    session: str
    rows: Numbers
    cols: Numbers
    row_std: Numbers
    col_std: Numbers
    angle: Numbers
    scores: tuple[float | None, ...] = ()
    """The units' test scores; None where one is left out."""


class KernelPicture(Config):
    """The frontend's response to one bright frame, a channel a row; entry j is j frames after it."""

    weights: tuple[Numbers, ...]
    bin_rate_hz: float


class UnitPicture(Config):
    """A stretch of test bins of one unit."""

    rank: Literal["best", "median", "worst"]
    session: str
    unit: int
    score: float
    first_bin: int
    bin_rate_hz: float
    spikes: Numbers
    predicted: Numbers
    true: Numbers | None = None


class AttentionPicture(Config):
    """Mean weights of one attention layer over test windows, groups and heads.

    space: attention that each place (row, column) receives, times the number of places, so that 1 is even. matrix: from
    each query (row) to each key (column).
    """

    name: str
    kind: Literal["space", "matrix"]
    values: tuple[Numbers, ...]


class ModelPicture(Config):
    """Everything that is drawn of one run."""

    format: int = 1
    key: str
    variant: str
    seed: int
    unit: str = "bits/spike"
    readouts: tuple[ReadoutPicture, ...] = ()
    kernels: KernelPicture | None = None
    units: tuple[UnitPicture, ...] = ()
    attention: tuple[AttentionPicture, ...] = ()


def picture_folder(study: Path, key: str) -> Path:
    """Where the pictures of a run lie: never in the run's own folder, whose files are hashed."""
    return study / "pictures" / check_key(key)


def pictured_runs(study: Path) -> frozenset[str]:
    """The keys of all runs that have a folder of pictures."""
    folder = study / "pictures"
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()


def write_picture(study: Path, picture: ModelPicture) -> Path:
    """Writes `pictures.json`, whole or not at all. Raises AblateError where it cannot."""
    folder = picture_folder(study, picture.key)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pictures.json"
    write_bytes(path, (picture.model_dump_json(indent=1) + "\n").encode())
    return path


def read_picture(study: Path, key: str) -> ModelPicture | None:
    """The numbers of a run's pictures; None where there are none. Raises AblateError when they are damaged."""
    path = picture_folder(study, key) / "pictures.json"
    if not path.is_file():
        return None
    try:
        picture = ModelPicture.model_validate_json(read_bytes(path))
    except (ValidationError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise AblateError(f"is damaged: {reason}", where=str(path), hint="`ablate show` draws it again") from None
    if picture.key != key:
        raise AblateError("belongs to another run", where=str(path), hint="`ablate show` draws it again")
    return picture
