"""Guards in, sentences out: rows that are in doubt for the same reason share one."""

from collections.abc import Callable, Sequence

from ablate.analysis.outcome.guard import Guard, GuardKind
from ablate.analysis.words import listing


def sentences(guards: Sequence[Guard]) -> tuple[str, ...]:
    """In the order of the guards; a shared sentence stands where the first of its rows does."""
    said: dict[object, str] = {}
    for guard in guards:
        alike = [other for other in guards if other.kind == guard.kind and other.detail]
        if guard.kind in SHARED and guard in alike and len(alike) > 1:
            said.setdefault(guard.kind, SHARED[guard.kind](alike))
        else:
            said.setdefault(guard, guard.sentence)
    return tuple(said.values())


def _still_learning(guards: Sequence[Guard]) -> str:
    names = listing([str(guard.row) for guard in guards])
    shares = listing([guard.detail for guard in guards])
    return (
        f"{names} were still learning when their runs stopped: the last quarter of their steps brought {shares} of "
        "their gains, which rank speed of learning."
    )


def _taught_unequally(guards: Sequence[Guard]) -> str:
    alike: dict[str, list[str]] = {}
    for guard in guards:
        alike.setdefault(guard.detail, []).append(str(guard.row))
    names = listing([f"{listing(rows)} ({detail})" for detail, rows in alike.items()])
    return f"{names} are not trained as the baseline is, and their gains may come from that."


SHARED: dict[GuardKind, Callable[[Sequence[Guard]], str]] = {
    "still learning": _still_learning,
    "taught unequally": _taught_unequally,
}
