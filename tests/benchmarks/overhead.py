"""Milliseconds that a run costs when it does nothing: forked from the server, or started afresh.

python tests/benchmarks/overhead.py [--jobs 60] [--fresh 4] [--workers 1] [--keep]
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from kept import ask_to_keep, measuring

from ablate.execution import Job, Settings, execute


def nothing(payload: dict) -> None:
    """The work of these runs: what every run needs first, and no more."""
    import torch  # noqa: F401


def milliseconds(jobs: int, settings: Settings, work: str) -> tuple[float, float]:
    """Start-up of the pool, and the cost of each job after the first, both in ms."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        ended = [
            time.perf_counter()
            for outcome in execute([Job(f"job{i}", {}) for i in range(jobs)], work, settings, logs=Path(folder))
            if outcome.state == "done"
        ]
    assert len(ended) == jobs
    return 1e3 * (ended[0] - begun), 1e3 * (ended[-1] - ended[0]) / max(1, jobs - 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--fresh", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--preload", default="torch")
    ask_to_keep(parser)
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    work, preload = "overhead:nothing", (options.preload,)
    ways = (
        ("inline", options.jobs, Settings(engine="inline")),
        ("fork server", options.jobs, Settings(workers=options.workers, preload=preload, start="fork")),
        ("fresh process", options.fresh, Settings(workers=options.workers, preload=preload, start="spawn")),
    )
    with measuring("overhead", keep=options.keep) as sheet:
        for name, jobs, settings in ways:
            start, each = milliseconds(jobs, settings, work)
            sheet.figures[name] = {"first_ms": round(start, 1), "each_ms": round(each, 2)}
            sheet.say(f"{name:14} first result after {start:8.1f} ms, then {each:8.2f} ms a run that does nothing")


if __name__ == "__main__":
    main()
