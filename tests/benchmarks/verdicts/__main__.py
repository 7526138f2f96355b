"""Rules for verdicts held against planted truths: whose winners are false, who finds what, for how many runs.

    python tests/benchmarks/verdicts [--studies 4000] [--by-study 600] [--packages 40] [--seed 0] [--out DIR] [--train]

Scores are planted: no training, ten CPU minutes on one thread. Writes the tables and the figure of docs/verdicts.md.
The rules of autorank, AdaStop and rliable are left out where these are not installed: pip install ".[bench]" in an
environment of its own, since rliable needs pandas below 3. The last table is of trained models, whose scores are kept;
--train trains them anew.
"""

import argparse
import runpy
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import again
import baseline_seeds
import by_worth
import guards
import limit
import packages
import tables
import training
from compare import Counts, Line, interplay, rules, worlds
from coverage import fixed_intervals, intervals_after_stopping, powers
from figure import draw
from worlds import HALF, NORMAL, plant

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / "results" / "benchmarks" / "verdicts"
SCORES = "worlds.csv"
"""Of the trained worlds, in the folder of the tables."""
OURS = ("ablate, own variance, 3 seeds", "ablate, 3 seeds", "ablate, 5 seeds", "ablate, until settled")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--studies", type=int, default=4000, help="a cell, where rules are arrays")
    options.add_argument("--by-study", type=int, default=600, help="a cell, where a rule goes study by study")
    options.add_argument("--packages", type=int, default=40, help="a cell, for rules of other packages")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument(
        "--out", type=Path, default=OUT, help="folder of the tables; docs follow if it is the usual one"
    )
    options.add_argument("--train", action="store_true", help="train the 30 worlds anew: ten minutes of one core more")
    chosen = options.parse_args()
    counts = Counts(chosen.studies, chosen.by_study, chosen.packages)
    begun = time.process_time()
    lines = write_rules(chosen.out, counts, chosen.seed)
    draw(lines, chosen.out / "rules.svg")
    write(chosen.out / "worlds.txt", counts, chosen.seed, lambda: of_worlds(counts, chosen.seed))
    write(chosen.out / "coverage.txt", counts, chosen.seed, lambda: of_coverage(counts, chosen.seed))
    write(chosen.out / "power.txt", counts, chosen.seed, lambda: of_power(counts, chosen.seed))
    write(chosen.out / "limit.txt", counts, chosen.seed, lambda: of_limits(counts, chosen.seed))
    write(chosen.out / "worth.txt", counts, chosen.seed, lambda: of_settled(counts, chosen.seed))
    write(chosen.out / "again.txt", counts, chosen.seed, lambda: of_again(counts, chosen.seed))
    write(chosen.out / "baseline_seeds.txt", counts, chosen.seed, lambda: of_baseline_seeds(counts, chosen.seed))
    write(chosen.out / "guards.txt", counts, chosen.seed, lambda: of_guards(counts, chosen.seed))
    if chosen.train:
        chosen.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            training.train(chosen.out / SCORES, Path(folder))
    write_training(chosen.out)
    if chosen.out == OUT:
        runpy.run_path(str(ROOT / "results" / "readme.py"), run_name="__main__")
    print(f"{time.process_time() - begun:.0f} s of processor time")


def write(path: Path, counts: Counts, seed: int, table: Callable[[], str], note: str = "") -> None:
    """A table and how it was made."""
    begun = time.process_time()
    text = table()
    spent = time.process_time() - begun
    made = (
        f"seed {seed}; {counts.arrays} studies a cell, {counts.studies} study by study; {spent:.0f} s of processor time"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n\n{made}{note}\n", encoding="utf-8")
    print(f"{text}\n\n{made}{note}\n", flush=True)


def write_rules(out: Path, counts: Counts, seed: int) -> list[Line]:
    found: list[Line] = []

    def table() -> str:
        found.extend(rules(counts, seed))
        return tables.of_rules(found)

    note = ""
    if find_spec("rliable") is not None:
        some = plant(NORMAL, HALF, max(2, counts.packages // 25), 5, seed)
        note = f"\nrliable itself says the same of {packages.rliable_agrees(some):.0%} of {some.truth.size} rows"
    write(out / "rules.txt", counts, seed, table, note)
    return found


def write_training(out: Path) -> None:
    """Judges the kept scores: those in `out`, or the committed ones."""
    trained = training.read(out / SCORES if (out / SCORES).exists() else OUT / SCORES)
    text = f"{tables.of_training(training.lines(trained))}\n\n{training.described(trained)}\n"
    (out / "training.txt").write_text(text, encoding="utf-8")
    print(text, flush=True)


def of_limits(counts: Counts, seed: int) -> str:
    return tables.of_limits(limit.limits(counts.arrays, seed))


def of_settled(counts: Counts, seed: int) -> str:
    return tables.of_settled(by_worth.by_worth(counts.arrays, seed))


def of_again(counts: Counts, seed: int) -> str:
    return tables.of_again(again.all_cases(counts.arrays, seed))


def of_baseline_seeds(counts: Counts, seed: int) -> str:
    lines = tables.of_baseline_seeds(baseline_seeds.all_plans(counts.arrays, seed))
    return f"{lines}\n\n{tables.of_correlations(baseline_seeds.committed(ROOT / 'results'))}"


def of_guards(counts: Counts, seed: int) -> str:
    noises = guards.committed_noise(ROOT / "results")
    lines = guards.measured(noises, counts.studies, seed)
    return f"{tables.of_guards(lines)}\n\n{tables.of_noise(noises)}"


def of_worlds(counts: Counts, seed: int) -> str:
    return tables.of_worlds((name, list(worlds(name, counts, seed))) for name in OURS)


def of_coverage(counts: Counts, seed: int) -> str:
    lines = [*fixed_intervals(counts.arrays, seed), *intervals_after_stopping(counts.arrays, seed)]
    return tables.of_coverage(lines)


def of_power(counts: Counts, seed: int) -> str:
    pairs = {seeds: interplay(seeds, counts, seed) for seeds in (3, 5, 10)}
    return f"{tables.of_power(powers(counts.arrays, seed))}\n\n{tables.of_interplay(pairs)}"


if __name__ == "__main__":
    main()
