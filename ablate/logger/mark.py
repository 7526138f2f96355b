"""A small file in a folder of a logger's that says: this run was written whole. For loggers that keep plain files."""

from pathlib import Path

from ablate.disk.read import read_json
from ablate.disk.whole import write_json
from ablate.errors import AblateError

NAME = "ablate.json"


def mark(folder: Path, key: str) -> None:
    """Says that the folder holds all of a run."""
    write_json(folder / NAME, {"key": key})


def marked(folder: Path) -> frozenset[str]:
    """The keys of the runs that lie whole anywhere below."""
    keys = set()
    for path in folder.rglob(NAME):
        try:
            keys.add(str(read_json(path)["key"]))
        except (AblateError, KeyError, TypeError):  # cut off by a crash: the run is told again
            continue
    return frozenset(keys)
