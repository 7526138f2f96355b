"""Seconds that a person waits: for a command's first line, and for its end. Asserts nothing.

    python tests/benchmarks/startup.py [NAME ...] [--runs 3] [--finished RECIPE] [--keep]

Each command runs in a pseudo-terminal, as after Enter. `first` is when its first character came, `last` when it ended,
`cpu` the processor time of it and its children, which says more on a busy machine; medians of the runs. `run` is a
rehearsal of the quickstart in an empty folder (`--quick`), `report` is that of the committed quickstart, `finished`
needs a study that is there: RECIPE's, by default the same.
"""

import argparse
import os
import pty
import resource
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


def wait_for(command: list[str]) -> tuple[float, float, float]:
    """Seconds from Enter to the first character and to the end, and processor seconds."""
    terminal, inside = pty.openpty()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun, first = time.perf_counter(), 0.0
    process = subprocess.Popen(command, cwd=ROOT, stdin=inside, stdout=inside, stderr=inside, close_fds=True)
    os.close(inside)
    try:
        while os.read(terminal, 4096):
            first = first or time.perf_counter() - begun
    except OSError:  # how a pseudo-terminal says that nobody writes any more
        pass
    code = process.wait()
    last = time.perf_counter() - begun
    os.close(terminal)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return first, last, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


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
    sheet.say(f"{'':20} {'first':>7} {'last':>7} {'cpu':>7}  s")
    for name in options.names or COMMANDS:
        taken = []
        for _ in range(options.runs):
            with tempfile.TemporaryDirectory() as folder:
                given = {"finished": options.finished, "folder": folder}
                words = [word.format(**given) for word in COMMANDS[name]]
                taken.append(wait_for([sys.executable, "-m", "ablate", *words]))
        first, last, cpu = (statistics.median(part) for part in zip(*taken, strict=True))
        sheet.figures[name] = {"first_s": round(first, 2), "last_s": round(last, 2), "cpu_s": round(cpu, 2)}
        sheet.say(f"{name:20} {first:7.2f} {last:7.2f} {cpu:7.2f}")


if __name__ == "__main__":
    main()
