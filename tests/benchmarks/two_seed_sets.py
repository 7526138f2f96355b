"""Does a study's table repeat? Runs a recipe on two sets of seeds that share none; both answers side by side.

    python tests/benchmarks/two_seed_sets.py recipes/quickstart.yaml --seeds 0-2 10-14 --out results/tmp/twice

Each set has a study folder of its own; finished runs are kept. One thread a run, one run at a time; the last line is
the processor time of what was trained in this call.
"""

import argparse
import resource
from pathlib import Path

from ablate.analysis import StudyAnalysis, analyse
from ablate.request import Request
from ablate.study.flow import run_study


def main() -> None:
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("recipe", type=Path)
    told.add_argument("--seeds", nargs=2, default=("0-2", "10-14"), metavar="SET")
    told.add_argument("--out", type=Path, required=True)
    asked = told.parse_args()
    studies = tuple(studied(asked.recipe, seeds, asked.out / seeds) for seeds in asked.seeds)
    for seeds, study in zip(asked.seeds, studies, strict=True):
        print(f"seeds {seeds}: {regime(study)}")
    for row in studies[0].rows:
        print(f"{row.name:12}", *(f"{cell(study, row.name):44}" for study in studies))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{used.ru_utime + used.ru_stime:.0f} CPU s")


def studied(recipe: Path, seeds: str, out: Path) -> StudyAnalysis:
    """The study of one set of seeds, trained where it is not there yet."""
    store = run_study(Request(recipe, seeds=seeds, out=out, device="cpu", workers=1, threads=1)).study.store
    return analyse(store.manifest(), store.scan().records.values(), units=store.units, history=store.history)


def regime(study: StudyAnalysis) -> str:
    """What a recipe's regime promises, on test: share of the ceiling, spread of the seeds, what can be found."""
    score = study.baseline.score
    if score is None or not study.attainable or score.spread is None:
        return "the baseline has too few finished runs"
    floor = "" if study.floor is None else f", floor {100 * study.floor / study.attainable:.0f} %"
    found = "" if study.detectable_relative is None else f", smallest gain {100 * study.detectable_relative:.1f} %"
    share, spread = score.mean / study.attainable, score.spread / score.mean
    return f"baseline {100 * share:.1f} % of the ceiling{floor}, spread {100 * spread:.1f} %{found}"


def cell(study: StudyAnalysis, name: str) -> str:
    """One row's gain, interval and effect."""
    row = study.row(name)
    if row.gain is None or row.gain.relative is None:
        return row.verdict
    return f"{100 * row.gain.relative:+6.1f} % {row.verdict}"


if __name__ == "__main__":
    main()
