"""The ranked table, once or again whenever a run finishes."""

import time

from ablate.analysis import StudyAnalysis
from ablate.cli.console import out, say
from ablate.cli.studies import analysis_of
from ablate.report import live_table, render
from ablate.result import Store

WATCH_SECONDS = 2.0


def print_report(analysis: StudyAnalysis, format: str) -> None:
    """To stdout; a table fits the terminal, everything else is text to be kept."""
    if format == "table":
        out().print(live_table(analysis))
    else:
        print(render(analysis, format), end="")


def watch_studies(stores: list[Store]) -> int:
    """Shows the tables again whenever the set of runs in place, or a manifest, changes; on a terminal in place."""
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
