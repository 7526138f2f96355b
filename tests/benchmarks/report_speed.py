"""Times the table of a study with 5,000 run records: `python tests/benchmarks/report_speed.py`. Asserts nothing.

Records are made in memory, so reading them from disk is not in the figures; the time is the process's own.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "analysis")]

from planted import BASELINE, Planted, around, shifted  # noqa: E402

from ablate.analysis import analyse  # noqa: E402
from ablate.report import render  # noqa: E402


def study(variants: int, seeds: int, sessions: int, units: int) -> tuple[Planted, Callable[[str], object]]:
    """A study of variants x seeds runs, with per-unit scores made up on the fly."""
    base = around(0.4, 0.01, seeds=seeds)
    scores = {BASELINE: base}
    for index in range(variants - 1):
        scores[f"patch{index:04d}"] = shifted(base, 0.0002 * (index % 100), salt=index)
    names = {
        name: {seed: {f"session{part}": value for part in range(sessions)} for seed, value in runs.items()}
        for name, runs in scores.items()
    }
    one = {"entry": list(range(units)), "value": [0.4] * units}
    content = {"sessions": [{"name": f"session{part}", **one} for part in range(sessions)]}
    return Planted(scores, sessions=names, seeds=range(seeds)), lambda key: json.loads(json.dumps(content))


def main() -> None:
    for variants, seeds in ((1667, 3), (500, 10), (50, 100)):
        planted, units = study(variants, seeds, sessions=30, units=20)
        manifest, records = planted.manifest(), planted.records()
        start = time.process_time()
        analysis = analyse(manifest, records)
        analysed = time.process_time()
        table = render(analysis, "table", 140)
        shown = time.process_time()
        render(analysis, "json")
        exported = time.process_time()
        analyse(manifest, records, units=units)
        with_units = time.process_time()
        print(
            f"{variants} variants x {seeds} seeds: analyse {analysed - start:.2f} s, table {shown - analysed:.2f} s "
            f"({len(table.splitlines())} lines), json {exported - shown:.2f} s, "
            f"analyse with units {with_units - exported:.2f} s"
        )


if __name__ == "__main__":
    main()
