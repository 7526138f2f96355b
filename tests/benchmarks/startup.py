"""Seconds that a person waits: for a command's first line, and for its end. Asserts nothing.

    python tests/benchmarks/startup.py [NAME ...] [--runs 3] [--finished RECIPE] [--keep]

Each command runs in a pseudo-terminal, as after Enter. `first` is when its first character came, `last` when it ended,
`cpu` the processor time of it and its children, which says more on a busy machine, `most` the largest memory of it or
one of them; medians of the runs. The first `parts` of an empty cache loads torch, which is not measured. `run` is a
rehearsal of the quickstart in an empty folder (`--quick`), `report` is that of the committed quickstart, `finished`
needs a study that is there: RECIPE's, by default the same.
"""

import argparse
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kept import Sheet, ask_to_keep, measuring

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {
    "help": ("--help",),
    "parts": ("parts",),
    "params": ("params", "recipes/quickstart.yaml"),
    "check": ("check", "recipes/quickstart.yaml"),
    "params vivit_fixes": ("params", "recipes/vivit_fixes.yaml"),
    "check vivit_fixes": ("check", "recipes/vivit_fixes.yaml"),
    "report": ("report", "results/quickstart"),
    "finished": ("run", "{finished}"),
    "run": ("run", "recipes/quickstart.yaml", "--quick", "--out", "{folder}"),
}


def wait_for(command: list[str]) -> tuple[float, float, float, float]:
    """Seconds from Enter to the first character and to the end, processor seconds, and megabytes."""
    terminal, inside = pty.openpty()
    begun, first = time.perf_counter(), 0.0
    process = subprocess.Popen(command, cwd=ROOT, stdin=inside, stdout=inside, stderr=inside, close_fds=True)
    os.close(inside)
    try:
        while os.read(terminal, 4096):
            first = first or time.perf_counter() - begun
    except OSError:  # how a pseudo-terminal says that nobody writes any more
        pass
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    last = time.perf_counter() - begun
    os.close(terminal)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return first, last, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(COMMANDS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--finished", default="recipes/quickstart.yaml")
    ask_to_keep(parser)
    options = parser.parse_args()
    with measuring("startup", keep=options.keep) as sheet:
        measure(options, sheet)


def measure(options: argparse.Namespace, sheet: Sheet) -> None:
    """Every command that was asked for."""
    sheet.say(f"{'':20} {'first':>7} {'last':>7} {'cpu':>7}  s {'most':>6}  MB")
    names = options.names or COMMANDS
    if "parts" in names:
        wait_for([sys.executable, "-m", "ablate", "parts"])
    for name in names:
        taken = []
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory() as folder:
                given = {"finished": options.finished, "folder": folder}
                words = [word.format(**given) for word in COMMANDS[name]]
                taken.append(wait_for([sys.executable, "-m", "ablate", *words]))
        first, last, cpu, most = (statistics.median(part) for part in zip(*taken, strict=True))
        figures = {"first_s": round(first, 2), "last_s": round(last, 2), "cpu_s": round(cpu, 2), "most_mb": round(most)}
        sheet.figures[name] = figures
        sheet.say(f"{name:20} {first:7.2f} {last:7.2f} {cpu:7.2f}    {most:6.0f}")


if __name__ == "__main__":
    main()
