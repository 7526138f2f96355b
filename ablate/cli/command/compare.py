"""`ablate compare`: two studies' folders in, their variants side by side out. Loads no torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.console import out
from ablate.cli.options import TableOrJson, known_format
from ablate.disk.absent import absent
from ablate.disk.read import Json
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.analysis.comparison import Side
    from ablate.result import Store


ALL = 10_000
"""Lines: nothing of a comparison is left out."""


def compare(
    first: Annotated[Path, typer.Argument(help="A study's folder.", metavar="STUDY_A")],
    second: Annotated[Path, typer.Argument(help="Another study's folder.", metavar="STUDY_B")],
    format: TableOrJson = "table",
) -> None:
    """Compare the same variants in two studies. Configuration, data, environment, and what changed in the verdicts."""
    raise typer.Exit(compare_studies(first, second, format=format))


def compare_studies(first: Path, second: Path, *, format: str = "table") -> int:
    """Prints the comparison. Raises AblateError where one of them is no study."""
    from ablate.analysis.comparison import compare
    from ablate.report import View
    from ablate.report.content import compose_comparison
    from ablate.report.writer.table_data import comparison_json

    known_format(format)
    comparison = compare(_side(first), _side(second))
    if format == "json":
        print(comparison_json(comparison), end="")
    else:
        out().print(View(compose_comparison(comparison), most=ALL))
    return 0


def _side(path: Path) -> "Side":
    """One study, with the configuration and the environment of its baseline."""
    from ablate.analysis.comparison import Side
    from ablate.cli.studies import analysis_of
    from ablate.result import Store

    if not (path / "study.json").is_file():
        hint = "name two folders such as results/quickstart"
        if not path.exists():
            raise absent(path, "there is no such folder", hint)
        raise AblateError("is no study's folder", where=str(path), hint=hint)
    store = Store(path)
    analysis = analysis_of(store, tell=True)
    record = _baseline_record(store, [key for _, key in analysis.baseline.keys])
    environment: Json = dict(analysis.environment)
    environment.update({f"device {name}": value for name, value in record.get("device", {}).items()})
    return Side(analysis, record.get("config", {}), environment)


def _baseline_record(store: "Store", keys: list[str]) -> Json:
    """Configuration and device of the baseline's first readable run."""
    for key in keys:
        try:
            record = store.record(key)
        except AblateError:
            continue
        return {"config": record.config, "device": record.environment.get("device") or {}}
    return {}
