"""What fresh seeds say of a row, and of the baseline that all rows share, in sentences."""

from collections.abc import Sequence
from statistics import fmean

from ablate.analysis.outcome import Note, StudyAnalysis, VariantAnalysis
from ablate.analysis.statistics.change import mean_change
from ablate.analysis.statistics.noise import ALPHA
from ablate.analysis.words import bracket, gain_text, number, signed_percent, spans


def seeds_text(seeds: Sequence[int]) -> str:
    """`seeds 10-14`"""
    return f"seed{'s' if len(seeds) > 1 else ''} {spans(seeds)}"


def fall_text(row: VariantAnalysis, unit: str) -> str:
    """`p1 helped where it was chosen (+5.1 % [...]), but on seeds 10-14 it cannot be told from noise: +0.3 % [...]`"""
    state = row.confirmed
    assert state is not None
    found = {
        "no evidence": "it cannot be told from noise",
        "negligible": "it is negligible",
        "hurts": "it hurts",
    }.get(state.verdict or "", "it gave no finite score")
    clear = state.gain is not None and state.gain.p_holm is not None and state.gain.p_holm <= ALPHA
    if state.verdict == "no evidence" and clear:
        found = f"not every run of it has a score ({state.note})"
    chosen = f"{row.name} helped where it was chosen ({gain_text(row.gain, unit)})"
    measured = f": {gain_text(state.gain, unit)}" if state.gain is not None else ""
    return f"{chosen}, but on {seeds_text(state.seeds)} {found}{measured}"


def baseline_moved(analysis: StudyAnalysis) -> Note | None:
    """The error that all rows share: by how much the baseline's mean moved. None before the fresh runs ended."""
    gains = [row.confirmed.gain for row in analysis.rows if row.confirmed is not None]
    fresh = {seed: score for gain in gains if gain for seed, score in zip(gain.seeds, gain.baseline, strict=True)}
    own = [score for _, score in analysis.baseline.by_seed]
    change = mean_change(own, list(fresh.values()))
    if change is None:
        return None
    size = f"{signed_percent(change.mean)} {bracket(change.interval, 1, scale=100.0, sign=True)}"
    scores = (
        f"{number(fmean(own))} on the study's seeds, {number(fmean(fresh.values()))} on the seeds {spans(list(fresh))}"
    )
    lead = f"the baseline scores {scores} ({size})"
    if not change.clear:
        return Note("info", f"{lead}: what it moved by chance moves every gain the other way, all rows alike.")
    luck, gains_are = ("too good", "too small") if change.mean < 0 else ("too bad", "too large")
    return Note("warning", f"{lead}: it was {luck} on the study's seeds, and so every gain there is {gains_are}.")
