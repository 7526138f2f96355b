"""Run records in, the versions of the code that made them out."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ablate.result.record import RunRecord

SHOWN_DIGITS = 7
"""Of a commit, as git shortens it."""


def commits(records: Iterable[RunRecord]) -> dict[str, int]:
    """Commit, shortened -> runs, the one with the most runs first. Runs made outside a git checkout are not counted."""
    found = Counter(commit[:SHOWN_DIGITS] for record in records if (commit := _commit(record)))
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _commit(record: RunRecord) -> str:
    git = record.environment.get("git")
    return str(git.get("commit", "")) if isinstance(git, Mapping) else ""
