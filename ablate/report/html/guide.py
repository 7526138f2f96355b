"""How to read the page: the score, the two intervals, the words of the verdicts, each with its formula."""

from ablate.analysis import StudyAnalysis
from ablate.report.html.markup import Html, html, section, tag

SPIKES = (
    "bits/spike(unit) = Σ [ (y ln p − p) − (y ln r − r) ] / ( ln 2 · Σ y )",
    "Information that the model has about a unit's spikes beyond its mean rate, per spike: y is the spike count of a "
    "bin, p the predicted rate, r the unit's mean rate in the training split; sums run over the test bins. Zero is a "
    "constant rate, below zero is worse than that. The headline is the mean over the units of a session, then over "
    "sessions. Where the true rates are known, what they would score is the ceiling.",
)
LABELS = (
    "bits/label = Σ log₂( p(label) / prior(label) ) / n",
    "Information that the model has about a label beyond the training split's class frequencies. Zero is the prior, "
    "one bit halves the number of alternatives.",
)

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
        "Would the gain be there in other neurons? Sessions are drawn again, then units within each, ten thousands of "
        "times (hierarchical bootstrap); the seeds are taken as they are. With few sessions it is too narrow.",
    ),
)

WORDS = (
    ("helps", "gain above zero with p ≤ 0.05 after Holm over all patches of the study, and every seed finite."),
    ("hurts", "gain below zero with p ≤ 0.05 after Holm."),
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
    formula, told = LABELS if analysis.metric == "bits_per_label" else SPIKES
    return section(
        "guide",
        "How to read this page",
        tag("h3", "The score"),
        tag("div", formula, class_="formula"),
        tag("p", told),
        tag("h3", "The gain and its two intervals"),
        tag("div", html([GAIN, tag("br"), OVER_SEEDS]), class_="formula"),
        [tag("p", tag("b", name), " ", text) for name, text in INTERVALS],
        tag("h3", "The words"),
        tag("dl", [part for word, text in WORDS for part in (tag("dt", word), tag("dd", text))]),
    )
