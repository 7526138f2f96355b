"""A thousand mutated recipes, recordings and results folders: a message each, never a traceback, a hang or half a file.

    python tests/benchmarks/fuzz.py --files 1000 [--keep]

Every mutant is read as `ablate check`, `ablate data info` and `ablate report` read it. What is allowed: it is accepted,
or an AblateError tells what is wrong. Prints the counts; leaves with 1 when anything else happened.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import numpy as np  # noqa: E402
from kept import ask_to_keep, measuring  # noqa: E402
from tiny_study import recipe_text, request_of, write_recipe  # noqa: E402

from ablate.analysis.study import analyse  # noqa: E402
from ablate.data.recording import Recording, read_recording, write_recording  # noqa: E402
from ablate.errors import AblateError  # noqa: E402
from ablate.recipe import load_recipe  # noqa: E402
from ablate.report import render  # noqa: E402
from ablate.result import Store  # noqa: E402
from ablate.study.flow import run_study  # noqa: E402
from ablate.training import Checkpoints  # noqa: E402
from ablate.variant import lay_out  # noqa: E402

HANG_SECONDS = 20
TOKENS = (
    b"null",
    b"true",
    b"-1",
    b"1e400",
    b".nan",
    b"[]",
    b"{}",
    b"[1, 2]",
    b"''",
    b"&a b",
    b"*a",
    b"!!python/object:os.system x",
)
TOKENS += (
    b"../../x",
    b"99999999999999999999",
    b"\x00",
    b"\xff\xfe",
    b"{type: import, target: os:system}",
    b": :",
    b"- -",
    b"\t",
    b"1" * 5000,
)

Case = Callable[[random.Random], str]


class Hang(BaseException):
    """A reader took too long."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--files", type=int, default=1000, help="mutants of each kind")
    options.add_argument("--seed", type=int, default=0)
    ask_to_keep(options)
    told = options.parse_args()
    warnings.simplefilter("ignore")
    with measuring("fuzz", keep=told.keep) as sheet, tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("ABLATE_CACHE", str(Path(folder) / "cache"))
        counts, faults = fuzz(Path(folder), files=told.files, seed=told.seed)
        sheet.figures = {"counts": counts, "faults": faults[:5], "faults in all": len(faults)}
        sheet.say(json.dumps(sheet.figures, indent=1))
    return 1 if faults else 0


