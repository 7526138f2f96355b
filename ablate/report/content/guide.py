"""How to read a report: how the gains were judged, the score, the intervals, the words, each with its formula."""

from collections.abc import Iterator

from ablate.analysis.outcome import StudyAnalysis
from ablate.metric import metric_named
from ablate.report.content.block import Block, Facts, Lines

INTERVALS = (
    ("gain", "mean over seeds s of ( variant(s) − baseline(s) )"),
    (
        "gain, 95 %",
        "Would the gain be there if both models were trained again? gain ± t(0.975) · standard error over the n seeds "
        "that both finished, paired by seed; relative to the baseline by Fieller. The verdict rests on this one.",
    ),
    (
        "gain over {entry}s",
        "Would the gain be there in {entry}s of other {group}s? The {group}s are drawn again, then {entry}s within "
        "each, 2,000 times (hierarchical bootstrap); seeds are taken as they are. With few {group}s it is too narrow.",
    ),
    (
        "gain over minutes",
        "Would the gain be there in other minutes of the same recordings? Blocks of the test's time are drawn again, "
        "2,000 times; seeds and {entry}s are taken as they are.",
    ),
)

FOLDED = {
    "subject": (
        ("gain", "mean over subjects of ( variant − baseline ), each tested by models that were not trained on it"),
        (
            "gain, 95 %",
            "Would the gain be there in other subjects? gain ± t(0.975) · standard error over the subjects, each "
            "averaged over its seeds. The verdict rests on this one.",
        ),
    ),
    "fold": (
        ("gain", "mean over folds of ( variant − baseline ), each fold averaged over its seeds"),
        (
            "gain, 95 %",
            "gain ± t(0.975) · standard error over the folds; where the same subjects are in every fold, folds are no "
            "independent draws, and the variance of their mean is s² ( 1 / n + tested / trained ) (Nadeau & Bengio "
            "2003).",
        ),
    ),
}

WORDS = (
    ("helps", "gain above zero with p ≤ 0.05 after Holm over all patches of the study, and every seed finite."),
    ("hurts", "gain below zero with p ≤ 0.05 after Holm."),
    (
        "negligible",
        "the gain is surely smaller than what the recipe calls worth having (two one-sided tests, p ≤ 0.05 after "
        "Holm).",
    ),
    (
        "no evidence",
        "anything else that could be compared. Not the same as no effect: the note says how many seeds a gain of the "
        "size seen would need.",
    ),
    ("early", "learning had not ended when the runs stopped: the verdict ranks speed of learning."),
    ("invalid", "nothing to compare: no finite seed, or scored on other bins than the baseline."),
    (
        "expected: met, below, above, undecided",
        "how the gain fared against what was expected before the first run: it lies within and is clear of zero; its "
        "whole interval lies below; above; or the interval is too wide to say.",
    ),
    (
        "gap",
        "share of the distance from the baseline to the reference that the gain closes; blank where that distance is "
        "not itself clear of zero.",
    ),
    ("ceiling", "score as a share of what the true rates score, where they are known."),
    ("hollow marker", "in a figure: no evidence of a gain."),
)

CLASSES = (
    (
        "accuracy",
        "share of the labels that were guessed. Of imbalanced classes the most frequent one alone scores high.",
    ),
    (
        "balanced accuracy",
        "mean over the classes of the share of a class's labels that was guessed (its recall): 1 / classes for "
        "whatever guesses without looking.",
    ),
    (
        "macro F1",
        "mean over the classes of 2 · right / ( labels of the class + guesses of the class ).",
    ),
    (
        "calibration error",
        "Σ n_b / n · | accuracy_b − mean probability_b | over 15 bins of the guess's probability (Guo et al. 2017): "
        "how far the model's certainty is from how often it is right.",
    ),
)


NUMBERS = (
    (
        "correlation",
        "Pearson's r of the numbers and the predicted means, over all labels of the test split (so subjects who rate "
        "higher than others count too; the table of subjects has each one's own); a mean over targets.",
    ),
    (
        "CCC",
        "2 cov(y, m) / ( var(y) + var(m) + (mean y − mean m)² ) (Lin 1989): r less what another mean or scale costs. A "
        "constant guess has 0.",
    ),
)


def guide(analysis: StudyAnalysis) -> Iterator[Block]:
    """What was done in this study, then what is the same for every study but for its score."""
    beneath = ("rehearsal", "warning", "expectation")
    method = tuple(note.text for note in analysis.notes if note.kind not in beneath)
    if method:
        yield Lines("method", "How the gains were judged", method)
    metric = metric_named(analysis.metric)
    intervals = INTERVALS if analysis.cross_validation is None else (*FOLDED[analysis.replicate], *INTERVALS[2:])
    worded = tuple((metric.worded(name), metric.worded(text)) for name, text in intervals)
    classes = CLASSES if analysis.baseline.classes is not None else ()
    numbers = NUMBERS if analysis.baseline.numbers is not None else ()
    score = (("score", metric.formula), (metric.label, metric.meaning))
    facts = (*(fact for fact in score if fact[1]), *worded, *classes, *numbers, *WORDS)
    yield Facts("guide", "How to read this report", facts)
