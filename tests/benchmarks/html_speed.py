"""Times the HTML page of a study with 5,000 run records; asserts nothing.

    python tests/benchmarks/html_speed.py [--keep]

With per-unit scores and learning curves. Records are made in memory; the time is the process's own.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

from kept import Sheet, ask_to_keep, measuring  # noqa: E402
from report_speed import study  # noqa: E402

from ablate.analysis.study import analyse  # noqa: E402
from ablate.report import compose  # noqa: E402
from ablate.report.writer.page import page  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    ask_to_keep(parser)
    with measuring("html_speed", keep=parser.parse_args().keep) as sheet:
        measure(sheet)


def measure(sheet: Sheet) -> None:
    """Studies of many variants, of a few, and of few with many seeds."""
    for variants, seeds in ((1667, 3), (500, 10), (50, 100)):
        planted, units = study(variants, seeds, sessions=30, units=20)
        manifest, records = planted.manifest(), planted.records()
        curve = [{"step": step, "validation": 0.4 - 1 / (step + 3)} for step in range(0, 1000, 50)]
        start = time.process_time()
        analysis = analyse(manifest, records, units=units, history=lambda _, curve=curve: curve)
        analysed = time.process_time()
        text = page(compose(analysis))
        drawn = time.process_time()
        sheet.figures[f"{variants} x {seeds}"] = {
            "analyse_s": round(analysed - start, 1),
            "page_s": round(drawn - analysed, 1),
            "page_mb": round(len(text) / 1e6, 1),
        }
        sheet.say(
            f"{variants} variants x {seeds} seeds: analyse {analysed - start:.1f} s, page {drawn - analysed:.1f} s "
            f"({len(text) / 1e6:.1f} MB)"
        )


if __name__ == "__main__":
    main()
