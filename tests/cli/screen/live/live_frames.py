"""Shows a study half done on a terminal of each size that is named: one frame each, with a mark behind it.

python live_frames.py FOLDER COLUMNSxROWS ...
"""

import fcntl
import os
import struct
import sys
import termios
import time
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from planted import BASELINE, Planted, around, shifted

from ablate.cli.console import err
from ablate.cli.screen.live.progress import ProgressDisplay
from ablate.execution import Event
from ablate.result import Store, progress

MARK = "<end of frame>"
UNDER_WAY = ("p1+p2+p3+a_patch_with_a_long_name", "p4")
OTHERS = ("p1", "p2", "p3", "p1+p2", "p5", "p6", "p7", "p8", "p9", "p10", "p11")


class Keyed(Planted):
    @staticmethod
    def key(name: str, seed: int) -> str:
        return f"{sum(map(ord, name)):08x}{seed:04x}"


def main(folder: Path, sizes: list[tuple[int, int]]) -> None:
    base = around(0.4, 0.01)
    scores = {BASELINE: base, **{name: shifted(base, 0.02) for name in (*UNDER_WAY, *OTHERS)}}
    planted = Keyed(scores, manifest_fields={"question": "Which of these patches helps? " * 5})
    store = Store(folder)
    store.write_manifest(planted.manifest())
    for record in planted.records():
        if record.variant not in UNDER_WAY:
            store.put(record)
    jobs = [
        SimpleNamespace(key=planted.key(name, seed), label=f"{name} seed {seed}") for name in scores for seed in base
    ]
    todo = [job for job in jobs if job.label.rpartition(" seed")[0] in UNDER_WAY]
    study = SimpleNamespace(manifest=planted.manifest(), jobs=jobs, notices=(), store=store)
    under_way = progress.RunProgress("p4", 0, 1200, 10000, 0.5, 0.1234, 24.0)
    for columns, rows in sizes:
        fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with ProgressDisplay(err()) as display, patch.object(progress, "read_progress", lambda *_: under_way):
            display.planned(study, todo)  # type: ignore[arg-type]
            for job in todo:
                display.event(Event("started", job.key))
            display._live.refresh()
            time.sleep(0.05)
            os.write(2, MARK.encode())  # past the display, which keeps what is printed until a line's end


if __name__ == "__main__":
    main(Path(sys.argv[1]), [(int(w), int(h)) for w, h in (size.split("x") for size in sys.argv[2:])])
