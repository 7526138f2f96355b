"""What was measured as text: one table a file, each ending in how it was made."""

from collections.abc import Iterable, Sequence

import training
from again import Again
from baseline_seeds import Bought, Paired
from by_worth import Settled
from compare import Cell, Line
from coverage import Held, Power
from guards import Accused, Noise
from limit import Limit

SIZES = (1.5, 2.5, 4.0)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Cells under one another, the first column to the left, the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def share(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f}"


def found(sizes: dict[float, float]) -> str:
    return " ".join(f"{100 * sizes[size]:3.0f}" for size in SIZES)


def of_rules(lines: Iterable[Line]) -> str:
    head = (
        "rule",
        "runs",
        "false winner",
        "all null",
        "found 1.5 2.5 4",
        "right",
        "mixed: runs",
        "false",
        "right",
        "studies",
    )
    rows = [
        (
            line.rule.name,
            f"{line.half.runs:.0f}",
            share(line.half.false_winner),
            share(line.none.false_winner),
            found(line.half.found),
            share(line.half.right),
            f"{line.mixed.runs:.0f}",
            share(line.mixed.false_any),
            share(line.mixed.right),
            str(line.half.studies),
        )
        for line in lines
    ]
    return columns([head, *rows])


def of_worlds(named: Iterable[tuple[str, Iterable[Cell]]]) -> str:
    """Our rules in every world, one under the other."""
    head = ("world", "runs", "found 1.5 2.5 4", "right", "any false", "all null", "intervals hold", "worst row")
    parts = []
    for name, cells in named:
        rows = [
            (
                cell.world.name,
                f"{cell.half.runs:.1f}",
                found(cell.half.found),
                share(cell.half.right),
                share(cell.half.false_any),
                share(cell.none.false_any),
                "" if cell.held is None else share(cell.held[0]),
                "" if cell.held is None else share(cell.held[1]),
            )
            for cell in cells
        ]
        parts.append(f"{name}\n{columns([head, *rows])}")
    return "\n\n".join(parts)


def of_coverage(lines: Iterable[Held]) -> str:
    head = ("variance", "noise", "seeds", "true gain", "held", "no interval")
    rows = [
        (line.variance, f"{line.noise:.0%}", line.seeds, f"{line.gain:.0%}", share(line.share), share(line.without))
        for line in lines
    ]
    return columns([head, *rows])


def of_power(lines: Iterable[Power]) -> str:
    head = ("what is said", "gain, sd", "seeds", "power said", "found")
    rows = [(line.promise, f"{line.gain:.2f}", line.seeds, share(line.said), share(line.found)) for line in lines]
    return columns([head, *rows])


def of_interplay(named: dict[int, dict[str, float]]) -> str:
    names = next(iter(named.values()))
    rows = [(f"{seeds} seeds", *(share(values[name]) for name in names)) for seeds, values in named.items()]
    return columns([("pairs, of 3 sd each", *names), *rows])


def of_training(lines: Iterable[training.Line]) -> str:
    head = ("rule", "runs", "false winner", "any false", "found", "right", "studies")
    rows = [
        (
            line.rule,
            f"{line.runs:.0f}",
            share(line.false_winner),
            share(line.false_any),
            share(line.found),
            share(line.right),
            str(line.studies),
        )
        for line in lines
    ]
    return columns([head, *rows])


def of_again(lines: Iterable[Again]) -> str:
    """What to expect of the same study on five fresh seeds."""
    head = (
        "fresh seeds",
        "hold",
        "together",
        "outside",
        "<= 1 in 10",
        ">= half",
        "clear",
        "repeats",
        "weaker",
        "contradicted",
        "some",
    )
    rows = [
        (
            line.case.name,
            *map(share, (line.held, line.together, line.outside, line.most, line.half, line.beyond)),
            *map(share, (line.repeats, line.weaker, line.contradicted, line.some)),
        )
        for line in lines
    ]
    return columns([head, *rows])


def of_limits(lines: Iterable[Limit]) -> str:
    head = ("three seeds", "ours 1.5 2.5 4", "at most 1.5 2.5 4", "its d0")
    rows = [(line.world, found(line.ours), found(line.oracle), f"{line.degrees:g}") for line in lines]
    return columns([head, *rows])


def of_settled(lines: Iterable[Settled]) -> str:
    head = ("worth, sd", "runs", "found 1.5 2.5 4", "right", "any false", "intervals hold")
    rows = [
        (
            f"{line.least:.2f}",
            f"{line.worth.runs:.1f}",
            found(line.worth.found),
            share(line.worth.right),
            share(line.worth.false_any),
            share(line.held),
        )
        for line in lines
    ]
    return columns([head, *rows])


def of_baseline_seeds(lines: Iterable[Bought]) -> str:
    head = (
        "correlation",
        "seeds",
        "baseline's",
        "runs",
        "half width",
        "held",
        "any false",
        "found",
        "outside",
        ">= half",
    )
    rows = [
        (
            f"{line.rho:.1f}",
            str(line.plan.seeds),
            str(line.plan.baseline),
            str(line.plan.runs),
            f"{line.half_width:.2f}",
            *map(share, (line.held, line.false_any, line.found, line.outside, line.half)),
        )
        for line in lines
    ]
    return columns([head, *rows])


def of_correlations(lines: Iterable[Paired]) -> str:
    head = ("committed study", "patches", "correlation, median", "pairing saves seeds")
    rows = [(line.study, str(line.patches), f"{line.correlation:+.2f}", share(line.saves, 0)) for line in lines]
    return columns([head, *rows])


def of_guards(lines: Iterable[Accused]) -> str:
    """Honest rows and studies that are accused, and planted faults that are told."""
    head = ("noise", "seeds", "guard", "scores", "honest rows accused", "honest studies", "faults told")
    rows = [(line.noise.name, *map(str, line[1:4]), *map(share, (line.row, line.study, line.told))) for line in lines]
    return columns([head, *rows])


def of_noise(noises: Iterable[Noise]) -> str:
    head = ("noise of committed studies", "within a curve", "last values", "paired gains")
    rows = [(one.name, *(f"{100 * value:.2f} %" for value in (one.within, one.ends, one.gains))) for one in noises]
    return columns([head, *rows])
