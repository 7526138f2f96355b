"""What a score is read against: the floor, the denominator, and how many sessions stand for all neurons."""

from collections.abc import Iterator

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.outcome.guard import Guard
from ablate.analysis.words import number, percent, plural
from ablate.metric import metric_named

CLEAR = 0.1
"""Of the way from the floor to the ceiling: a baseline nearer to its floor has not left it."""
LEAST_SESSIONS = 5
"""Sessions that differ: the bootstrap over units covers 61, 74, 89 and 95 % with 1, 2, 4 and 10 of them."""


def below_the_floor(analysis: StudyAnalysis) -> Iterator[Guard]:
    """The baseline has not learned what the question is about."""
    score = analysis.baseline.score
    if score is None:
        return
    named = f"{analysis.baseline_name} ({number(score.mean)})"
    end = "it has not learned what the question is about, and a gain over it may say only which variant learns faster."
    if analysis.floor is not None:
        margin = CLEAR * max((analysis.attainable or 2 * analysis.floor) - analysis.floor, 0.0)
        if score.mean < analysis.floor + margin:
            yield Guard(
                "below the floor",
                analysis.baseline_name,
                f"{named} does not clear what needs no receptive field ({number(analysis.floor)}): {end}",
            )
        return
    for row in analysis.references:
        is_glm = any(path == "baseline.type" and after == "glm" for path, _, after in row.differences)
        if is_glm and row.score is not None and row.score.mean > score.mean:
            yield Guard(
                "below the floor",
                analysis.baseline_name,
                f"{named} is below {row.name} ({number(row.score.mean)}): {end}",
            )


def near_the_ceiling(analysis: StudyAnalysis, *, relative: bool) -> Iterator[Guard]:
    """No patch can gain what counts, so that `negligible` was certain for all that does no harm."""
    score, ceiling = analysis.baseline.score, analysis.attainable
    if score is None or ceiling is None or not relative:
        return
    room = max(ceiling - score.mean, 0.0) / score.mean  # a score of few bins may lie above what is expected
    if room < analysis.rule.worth:
        yield Guard(
            "near the ceiling",
            analysis.baseline_name,
            f"{analysis.baseline_name} ({number(score.mean)}) stands at {percent(score.mean / ceiling, 0)} of what can "
            f"be attained ({number(ceiling)}): no patch can gain more than {percent(room)}, which is less than the "
            f"{percent(analysis.rule.worth)} that count.",
        )


def small_denominator(analysis: StudyAnalysis, *, relative: bool) -> Iterator[Guard]:
    """Gains are then given in the metric's unit alone."""
    score = analysis.baseline.score
    if score is not None and not relative:
        among = metric_named(analysis.metric).worded("is at chance over its {noun}s or minutes")
        why = among if analysis.baseline_at_chance else "is under 2 % of the ceiling"
        yield Guard(
            "small denominator",
            analysis.baseline_name,
            f"{analysis.baseline_name} ({number(score.mean)} {analysis.unit}) {why}: gains are not given in percent.",
        )


def few_sessions(analysis: StudyAnalysis) -> Iterator[Guard]:
    """The second interval is then none of other neurons, or of other subjects."""
    shown = any(row.gain is not None and row.gain.over_units is not None for row in analysis.rows)
    sessions = max((len(row.sessions) for row in analysis.rows), default=0)
    if shown and 0 < sessions < LEAST_SESSIONS:
        entry, group = metric_named(analysis.metric).sample
        yield Guard(
            "few sessions",
            None,
            f"{plural(sessions, group)} cannot speak for {entry}s of other {group}s: the interval over {entry}s is of "
            f"these alone (others take {LEAST_SESSIONS} {group}s or more).",
        )
