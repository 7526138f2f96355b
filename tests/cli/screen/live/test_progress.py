"""The live view by the last frame of a terminal: ten finished variants once hid the progress below forty rows."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pyte
import pytest
from live_frames import MARK
from rich.console import Console
from tiny_study import environment

from ablate.cli.screen.live.fitted import Fitted, shortened

SIZES = [(columns, rows) for columns in (80, 100, 140) for rows in (24, 40, 60)]


@pytest.fixture(scope="module")
def frames(tmp_path_factory) -> dict[tuple[int, int], list[str]]:
    """The rows of the screen at each size."""
    primary, secondary = pty.openpty()
    folder = tmp_path_factory.mktemp("live") / "study"
    words = [sys.executable, str(Path(__file__).with_name("live_frames.py")), str(folder)]
    paths = os.pathsep.join((environment()["PYTHONPATH"], *map(str, Path(__file__).parents[3].glob("analysis"))))
    said = ("COLUMNS", "LINES")  # by the tests' own workers: the size of this terminal is to count
    variables = {name: text for name, text in environment(TERM="xterm", PYTHONPATH=paths).items() if name not in said}
    process = subprocess.Popen(
        [*words, *(f"{columns}x{rows}" for columns, rows in SIZES)],
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=variables,
        start_new_session=True,
    )
    os.close(secondary)
    written = b""
    try:
        while process.poll() is None or written.count(MARK.encode()) < len(SIZES):
            written += os.read(primary, 65536)
    except OSError:  # the other side is closed
        pass
    finally:
        process.kill()
        assert process.wait() in (0, -9), written.decode()
        os.close(primary)
    shown = {}
    for size, part in zip(SIZES, written.split(MARK.encode()), strict=False):
        screen = pyte.Screen(*size)
        pyte.ByteStream(screen).feed(part)
        shown[size] = [line.rstrip() for line in screen.display]
    return shown


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_run_step_score_and_time_left_of_every_run_stand_on_every_screen(frames, size):
    text = "\n".join(frames[size])
    assert "planted: 0 of 6 runs" in text
    for label in ("p4", "p1+p2+p3+a_" if size[0] == 80 else "p1+p2+p3+a_patch_with_a_long_name"):
        for seed in (0, 1, 2):
            (line,) = (line for line in frames[size] if line.strip().startswith(label) and f"seed {seed}" in line)
            assert line.endswith("step 1200 of 10000, validation 0.1234, 3 min left")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_table_takes_what_is_left_and_says_where_the_rest_is(frames, size):
    text = "\n".join(frames[size])
    assert text.index("0 of 6 runs") < text.index("step 1200") < text.index("Which of these patches")
    whole = any(line.strip().startswith("-  baseline") for line in frames[size])
    assert whole == (size[1] > 24)
    if not whole:
        assert "more lines: ablate report" in [line for line in frames[size] if line][-1]


def test_sixty_workers_leave_room_for_the_table():
    console = Console(width=80, height=24)
    picture = Fitted(
        "study: 0 of 60 runs",
        [lambda index=index: f"run {index}" for index in range(60)],
        "question\ntable",
        "ablate report x",
    )
    with console.capture() as said:
        console.print(picture)
    lines = said.get().splitlines()
    assert len(lines) <= 23
    assert lines[0] == "study: 0 of 60 runs"
    assert "  and 50 more" in lines
    assert lines[-1] == "table"


def test_a_long_label_keeps_its_seed():
    assert shortened("p1 seed 0", 20) == "p1 seed 0"
    assert shortened("a_very_long_name_of_a_variant seed 10", 20) == "a_very_long...eed 10"
    assert len(shortened("a_very_long_name_of_a_variant seed 10", 20)) == 20
