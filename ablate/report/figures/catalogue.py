"""All figures of a study in the order in which they are read, with what a reader must know beside each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from matplotlib.figure import Figure

from ablate.analysis.outcome import StudyAnalysis
from ablate.report.figures.study import (
    attribution,
    curves,
    efficiency,
    forest,
    interaction,
    ladder,
    numbers,
    over_time,
    pareto,
    psth,
    units,
)
from ablate.report.figures.style import styled


@dataclass(frozen=True)
class Drawing:
    """One kind of figure. name: of its files. draw: None where a study has nothing for it. Call it under `styled()`."""

    name: str
    title: str
    caption: str
    """`{entry}` and `{group}` stand for what the metric's entries are a sample of, `{noun}` for its word for one."""
    draw: Callable[[StudyAnalysis], Figure | None]


CATALOGUE = (
    Drawing(
        "gains",
        "Gain of every variant over the baseline",
        "Thick: 95 % interval over paired seeds, which answers how sure the gain is under another training. Thin: "
        "95 % hierarchical bootstrap over {entry}s nested in {group}s, which answers whether it holds for {entry}s of "
        "other {group}s. "
        "Dotted: 95 % bootstrap over blocks of the test's time, which answers whether it holds in other minutes. "
        "Grey boxes were written down before the first run. Arrows lead beyond the picture.",
        forest.draw,
    ),
    Drawing(
        "ladder",
        "The ladder towards the reference",
        "Each bar is what one more patch added to all before it, with the 95 % paired t interval of that step. "
        "Brackets: what was expected of the rung as a whole.",
        ladder.draw,
    ),
    Drawing(
        "pareto",
        "Score against cost",
        "Up and to the left is better; the stepped line is the best score that a cost can buy. Hollow markers: no "
        "evidence of a gain. Whether a difference in height is real is shown by the gains above, which are paired.",
        pareto.draw,
    ),
    Drawing(
        "curves",
        "Learning curves",
        "Validation score: mean over seeds, with the range from the worst to the best seed. A curve that still rises "
        "at its end was stopped too early to be ranked by its last value alone.",
        curves.draw,
    ),
    Drawing(
        "units",
        "{Noun} by {noun}",
        "Each point is one {entry}, averaged over the paired seeds, on the test split; above the line it gained. "
        "Dashed: the median gain. References have a scale of their own. A gain carried by a few points may not hold in "
        "{entry}s of other {group}s.",
        units.draw,
    ),
    Drawing(
        "numbers",
        "As rated and as predicted",
        "Each point is one number of the test split of the first seed that is scored, in its own unit, with the "
        "deviation that the model predicts of it; on the line it was told right. A flat cloud at the mean is what a "
        "model says that knows nothing.",
        numbers.draw,
    ),
    Drawing(
        "time",
        "Score over the time of the test",
        "Mean over seeds and sessions in equal blocks of the test split, each weighted by its spikes, so that the mean "
        "of the blocks is the score. A step means that the data changed on the way: frames dropped, rates that drift.",
        over_time.draw,
    ),
    Drawing(
        "psth",
        "Repeats of one stimulus",
        "Grey: the average response over all showings; lines: predicted rates. Above them the spikes of single "
        "showings, and as many rows of spikes drawn at random (Poisson) from the baseline's rate: where both look "
        "alike, the model tells what the stimulus tells, and the rest is chance.",
        psth.draw,
    ),
    Drawing(
        "efficiency",
        "Data efficiency",
        "Score, and gain over the baseline trained on the same share of the data; 95 % t intervals over seeds.",
        efficiency.draw,
    ),
    Drawing(
        "interaction",
        "Patches together",
        "Off the diagonal: what both do beyond the sum of each alone (redundant below zero, synergistic above); on it: "
        "the patch alone. Named where clear of noise after Holm over the pairs.",
        interaction.draw,
    ),
    Drawing(
        "attribution",
        "Alone, added last, and on average",
        "A patch worth much alone and little when added last shares its effect with the others. Shapley value: the "
        "mean over all orders of adding. 95 % paired t intervals over seeds.",
        attribution.draw,
    ),
)


def figures(analysis: StudyAnalysis) -> Iterator[tuple[Drawing, Figure]]:
    """The figures that the study has something for."""
    for drawing in CATALOGUE:
        with styled():
            made = drawing.draw(analysis)
        if made is not None:
            yield drawing, made
