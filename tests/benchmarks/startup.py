"""Seconds that a person waits for `ablate --help`, and for `ablate run` on a finished study. Asserts nothing.

python tests/benchmarks/startup.py [RECIPE of a finished study]
"""

import statistics
import subprocess
import sys
import time

RUNS = 5


def seconds(*arguments: str) -> float:
    """Median wall time of a whole process."""
    taken = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "ablate", *arguments], check=True, capture_output=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


if __name__ == "__main__":
    recipe = sys.argv[1] if len(sys.argv) > 1 else "recipes/quickstart.yaml"
    print(f"ablate --help                          {seconds('--help'):5.2f} s")
    print(f"ablate run on a finished study         {seconds('run', recipe):5.2f} s")
