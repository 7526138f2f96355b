"""What is wrong with the labels of trials: asked before anything is trained, since any text makes a class."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from ablate.data.trials.layout.table import TrialRow, TrialTable
from ablate.errors import Problem

MOST_NUMBERS = 12
"""Classes whose names are whole numbers: ten tasks and a rating of 1 to 9 are classes, sixteen valences are not."""
REGRESSION = (
    "is regression meant? `data.targets: [label]` learns them as numbers, `data.numbers_are_classes: true` takes them "
    "for classes"
)
NO_LABEL = ("nan", "n/a", "#n/a", "<na>", "null", "?", "-")
"""Texts that say that there is no label, in small letters; `none` and `na` may be classes."""
MISSING = (-1, -9, -99, -999, -9999, 99, 999, 9999)
"""What people write where nothing was rated."""


def value_problems(table: TrialTable) -> list[Problem]:
    """Numbers that never differ, and numbers that stand for nothing far away from all others."""
    problems = []
    for place, name in enumerate(table.targets):
        values = [own[place] for row in table.rows for own in row.values if math.isfinite(own[place])]
        if values and len(set(values)) == 1:
            what = f"{name} is {values[0]:g} wherever it is rated"
            problems.append(Problem(what, table.where, "there is nothing to learn of a constant"))
        rest = [value for value in values if value not in MISSING]
        span = max(rest, default=0.0) - min(rest, default=0.0)
        for code in MISSING if rest and span > 0 else ():
            if code in values and not min(rest) - span <= code <= max(rest) + span:
                count, most = values.count(code), f"{min(rest):g} to {max(rest):g}"
                what = f"{name} is {code} {count} time{'s' if count > 1 else ''}, all others are {most}"
                problems.append(Problem(what, table.where, "leave the cell empty where nothing was rated"))
    return problems


def label_problems(rows: Sequence[TrialRow], where: str, numbers_are_classes: bool) -> list[Problem]:
    """Numbers that look like measurements, names that are one class written in two ways, and no two classes at all."""
    counts = Counter(label for row in rows for label in row.own_labels if label)
    problems = list(_written_twice(counts, where, "classes"))
    for label in counts:
        if label.casefold() in NO_LABEL:
            what = f"the label `{label}` ({counts[label]} trials) says that there is none"
            problems.append(Problem(what, where, "leave such trials out, or give the class another name"))
    numbers = {label: value for label in counts if (value := _number(label)) is not None}
    if counts and len(numbers) == len(counts) and not numbers_are_classes:
        broken = any(value != int(value) for value in numbers.values())
        if broken or len(numbers) > MOST_NUMBERS:
            shown = sorted(numbers, key=lambda label: numbers[label])
            what = f"{len(counts)} different numbers as labels ({shown[0]} to {shown[-1]}) of {len(rows)} trials"
            problems.append(Problem(what, where, REGRESSION))
    elif len(counts) == sum(counts.values()) > 2:
        what = f"each of {len(rows)} trials has a label of its own, as `{next(iter(counts))}`"
        problems.append(Problem(what, where, "a class needs several trials; is `label` the right column?"))
    if len(counts) == 1:
        what = f"all {len(rows)} trials have the label `{next(iter(counts))}`"
        problems.append(Problem(what, where, "there is nothing to tell apart: two classes are the least"))
    return problems


def subject_problems(rows: Sequence[TrialRow], where: str) -> list[Problem]:
    """One subject under two names would stand in train and in test."""
    return _written_twice(Counter(row.subject for row in rows), where, "subjects")


def _written_twice(counts: Counter[str], where: str, what: str) -> list[Problem]:
    """Names that differ only in capitals, spaces within, the form of an accent, or how a number is written; of subjects
    also in what stands between letters and numbers: `sub-01` and `sub1`."""
    alike: dict[str, list[str]] = {}
    for label in counts:
        value, text = _number(label), unicodedata.normalize("NFKC", label).casefold()
        plain = " ".join(text.split())
        if what == "subjects":
            plain = " ".join(part.lstrip("0") or "0" for part in re.findall(r"[^\W\d_]+|\d+", text)) or text
        alike.setdefault(plain if value is None or what == "subjects" else repr(value), []).append(label)
    return [
        Problem(
            f"{' and '.join(f'`{name}` ({counts[name]} trials)' for name in sorted(names))} are two {what}",
            where,
            "write one name in one way",
        )
        for names in alike.values()
        if len(names) > 1
    ]


def _number(label: str) -> float | None:
    """The finite number that a label is, also with a comma."""
    try:
        value = float(label.replace(",", ".") if label.count(",") == 1 else label)
    except ValueError:
        return None
    return value if abs(value) < 1e300 else None
