"""`ablate predict`: a finished run in; the expected spikes of every bin and unit, or of every trial the probability of
each class (of numbers mean and deviation), out, as one file."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.console import say
from ablate.cli.options import Device, MovedData, OneSeed, OneVariant, RunPath
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.study.fitted.model import FittedModel
    from ablate.study.fitted.opened import OpenedRun

OFF = 1e-4
"""A score of the written rates that differs by more than this share is told; rounding alone gives 1e-7."""


def predict(
    run_path: RunPath,
    out: Annotated[Path, typer.Option(help="The file to write: .npz or .parquet.", metavar="FILE")],
    variant: OneVariant = None,
    seed: OneSeed = None,
    recording: Annotated[
        Path | None, typer.Option(help="Predict another recording's folder instead of the run's own.", metavar="FOLDER")
    ] = None,
    stimulus: Annotated[
        Path | None, typer.Option(help="Predict this stimulus: a .npy of shape (t, h, w).", metavar="FILE")
    ] = None,
    behavior: Annotated[
        Path | None, typer.Option(help="With --stimulus: a .npy of shape (t, k).", metavar="FILE")
    ] = None,
    spikes: Annotated[
        Path | None,
        typer.Option(help="With --stimulus: a .npy of shape (t, u), for a model with spike history.", metavar="FILE"),
    ] = None,
    bin_rate_hz: Annotated[
        float | None, typer.Option(help="With --stimulus: its bins a second, compared with the model's.", metavar="HZ")
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="Whose units, where the run has several sessions.", metavar="NAME")
    ] = None,
    device: Device = "cpu",
    data: MovedData = None,
) -> None:
    """Predict the rate of every bin and unit. Of the run's own recordings, or of any stimulus of the same size; of
    a run on trials the probability of each class, or mean and deviation of each number."""
    where = stimulus is not None and recording is not None
    beside = (behavior, spikes, bin_rate_hz)
    if where or (stimulus is None and any(one is not None for one in beside)):
        hint = "give --recording FOLDER, or --stimulus FILE with --behavior FILE and --spikes FILE, or neither"
        raise AblateError("these options do not go together", where="ablate predict", hint=hint)
    given = Given(recording, stimulus, behavior, spikes, bin_rate_hz, session, data or ())
    raise typer.Exit(predict_run(run_path, out, variant=variant, seed=seed, given=given, device=device))


@dataclass(frozen=True)
class Given:
    """What is to be predicted; nothing is the run's own recordings. data: where these lie now."""

    recording: Path | None = None
    stimulus: Path | None = None
    behavior: Path | None = None
    spikes: Path | None = None
    bin_rate_hz: float | None = None
    session: str | None = None
    data: Sequence[Path] = ()


def predict_run(
    path: Path, out: Path, *, variant: str | None = None, seed: int | None = None, given: Given, device: str = "cpu"
) -> int:
    """Writes the file. Raises AblateError for a run without weights and for a stimulus that does not fit."""
    from ablate.result.store.named import named_run
    from ablate.study.fitted.load import is_export, load
    from ablate.study.fitted.opened import opened_run
    from ablate.study.fitted.predict import predict_files, predict_recording
    from ablate.study.fitted.table import check_suffix, write_predictions
    from ablate.training import pick_device

    check_suffix(out)
    if given.recording is None and given.stimulus is None:
        if is_export(path):
            what = "an export holds no recordings"
            raise AblateError(what, where=str(path), hint="give --recording FOLDER or --stimulus FILE")
        run = opened_run(*named_run(path, variant, seed), pick_device(device), given.data)
        return _predict_own(run, out, given.session)
    model: FittedModel = load(path, variant=variant, seed=seed, device=device, data=given.data)
    with said_aloud():
        if given.recording is not None:
            found = predict_recording(model, given.recording, given.session)
        else:
            assert given.stimulus is not None
            arrays = given.stimulus, given.behavior, given.spikes
            found = predict_files(model, *arrays, session=given.session, bin_rate_hz=given.bin_rate_hz)
    write_predictions(out, (found,))
    say(f"wrote {out}: {len(found.rate)} bins, {found.rate.shape[1]} units of {found.session}")
    return 0


def _predict_own(run: "OpenedRun", out: Path, session: str | None) -> int:
    from ablate.contract import FusionSpec
    from ablate.metric import metric_named
    from ablate.study.fitted.predict import predict_own
    from ablate.study.fitted.table import write_predictions

    if isinstance(run.dataset.spec, FusionSpec):
        return _predict_trials(run, out, session)
    found = predict_own(run, session)
    write_predictions(out, found.sessions)
    for one in found.sessions:
        say(f"{one.session}: {len(one.rate)} bins, {one.rate.shape[1]} units")
    score = f"{found.score.headline:.4f} {metric_named(found.score.metric).label}"
    say(f"wrote {out}: {run.record.variant} seed {run.record.seed}, test {score} of these rates")
    if found.recorded and abs(found.score.headline - found.recorded.headline) > OFF * abs(found.recorded.headline):
        say(
            f"the run's record says {found.recorded.headline:.4f}: in the test each split is cut into windows on its "
            "own, so that some bins have another length of history there"
        )
    return 0


def _predict_trials(run: "OpenedRun", out: Path, subject: str | None) -> int:
    from ablate.metric import metric_named
    from ablate.study.fitted.table import write_trials
    from ablate.study.fitted.trials import SPLITS, LabelPredictions, predict_trials

    found = predict_trials(run)
    if subject is not None:
        found = found.of_subject(subject)
    write_trials(out, found)
    labels = ", ".join(f"{int((found.split == split).sum())} of {split}" for split in SPLITS)
    metric = metric_named(found.score.metric)
    if isinstance(found, LabelPredictions):
        say(f"labels: {labels}; classes {', '.join(found.classes)}")
    else:
        say(f"numbers: {labels}; of {', '.join(dict.fromkeys(found.target.tolist()))}")
    say(f"wrote {out}: {run.record.variant} seed {run.record.seed}, test {found.score.headline:.4f} {metric.label}")
    if found.recorded and abs(found.score.headline - found.recorded.headline) > OFF * abs(found.recorded.headline):
        say(f"the run's record says {found.recorded.headline:.4f}: it was scored elsewhere, or by another version")
    return 0


@contextmanager
def said_aloud() -> Iterator[None]:
    """Warnings of the block as plain lines."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in found:
        say(f"warning: {warning.message}")
