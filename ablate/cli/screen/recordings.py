"""What is in recordings and how they are split: a row a session, then what is worth knowing of each."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ablate.analysis.words import number, percent
from ablate.cli.console import out

if TYPE_CHECKING:
    from ablate.data.encoding.info import DataInfo, SessionInfo


def print_json(info: "DataInfo") -> None:
    """All of it, for programs."""
    print(json.dumps(asdict(info), indent=1))


def print_info(info: "DataInfo") -> None:
    """One row a session, then what is worth knowing of each."""
    console = out()
    console.print(info.summary, markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("session")
    for name in (
        "frames",
        "h x w",
        "bins a s",
        "units",
        "left out",
        "median Hz",
        "train",
        "validation",
        "test",
        "scored test bins",
    ):
        table.add_column(name, justify="right")
    for session in info.sessions:
        table.add_row(*row_of(session))
    console.print(table)
    for session in info.sessions:
        for line in remarks(session):
            console.print(f"{session.name}: {line}", markup=False)
    console.print(
        f"fingerprint {info.fingerprint[:16]}, scored test bins {info.scored_hash['test'][:16]}", markup=False
    )


def row_of(session: "SessionInfo") -> tuple[str | Text, ...]:
    frames, height, width = session.shape
    rates = sorted(unit.rate_hz for unit in session.units)
    excluded = sum(unit.excluded for unit in session.units)
    shares = [percent(session.frames[name] / frames, 0) for name in ("train", "validation", "test")]
    median = number(rates[len(rates) // 2], 1)
    size = f"{height} x {width} {session.dtype}"
    head = (Text(session.name), str(frames), size, f"{session.bin_rate_hz:g}", str(len(session.units)))
    return (*head, str(excluded), median, *shares, str(session.scored["test"]))


def remarks(session: "SessionInfo") -> Iterator[str]:
    """Behaviour, repeats, masks, the ceiling, and the free text of the header."""
    yield f"{len(session.behaviors)} behaviour variables" if session.behaviors else "no behaviour"
    if session.repeated:
        yield f"{session.repeated} frames repeat earlier ones; their stretches never straddle a split"
    if session.dropped:
        yield f"{session.dropped} bins are not scored, since their stretch was met by chance in another split"
    valid = sum(unit.valid for unit in session.units) / len(session.units)
    if valid < 1:
        yield f"{percent(valid)} of the bins are valid"
    known = [unit.attainable for unit in session.units if unit.attainable is not None and not unit.excluded]
    if known:
        yield f"attainable {number(sum(known) / len(known))} bits/spike on the test split"
    for key in ("species", "source", "license"):
        if key in session.notes:
            yield f"{key}: {session.notes[key]}"
