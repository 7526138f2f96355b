"""The question and the answer in one sentence, the lines beneath the table, and what to run next."""

from collections.abc import Sequence
from itertools import combinations

from ablate.analysis.outcome import Attribution, CostSummary, Note, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import (
    change,
    listing,
    number,
    percent,
    percent_with_interval,
    plural,
    ratio,
    signed,
    with_interval,
)

REHEARSAL = "Rehearsal: a few steps on little data. These numbers are not results."

CONDITIONAL = (
    "One-at-a-time gains hold at the baseline's tuning (its learning rate, schedule, regularisation and data); "
    "retuned, or on top of other patches, a patch may be worth more or less."
)

MOST_STEPS = 4


def gain_text(row: VariantAnalysis, unit: str) -> str:
    """`+5.1 % bits/spike [+2.1, +8.1]`, absolute where the baseline is no denominator."""
    gain = row.gain
    if gain is None:
        return "no gain known"
    if gain.relative is None:
        return f"{with_interval(gain.mean, gain.interval, sign=True)} {unit}"
    return f"{percent_with_interval(gain.relative, gain.relative_interval)} {unit}"


def cost_text(cost: CostSummary) -> str:
    """`-26 % parameters, x3 FLOPs, x1.4 seconds`; only what is known."""
    parts = []
    if cost.parameters_ratio is not None:
        parts.append(
            "the same parameters" if cost.parameters_ratio == 1 else f"{change(cost.parameters_ratio)} parameters"
        )
    if cost.flops_ratio is not None:
        parts.append(f"{ratio(cost.flops_ratio)} FLOPs")
    if cost.seconds_ratio is not None and abs(cost.seconds_ratio - 1) >= 0.05:  # nearer is the machine's own noise
        parts.append(f"{ratio(cost.seconds_ratio)} seconds of training")
    return listing(parts)


def answer(analysis: StudyAnalysis) -> str:
    """The answer in a sentence, with what it costs and how sure it is."""
    done = analysis.runs_done + analysis.runs_failed
    lead = f"{REHEARSAL} " if analysis.rehearsal else ""
    if done < analysis.runs_planned:
        lead += f"So far ({done} of {analysis.runs_planned} runs): "
    baseline = analysis.baseline.score
    if baseline is None:
        return f"{lead}no answer, for the baseline has no finite seed."
    if analysis.baseline_at_chance:
        score = f"{with_interval(baseline.mean, baseline.interval)} {analysis.unit}"
        return f"{lead}no winner is named: the baseline is at chance ({score}), so gains over it mean little."
    if analysis.winner is not None:
        return f"{lead}{_praise(analysis, analysis.row(analysis.winner))}."
    if len(analysis.seeds) < 2:
        return f"{lead}no winner is named: one seed gives no interval, so noise cannot be told from gain."
    return f"{lead}no winner is named: no patch is clear of noise{_least(analysis)}."


def _praise(analysis: StudyAnalysis, row: VariantAnalysis) -> str:
    pairs = plural(len(row.gain.seeds) if row.gain else 0, "paired seed")
    text = f"{row.name} helps most surely: {gain_text(row, analysis.unit)} over the baseline (95 %, {pairs})"
    if analysis.target is not None and row.gap.share is not None:
        text += f", {percent(row.gap.share, 0)} of the gap to {analysis.target}"
    cost = cost_text(row.cost)
    return f"{text}, for {cost}" if cost else text


def _least(analysis: StudyAnalysis) -> str:
    """What the seeds could have found."""
    if analysis.detectable is None:
        return ""
    size = f"{signed(analysis.detectable)} {analysis.unit}"
    if analysis.detectable_relative is not None:
        size = f"+{percent(analysis.detectable_relative)}"
    return f"; {plural(len(analysis.seeds), 'seed')} would find a gain of about {size}"


def next_steps(analysis: StudyAnalysis) -> tuple[str, ...]:
    """What to run next, the most useful first; at most four."""
    steps: list[str] = []
    patches = [row for row in analysis.rows if row.role == "variant"]
    if analysis.rehearsal:
        steps.append("Run the recipe without --quick: a rehearsal proves only that every variant builds and trains.")
    if analysis.runs_failed:
        names = listing(
            sorted({failure.variant for failure in analysis.failures if failure.state in ("failed", "diverged")})
        )
        steps.append(f"Mend what failed ({names}), then run the study again: finished runs are kept.")
    if analysis.baseline_at_chance:
        steps.append("Give the baseline more steps, more data or another learning rate until it is clear of chance.")
    if len(analysis.seeds) < 2:
        steps.append("Run at least 3 seeds (--seeds 0,1,2): one gives no interval.")
    else:
        steps.extend(_more_seeds(patches))
    steps.extend(_untried(patches, analysis.attribution))
    if analysis.winner is not None and len(steps) < MOST_STEPS:
        steps.append(
            f"Make {analysis.winner} the baseline and ask again: the other gains were measured at the old one."
        )
    return tuple(steps[:MOST_STEPS])


