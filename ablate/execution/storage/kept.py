"""What a store holds of jobs, by the names of its objects alone. Every attempt at a job writes under a name of its own,
so that none overwrites another's, however late it comes.

    <storage>/<study>/<key>/<attempt>/<64 hex>            a file, by its content
                                      place-<name>.json   a place that was saved: written after its file
                                      commit.json         the files of the job once it is done: written after them all

An attempt is called `<6 digits>-<8 hex>`: a number that grows, and whose command gave it out.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ablate.execution.storage.bucket import Bucket
from ablate.execution.storage.piece import Piece

COMMIT = "commit.json"
ATTEMPT = re.compile(r"(\d{6})-[0-9a-f]{8}")
_PLACE = re.compile(r"place-(.+)\.json")


@dataclass(frozen=True)
class Kept:
    """One job. names: of its objects, relative to it. commits: attempts that ended, the newest first. places: attempts
    and names of the files of places, the newest file first, of equal ones that of the newest attempt."""

    names: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    places: tuple[tuple[str, str], ...] = ()

    @property
    def next_number(self) -> int:
        numbers = [int(match[1]) for name in self.names if (match := ATTEMPT.fullmatch(name.partition("/")[0]))]
        return max(numbers, default=0) + 1


def kept(names: Iterable[str]) -> Kept:
    """By the names of one job's objects; what is none of ours is left aside."""
    known = [(attempt, leaf) for attempt, _, leaf in (n.partition("/") for n in names) if ATTEMPT.fullmatch(attempt)]
    commits = sorted((attempt for attempt, leaf in known if leaf == COMMIT), reverse=True)
    saved = sorted(((match[1], attempt) for attempt, leaf in known if (match := _PLACE.fullmatch(leaf))), reverse=True)
    return Kept(
        names=tuple(f"{attempt}/{leaf}" for attempt, leaf in known),
        commits=tuple(commits),
        places=tuple((attempt, name) for name, attempt in saved),
    )


def kept_by_key(names: Iterable[str]) -> Mapping[str, Kept]:
    """By the names of a study's objects."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        key, _, rest = name.partition("/")
        if rest:
            found[key].append(rest)
    return {key: kept(of_key) for key, of_key in found.items()}


def attempt_name(number: int, command: str) -> str:
    """command: 8 hex digits."""
    return f"{number:06d}-{command}"


def place_name(file: str) -> str:
    """The object that tells of a place's file."""
    return f"place-{file}.json"


def tell(bucket: Bucket, name: str, pieces: Sequence[Piece]) -> None:
    """Writes the small object that makes files count. bucket: the attempt's."""
    bucket.write(name, json.dumps({"files": [piece.told() for piece in pieces]}).encode())
