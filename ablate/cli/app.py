"""The commands and their help texts. Each one imports its work when it is called: `--help` must not load torch."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ablate.errors import AblateError

USAGE_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="ablate",
    help="Which change to this neural model is worth having? Trains every variant of a recipe through one loop on the "
    "same data, and ranks the patches by what they gained.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Write, inspect and prepare data.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

RecipePath = Annotated[Path, typer.Argument(help="The recipe, a YAML file.", metavar="RECIPE")]
StudyPath = Annotated[Path, typer.Argument(help="A study's folder, or a folder of studies.", metavar="STUDY")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Override one value of the recipe: training.steps=500. May be repeated.", metavar="KEY=VALUE"
    ),
]
Seeds = Annotated[str | None, typer.Option(help="Seeds instead of the recipe's: 0,1,2 or 0-4.", metavar="LIST")]
Variants = Annotated[str | None, typer.Option(help="Only these variants (and the baseline): p1,p1+p2.", metavar="LIST")]
DataPath = Annotated[
    Path | None,
    typer.Option("--data", help="Recordings to use instead of the recipe's: a folder, or a folder of them."),
]
Out = Annotated[Path, typer.Option(help="Folder of studies; the results go to OUT/<recipe's name>.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="A rehearsal: few steps, little data, one seed. Its numbers are not results.")
]


def version(value: bool) -> None:
    if value:
        from ablate import __version__

        typer.echo(f"ablate {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Options of `ablate` itself."""


@app.command()
def run(
    recipe: RecipePath,
    sets: Sets = None,
    seeds: Seeds = None,
    variants: Variants = None,
    data: DataPath = None,
    device: Device = "auto",
    out: Out = Path("results"),
    quick: Quick = False,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Time a few steps of every variant, say what the study will cost, train nothing."),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(help="Runs at a time [default: one a CPU core, one a GPU].", min=1)
    ] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads a run [default: 1 on a CPU].", min=1)] = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Train in this process: no isolation, for debugging a part.")
    ] = False,
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
) -> None:
    """Train every variant of RECIPE and print the ranked table. Finished runs are kept and never trained twice."""
    from ablate.cli.run import run_recipe
    from ablate.request import Request

    request = Request(
        recipe=recipe,
        sets=tuple(sets or ()),
        seeds=seeds,
        variants=variants,
        only=only,
        data=data,
        device=device,
        out=out,
        quick=quick,
        workers=workers,
        threads=threads,
        inline=inline,
        retry=retry,
        fresh=fresh,
        changed=changed,
        allow_noop=allow_noop,
        run_timeout=run_timeout,
    )
    raise typer.Exit(run_recipe(request, plan_only=plan))


@app.command()
def report(
    study: StudyPath = Path("results"),
    format: Annotated[
        str, typer.Option(help="table, markdown, csv, json, latex or units (every unit's own score).")
    ] = "table",
    html: Annotated[Path | None, typer.Option(help="Write one self-contained HTML file.", metavar="FILE")] = None,
    figures: Annotated[Path | None, typer.Option(help="Write every figure as SVG, PNG and PDF.", metavar="DIR")] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Write table, page and figures into the study's own folder.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Print the table again whenever a run finishes, until Ctrl-C.")
    ] = False,
) -> None:
    """Print the ranked table of STUDY. A report is a pure function of the results folder: it trains nothing."""
    from ablate.cli.report import report_study

    raise typer.Exit(report_study(study, format=format, html=html, figures=figures, save=save, watch=watch))


@app.command()
def params(
    recipe: Annotated[
        Path | None, typer.Argument(help="The recipe [default: the shipped vivit_fixes].", metavar="[RECIPE]")
    ] = None,
    variant: Annotated[list[str] | None, typer.Option(help="Only this variant; may be repeated.")] = None,
    depth: Annotated[int, typer.Option(help="How deep to open the parts: 1 parts, 2 their modules, ...", min=1)] = 1,
    format: Annotated[str, typer.Option(help="table or json.")] = "table",
    units: Annotated[int | None, typer.Option(help="Units a session instead of the data's.", min=1)] = None,
    behaviors: Annotated[int | None, typer.Option(help="Behaviour variables instead of the data's.", min=0)] = None,
    sessions: Annotated[int | None, typer.Option(help="Sessions instead of the data's.", min=1)] = None,
    sets: Sets = None,
    data: DataPath = None,
) -> None:
    """Parameters, FLOPs, shapes and tokens of every variant side by side, with the change to the baseline and the
    lints.
    """
    from ablate.cli.params import show_params

    raise typer.Exit(
        show_params(
            recipe,
            variants=tuple(variant or ()),
            depth=depth,
            format=format,
            units=units,
            behaviors=behaviors,
            sessions=sessions,
            sets=tuple(sets or ()),
            data=data,
        )
    )


