"""The question and the answer in one sentence, and what to run next."""

from collections.abc import Sequence
from itertools import combinations

from ablate.analysis.apart.words import fall_text, seeds_text
from ablate.analysis.notes import REHEARSAL
from ablate.analysis.outcome import CostSummary, Settling, StudyAnalysis, VariantAnalysis
from ablate.analysis.row.verdict import fallen
from ablate.analysis.words import (
    change,
    gain_text,
    listing,
    number,
    percent,
    plural,
    ratio,
    with_interval,
)

MOST_STEPS = 4


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
    if analysis.settling is not None:
        lead += settled_so_far(analysis.settling)
    elif done < analysis.runs_planned:
        lead += f"So far ({done} of {analysis.runs_planned} runs): "
    lead += "".join(f"ALARM: {guard.sentence} " for guard in analysis.guards if guard.kind == "control moved")
    lead += "".join(
        f"{guard.sentence[:1].upper()}{guard.sentence[1:]} " for guard in analysis.guards if guard.kind == "lost pairs"
    )
    baseline = analysis.baseline.score
    if baseline is None:
        if done < analysis.runs_planned:
            return f"{lead}no answer yet, for no run of the baseline has ended with a score."
        return f"{lead}no answer, for no run of the baseline has a score."
    if analysis.baseline_at_chance:
        score = f"{with_interval(baseline.mean, baseline.interval)} {analysis.unit}"
        return f"{lead}no winner is named: the baseline is at chance ({score}), so gains over it mean little."
    judged = [row for row in analysis.rows if row.role == "variant" and row.verdict != "invalid"]
    if analysis.winner is not None:
        return f"{lead}{_praise(analysis, analysis.row(analysis.winner))}.{_fell(analysis, ' ')}{_unrepeated(judged)}"
    if any(guard.kind == "control moved" for guard in analysis.guards):
        return f"{lead}No winner is named."
    if fell := _fell(analysis):
        return f"{lead}no winner is named: {fell}{_unrepeated(judged)}"
    if analysis.pairs < 2:
        return f"{lead}no winner is named: one seed gives no interval, so noise cannot be told from gain."
    if judged and all(row.verdict == "negligible" for row in judged):
        worth = percent(analysis.rule.worth)
        full = any(guard.kind == "near the ceiling" for guard in analysis.guards)
        end = "and none could gain as much" if full else "which is an answer"
        return f"{lead}no winner is named: every patch changes less than {worth}, {end}."
    hurting = [row for row in judged if _stays(row, "hurts")]
    if hurting:
        return f"{lead}no patch is shown to help; {_hurt(hurting)}.{_least(analysis)}{_unrepeated(judged)}"
    return f"{lead}no winner is named: no patch is clear of noise.{_least(analysis)}{_unrepeated(judged)}"


def _hurt(rows: Sequence[VariantAnalysis]) -> str:
    """`a, b and c hurt (b and c were still learning)`"""
    early = [row.name for row in rows if row.early]
    said = f"{listing([row.name for row in rows])} {'hurts' if len(rows) == 1 else 'hurt'}"
    if not early:
        return said
    if len(early) < len(rows):
        return f"{said} ({listing(early)} {'was' if len(early) == 1 else 'were'} still learning)"
    return f"{said} ({'it was' if len(rows) == 1 else 'they were'} still learning)"


def _praise(analysis: StudyAnalysis, row: VariantAnalysis) -> str:
    text = f"{row.name} helps most surely{_measured(row, analysis.unit, analysis.replicate)}"
    if analysis.target is not None and row.gap.share is not None:
        text += f", {percent(row.gap.share, 0)} of the gap to {analysis.target}"
    cost = cost_text(row.cost)
    text = f"{text}, for {cost}" if cost else text
    if row.given_spikes:
        text = f"{text}; its scores are given the spikes of {row.given_spikes} bins before, the baseline's are not"
    text = f"{text}{_unconfirmed(row)}{_retuned(row, analysis.unit)}"
    early = "; it is early: learning had not ended, so this ranks speed of learning"
    return f"{text}{early}" if row.early else text


def _measured(row: VariantAnalysis, unit: str, replicate: str) -> str:
    """The gain that is quoted: of fresh seeds where there are any, for that of a chosen row is optimistic."""
    state = row.confirmed
    if state is None or state.gain is None:
        pairs = plural(len(row.gain.seeds) if row.gain else 0, f"paired {replicate}")
        return f": {gain_text(row.gain, unit)} over the baseline (95 %, {pairs})"
    pairs = plural(len(state.gain.seeds), "paired seed")
    chosen = f"{gain_text(row.gain, unit)} where it was chosen"
    return (
        f", confirmed on {seeds_text(state.gain.seeds)}: {gain_text(state.gain, unit)} over the baseline "
        f"(95 %, {pairs}; {chosen})"
    )


def _unconfirmed(row: VariantAnalysis) -> str:
    state = row.confirmed
    if state is None:
        return "; not confirmed yet"
    return "" if state.repeat else f"; not confirmed yet ({state.runs_ended} of {plural(state.runs_planned, 'run')})"


