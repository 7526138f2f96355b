"""The top of a report: what was asked of which data, the answer, what makes it doubtful as a whole, the landmarks."""

from collections.abc import Iterator

from ablate.analysis.guard.joined import sentences
from ablate.analysis.headline import REHEARSAL
from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import ABSENT, number, percent, plural, share_with_interval, with_interval
from ablate.report.content.block import Block, Facts, Lines

WHOLE = (
    "control moved",
    "looked at",
    "below the floor",
    "near the ceiling",
    "small denominator",
    "lost pairs",
    "taught unequally",
)
"""Guards that are about every row, or about what was compared at all: they stand above the table. All others stand
beneath it."""


def title(analysis: StudyAnalysis) -> str:
    """True whatever recordings the recipe was run on."""
    data = f" on {analysis.data_description}" if analysis.data_description else ""
    return f"{analysis.name}{data}: {analysis.question}"


def head(analysis: StudyAnalysis) -> Iterator[Block]:
    """Name and data, question, answer, alarms, landmarks."""
    parts = (analysis.data_description, *_replicates(analysis), f"test {analysis.unit}")
    named = f"{analysis.name}: {', '.join(part for part in parts if part)}"
    if analysis.rehearsal:
        yield Lines("rehearsal", "Rehearsal", (REHEARSAL.removeprefix("Rehearsal: "),), "alarm", brief=True)
    yield Lines("name", "Study", (named, *_changed(analysis)), "name", brief=True)
    yield Lines("question", "Question", (analysis.question,), "question", "question", brief=True)
    answer = analysis.answer.removeprefix(REHEARSAL).strip()
    yield Lines("answer", "Answer", (answer,), "answer", "answer", brief=True)
    alarms = sentences([guard for guard in analysis.guards if guard.kind in WHOLE])
    new = tuple(sentence(text) for text in alarms if text.lower() not in answer.lower())
    if new:
        yield Lines("alarms", "Beware", new, "alarm", "beware", brief=True)
    yield Facts("landmarks", "Landmarks", tuple(landmarks(analysis)), brief=True)


def _replicates(analysis: StudyAnalysis) -> tuple[str, ...]:
    """`3 seeds`; of a cross-validation its folds too."""
    seeds = plural(len(analysis.seeds), "seed")
    plan = analysis.cross_validation
    if plan is None:
        return (seeds,)
    folds = plural(len(plan.names), "fold")
    return (f"{folds} (a subject each)" if plan.over == "subject" else folds, seeds)


def _changed(analysis: StudyAnalysis) -> tuple[str, ...]:
    """What the command line changed: the recipe's own question may then speak of something else."""
    changed = [one for one in analysis.overrides if one != "quick"]  # a rehearsal says so itself
    return (f"The recipe was changed on the command line: {', '.join(changed)}.",) if changed else ()


MOST_REFERENCES = 2
"""More of them are left to the table, where each has its row."""


def landmarks(analysis: StudyAnalysis) -> Iterator[tuple[str, str]]:
    """The figures that every row is read against."""
    yield analysis.baseline_name, _score(analysis.baseline)
    for row in analysis.references if len(analysis.references) <= MOST_REFERENCES else ():
        yield f"reference {row.name}", number(row.score.mean if row.score else None)
    if analysis.attainable is not None:
        yield "attainable", number(analysis.attainable)
    if analysis.floor is not None:
        yield "without receptive fields", number(analysis.floor)
    if analysis.attainable_accuracy is not None:
        yield "attainable accuracy", number(analysis.attainable_accuracy)
    if (classes := analysis.baseline.classes) is not None:
        balanced = number(1 / max(sum(any(counts) for counts in classes.confusion), 1))
        yield "most frequent class alone", f"accuracy {number(classes.chance)}, balanced {balanced}"
    if analysis.baseline.numbers is not None:
        yield "constant guess (mean and deviation of the training split)", number(0.0)
    if fev := baseline_fev(analysis):
        yield "of the explainable variance", fev
    if analysis.detectable is not None:
        size = f"{number(analysis.detectable)} {analysis.unit}"
        if analysis.detectable_relative is not None:
            size = percent(analysis.detectable_relative)
        yield "smallest detectable gain", size
    done = analysis.runs_done + analysis.runs_failed
    yield "runs", f"{done} of {analysis.runs_planned}" if done < analysis.runs_planned else str(done)


def baseline_fev(analysis: StudyAnalysis) -> str:
    """What the baseline explains of what repeats say can be explained; empty where nothing repeats."""
    rows = () if analysis.repeats is None else analysis.repeats.variants
    found = next((row.fev for row in rows if row.variant == analysis.baseline_name), None)
    return "" if found is None else share_with_interval(found.value, found.interval)


def _score(row: VariantAnalysis) -> str:
    return ABSENT if row.score is None else with_interval(row.score.mean, row.score.interval)


def sentence(text: str) -> str:
    """A sentence begins with a capital, but for a variant's name."""
    return text[:1].upper() + text[1:] if text.startswith(("the ", "seed ", "seeds ")) else text
