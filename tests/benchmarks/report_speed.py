"""Times the table of a large study. Asserts nothing; the seconds are the process's own.

    python tests/benchmarks/report_speed.py [--keep]    5,000 records made in memory: analysis and table
    python tests/benchmarks/report_speed.py --stored    `ablate report` of 10,000 runs on disk, three files a run

Stored runs are copies of two that were trained, under their own keys, variants and seeds, with scores that scatter.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "analysis")]

from kept import Sheet, ask_to_keep, measuring  # noqa: E402
from planted import BASELINE, Planted, around, shifted  # noqa: E402
from tiny_study import request_of, write_recipe  # noqa: E402

from ablate.analysis.study import analyse  # noqa: E402
from ablate.report import render  # noqa: E402
from ablate.result import Store  # noqa: E402
from ablate.study.flow import run_study  # noqa: E402
from ablate.study.setup.merge import keep_manifest  # noqa: E402
from ablate.study.study import study_of  # noqa: E402

TAIL = "variants: [each]\nseeds: [0]\nglm: false\n"
PATCH = "  fast{n}: {{title: another learning rate, training: {{learning_rate: {rate}}}}}\n"
BESIDE = ("units.json", "history.jsonl")


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


def stored(folder: Path, variants: int, seeds: int) -> Store:
    """A finished study of variants x seeds runs."""
    trained = run_study(request_of(write_recipe(folder, tail=TAIL), folder / "trained")).study.store
    templates = {record.variant == BASELINE: record for record in trained.records()}
    patches = "patches:\n" + "".join(PATCH.format(n=n, rate=2e-3 + n * 1e-6) for n in range(variants - 1))
    request = request_of(write_recipe(folder, patches=patches, tail=TAIL), folder / "out", seeds=f"0-{seeds - 1}")
    study = keep_manifest(study_of(request), request)
    generator = random.Random(0)
    for job in study.jobs:
        template = templates[job.variant == BASELINE]
        told = template.model_dump(mode="json") | {"key": job.key, "variant": job.variant, "seed": job.seed}
        by = generator.gauss(0, 0.01)
        for score in (told["test"], told["validation"]):
            for held, names in (
                (score, ("headline", "weighted", "pooled")),
                (score["sessions"][0], ("mean", "pooled")),
            ):
                held.update({name: held[name] + by for name in names})
        place = study.store.folder(job.key)
        place.mkdir(parents=True)
        (place / "record.json").write_text(json.dumps(told, indent=1))
        for name in BESIDE:
            (place / name).write_bytes((trained.folder(template.key) / name).read_bytes())
    return study.store


def report_of(store: Store) -> tuple[float, float]:
    """Processor seconds, and those on the clock, of `ablate report` in a process of its own; its modules are compiled
    already, as those of an installed package are."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(ROOT / "ablate")], check=True)
    command = [sys.executable, "-m", "ablate", "report", str(store.root)]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after, waited = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, waited


def measure_stored(sheet: Sheet) -> None:
    """`ablate report` of two variants with many seeds, and of many variants."""
    for variants, seeds in ((2, 5_000), (500, 20)):
        with tempfile.TemporaryDirectory() as folder:
            spent, waited = report_of(stored(Path(folder), variants, seeds))
        what = f"{variants} variants x {seeds:,} seeds on disk"
        sheet.figures[what] = {"processor_s": round(spent, 1), "waited_s": round(waited, 1)}
        sheet.say(f"{what}: report {spent:.1f} s of processor time ({waited:.1f} s waited)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", action="store_true")
    ask_to_keep(parser)
    options = parser.parse_args()
    with measuring("report_stored" if options.stored else "report_speed", keep=options.keep) as sheet:
        (measure_stored if options.stored else measure)(sheet)


def measure(sheet: Sheet) -> None:
    """Studies of many variants, of a few, and of few with many seeds."""
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
        sheet.figures[f"{variants} x {seeds}"] = {
            "analyse_s": round(analysed - start, 2),
            "table_s": round(shown - analysed, 2),
            "json_s": round(exported - shown, 2),
            "units_s": round(with_units - exported, 2),
        }
        sheet.say(
            f"{variants} variants x {seeds} seeds: analyse {analysed - start:.2f} s, table {shown - analysed:.2f} s "
            f"({len(table.splitlines())} lines), json {exported - shown:.2f} s, "
            f"analyse with units {with_units - exported:.2f} s"
        )


if __name__ == "__main__":
    main()
