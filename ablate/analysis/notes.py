"""The lines beneath the table: what to beware of, what was left out, what the family of tests is."""

from collections.abc import Mapping

from ablate.analysis.apart.words import baseline_moved
from ablate.analysis.guard.joined import sentences
from ablate.analysis.outcome import Attribution, Note, StudyAnalysis
from ablate.analysis.words import listing, number, percent, plural, with_interval
from ablate.metric import metric_named

REHEARSAL = "Rehearsal: a few steps on little data. These numbers are not results."


CONDITIONAL = (
    "One-at-a-time gains hold at the baseline's tuning (its learning rate, schedule, regularisation and data); "
    "retuned, or on top of other patches, a patch may be worth more or less."
)


def notes(analysis: StudyAnalysis, *, mixed: bool, outside: int, commits: Mapping[str, int]) -> tuple[Note, ...]:
    """The lines beneath the table, in the order in which they matter. commits: with the number of their runs."""
    found: list[Note] = []
    if analysis.rehearsal:
        found.append(Note("rehearsal", REHEARSAL))
    for text in analysis.expectation_changes:
        found.append(Note("expectation", f"Expectations were changed after the first run: {text}"))
    found.extend(Note("warning", sentence) for sentence in sentences(analysis.guards))
    if mixed:
        found.append(
            Note(
                "warning",
                "The baseline's seeds were scored on different sets of bins; only pairs on the same set count.",
            )
        )
    if len(commits) > 1:
        listed = ", ".join(f"{commit}: {plural(runs, 'run')}" for commit, runs in commits.items())
        found.append(Note("warning", f"The runs were made by {len(commits)} versions of the code ({listed})."))
    found.extend(_excluded(analysis))
    found.extend(_family(analysis))
    found.extend(_looks(analysis))
    found.extend(_fresh_seeds(analysis))
    found.extend(_disagreements(analysis))
    found.extend(_pairs(analysis.attribution))
    if analysis.target is not None:
        why = "the reference with the highest score" if len(analysis.references) > 1 else "the reference"
        found.append(
            Note(
                "info", f"gap: share of the distance from the baseline to {analysis.target} ({why}), Fieller interval."
            )
        )
    if outside:
        found.append(
            Note("info", f"{plural(outside, 'run')} in this folder no longer belong to the manifest and are left out.")
        )
    if any(row.role == "variant" for row in analysis.rows):
        found.append(Note("truth", CONDITIONAL))
    return tuple(found)


def _excluded(analysis: StudyAnalysis) -> list[Note]:
    excluded = max((row.excluded for row in analysis.rows), default=0)
    if not excluded:
        return []
    metric = metric_named(analysis.metric)
    verb = "is" if excluded == 1 else "are"
    return [
        Note(
            "excluded",
            f"{plural(excluded, metric.noun)} with {metric.lack} in the test split {verb} left out of every score.",
        )
    ]


def _family(analysis: StudyAnalysis) -> list[Note]:
    if not analysis.family:
        return []
    outside = [row.name for row in analysis.rows if row.role in ("reference", "control")]
    relative = any(row.gain is not None and row.gain.relative is not None for row in analysis.rows)
    scale = "in % of the baseline's mean, " if relative else ""
    noise = "moderated variance (all rows tell what spread is usual)"
    if analysis.rule.variance == "own":
        noise = "each row's own variance"
    over = f"paired by {analysis.replicate}, t interval over the {analysis.replicate}s"
    text = f"gain: {scale}{over}, {noise}; worth having: {percent(analysis.rule.worth)}"
    plan = analysis.cross_validation
    if plan is not None and plan.overlap:
        text += f"; the same subjects are in every fold, so the variance of a mean is s² (1 / n + {plan.overlap:.3g}) "
        text += "(Nadeau & Bengio 2003)"
    elif plan is not None:
        text += "; every fold tests subjects that no other fold tests"
    text += "; p: the same t test"
    text += f", Holm-adjusted over {plural(len(analysis.family), 'variant')}"
    shown = listing(analysis.family) if len(analysis.family) <= 12 else f"{', '.join(analysis.family[:12])}, ..."
    text += f" ({shown})"
    if outside:
        verb = "is" if len(outside) == 1 else "are"
        text += f"; {listing(outside)} {verb} not in the family"
    return [Note("family", f"{text}.")]


def _looks(analysis: StudyAnalysis) -> list[Note]:
    """What intervals and p mean in a study that is run until settled."""
    state = analysis.settling
    if state is None:
        return []
    looks = ", ".join(str(seeds) for seeds in state.schedule.looks)
    text = f"run until settled: looks at {looks} seeds; p and intervals count all of them (repeated confidence "
    text += "intervals), so they hold whatever look ended a row; pairs and Shapley values do not"
    if state.look is not None:
        text += f"; last look at {state.look.here} seeds, {len(state.settled)} of {len(state.rows)} rows settled"
    if state.to_come is not None:
        text += f"; the look at {state.to_come.here} seeds takes {plural(state.runs_to_buy, 'run')}"
    return [Note("family", f"{text}.")]


def _fresh_seeds(analysis: StudyAnalysis) -> list[Note]:
    """How the rows fared on seeds that chose nothing."""
    tried = [row for row in analysis.rows if row.confirmed is not None]
    if not tried:
        return []
    family = f", Holm-adjusted over the {len(tried)} rows that were tried" if len(tried) > 1 else ""
    lead = f"confirmed: the same test on fresh seeds, of which no verdict of the study is made{family}."
    moved = [
        Note("warning", f"{row.name}, which changes nothing, {row.confirmed.verdict} on fresh seeds.")
        for row in tried
        if row.role == "control" and row.confirmed and row.confirmed.verdict in ("helps", "hurts")
    ]
    shared = baseline_moved(analysis)
    return [*moved, *([] if shared is None else [shared]), Note("family", lead)]


def _disagreements(analysis: StudyAnalysis) -> list[Note]:
    """Where the sign-flip test, which assumes no normal distribution, says otherwise than Holm."""
    found = []
    for row in analysis.rows:
        gain = row.gain
        if row.name not in analysis.family or gain is None or gain.p_max_t is None or gain.p_holm is None:
            continue
        if (gain.p_max_t <= 0.05) != (gain.p_holm <= 0.05):
            numbers = f"max-T p {number(gain.p_max_t)}, Holm p {number(gain.p_holm)}"
            found.append(
                Note("warning", f"{row.name}: the sign-flip test disagrees with the t test ({numbers}); Holm decides.")
            )
    return found


def _pairs(attribution: Attribution) -> list[Note]:
    found = []
    for pair in attribution.pairs:
        if pair.interplay == "no evidence":
            continue
        words = (
            "together less than the sum of both"
            if pair.interplay == "redundant"
            else "together more than the sum of both"
        )
        size = with_interval(pair.effect.mean, pair.effect.interval, sign=True)
        found.append(Note("info", f"{pair.first} and {pair.second} are {pair.interplay}: {words} by {size}."))
    return found
