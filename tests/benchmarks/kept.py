"""What the scripts of this folder measured: one JSON, results/benchmarks/benchmarks.json, an entry for each script.

    python tests/benchmarks/kept.py    prints of each entry when, on what and under which load it was measured

An entry holds the words of the command, date, load before and after (runs waiting for a core), machine, versions and
commit, the figures, and the lines as printed, which `results/readme.py` puts into README and docs. A script keeps its
entry when asked to by `--keep`; the others' stay as they are.
"""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ablate.disk.whole import write_bytes  # noqa: E402
from ablate.result.environment import environment  # noqa: E402

KEPT = ROOT / "results/benchmarks/benchmarks.json"


class Sheet:
    """figures: what was measured, as plain data. lines: what was said of it."""

    def __init__(self) -> None:
        self.figures: Any = {}
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        """Prints a line and remembers it."""
        print(line, flush=True)
        self.lines.append(line)


def ask_to_keep(parser: ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help=f"as this script's entry of {KEPT.relative_to(ROOT)}")


@contextmanager
def measuring(name: str, *, keep: bool, file: Path = KEPT) -> Iterator[Sheet]:
    """A sheet to fill; where asked to, kept as the entry `name` if nothing was raised."""
    sheet, before, git = Sheet(), os.getloadavg()[0], environment(folder=ROOT)
    yield sheet
    if not keep:
        return
    entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    entries[name] = {
        "command": " ".join(["python", f"tests/benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load": [round(before, 1), round(os.getloadavg()[0], 1)],
        "environment": git,
        "figures": sheet.figures,
        "printed": sheet.lines,
    }
    write_bytes(file, (json.dumps(dict(sorted(entries.items())), indent=1) + "\n").encode())


def main() -> None:
    for name, entry in json.loads(KEPT.read_text(encoding="utf-8")).items():
        machine = entry["environment"]  # empty where a figure is older than this file
        on = f"{machine['processor']}, load {entry['load']}, {machine['git']['commit'][:7]}" if machine else "not kept"
        print(f"{name:14} {entry['when']}, {on}")


if __name__ == "__main__":
    main()
