"""Does a study's table repeat? Runs a recipe on two sets of seeds that share none; both answers side by side.

    python tests/benchmarks/two_seed_sets.py recipes/quickstart.yaml --seeds 0-2 10-14 --out results/tmp/twice

What was printed of the first set is held against the second: whether each verdict repeats (or is weaker, clearer,
contradicted), and the change of each gain with the 95 % interval of that difference, which has the errors of both sets.
Whether the printed interval alone holds the second set's mean stands beside it, and is no test of the interval: it
would miss one mean in eight if rows were independent, and rows of one set share its baseline (docs/verdicts.md).

Each set has a study folder of its own; finished runs are kept. One thread a run, one run at a time; the last line is
the processor time of what was trained in this call.
"""

import argparse
import resource
from pathlib import Path
from statistics import mean

from ablate.analysis.apart.repetition import Again, Repetition, repetitions
from ablate.analysis.beside.measured import CPU_SECONDS
from ablate.analysis.guard.learning import last_rise
from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.statistics.change import mean_change
from ablate.analysis.study import analyse
from ablate.request import Request
from ablate.study.flow import run_study


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recipe", type=Path)
    options.add_argument("--seeds", nargs=2, default=("0-2", "10-14"), metavar="SET")
    options.add_argument("--out", type=Path, required=True)
    asked = options.parse_args()
    studies = tuple(studied(asked.recipe, seeds, asked.out / seeds) for seeds in asked.seeds)
    for seeds, study in zip(asked.seeds, studies, strict=True):
        print(f"seeds {seeds}: {regime(study)}")
    first, second = studies
    found = repeated(first, second)
    for row in first.rows:
        name, inside = row.name, held(first, second, row.name)
        inside_text = "" if inside is None else "inside" if inside else "outside"
        word, changed = told(found.get(name))
        print(
            f"{name:12}",
            *(f"{cell(study, name):40}" for study in studies),
            f"{word:12} {changed:22} {inside_text}".rstrip(),
        )
    words = [told(one)[0] for one in found.values()]
    print("verdicts: " + ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words) if word))
    changes = [one.change for one in found.values() if one.change is not None]
    print(f"changes beyond both sets' errors: {sum(change.clear for change in changes)} of {len(changes)} rows")
    known = [inside for row in first.rows if (inside := held(first, second, row.name)) is not None]
    print(f"printed intervals: {known.count(False)} of {len(known)} do not hold the second set's mean")
    print(f"baseline: {shift(first, second)}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{used.ru_utime + used.ru_stime:.0f} CPU s")


def studied(recipe: Path, seeds: str, out: Path) -> StudyAnalysis:
    """The study of one set of seeds, trained where it is not there yet."""
    store = run_study(Request(recipe, seeds=seeds, out=out, device="cpu", workers=1, threads=1)).study.store
    return analyse(store.manifest(), store.scan().records.values(), units=store.units, history=store.history)


def regime(study: StudyAnalysis) -> str:
    """What a recipe's regime promises: share of the ceiling and spread of the seeds on test, the last quarter's rise on
    validation, what can be found, and what it cost."""
    score = study.baseline.score
    if score is None or not study.attainable or score.spread is None:
        return "the baseline has too few finished runs"
    floor = "" if study.floor is None else f", floor {100 * study.floor / study.attainable:.0f} %"
    found = "" if study.detectable_relative is None else f", smallest gain {100 * study.detectable_relative:.1f} %"
    share, spread = score.mean / study.attainable, score.spread / score.mean
    rise = mean(map(last_rise, study.baseline.curves)) / score.mean
    cost = sum(row.mean.mean * len(study.seeds) for row in study.measured if row.measure == CPU_SECONDS)
    return (
        f"baseline {100 * share:.1f} % of the ceiling{floor}, spread {100 * spread:.1f} %, rise {100 * rise:+.1f} %"
        f"{found}, {cost / 60:.1f} min of one core"
    )


def cell(study: StudyAnalysis, name: str) -> str:
    """One row's gain, interval and effect."""
    row = study.row(name)
    if row.gain is None or row.gain.relative is None:
        return row.verdict
    low_high = row.gain.relative_interval
    interval = "" if low_high is None else f" [{100 * low_high.low:+.1f}, {100 * low_high.high:+.1f}]"
    return f"{100 * row.gain.relative:+6.1f} %{interval} {row.verdict}"


def repeated(first: StudyAnalysis, second: StudyAnalysis) -> dict[str, Repetition]:
    """What became of each patch and control; references have no verdict."""
    rows = {row.name: row for row in first.rows if row.role in ("variant", "control")}
    return repetitions(
        {name: Again(row, (other := second.row(name)).gain, other.verdict) for name, row in rows.items()}
    )


def told(found: Repetition | None) -> tuple[str, str]:
    """The word and the change."""
    if found is None or found.change is None:
        return "", ""
    change, interval = found.change, found.change.interval
    span = "" if interval is None else f" [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"
    return found.repeat, f"{100 * change.mean:+.1f} %{span}"


def shift(first: StudyAnalysis, second: StudyAnalysis) -> str:
    """By how much the baseline moved, which all rows share."""
    change = mean_change(*([score for _, score in study.baseline.by_seed] for study in (first, second)))
    if change is None or change.interval is None:
        return "too few runs"
    return f"{100 * change.mean:+.1f} % [{100 * change.interval.low:+.1f}, {100 * change.interval.high:+.1f}]"


def held(first: StudyAnalysis, second: StudyAnalysis, name: str) -> bool | None:
    """Whether the first set's printed interval holds the second set's mean; None where one is not known."""
    before, after = first.row(name).gain, second.row(name).gain
    if before is None or after is None or before.relative_interval is None or after.relative is None:
        return None
    return before.relative_interval.low <= after.relative <= before.relative_interval.high


if __name__ == "__main__":
    main()
