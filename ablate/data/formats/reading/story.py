"""What a reader tells of a file: what was read, what was inferred, and what lies there and is not used.

It is kept in the recording's notes, so that whoever opens it later, or reads `recording.yaml`, is told too.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ablate.disk.read import Json

MOST = 12
"""Names in a list; the rest is counted."""


@dataclass
class Story:
    """A sentence each, without a full stop."""

    read: list[str] = field(default_factory=list)
    inferred: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def notes(self, kind: str, first_bin_s: float = 0.0, **more: object) -> Json:
        """For `recording.yaml`. first_bin_s: when the first bin began, on the file's own clock."""
        lists = {"read": self.read, "inferred": self.inferred, "not_used": self.unused}
        told = {name: list(dict.fromkeys(lines)) for name, lines in lists.items() if lines}
        return {"format": kind, "first_bin_s": float(first_bin_s), **more, **told}


def folders_of(names: Iterable[str]) -> list[str]:
    """Files by their folder: `meta/statistics (24 files)`."""
    counts = Counter(str(PurePosixPath(name).parent) for name in names)
    told = [name if number == 0 else f"{name} ({number} file{'s' * (number != 1)})" for name, number in counts.items()]
    return [*told[:MOST], *([f"{len(told) - MOST} more folders"] if len(told) > MOST else [])]