def fuzz(folder: Path, *, files: int, seed: int) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Counts by kind, and what must not happen."""
    counts: dict[str, dict[str, int]] = {}
    faults: list[str] = []
    for kind, make in {
        "recipes": recipes,
        "recordings": recordings,
        "records": results,
        "checkpoints": checkpoints,
    }.items():
        case, dice, seen = make(folder / kind), random.Random(seed), Counter()
        started = time.monotonic()
        for number in range(files):
            outcome = attempt(case, dice)
            seen[outcome.partition("\n")[0]] += 1
            if "\n" in outcome:
                faults.append(f"{kind} {number}: {outcome[-900:]}")
        counts[kind] = {**dict(seen), "seconds": round(time.monotonic() - started)}
    return counts, faults


def attempt(case: Case, dice: random.Random) -> str:
    """`accepted`, `refused`, or a fault with its traceback behind a line break."""

    def late(number: int, frame: object) -> None:
        raise Hang

    signal.signal(signal.SIGALRM, late)
    signal.alarm(HANG_SECONDS)
    try:
        return case(dice)
    except AblateError as error:
        return "refused" if str(error).startswith("error: ") else f"bad message\n{error}"
    except Hang:
        return "hang\n" + traceback.format_exc()
    except BaseException:
        return "traceback\n" + traceback.format_exc()
    finally:
        signal.alarm(0)


# ------------------------------------------------------------------ what is mutated, and who reads it


def recipes(folder: Path) -> Case:
    """Read and expanded, as `ablate check` begins."""
    folder.mkdir()
    good = recipe_text().encode()

    def case(dice: random.Random) -> str:
        path = folder / "tiny.yaml"
        path.write_bytes(mutated(good, dice, text=True))
        lay_out(load_recipe(path))
        return "accepted"

    return case


def recordings(folder: Path) -> Case:
    """Read with all their values, as every command reads them."""
    random_numbers = np.random.default_rng(0)
    good = folder / "good"
    write_recording(
        good,
        Recording(
            name="noise",
            bin_rate_hz=60.0,
            stimulus=random_numbers.integers(0, 256, (200, 4, 4), dtype=np.uint8),
            spikes=random_numbers.poisson(0.3, (200, 3)).astype(np.float32),
            behavior=random_numbers.standard_normal((200, 2)).astype(np.float32),
            valid=np.ones((200, 3), bool),
            trials=np.arange(200),
        ),
    )
    names = sorted(path.name for path in good.iterdir())

    def case(dice: random.Random) -> str:
        place = folder / "mutant"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(good, place)
        path = place / dice.choice(names)
        path.write_bytes(mutated(path.read_bytes(), dice, text=path.suffix == ".yaml", head=128))
        before = sorted((p.name, p.stat().st_size) for p in place.iterdir())
        try:
            recording = read_recording(place)
            assert recording.frames == 200 or len(recording.spikes) == recording.frames
        finally:
            if sorted((p.name, p.stat().st_size) for p in place.iterdir()) != before:
                raise RuntimeError("reading changed the folder")
        return "accepted"

    return case


def results(folder: Path) -> Case:
    """Scanned, analysed and printed, as `ablate report` does."""
    folder.mkdir()
    outcome = run_study(request_of(write_recipe(folder), folder / "good"))
    good = outcome.study.store.root
    names = sorted(str(p.relative_to(good)) for p in good.rglob("*.json*") if p.is_file())

    def case(dice: random.Random) -> str:
        place = folder / "mutant"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(good, place)
        path = place / dice.choice(names)
        path.write_bytes(mutated(path.read_bytes(), dice, text=True))
        store = Store(place)
        store.verify_hashes()
        analysis = analyse(store.manifest(), store.records(), units=store.units, history=store.history)
        for form in ("markdown", "json", "csv"):
            render(analysis, form)
        return "accepted"

    return case


def checkpoints(folder: Path) -> Case:
    """Two checkpoints, the newer one damaged: what is read must be one of the two, whole."""
    import torch

    kept = Checkpoints(folder)
    paths = [kept.save(step, {"step": step, "weights": torch.full((50,), float(step))}) for step in (1, 2)]
    content = paths[1].read_bytes()

    def case(dice: random.Random) -> str:
        paths[1].write_bytes(mutated(content, dice, text=False, head=64))
        state = Checkpoints(folder).load()
        assert state is not None
        assert torch.equal(state["weights"], torch.full((50,), float(state["step"])))
        return "accepted" if state["step"] == 2 else "the one before was taken"

    import logging

    logging.disable(logging.WARNING)
    return case


def mutated(content: bytes, dice: random.Random, *, text: bool, head: int = 0) -> bytes:
    """One to four changes: bytes flipped, cut, doubled or swapped, tokens put in, the file cut short or emptied."""
    for _ in range(dice.randint(1, 4)):
        if not content:
            break
        reach = min(len(content), head) if head and dice.random() < 0.7 else len(content)
        at = dice.randrange(reach)
        length = dice.choice((1, 1, 2, 8, 64))
        kind = dice.randrange(7)
        if kind == 0:
            content = content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :]
        elif kind == 1:
            content = content[:at] + content[at + length :]
        elif kind == 2:
            content = content[:at] + content[at : at + length] * 2 + content[at + length :]
        elif kind == 3:
            content = content[: dice.choice((0, at, len(content) - 1))]
        elif kind == 4 and text:
            content = replaced_value(content, dice)
        elif kind == 5 and text:
            lines = content.split(b"\n")
            one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            content = b"\n".join(lines)
        else:
            content = content[:at] + dice.choice(TOKENS) + content[at:]
    return content


def replaced_value(content: bytes, dice: random.Random) -> bytes:
    """Puts a token in the place of what follows a colon."""
    colons = [place for place, byte in enumerate(content) if byte == ord(":")]
    if not colons:
        return content
    start = dice.choice(colons) + 1
    ends = [end for sign in (b",", b"\n", b"}") if (end := content.find(sign, start)) >= 0]
    return content[:start] + b" " + dice.choice(TOKENS) + content[min(ends, default=len(content)) :]


if __name__ == "__main__":
    sys.exit(main())
