"""Takes numbers, gives what a study amounts to as plain frozen data: tables, figures and pages are made of these alone.

Nothing here is ever NaN: what cannot be known is None.
"""

from ablate.analysis.outcome.combination import (
    AloneOrLast,
    Attribution,
    EfficiencyCurve,
    FractionPoint,
    Interplay,
    Pair,
    Rung,
    Share,
)
from ablate.analysis.outcome.interval import Estimate, Gain, GainChange, GapClosed, Interval, Look
from ablate.analysis.outcome.repeats import Repeated, RepeatedPicture, RepeatedSession, RepeatedVariant, Repeats
from ablate.analysis.outcome.retuned import Retuned
from ablate.analysis.outcome.row import (
    Classes,
    CostSummary,
    LearningCurve,
    Measured,
    MeasureVerdict,
    NumberPoints,
    Numbers,
    Outcome,
    Prediction,
    SessionGain,
    SubjectClasses,
    SubjectNumbers,
    TargetFit,
    UnitGain,
    VariantAnalysis,
)
from ablate.analysis.outcome.settling import Settling, Standing
from ablate.analysis.outcome.study import Failure, Note, StudyAnalysis
from ablate.analysis.outcome.verdict import Confirmed, Repeat, Verdict
