"""Takes a study's manifest and run records, gives a `StudyAnalysis`: gains, intervals, verdicts. Loads no torch."""

from ablate.analysis.apart.choice import chosen_rows, fresh_seeds, lacking, rows_to_retune
from ablate.analysis.apart.retuning import best_setting, by_key, complete, study_seeds
from ablate.analysis.cells import gather
from ablate.analysis.outcome import (
    AloneOrLast,
    Attribution,
    Confirmed,
    CostSummary,
    EfficiencyCurve,
    Estimate,
    Failure,
    FractionPoint,
    Gain,
    GapClosed,
    Guard,
    Interval,
    LearningCurve,
    Note,
    Pair,
    Prediction,
    Retuned,
    Rung,
    SessionGain,
    Settling,
    Share,
    StudyAnalysis,
    UnitGain,
    VariantAnalysis,
)
from ablate.analysis.row.breakdown import HistoryLoader
from ablate.analysis.row.units import UnitsLoader, quietly
from ablate.analysis.statistics.noise import smallest_detectable_gain, unpaired_spread
from ablate.analysis.stopping.settle import settle
from ablate.analysis.study import analyse

__all__ = [
    "AloneOrLast",
    "Attribution",
    "Confirmed",
    "CostSummary",
    "EfficiencyCurve",
    "Estimate",
    "Failure",
    "FractionPoint",
    "Gain",
    "GapClosed",
    "Guard",
    "HistoryLoader",
    "Interval",
    "LearningCurve",
    "Note",
    "Pair",
    "Prediction",
    "Retuned",
    "Rung",
    "SessionGain",
    "Settling",
    "Share",
    "StudyAnalysis",
    "UnitGain",
    "UnitsLoader",
    "VariantAnalysis",
    "analyse",
    "best_setting",
    "by_key",
    "chosen_rows",
    "complete",
    "fresh_seeds",
    "gather",
    "lacking",
    "quietly",
    "rows_to_retune",
    "settle",
    "smallest_detectable_gain",
    "study_seeds",
    "unpaired_spread",
]
