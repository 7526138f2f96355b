"""A path in, the studies under it and the analysis of each out. Loads no torch."""

from collections.abc import Sequence
from pathlib import Path

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.row.files import files_of
from ablate.analysis.study import analyse
from ablate.cli.console import say
from ablate.disk.absent import absent
from ablate.disk.read import without_collection
from ablate.errors import AblateError
from ablate.result import RunRecord, Store
from ablate.result.record import ReportedRun


def studies_under(path: Path) -> list[Store]:
    """The study at `path`, or the studies in it."""
    if (path / "study.json").is_file():
        return [Store(path)]
    if not path.is_dir():
        raise absent(path, "there is no such folder", "`ablate run RECIPE` makes a study")
    found = [Store(folder) for folder in sorted(path.iterdir()) if (folder / "study.json").is_file()]
    if not found:
        raise AblateError("there is no study here", where=str(path), hint="`ablate run RECIPE` makes one")
    return found


def analysis_of(
    store: Store, records: Sequence[RunRecord] | None = None, *, quick_look: bool = False, tell: bool = False
) -> StudyAnalysis:
    """A study's analysis from its folder.

    records: those of the folder, where they were read already. quick_look: leaves out what needs the per-unit tables
    and learning curves. tell: says which runs cannot be read.
    """
    manifest = store.manifest()
    if records is None:
        records = readable_records(store, tell=tell)
    with without_collection():
        if quick_look:
            return analyse(manifest, records)
        return analyse(manifest, records, **files_of(store))


def readable_records(store: Store, *, tell: bool = True) -> tuple[RunRecord, ...]:
    """The records of a study without their configurations, read once; runs that cannot be read count as not yet run.
    tell: and are named."""
    scan = store.scan(ReportedRun)
    for damaged in scan.damaged if tell else ():
        say(f"warning: run {damaged.key} cannot be read and is left out: {damaged.reason}")
    return tuple(scan.records.values())
