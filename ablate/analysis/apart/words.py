"""What fresh seeds say of a row, in the words of the answer."""

from ablate.analysis.outcome import Confirmed, VariantAnalysis
from ablate.analysis.words import gain_text, spans


def seeds_text(state: Confirmed) -> str:
    """`seeds 10-14`"""
    return f"seed{'s' if len(state.seeds) > 1 else ''} {spans(state.seeds)}"


def fall_text(row: VariantAnalysis, unit: str) -> str:
    """`p1 helped where it was chosen (+5.1 % [...]), but on seeds 10-14 it cannot be told from noise: +0.3 % [...]`"""
    state = row.confirmed
    assert state is not None
    found = {
        "no evidence": "it cannot be told from noise",
        "negligible": "it is negligible",
        "hurts": "it hurts",
    }.get(state.verdict or "", "it gave no finite score")
    chosen = f"{row.name} helped where it was chosen ({gain_text(row.gain, unit)})"
    measured = f": {gain_text(state.gain, unit)}" if state.gain is not None else ""
    return f"{chosen}, but on {seeds_text(state)} {found}{measured}"
