"""A file in a store, under its content's name, and the few words that tell whether what is read is what was written."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path

from ablate.disk.digest import file_hash
from ablate.disk.name import check_name
from ablate.disk.read import parse_json
from ablate.errors import AblateError
from ablate.execution.storage.bucket import Bucket
from ablate.execution.storage.home import NotWhole

CONTENT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Piece:
    """One file. bytes: its size. blake2b: 64 hex digits of its content."""

    name: str
    bytes: int
    blake2b: str

    def told(self) -> dict[str, object]:
        return asdict(self)


def put_piece(bucket: Bucket, path: Path, name: str = "") -> Piece:
    """Writes a file that nobody changes meanwhile, whether its content is there already or not: that may be half of it.

    name: of the file, where it is not the path's.
    """
    piece = Piece(name or path.name, path.stat().st_size, file_hash(path))
    bucket.upload(path, piece.blake2b)
    return piece


def get_piece(bucket: Bucket, piece: Piece, place: Path) -> None:
    """Reads a file and compares it with what was written. Raises NotWhole; what it has read is no longer there then."""
    try:
        if not bucket.download(piece.blake2b, place):
            raise NotWhole(f"{piece.name} is missing")
        if (size := place.stat().st_size) != piece.bytes:
            raise NotWhole(f"{piece.name} has {size} bytes instead of {piece.bytes}")
        if file_hash(place) != piece.blake2b:
            raise NotWhole(f"{piece.name} is not what was written")
    except BaseException:
        place.unlink(missing_ok=True)
        raise


def read_pieces(bucket: Bucket, name: str) -> tuple[Piece, ...]:
    """What a small object tells of one file or several. Raises NotWhole where it is absent, cut or not ours."""
    data = bucket.read(name)
    if data is None:
        raise NotWhole(f"{name} is missing")
    try:
        pieces = tuple(_piece(told) for told in parse_json(data, name)["files"])
    except (AblateError, AttributeError, KeyError, TypeError, ValueError):
        raise NotWhole(f"{name} is damaged") from None
    if not pieces or len({piece.name for piece in pieces}) < len(pieces):
        raise NotWhole(f"{name} is damaged")
    return pieces


def _piece(told: dict[str, object]) -> Piece:
    """Names come from a store that others may write to, and become those of files here."""
    name, size, content = told["name"], told["bytes"], told["blake2b"]
    if not (isinstance(name, str) and isinstance(size, int) and isinstance(content, str)):
        raise TypeError
    if not CONTENT.fullmatch(content):
        raise ValueError
    return Piece(check_name(name, "file name"), size, content)
