"""`ablate run`: trains what is missing, shows how far it is, ends with the ranked table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.console import err, loading, stage
from ablate.cli.options import (
    DataPaths,
    Details,
    Device,
    Out,
    Quick,
    RecipePath,
    Seeds,
    Sets,
    TableOrJson,
    Variants,
    known_format,
)
from ablate.request import Request, request_hash

if TYPE_CHECKING:
    from ablate.cli.screen.ending import Ending
    from ablate.result import RunRecord, Store, StudyManifest
    from ablate.study.running.job import RunJob


def run(
    recipe: RecipePath,
    sets: Sets = None,
    seeds: Seeds = None,
    variants: Variants = None,
    data: DataPaths = None,
    device: Device = "auto",
    out: Out = Path("results"),
    quick: Quick = False,
    price: Annotated[
        bool,
        typer.Option("--price", help="Time a few steps of every variant, say what the study will cost, train nothing."),
    ] = False,
    workers: Annotated[
        str | None,
        typer.Option(
            help="Runs at a time [default: one a CPU core, one a GPU]; auto: on a GPU as many as have room.",
            metavar="N",
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads a run [default: 1 on a CPU].", min=1)] = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Train in this process: no isolation, for debugging a part.")
    ] = False,
    engine: Annotated[
        str | None,
        typer.Option(
            help="Where runs are executed: inline, pool, slurm or ray [default: the recipe's `execution`, else pool].",
            metavar="NAME",
        ),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            help="Loggers to tell: tensorboard, mlflow, wandb (offline), trackio, or none [default: the recipe's "
            "`log`].",
            metavar="LIST",
        ),
    ] = None,
    retry: Annotated[
        str | None, typer.Option(help="Train again what is `failed`, `diverged` or `all` of these.", metavar="STATE")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train everything again, finished runs too.")] = False,
    only: Annotated[
        str | None, typer.Option(help="Like --variants, but without adding the baseline.", metavar="LIST")
    ] = None,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed", help="Accept that the recipe differs from the one that this study's folder was made from."
        ),
    ] = False,
    allow_noop: Annotated[
        bool, typer.Option("--allow-noop", help="Keep patches that change nothing, as controls.")
    ] = False,
    run_timeout: Annotated[
        float | None, typer.Option(help="Seconds after which a run is stopped and recorded as failed.", min=1)
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            help="`settled`: buy seeds look by look, at one error rate, where verdicts are open.", metavar="settled"
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="With --until: the most the study may take, 80 (runs) or 2h (from start to end).", metavar="80|2h"
        ),
    ] = None,
    worth: Annotated[
        str | None, typer.Option(help="With --until: the smallest relative gain worth having.", metavar="2%")
    ] = None,
    ahead: Annotated[
        int,
        typer.Option(
            help="With --until: train the seeds of the next N looks too, of the rows that are open; they count at "
            "their look.",
            metavar="N",
            min=0,
        ),
    ] = 0,
    confirm: Annotated[
        int | None,
        typer.Option(
            help="Afterwards train N fresh seeds of the winner and the baseline; their gain is the one that is quoted. "
            "No --budget counts them.",
            metavar="N",
            min=2,
        ),
    ] = None,
    confirm_rows: Annotated[
        str,
        typer.Option(
            help="With --confirm: `winner`, `all` that have a verdict, `controls` or names: all,controls.",
            metavar="LIST",
        ),
    ] = "winner",
    retune: Annotated[
        str,
        typer.Option(
            help="Rows that the recipe's `retune` is searched for, beside the baseline: ahead, all or none.",
            metavar="ROWS",
        ),
    ] = "ahead",
    details: Details = False,
    format: TableOrJson = "table",
) -> None:
    """Train every variant of RECIPE and print the ranked table. Finished runs are kept and never trained twice."""
    request = Request(
        recipe=recipe,
        sets=tuple(sets or ()),
        seeds=seeds,
        variants=variants,
        only=only,
        data=tuple(data or ()),
        device=device,
        out=out,
        quick=quick,
        workers=int(workers) if workers is not None and workers.isdecimal() else workers,
        threads=threads,
        inline=inline,
        engine=engine,
        log=log,
        retry=retry,
        fresh=fresh,
        changed=changed,
        allow_noop=allow_noop,
        run_timeout=run_timeout,
        until=until,
        budget=budget,
        worth=worth,
        ahead=ahead,
        confirm=confirm,
        confirm_rows=confirm_rows,
        retune=retune,
    )
    known_format(format)
    raise typer.Exit(run_recipe(request, price_only=price, details=details, format=format))


def run_recipe(request: Request, *, price_only: bool = False, details: bool = False, format: str = "table") -> int:
    """The exit code: 0 all runs done, 1 some failed, 130 stopped by a signal."""
    request.until_settled()
    request.allowance()
    request.check_confirmation()
    request.engine_name()
    stage(f"looking for finished runs of {request.recipe}")
    from ablate.cli.screen.document import kept_free
    from ablate.cli.screen.ending import ending_of, finished_ending

    done = None if price_only else finished_study(request)
    if done is not None:
        store, records = done
        return show_end(finished_ending(store, records, request), details=details, format=format)
    with loading():
        from ablate.cli.screen.live.progress import ProgressDisplay
        from ablate.cli.screen.table.price import say_cpu_time
        from ablate.study.flow import run_study
        from ablate.training import pick_device

    if price_only:
        return show_price(request, format)

    def warn(todo: "Sequence[RunJob]") -> None:
        if not request.quick and pick_device(request.device).type == "cpu":
            say_cpu_time(todo, request)

    with kept_free(format), ProgressDisplay(err(), warn) as display:
        end = run_study(request, display)
    return show_end(ending_of(end, request), details=details, format=format)


def show_end(ending: "Ending", *, details: bool, format: str) -> int:
    """The table, what failed and what goes on from here; or all of it as one JSON document. Gives the exit code."""
    from ablate.cli.screen.document import print_document
    from ablate.cli.screen.ending import ending_record, say_end, show_table

    if format == "json":
        print_document(ending_record(ending), exit_code=ending.exit_code)
    else:
        show_table(ending.store, ending.records, details=details)
    say_end(ending)
    return ending.exit_code


def show_price(request: Request, format: str) -> int:
    """What the study will cost. Gives the exit code."""
    from ablate.cli.screen.document import kept_free, price_record, print_document
    from ablate.cli.screen.table.price import price_code, print_price
    from ablate.study.price import price_study

    with kept_free(format):
        price = price_study(request, stage)
    if format == "json":
        print_document(price_record(price), exit_code=price_code(price))
    else:
        print_price(price)
    return price_code(price)


def finished_study(request: Request) -> "tuple[Store, tuple[RunRecord, ...]] | None":
    """The study of the same request in which every planned run is done, with its records: answered without torch."""
    from ablate.errors import AblateError
    from ablate.result import Store
    from ablate.study.status import is_over

    if request.fresh or request.retry or request.log or not request.out.is_dir():
        return None
    wanted = request_hash(request)
    for folder in sorted(path for path in request.out.iterdir() if (path / "study.json").is_file()):
        store = Store(folder)
        try:
            manifest = store.manifest()
        except AblateError:
            continue
        if manifest.request == wanted and same_data(manifest):
            records = store.records()
            whole = is_over(manifest, records) and retuned(store, records, manifest, request)
            if whole and confirmed(store, records, manifest, request):
                return store, records
    return None


def retuned(store: "Store", records: "Sequence[RunRecord]", manifest: "StudyManifest", request: Request) -> bool:
    """Whether the recipe's search, if it has one, has been made for every row that it is wanted for."""
    if not manifest.retune or request.retune == "none" or request.quick:
        return True
    from ablate.analysis.apart.choice import rows_to_retune
    from ablate.analysis.apart.retuning import complete
    from ablate.analysis.row.files import files_of
    from ablate.analysis.study import analyse

    alone = manifest.model_copy(update={"confirmations": (), "retuning": None})
    analysis = analyse(alone, records, **files_of(store))
    rows = rows_to_retune(analysis, request.retune)
    plan = manifest.retuning
    return not rows or (plan is not None and {*rows} <= {*plan.rows} and complete(manifest, records))


def confirmed(store: "Store", records: "Sequence[RunRecord]", manifest: "StudyManifest", request: Request) -> bool:
    """Whether every row that `--confirm` asks for has its fresh seeds, all of them trained."""
    if request.confirm is None:
        return True
    from ablate.analysis.apart.choice import chosen_rows, lacking

    ended = {record.key for record in records if record.state != "interrupted"}
    rows = chosen_rows(store, records, request.confirm_rows)
    return bool(rows) and not lacking(manifest, rows, request.confirm) and manifest.confirmation_keys <= ended


def same_data(manifest: "StudyManifest") -> bool:
    """Whether the request's data are surely the ones that the study was planned on, without reading them."""
    from ablate.disk.stamp import stamp_of

    untouched = bool(manifest.data_stamp) and stamp_of(manifest.data_files) == manifest.data_stamp
    return (manifest.data_is_made and not manifest.data_files) or untouched
