"""A long count tells how far it is and how long it will take, on a terminal and in a log."""

import io
import re

from rich.console import Console

from ablate.cli.screen.live.counting import Count


def counted(terminal: bool, every: float) -> str:
    text = io.StringIO()
    with Count(Console(file=text, force_terminal=terminal, width=100), "vit: frames", 4000, plain_every=every) as count:
        count.add(1000, free=True)
        count.add(1500)
    return text.getvalue()


def test_a_log_gets_plain_lines_with_the_time_left() -> None:
    first, second = counted(terminal=False, every=0.0).splitlines()
    assert first == "vit: frames: 1,000 of 4,000"
    assert re.fullmatch(r"vit: frames: 2,500 of 4,000, about [\d.e-]+ s left", second)


def test_a_log_is_not_flooded() -> None:
    assert counted(terminal=False, every=60.0) == ""


def test_a_terminal_gets_a_bar() -> None:
    assert "2500/4000" in counted(terminal=True, every=0.0)
