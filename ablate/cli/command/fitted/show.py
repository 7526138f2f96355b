"""`ablate show`: draws fitted models. A run's folder in, its pictures out; or a study's, for its main runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.console import say
from ablate.cli.options import Device, MovedData
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.result import Store
    from ablate.result.picture import ModelPicture


def show(
    run_folder: Annotated[
        Path,
        typer.Argument(help="A run's folder: results/<study>/runs/<key>, or STUDY for its main runs.", metavar="RUN"),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where the pictures go [default: beside the run].", metavar="DIR")
    ] = None,
    device: Device = "auto",
    data: MovedData = None,
) -> None:
    """Draw a fitted model. Readout positions, temporal kernels, predicted rates of the best, median and worst unit."""
    raise typer.Exit(show_run(run_folder, out=out, device=device, data=data or ()))


def show_run(run_folder: Path, *, out: Path | None = None, device: str = "auto", data: Sequence[Path] = ()) -> int:
    """Writes the numbers to `pictures/<key>/` of the study and the drawings there or to `out`."""
    from ablate.cli.studies import analysis_of
    from ablate.result.picture import picture_folder, write_picture

    store, keys = _chosen(run_folder)

    from ablate.result.store.named import TRAIN_FOR_WEIGHTS
    from ablate.study.picture import collect, main_runs  # loads torch
    from ablate.training import pick_device

    where = pick_device(device)
    wanted = keys or main_runs(analysis_of(store, quick_look=True), store)
    if not wanted:
        raise AblateError("no finished run here kept its weights", where=str(run_folder), hint=TRAIN_FOR_WEIGHTS)
    for key in wanted:
        picture = collect(store, key, where, data)
        say(f"wrote {write_picture(store.root, picture)}")
        folder = picture_folder(store.root, key) if out is None else out
        own = f"{picture.variant}-seed{picture.seed}" if len(wanted) > 1 and out is not None else ""
        for path in _draw(picture, folder / own):
            say(f"wrote {path}")
    return 0


def _chosen(path: Path) -> "tuple[Store, tuple[str, ...]]":
    """The study, and the run that was named in it. Raises AblateError where the path is neither."""
    from ablate.result import Store
    from ablate.result.store.named import no_run, run_in

    if (path / "study.json").is_file():
        return Store(path), ()
    run = run_in(path)
    if run is not None:
        return run[0], (run[1],)
    raise no_run(path)


def _draw(picture: "ModelPicture", folder: Path) -> list[Path]:
    from ablate.report.figures.model import drawings
    from ablate.report.figures.write import write_all

    return write_all(((drawing.name, figure) for drawing, figure in drawings(picture)), folder)
