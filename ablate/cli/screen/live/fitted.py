"""A live picture that never exceeds the terminal: how far the study is at the top, as much of the table as there is
room for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

MOST_SHARE = 2
"""Lines of runs under way take at most one in so many of the screen: sixty workers would leave no table."""


@dataclass(frozen=True)
class Fitted:
    """lines: one a run under way, cut where the terminal ends; only those that are shown are made. table: what
    shrinks. whole: where all of it is."""

    total: str
    lines: Sequence[Callable[[], str]]
    table: RenderableType
    whole: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(2, console.size.height - 1)  # the cursor stands on a line of its own
        yield _line(self.total, "bold")
        shown = self.lines[: max(1, min(len(self.lines), room // MOST_SHARE - 1))]
        more = len(self.lines) - len(shown)
        for line in shown:
            yield _line(line())
        if more:
            yield _line(f"  and {more} more")
        yield from self._cut_table(console, options, room - 1 - len(shown) - bool(more))

    def _cut_table(self, console: Console, options: ConsoleOptions, room: int) -> RenderResult:
        """The table's first lines, and how many are left out."""
        lines = console.render_lines(self.table, options.update(height=None), pad=False)
        if len(lines) > room:
            left_out = len(lines) - max(0, room - 1)
            lines = lines[: max(0, room - 1)]
        else:
            left_out = 0
        for line in lines:
            yield from line
            yield Segment.line()
        if left_out and room > 0:
            yield _line(f"... {left_out} more lines: {self.whole}", "dim")


def _line(text: str, style: str = "") -> Text:
    """One line of the screen, whatever its length."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def shortened(label: str, width: int) -> str:
    """A label of at most this many characters, its end kept: a run's seed stands there."""
    return label if len(label) <= width else f"{label[: max(0, width - 9)]}...{label[-6:]}"
