"""Where a study that is run until settled stands: which rows need no more seeds, and what the next look costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ablate.analysis.outcome.interval import Gain, Look
from ablate.result.manifest import Schedule


@dataclass(frozen=True)
class Standing:
    """Where a row stands after its last look. gain: None where nothing can be compared."""

    look: Look
    gain: Gain | None
    settled: bool


@dataclass(frozen=True)
class Settling:
    """A study after its last complete look.

    rows: patches and controls by name; empty before the first look. look: None before the first. buy: the seeds that
    the next look still needs, by variant, seed-major within each; empty when the study is over. to_come: the look that
    they are for.
    """

    schedule: Schedule
    rows: Mapping[str, Standing] = field(default_factory=dict)
    look: Look | None = None
    buy: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    to_come: Look | None = None

    @property
    def settled(self) -> tuple[str, ...]:
        return tuple(name for name, row in self.rows.items() if row.settled)

    @property
    def open(self) -> tuple[str, ...]:
        return tuple(name for name, row in self.rows.items() if not row.settled)

    @property
    def runs_to_buy(self) -> int:
        return sum(len(seeds) for seeds in self.buy.values())
