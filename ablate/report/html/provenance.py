"""Where the numbers come from: data, versions, commit, device, hashes, the recipe as it was, every run's key."""

from collections.abc import Iterator

from ablate.analysis import StudyAnalysis
from ablate.errors import AblateError
from ablate.report.html.markup import Html, section, table, tag
from ablate.result import Store

MOST_RUNS = 300


def provenance(analysis: StudyAnalysis, store: Store | None) -> Html:
    """store: tells the device, which is known of runs alone."""
    facts = [(name, value) for name, value in _facts(analysis, store) if value]
    return section(
        "provenance",
        "Provenance",
        tag("dl", [part for name, value in facts for part in (tag("dt", name), tag("dd", value))]),
        _recipe(analysis),
        _runs(analysis),
    )


def _facts(analysis: StudyAnalysis, store: Store | None) -> Iterator[tuple[str, str]]:
    yield "recipe", analysis.recipe_path
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
    """Of the baseline's first run; the others' are in their records."""
    for _, key in analysis.baseline.keys if store is not None else ():
        try:
            assert store is not None
            device = store.record(key).environment.get("device") or {}
        except AblateError:
            continue
        shown = ("name", "type", "precision", "threads", "cuda", "compiled")
        yield from ((f"device {name}", str(device[name])) for name in shown if device.get(name) is not None)
        return


def _recipe(analysis: StudyAnalysis) -> Html:
    if not analysis.recipe_text:
        return Html("")
    return tag("details", tag("summary", "The recipe, as it was"), tag("pre", analysis.recipe_text))


def _runs(analysis: StudyAnalysis) -> Html:
    """Score and key of each run: the folder under runs/ that holds it."""
    rows = []
    for row in analysis.rows:
        scores = dict(row.by_seed)
        rows += [
            (row.name, str(seed), f"{scores[seed]:.4f}" if seed in scores else "", tag("span", key, class_="mono"))
            for seed, key in row.keys
        ]
    if not rows:
        return Html("")
    shown = rows[:MOST_RUNS]
    told = "" if len(shown) == len(rows) else f" (the first {MOST_RUNS} of {len(rows)})"
    heads = ("variant", "seed", analysis.unit, "key")
    return tag("details", tag("summary", f"Every run{told}"), table(heads, shown, right=(1, 2)))
