"""Whether the files of a run are the ones that were written: sizes and hashes against `hashes.json`."""

from pathlib import Path

from ablate.disk.digest import file_hash
from ablate.disk.name import check_name
from ablate.disk.read import read_json
from ablate.errors import AblateError
from ablate.result.store.writer import HASHES


def changed_files(folder: Path) -> list[str]:
    """What is wrong with a run's files, one sentence each; empty when all are as written."""
    try:
        hashes = read_json(folder / HASHES)
        expected = {check_name(name, "file name"): (int(f["bytes"]), str(f["blake2b"])) for name, f in hashes.items()}
    except AblateError as error:
        return [f"{HASHES} {error.problems[0].what}"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return [f"{HASHES} is damaged"]
    wrong = [sentence for name, (size, digest) in expected.items() if (sentence := _fault(folder / name, size, digest))]
    present = {path.name for path in folder.iterdir()} - {HASHES}
    return wrong + [f"{name} was added" for name in sorted(present - set(expected))]


def _fault(path: Path, size: int, digest: str) -> str:
    if path.is_symlink() or not path.is_file():
        return f"{path.name} is missing"
    if path.stat().st_size != size:
        return f"{path.name} has {path.stat().st_size} bytes instead of {size}"
    try:
        return "" if file_hash(path) == digest else f"{path.name} has changed"
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}"
