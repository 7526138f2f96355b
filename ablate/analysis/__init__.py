"""Takes a study's manifest and run records, gives a `StudyAnalysis`: gains, intervals, verdicts. Loads no torch."""

from ablate.analysis.outcome import (
    AloneOrLast,
    Attribution,
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
    Rung,
    SessionGain,
    Share,
    StudyAnalysis,
    UnitGain,
    VariantAnalysis,
)
from ablate.analysis.row.breakdown import HistoryLoader
from ablate.analysis.row.units import UnitsLoader
from ablate.analysis.statistics.noise import smallest_detectable_gain, unpaired_spread
from ablate.analysis.study import analyse

__all__ = [
    "AloneOrLast",
    "Attribution",
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
    "Rung",
    "SessionGain",
    "Share",
    "StudyAnalysis",
    "UnitGain",
    "UnitsLoader",
    "VariantAnalysis",
    "analyse",
    "smallest_detectable_gain",
    "unpaired_spread",
]
