"""Where the numbers come from: data, versions, commit, device, hashes, the recipe as it was, every run's key."""

from collections.abc import Iterator

from ablate.analysis.outcome import StudyAnalysis
from ablate.errors import AblateError
from ablate.report.content.block import Block, Code, Facts, Table
from ablate.result import Store

MOST_RUNS = 300
DEVICE = ("name", "type", "precision", "threads", "devices", "cuda", "compiled")


def origin(analysis: StudyAnalysis, store: Store | None) -> Iterator[Block]:
    """store: tells the device, which is known of runs alone."""
    facts = tuple((name, value) for name, value in _facts(analysis, store) if value)
    yield Facts("provenance", "Provenance", facts)
    if analysis.recipe_text:
        yield Code("recipe", "The recipe, as it was", analysis.recipe_text)
    plan = analysis.cross_validation
    if plan is not None:
        yield _folds(analysis, plan.names)
        return
    rows = [run for row in analysis.rows for run in _runs(row.name, row.keys, dict(row.by_seed))]
    if rows:
        note = "" if len(rows) <= MOST_RUNS else f"The first {MOST_RUNS} of {len(rows)}."
        headings = ("variant", "seed", analysis.unit, "key")
        yield Table("runs", "Every run", headings, tuple(rows[:MOST_RUNS]), (1, 2), note, folded=True)


def _folds(analysis: StudyAnalysis, names: tuple[str, ...]) -> Table:
    """Every fold's score of every variant, over its seeds."""
    lines = []
    for fold, name in enumerate(names):
        scores = [dict(row.by_seed).get(fold) for row in analysis.rows]
        lines.append((name, *("" if score is None else f"{score:.4f}" for score in scores)))
    headings = (analysis.replicate, *(row.name for row in analysis.rows))
    right = tuple(range(1, len(headings)))
    return Table("folds", "Every fold", headings, tuple(lines), right, "Means over the seeds.", folded=True)


def _facts(analysis: StudyAnalysis, store: Store | None) -> Iterator[tuple[str, str]]:
    yield "recipe", analysis.recipe_path
    yield "changed on the command line", ", ".join(analysis.overrides)
    yield "expected in words", analysis.expectation
    yield "data", analysis.data_description
    yield "seeds", ", ".join(map(str, analysis.seeds))
    yield from ((name.replace("packages.", ""), value) for name, value in analysis.environment if value)
    yield from _device(analysis, store)
    yield "hash of the data", analysis.data_fingerprint
    yield "hash of the scored bins", analysis.scored_hash
    yield "hash of the expectations at the first run", analysis.expectations_hash
    for text in analysis.expectation_changes:
        yield "expectation changed", text


def _device(analysis: StudyAnalysis, store: Store | None) -> Iterator[tuple[str, str]]:
    """Of the baseline's first readable run; the others' are in their records."""
    for _, key in analysis.baseline.keys if store is not None else ():
        try:
            assert store is not None
            device = store.record(key).environment.get("device") or {}
        except AblateError:
            continue
        yield from ((f"device {name}", str(device[name])) for name in DEVICE if device.get(name) is not None)
        return


def _runs(name: str, keys: tuple[tuple[int, str], ...], scores: dict[int, float]) -> Iterator[tuple[str, ...]]:
    """Score and key of each run: the folder under runs/ that holds it."""
    for seed, key in keys:
        yield name, str(seed), f"{scores[seed]:.4f}" if seed in scores else "", key