def _more_seeds(patches: Sequence[VariantAnalysis]) -> list[str]:
    """The promising rows without evidence, cheapest to settle first."""
    open_rows = [
        (row.gain.seeds_needed, row.name)
        for row in patches
        if row.verdict == "no evidence"
        and row.gain is not None
        and row.gain.mean > 0
        and row.gain.seeds_needed is not None
        and row.gain.seeds_needed > row.seeds_planned
    ]
    return [
        f"Run {name} and the baseline with {needed} seeds in all, if a gain of the size seen so far would matter."
        for needed, name in sorted(open_rows)[:2]
    ]


def _untried(patches: Sequence[VariantAnalysis], attribution: Attribution) -> list[str]:
    """Two single patches that help and were never run together."""
    run = {frozenset(row.patches) for row in patches}
    single = [row.patches[0] for row in patches if row.verdict == "helps" and len(row.patches) == 1]
    pair = next((pair for pair in combinations(single, 2) if not any(set(pair) <= seen for seen in run)), None)
    if pair is None:
        return []
    return [f"Run {listing(pair)} together: both help alone, and whether their gains add up is not known."]


def _under_the_floor(analysis: StudyAnalysis) -> list[Note]:
    """Whether the GLM beats the baseline: then a gain may only say which variant learns faster."""
    baseline = analysis.baseline.score
    floors = [row for row in analysis.references if ("baseline.type", "glm") in ((d[0], d[2]) for d in row.differences)]
    text = "{name} scores above the baseline ({score} against {base}): the baseline is not trained out, "
    text += "and a gain over it may say no more than which variant learns faster."
    return [
        Note("warning", text.format(name=row.name, score=number(row.score.mean), base=number(baseline.mean)))
        for row in floors
        if baseline is not None and row.score is not None and row.score.mean > baseline.mean
    ]


def notes(analysis: StudyAnalysis, *, mixed: bool, outside: int) -> tuple[Note, ...]:
    """The lines beneath the table, in the order in which they matter."""
    found: list[Note] = []
    if analysis.rehearsal:
        found.append(Note("rehearsal", REHEARSAL))
    for text in analysis.expectation_changes:
        found.append(Note("expectation", f"Expectations were changed after the first run: {text}"))
    if mixed:
        found.append(
            Note(
                "warning",
                "The baseline's seeds were scored on different sets of bins; only pairs on the same set count.",
            )
        )
    found.extend(_under_the_floor(analysis))
    found.extend(_excluded(analysis))
    found.extend(_family(analysis))
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
            Note("info", f"{plural(outside, 'run')} in this folder no longer belong to the plan and are left out.")
        )
    if any(row.role == "variant" for row in analysis.rows):
        found.append(Note("truth", CONDITIONAL))
    return tuple(found)


def _excluded(analysis: StudyAnalysis) -> list[Note]:
    excluded = max((row.excluded for row in analysis.rows), default=0)
    if not excluded:
        return []
    noun, lack = ("entry", "no valid label") if analysis.metric == "bits_per_label" else ("unit", "too few spikes")
    told = plural(excluded, noun).replace("entrys", "entries")
    verb = "is" if excluded == 1 else "are"
    return [Note("excluded", f"{told} with {lack} in the test split {verb} left out of every score.")]


def _family(analysis: StudyAnalysis) -> list[Note]:
    if not analysis.family:
        return []
    outside = [row.name for row in analysis.rows if row.role in ("reference", "control")]
    relative = any(row.gain is not None and row.gain.relative is not None for row in analysis.rows)
    scale = "in % of the baseline's mean, " if relative else ""
    text = f"gain: {scale}paired by seed, t interval; p: paired t test"
    text += f", Holm-adjusted over {plural(len(analysis.family), 'variant')}"
    shown = listing(analysis.family) if len(analysis.family) <= 12 else f"{', '.join(analysis.family[:12])}, ..."
    text += f" ({shown})"
    if outside:
        verb = "is" if len(outside) == 1 else "are"
        text += f"; {listing(outside)} {verb} not in the family"
    return [Note("family", f"{text}.")]


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