def _retuned(row: VariantAnalysis, unit: str) -> str:
    """What is left of its gain once the baseline has had the same search."""
    state = row.retuned
    if state is None:
        return ""
    if state.survives is None:
        return f"; its retuning is not complete ({state.runs_ended} of {plural(state.runs_planned, 'run')})"
    lasts = "survives" if state.survives else "does not survive"
    return f"; {lasts} retuning: {gain_text(state.gain, unit)} with both at their best settings"


def _fell(analysis: StudyAnalysis, lead: str = "") -> str:
    """What of the rows that helped fresh seeds did not repeat."""
    rows = [row for row in analysis.rows if row.verdict == "helps" and row.role == "variant" and fallen(row)]
    return lead + "; ".join(fall_text(row, analysis.unit) for row in rows) + "." if rows else ""


def _stays(row: VariantAnalysis, verdict: str) -> bool:
    return row.verdict == verdict and not fallen(row)


def _unrepeated(rows: Sequence[VariantAnalysis]) -> str:
    """The rows whose verdict fresh seeds did not repeat, and what they gave; those that helped are told at length."""
    fell = [row for row in rows if row.verdict in ("hurts", "negligible") and fallen(row)]
    words = [f"{row.name} ({row.verdict}, there {row.confirmed.verdict})" for row in fell if row.confirmed is not None]
    return f" Fresh seeds do not repeat {listing(words)}." if words else ""


def _least(analysis: StudyAnalysis) -> str:
    """What the seeds could have found."""
    if analysis.detectable is None:
        return ""
    size = f"{number(analysis.detectable)} {analysis.unit}"
    if analysis.detectable_relative is not None:
        size = percent(analysis.detectable_relative)
    return f" With {plural(analysis.pairs, analysis.replicate)}, a gain under {size} may be missed."


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
        steps.append(f"Fix what failed ({names}), then run the study again: finished runs are kept.")
    if analysis.baseline_at_chance:
        steps.append("Give the baseline more steps, more data or another learning rate until it is clear of chance.")
    whole = analysis.runs_done + analysis.runs_failed >= analysis.runs_planned and not analysis.rehearsal
    if analysis.winner is not None and whole and analysis.cross_validation is None:
        steps.extend(_confirm(analysis, analysis.row(analysis.winner)))
    steps.extend(_longer(analysis))
    if analysis.pairs < 2:
        steps.append("Run at least 3 seeds (--seeds 0,1,2): one gives no interval.")
    elif analysis.cross_validation is None:
        steps.extend(_until_settled(patches, analysis.settling))
    steps.extend(_untried(patches))
    if analysis.winner is not None and len(steps) < MOST_STEPS:
        steps.append(
            f"Make {analysis.winner} the baseline and ask again: the other gains were measured at the old one."
        )
    return tuple(steps[:MOST_STEPS])


def _longer(analysis: StudyAnalysis) -> list[str]:
    """Where verdicts are early."""
    if not any(guard.kind == "still learning" for guard in analysis.guards):
        return []
    return ["Train all variants longer (`training.steps`): what learns fastest need not end best."]


def _confirm(analysis: StudyAnalysis, winner: VariantAnalysis) -> list[str]:
    """The command that tries the winner, and no other row, on fresh seeds."""
    state = winner.confirmed
    if state is not None and state.repeat is not None:
        return []
    until = "" if analysis.settling is None else " --until settled"
    seeds = 5 if state is None else len(state.seeds)
    first = next(row.name for row in analysis.rows if row.role == "variant" and row.verdict == "helps")
    rows = "" if first == winner.name else f" --confirm-rows {winner.name}"
    why = "a chosen gain is optimistic"
    return [f"`ablate run RECIPE{until} --confirm {seeds}{rows}` tries {winner.name} on unseen seeds: {why}."]


def settled_so_far(state: Settling) -> str:
    """`After the look at 5 seeds (7 of 10 rows settled): `; nothing once all rows are settled."""
    if state.look is None:
        return f"Before the first look, at {state.schedule.looks[0]} seeds: "
    if not state.open:
        return ""
    return f"After the look at {state.look.here} seeds ({len(state.settled)} of {len(state.rows)} rows settled): "


def _until_settled(patches: Sequence[VariantAnalysis], state: Settling | None) -> list[str]:
    """More seeds for chosen rows would inflate their errors: the sequential design buys them for all that is open."""
    if state is not None:
        if state.to_come is None:
            return []
        cost = f"the look at {state.to_come.here} seeds takes {plural(state.runs_to_buy, 'run')} more"
        return [f"`ablate run RECIPE --until settled` goes on: {cost}."]
    unsettled = any(row.verdict == "no evidence" and row.gain is not None for row in patches)
    more = "`ablate run RECIPE --until settled` trains more seeds of the variants whose verdict is open, and errs no "
    return [f"{more}more often for it."] if unsettled else []


def _untried(patches: Sequence[VariantAnalysis]) -> list[str]:
    """Two single patches that help and were never run together."""
    run = {frozenset(row.patches) for row in patches}
    single = [row.patches[0] for row in patches if row.verdict == "helps" and len(row.patches) == 1 and not fallen(row)]
    pair = next((pair for pair in combinations(single, 2) if not any(set(pair) <= seen for seen in run)), None)
    if pair is None:
        return []
    return [f"Run {listing(pair)} together: both help alone, and whether their gains add up is not known."]
