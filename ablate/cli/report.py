"""`ablate report`: a study's folder in, its table, page or figures out. Loads no torch."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from ablate.analysis import StudyAnalysis, analyse
from ablate.cli.console import out, say
from ablate.errors import AblateError
from ablate.report import Format, live_table, render
from ablate.result import RunRecord, Store
from ablate.result.files import write_bytes

FORMATS = get_args(Format)
QUICK_FORMATS = ("table", "markdown", "latex")
"""Formats that show nothing of single units or learning curves, and so need not read them."""
SAVED_TEXTS = {
    "table.txt": "table",
    "table.md": "markdown",
    "table.json": "json",
    "table.csv": "csv",
    "per_unit.md": "units",
}
SAVED_WIDTH = 120
WATCH_SECONDS = 2.0


def report_study(
    path: Path,
    *,
    format: str = "table",
    html: Path | None = None,
    figures: Path | None = None,
    save: bool = False,
    watch: bool = False,
) -> int:
    """Prints the report of every study under `path`. Raises AblateError when there is none."""
    if format not in FORMATS:
        raise AblateError(f"--format {format} is unknown", hint=f"choose {', '.join(FORMATS)}")
    stores = studies_under(path)
    if (html or figures) and len(stores) > 1:
        names = ", ".join(store.root.name for store in stores)
        raise AblateError(f"{path} holds several studies ({names})", hint="name one of them for --html and --figures")
    if watch:
        return watch_study(stores)
    to_files = bool(html or figures or save)
    for store in stores:
        analysis = analysis_of(store, quick_look=format in QUICK_FORMATS and not to_files, tell=True)
        if save:
            save_report(store, analysis)
        if html is not None:
            save_page(store, analysis, html)
        if figures is not None:
            save_figures(analysis, figures)
        if format != "table" or not to_files:
            print_report(analysis, format)
    return 0


def save_report(store: Store, analysis: StudyAnalysis) -> None:
    """Table, page and figures into the study's own folder: what is kept of a study beside its runs."""
    for name, format in SAVED_TEXTS.items():
        text = render(analysis, format, width=SAVED_WIDTH)
        write_bytes(store.root / name, text.encode())
        say(f"wrote {store.root / name}")
    save_page(store, analysis, store.root / "report.html")
    save_figures(analysis, store.root / "figures", kinds=("svg",))


def save_page(store: Store, analysis: StudyAnalysis, path: Path) -> None:
    """The HTML page."""
    from ablate.report.html import write_html

    write_html(analysis, path, pictures=store)
    say(f"wrote {path}")


def save_figures(analysis: StudyAnalysis, folder: Path, **options: Any) -> None:
    """Every figure of a study."""
    from ablate.report.figures import write_figures

    for file in write_figures(analysis, folder, **options):
        say(f"wrote {file}")


def studies_under(path: Path) -> list[Store]:
    """The study at `path`, or the studies in it."""
    if (path / "study.json").is_file():
        return [Store(path)]
    if not path.is_dir():
        raise AblateError("there is no such folder", where=str(path), hint="`ablate run RECIPE` makes a study")
    found = [Store(folder) for folder in sorted(path.iterdir()) if (folder / "study.json").is_file()]
    if not found:
        raise AblateError("there is no study here", where=str(path), hint="`ablate run RECIPE` makes one")
    return found


def analysis_of(store: Store, *, quick_look: bool = False, tell: bool = False) -> StudyAnalysis:
    """A study's analysis from its folder.

    quick_look: leaves out what needs the per-unit tables and learning curves. tell: says which runs cannot be read.
    """
    manifest = store.manifest()
    records = readable_records(store) if tell else store.records()
    if quick_look:
        return analyse(manifest, records)
    return analyse(manifest, records, units=_or_none(store.units), history=_or_none(store.history))


def _or_none(load: Callable[[str], Any]) -> Callable[[str], Any]:
    """A run whose per-unit table or curve is damaged loses these alone."""

    def loader(key: str) -> Any:
        try:
            return load(key)
        except AblateError:
            return None

    return loader


def print_report(analysis: StudyAnalysis, format: str) -> None:
    """To stdout; a table fits the terminal, everything else is text to be kept."""
    if format == "table":
        out().print(live_table(analysis))
    else:
        print(render(analysis, format), end="")


def readable_records(store: Store) -> tuple[RunRecord, ...]:
    """The records of a study, read once; runs that cannot be read are told, and count as not yet run."""
    scan = store.scan()
    for damaged in scan.damaged:
        say(f"warning: run {damaged.key} cannot be read and is left out: {damaged.reason}")
    return tuple(scan.records.values())


def watch_study(stores: list[Store]) -> int:
    """Shows the tables again whenever the set of runs in place, or a plan, changes; on a terminal in the same place."""
    console = out()
    seen: tuple[object, ...] = ()
    try:
        while True:
            now = tuple((store.keys(), (store.root / "study.json").stat().st_mtime_ns) for store in stores)
            if now != seen:
                seen = now
                analyses = [analysis_of(store, quick_look=True) for store in stores]
                if console.is_terminal:
                    console.clear()
                for analysis in analyses:
                    print_report(analysis, "table")
                say(watched(analyses))
            time.sleep(WATCH_SECONDS)
    except KeyboardInterrupt:
        return 0


def watched(analyses: list[StudyAnalysis]) -> str:
    """How far the studies are."""
    done = sum(analysis.runs_done + analysis.runs_failed for analysis in analyses)
    planned = sum(analysis.runs_planned for analysis in analyses)
    if done >= planned:
        return f"all {planned} runs are done; Ctrl-C to leave"
    return f"{done} of {planned} runs at {time.strftime('%H:%M:%S')}; watching for more, Ctrl-C to leave"
