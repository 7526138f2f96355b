"""The ranked table, once or again whenever a run finishes."""

import shlex
import time
from collections.abc import Sequence

from ablate.analysis.outcome import StudyAnalysis
from ablate.cli.console import out, say
from ablate.cli.studies import analysis_of
from ablate.report import View, compose, render
from ablate.report.content import overview
from ablate.result import Store
from ablate.result.provenance import study_facts

WATCH_SECONDS = 2.0


def print_report(
    analysis: StudyAnalysis, format: str, store: Store | None = None, *, details: bool = False, again: str = ""
) -> None:
    """To stdout; a table fits the terminal, everything else is text to be kept.

    store: the study's folder, where it has one. again: the command that gave this report, where no folder does.
    """
    if format == "table":
        command = again or ("" if store is None else f"ablate report {shlex.quote(str(store.root))}")
        more = f"`{command} --details`; as a page: `--html FILE`"
        out().print(View(compose(analysis, store), details=details, more=more))
    else:
        print(render(analysis, format, store=store), end="")


def print_overview(stores: Sequence[Store], analyses: Sequence[StudyAnalysis]) -> None:
    """One line a study."""
    facts = [study_facts(store.manifest(), store.records()) for store in stores]
    out().print(View(overview(list(zip(facts, analyses, strict=True)))))
    out().print()


def watch_studies(stores: list[Store]) -> int:
    """Shows the tables again whenever the set of runs in place, or a manifest, changes; on a terminal in place."""
    console = out()
    seen: tuple[object, ...] = ()
    try:
        while True:
            now = tuple((store.keys(), (store.root / "study.json").stat().st_mtime_ns) for store in stores)
            if now != seen:
                seen = now
                analyses = [analysis_of(store) for store in stores]
                if console.is_terminal:
                    console.clear()
                for store, analysis in zip(stores, analyses, strict=True):
                    print_report(analysis, "table", store)
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