@app.command()
def check(
    recipe: RecipePath,
    sets: Sets = None,
    data: DataPath = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Also time a few steps of every variant, as `ablate run --plan` does.")
    ] = False,
    device: Device = "auto",
    out: Out = Path("results"),
) -> None:
    """Validate RECIPE, list its variants with what each changes, and refuse patches that do nothing. Trains nothing."""
    from ablate.cli.check import check_recipe

    raise typer.Exit(check_recipe(recipe, sets=tuple(sets or ()), data=data, cost=cost, device=device, out=out))


@app.command()
def parts(
    name: Annotated[str | None, typer.Argument(help="Only this part or folder: vivit, core.", metavar="[PART]")] = None,
    format: Annotated[str, typer.Option(help="table or json.")] = "table",
) -> None:
    """List every part of a model, of the data and of the training, with its options, defaults and help."""
    from ablate.cli.parts import show_parts

    raise typer.Exit(show_parts(name, format=format))


@app.command()
def show(
    run_folder: Annotated[
        Path,
        typer.Argument(help="A run's folder: results/<study>/runs/<key>, or STUDY for its main runs.", metavar="RUN"),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where the pictures go [default: beside the run].", metavar="DIR")
    ] = None,
    device: Device = "auto",
) -> None:
    """Draw a fitted model: readout positions, temporal kernels, predicted rates of the best, median and worst unit."""
    from ablate.cli.show import show_run

    raise typer.Exit(show_run(run_folder, out=out, device=device))


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A study's folder.", metavar="STUDY_A")],
    second: Annotated[Path, typer.Argument(help="Another study's folder.", metavar="STUDY_B")],
    format: Annotated[str, typer.Option(help="table or json.")] = "table",
) -> None:
    """The same variants in two studies: what differs in configuration, data and environment, and what changed in the
    verdicts.
    """
    from ablate.cli.compare import compare_studies

    raise typer.Exit(compare_studies(first, second, format=format))


@app.command()
def verify(
    study: StudyPath,
    device: Device = "auto",
    hashes_only: Annotated[bool, typer.Option("--hashes-only", help="Check the stored hashes, train nothing.")] = False,
) -> None:
    """Check every stored hash of STUDY, and train one finished run again to compare its losses and scores."""
    from ablate.cli.verify import verify_study

    raise typer.Exit(verify_study(study, device=device, hashes_only=hashes_only))


@app.command()
def clean(
    study: StudyPath,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it the command only lists.")] = False,
    weights: Annotated[bool, typer.Option("--weights", help="Also the weights of finished runs.")] = False,
) -> None:
    """List what can be deleted from STUDY: left-over checkpoints, partial folders, runs that no variant uses."""
    from ablate.cli.clean import clean_study

    raise typer.Exit(clean_study(study, yes=yes, weights=weights))


@data_app.command("make")
def data_make(
    out: Annotated[Path, typer.Argument(help="Folder for the recordings.", metavar="OUT")],
    recipe: Annotated[Path | None, typer.Option(help="Take the `data` section of this recipe.")] = None,
    sets: Sets = None,
) -> None:
    """Write the synthetic recordings of synthetic_v1 (or of a recipe's data section) as recording folders."""
    from ablate.cli.data import make_data

    raise typer.Exit(make_data(out, recipe=recipe, sets=tuple(sets or ())))


@data_app.command("info")
def data_info(
    path: Annotated[Path, typer.Argument(help="A recording folder, or a folder of them.", metavar="PATH")],
    recipe: Annotated[Path | None, typer.Option(help="Split as the `data` section of this recipe says.")] = None,
    sets: Sets = None,
    format: Annotated[str, typer.Option(help="table or json.")] = "table",
) -> None:
    """Rates, spikes a unit, repeats found and the split of a recording."""
    from ablate.cli.data import show_info

    raise typer.Exit(show_info(path, recipe=recipe, sets=tuple(sets or ()), format=format))


@data_app.command("features")
def data_features(
    recipe: RecipePath,
    sets: Sets = None,
    data: DataPath = None,
    device: Device = "auto",
) -> None:
    """Run the frozen frame encoder of RECIPE once over every frame and keep its features in the cache."""
    from ablate.cli.data import make_features

    raise typer.Exit(make_features(recipe, sets=tuple(sets or ()), data=data, device=device))


def told_of_torch(fault: Exception) -> bool:
    """Whether a fault is that of a torch and a torchvision that do not fit; it is then told with its mend."""
    text = str(fault)
    if "torchvision" not in text and "torch" not in str(getattr(fault, "name", "")):
        return False
    from ablate.cli.console import show_error

    hint = "install a matching pair: pip install --upgrade --force-reinstall torch torchvision timm"
    show_error(AblateError(f"torch and torchvision do not fit each other: {text}", hint=hint))
    return True


def main() -> None:
    """The entry point: a user's mistake is one clear message and exit code 2, never a traceback."""
    try:
        app()
    except AblateError as error:
        from ablate.cli.console import show_error

        show_error(error)
        sys.exit(USAGE_ERROR)
    except (ImportError, RuntimeError) as fault:
        if not told_of_torch(fault):
            raise
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
