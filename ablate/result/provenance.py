"""A study's manifest and records in, where its numbers come from out: how many runs, of which code, until when."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ablate.result.manifest import StudyManifest
from ablate.result.record import RunRecord

SHOWN_DIGITS = 7
"""Of a commit, as git shortens it."""


@dataclass(frozen=True)
class StudyFacts:
    """One line of an overview of several studies. commits: with the number of their runs. finished: `2026-11-25`, of
    the last run; empty where none has ended.
    """

    name: str
    question: str
    runs_done: int
    runs_planned: int
    commits: Mapping[str, int]
    finished: str


def study_facts(manifest: StudyManifest, records: Iterable[RunRecord]) -> StudyFacts:
    """What is known of a study before it is analysed; records that the manifest does not name are left out."""
    keys = manifest.run_keys
    named = [record for record in records if record.key in keys]
    return StudyFacts(
        name=manifest.name,
        question=" ".join(manifest.question.split()),
        runs_done=sum(record.state == "done" for record in named),
        runs_planned=len(keys),
        commits=commits(named),
        finished=max((record.finished for record in named), default="")[:10],
    )


def commits(records: Iterable[RunRecord]) -> dict[str, int]:
    """`8f4a518`, or `8f4a518 with uncommitted changes` -> runs, the one with the most runs first. Runs made outside a
    git checkout are not counted."""
    found = Counter(commit for record in records if (commit := _commit(record)))
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _commit(record: RunRecord) -> str:
    git = record.environment.get("git")
    if not isinstance(git, Mapping) or not git.get("commit"):
        return ""
    return str(git["commit"])[:SHOWN_DIGITS] + (" with uncommitted changes" if git.get("dirty") else "")
