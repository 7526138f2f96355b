"""How to read the page: the score, the two intervals, the words of the verdicts, each with its formula."""

from ablate.analysis import StudyAnalysis
from ablate.metric import metric_named
from ablate.report.html.markup import Html, html, section, tag

GAIN = "gain = mean over seeds s of ( variant(s) − baseline(s) )"
OVER_SEEDS = "gain ± t(0.975, n − 1) · spread of the differences / √n"

INTERVALS = (
    (
        "Over seeds (thick line, “gain, 95 %”).",
        "Would the gain be there if both models were trained again? A paired t interval over the n seeds that both "
        "finished. The verdict rests on this one.",
    ),
    (
        "Over units and sessions (thin line, “other neurons”).",
        "Would the gain be there in other neurons? Sessions are drawn again, then units within each, 2,000 "
        "times (hierarchical bootstrap); the seeds are taken as they are. With few sessions it is too narrow.",
    ),
)

WORDS = (
    ("helps", "gain above zero with p ≤ 0.05 after Holm over all patches of the study, and every seed finite."),
    ("hurts", "gain below zero with p ≤ 0.05 after Holm."),
    ("negligible", "the gain is surely smaller than what the recipe calls worth having (two one-sided tests, p ≤ 0.05 "
                   "after Holm)."),
    ("no evidence", "anything else that could be compared. Not the same as no effect: the note says how many seeds a "
                    "gain of the size seen would need."),
    ("invalid", "nothing to compare: no finite seed, or scored on other bins than the baseline."),
    ("met, below, above, undecided", "how the expectation fared that was written down before the first run: the gain "
                                     "lies within it and is clear of zero; its whole interval lies below it; above "
                                     "it; or the interval is too wide to say."),
    ("gap", "share of the distance from the baseline to the reference that the gain closes; blank where that distance "
            "is not itself clear of zero."),
    ("hollow marker", "no evidence of a gain."),
)  # fmt: skip


def guide(analysis: StudyAnalysis) -> Html:
    """The same for every study but for its score."""
    metric = metric_named(analysis.metric)
    return section(
        "guide",
        "How to read this page",
        tag("h3", "The score"),
        tag("div", metric.formula, class_="formula"),
        tag("p", metric.meaning),
        tag("h3", "The gain and its two intervals"),
        tag("div", html([GAIN, tag("br"), OVER_SEEDS]), class_="formula"),
        [tag("p", tag("b", name), " ", text) for name, text in INTERVALS],
        tag("h3", "The words"),
        tag("dl", [part for word, text in WORDS for part in (tag("dt", word), tag("dd", text))]),
    )
