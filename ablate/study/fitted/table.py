"""Predictions in, one file out: `.npz` with an array each, or `.parquet` with a row for each bin and unit.

    npz       rate (t, u)  spikes (t, u)  valid (t, u)  time (t,) s  units (u,)  split (t,)  scored (t,)  bin_rate_hz
              of several sessions: the same under `<session>/`
    parquet   session, bin, time, unit, rate, spikes, valid, split, scored

Of trials: subject, trial, split, place, label (-1: none), guess, and the probability of each class, a row a label; npz
has them as `probability` (N, classes) beside `classes`, parquet as `p(class)`. Where numbers are learned: subject,
trial, split, place, target, value (NaN: not rated), mean, sd, a row a number.

What is not known of a stimulus (spikes, valid, split, scored) is left out.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ablate.disk.absent import absent
from ablate.disk.whole import whole_file, writing
from ablate.errors import AblateError
from ablate.study.fitted.predict import Predictions
from ablate.study.fitted.trials import LabelPredictions, RatingPredictions


def check_suffix(path: Path) -> None:
    """Raises AblateError, before anything is computed, for a file that could not be written."""
    if path.suffix not in (".npz", ".parquet"):
        raise AblateError(f"cannot be written as `{path.suffix}`", where=str(path), hint="name it .npz or .parquet")
    if path.suffix == ".parquet":
        try:
            import pyarrow  # type: ignore[import-untyped] # noqa: F401
        except ImportError:
            hint = "`pip install pyarrow`, or write .npz"
            raise AblateError("parquet needs pyarrow, which is not installed", where=str(path), hint=hint) from None
    if not path.parent.is_dir():
        raise absent(path.parent, "there is no such folder")


def write_predictions(path: Path, sessions: Sequence[Predictions]) -> None:
    """Writes the file, whole or not at all."""
    check_suffix(path)
    with writing(path), whole_file(path) as file:
        if path.suffix == ".npz":
            np.savez_compressed(file, **_arrays(sessions))  # type: ignore[arg-type]  # numpy's stub reads `**` as its flag
        else:
            frame(sessions).to_parquet(file, index=False)


def write_trials(path: Path, found: LabelPredictions | RatingPredictions) -> None:
    """Writes the file, whole or not at all."""
    check_suffix(path)
    with writing(path), whole_file(path) as file:
        if path.suffix == ".npz":
            arrays = found.columns()
            if isinstance(found, LabelPredictions):
                arrays |= {"probability": found.probability, "classes": np.array(found.classes)}
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # as above
        else:
            trial_frame(found).to_parquet(file, index=False)


def trial_frame(found: LabelPredictions | RatingPredictions) -> pd.DataFrame:
    """A row for each label or number; labels and guesses by the names of their classes."""
    if isinstance(found, RatingPredictions):
        return pd.DataFrame(found.columns())
    names = np.array([*found.classes, ""], object)  # -1 is the last: no label
    columns = found.columns()
    columns |= {name: names[columns[name]] for name in ("label", "guess")}
    return pd.DataFrame(
        columns | {f"p({name})": found.probability[:, index] for index, name in enumerate(found.classes)}
    )


def _arrays(sessions: Sequence[Predictions]) -> dict[str, np.ndarray]:
    arrays = {}
    for one in sessions:
        before = f"{one.session}/" if len(sessions) > 1 else ""
        for name, part in {"rate": one.rate, "time": one.time, "units": one.units, **one.known()}.items():
            arrays[before + name] = part
        arrays[f"{before}bin_rate_hz"] = np.array(one.bin_rate_hz)
    return arrays


def frame(sessions: Sequence[Predictions]) -> pd.DataFrame:
    """A row for each session, bin and unit."""
    return pd.concat([_rows(one) for one in sessions], ignore_index=True)


def _rows(one: Predictions) -> pd.DataFrame:
    bins, units = one.rate.shape
    columns = {
        "session": np.full(bins * units, one.session, object),
        "bin": np.repeat(np.arange(bins), units),
        "time": np.repeat(one.time, units),
        "unit": np.tile(one.units, bins),
        "rate": one.rate.ravel(),
    }
    for name, part in one.known().items():
        columns[name] = part.ravel() if part.ndim == 2 else np.repeat(part, units)
    return pd.DataFrame(columns)
