"""What a score is: its name, how it is written, its formula in words, what it is a mean over, and who computes it.

A new metric is one entry of `METRICS` and one file with its scorer under `ablate/training/score/`. Loads no torch, so
that reports may read it.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Task = Literal["spikes", "labels", "values"]


@dataclass(frozen=True)
class Metric:
    """One way to score predictions; larger is better.

    label: how its values are written, `bits/spike`. task: the kind of data that it scores. formula and meaning: for
    whoever reads a report. noun: one of what it is averaged over. lack: what an entry that is left out has.
    scorer: `module:Class` under `ablate.training.score`, built with the data's spec and `min_spikes`. selects_by: the
    metric of validation, where it is another one.
    """

    name: str
    label: str
    task: Task
    formula: str
    meaning: str
    noun: str
    lack: str
    scorer: str
    selects_by: str = ""

    @property
    def sample(self) -> tuple[str, str]:
        """What its entries are a sample of, and what each belongs to, for people: neurons of sessions."""
        return ("neuron", "session") if self.task == "spikes" else ("trial", "subject")

    def worded(self, text: str) -> str:
        """With what it is a sample of in place of {entry} and {group}, and its noun in place of {noun}."""
        entry, group = self.sample
        return text.format(entry=entry, group=group, noun=self.noun, Noun=self.noun.capitalize())

    @property
    def validation_label(self) -> str:
        """How what stops and selects is written."""
        return METRICS[self.selects_by].label if self.selects_by else self.label


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            name="bits_per_spike",
            label="bits/spike",
            task="spikes",
            formula="bits/spike(unit) = Σ [ (y ln p − p) − (y ln r − r) ] / ( ln 2 · Σ y )",
            meaning="Information that the model has about a unit's spikes beyond its mean rate, per spike: y is the "
            "spike count of a bin, p the predicted rate, r the unit's mean rate in the training split; sums run over "
            "the test bins. Zero is a constant rate, below zero is worse than that. The headline is the mean over the "
            "units of a session, then over sessions. Where the true rates are known, what they would score is the "
            "ceiling.",
            noun="unit",
            lack="too few spikes",
            scorer="spikes:SpikeScorer",
        ),
        Metric(
            name="correlation",
            label="correlation",
            task="spikes",
            formula="r(unit) = cov(y, p) / √( var(y) · var(p) )",
            meaning="Pearson correlation of a unit's spike count y and predicted rate p over the test bins. It knows "
            "no scale: a rate that is twice too high correlates as well. One is perfect, zero is a constant rate. "
            "The headline is the mean over the units of a session, then over sessions.",
            noun="unit",
            lack="a response that never changes",
            scorer="correlation:CorrelationScorer",
        ),
        Metric(
            name="poisson_deviance",
            label="deviance explained",
            task="spikes",
            formula="D²(unit) = 1 − D(y, p) / D(y, r),  D(y, p) = 2 Σ [ y ln(y / p) − y + p ]",
            meaning="Share of the Poisson deviance of a constant rate that the model explains: y is the spike count of "
            "a bin, p the predicted rate, r the unit's mean rate in the training split; sums run over the test bins. "
            "Zero is a constant rate, one the counts themselves, which not even the true rates reach. The headline is "
            "the mean over the units of a session, then over sessions.",
            noun="unit",
            lack="too few spikes",
            scorer="deviance:DevianceScorer",
        ),
        Metric(
            name="fev",
            label="FEV",
            task="spikes",
            formula="FEV(unit) = 1 − ( mean (y − p)² − N ) / ( V − N )",
            meaning="Fraction of the explainable variance that the model explains (Cadena et al. 2019), on repeats of "
            "one stimulus: y are the counts of all showings, p the predicted rate, V the variance of y, N its mean "
            "variance between showings of the same bin. One is all that the stimulus can tell. The headline is the "
            "mean over the units of a session whose explainable variance is clear of zero, then over sessions. "
            "Validation holds no repeats and is scored by correlation.",
            noun="unit",
            lack="no explainable variance",
            scorer="correlation:CorrelationScorer",
            selects_by="correlation",
        ),
        Metric(
            name="bits_per_label",
            label="bits/label",
            task="labels",
            formula="bits/label = Σ log₂( p(label) / prior(label) ) / n",
            meaning="Information that the model has about a label beyond the training split's class frequencies. Zero "
            "is the prior, one bit halves the number of alternatives.",
            noun="trial",
            lack="no valid label",
            scorer="labels:LabelScorer",
        ),
        Metric(
            name="bits_per_value",
            label="bits/label",
            task="values",
            formula="bits/label = Σ log₂( N(y; m, s) / N(y; m₀, s₀) ) / n",
            meaning="Information that the model has about a number beyond the training split's distribution: y is the "
            "number, m and s are mean and standard deviation that the model predicts, m₀ and s₀ those of the training "
            "split's numbers; N is the normal density. Zero is a constant guess, below zero is worse than that.",
            noun="trial",
            lack="nothing rated",
            scorer="values:ValueScorer",
        ),
    )
}


def metric_named(name: str) -> Metric:
    """The metric of that name; one that somebody else measured is known by its name alone."""
    known = METRICS.get(name)
    return known or Metric(name, name.replace("_", " "), "spikes", name, "", "unit", "no score", "")


def metric_for(name: str, task: Task) -> str:
    """The name, if it is a metric for such data. Raises ValueError with the choices if it is not."""
    allowed = [metric.name for metric in METRICS.values() if metric.task == task]
    if name in allowed:
        return name
    choices = f"these data hold {task}, which are scored by {' or '.join(allowed)}"
    if name in METRICS:
        raise ValueError(f"metric {name} scores {METRICS[name].task}; {choices}")
    close = get_close_matches(name, allowed, 1)
    raise ValueError(f"no metric is called {name}{f' (did you mean {close[0]}?)' if close else ''}; {choices}")
