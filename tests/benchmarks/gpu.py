"""All that only a GPU can show, in pieces that each fit into ten minutes and each keep what they found.

    python tests/benchmarks/gpu.py [PIECE ...] [--out results/benchmarks/gpu] [--seconds 540] [--device cuda]

parity   the quickstart's baseline, trained alike on CPU and card: losses and score in fp32, and in bf16
product  the card's own speed: TFLOP/s of bf16, TF32 and fp32 products of two 8192 x 8192 matrices
steps    a training step of vivit_fixes' baseline, p1, ResNet and hybrid at the recipe's own batch: milliseconds, share
         of the measured bf16 product, bytes; in bf16, fp32, and compiled both ways (with what compiling cost)
compile  the quickstart's baseline by `compile: auto`, twice: what is decided, by what, and what it cost and brought
packing  four runs of quickstart on the card: one, two and four at a time, and as many as have room
quick    `ablate run --quick` of every shipped recipe that needs no files
study    `ablate run recipes/vivit_fixes.yaml`, seed by seed; give the piece again until it says that nothing is left

Without names all pieces run in this order, but `study`. Each writes OUT/PIECE.json (a few KB: machine, versions, rows)
as soon as a row is known, so that a piece which is cut off keeps its rows; a row that is there already is not measured
again (`--again` measures it). `--device cpu --small` rehearses all of it on a machine without a card.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from ablate.contract import Dataset, Model
from ablate.model.cost import describe
from ablate.recipe import Configuration, load_recipe
from ablate.study.running.train import build_model, open_data
from ablate.study.setup.chosen import rehearse
from ablate.training import evaluate, fit
from ablate.training.config import TrainingConfig
from ablate.training.device import device_driver, device_name
from ablate.training.optimization.step import Learner
from ablate.variant import lay_out

ROOT = Path(__file__).parents[2]
STEPPED = ("baseline", "p1", "resnet", "hybrid")
MODES = {
    "bf16": {"precision": "bf16"},
    "fp32": {"precision": "fp32"},
    "bf16 compiled": {"precision": "bf16", "compile": True},
    "bf16 compiled max": {"precision": "bf16", "compile": "max"},
}
NEEDS_FILES = {"retina", "v1_bars", "own_recording", "eeg_fusion", "grasshopper"}
Row = dict[str, Any]


class Kept:
    """Rows of one piece by name, on disk after each. `left` seconds: what a further row may take."""

    def __init__(self, piece: str, options: argparse.Namespace) -> None:
        self.file = options.out / f"{piece}.json"
        self.until = time.monotonic() + options.seconds
        known = json.loads(self.file.read_text()) if self.file.exists() and not options.again else {}
        self.rows: dict[str, Row] = known.get("rows", {})
        self.head = {"piece": piece, **machine(options.device)}

    def measure(self, name: str, action: Callable[[], Row]) -> None:
        """Measures a row that is not there yet; what fails is a row too."""
        if name in self.rows and "failed" not in self.rows[name]:
            return
        if time.monotonic() > self.until:
            print(f"{name}: no time left", flush=True)
            return
        started = time.monotonic()
        try:
            row = action()
        except Exception as error:  # one variant out of memory must not cost the others their place
            row = {"failed": f"{type(error).__name__}: {error}"[:300]}
        self.rows[name] = {**row, "wall_s": round(time.monotonic() - started, 1)}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps({**self.head, "rows": self.rows}, indent=1) + "\n")
        print(name, json.dumps(self.rows[name]), flush=True)


def machine(device: torch.device) -> Row:
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return {
        "device": device_name(device),
        "driver": device_driver(device),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        "commit": subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip(),
    }


# ------------------------------------------------------------------ parity


def parity(kept: Kept, options: argparse.Namespace) -> None:
    configuration = chosen("quickstart", ("baseline",), small=options.small)["baseline"]
    for name, device, precision in (
        ("cpu fp32", torch.device("cpu"), "fp32"),
        ("card fp32", options.device, "fp32"),
        ("card bf16", options.device, "bf16"),
    ):
        changed = {"precision": precision, "steps": 20 if options.small else 100, "compile": False}
        kept.measure(name, lambda d=device, c=changed: trained(configuration, with_training(configuration, c), d))
    compare(kept.rows)


def trained(configuration: Configuration, training: TrainingConfig, device: torch.device) -> Row:
    data, model = opened(configuration, device)
    result = fit(model, data, training, seed=0, device=device)
    score, _ = evaluate(result.model, data, "validation", batch_size=16, device=device, precision=training.precision)
    losses = [row["loss"] for row in result.history]
    return {"losses": losses, "validation": score.headline, "step_ms": result.step_milliseconds, "state": result.state}


def compare(rows: dict[str, Row]) -> None:
    """Prints how far each row is from the CPU's."""
    base = rows.get("cpu fp32", {})
    for name, row in rows.items():
        if row is base or "losses" not in row or "losses" not in base:
            continue
        apart = max(abs(a - b) / abs(b) for a, b in zip(row["losses"], base["losses"], strict=True))
        print(f"{name}: losses within {apart:.1e} of the CPU's, score {row['validation'] - base['validation']:+.4f}")


# ------------------------------------------------------------------ product and steps


def product(kept: Kept, options: argparse.Namespace) -> None:
    size = 512 if options.small else 8192
    for name, dtype, tf32 in (
        ("bf16", torch.bfloat16, True),
        ("tf32", torch.float32, True),
        ("fp32", torch.float32, False),
    ):
        kept.measure(name, lambda t=dtype, f=tf32: {"tflops": round(product_speed(options.device, size, t, f), 2)})


def product_speed(device: torch.device, size: int, dtype: torch.dtype, tf32: bool) -> float:
    """TFLOP/s of the best of ten products."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    square = torch.randn(size, size, device=device, dtype=dtype)
    best = min(seconds(lambda: square @ square, 10, device))
    torch.set_float32_matmul_precision(before)
    return 2 * size**3 / best / 1e12


def steps(kept: Kept, options: argparse.Namespace) -> None:
    speed = product_speed(options.device, 512 if options.small else 8192, torch.bfloat16, True)
    for name, configuration in chosen("vivit_fixes", STEPPED, small=options.small).items():
        for mode, changed in MODES.items():
            if options.small and "compiled" in mode:
                continue
            training = with_training(configuration, changed)
            kept.measure(
                f"{name}, {mode}",
                lambda c=configuration, t=training: stepped(c, t, options.device, speed, options.small),
            )


def stepped(
    configuration: Configuration, training: TrainingConfig, device: torch.device, speed: float, small: bool
) -> Row:
    """One learner's steps: the first (which compiles), then the median of the warm ones."""
    data, model = opened(configuration, device)
    flops = describe(configuration.model, data.spec).total_flops
    if training.compile:
        model.compile(**({"mode": "max-autotune"} if training.compile == "max" else {}))
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    learner = Learner(model, data, training, seed=0, device=device)
    (first,) = seconds(lambda: learner.step(0), 1, device, warm=0)
    taken = seconds(lambda: learner.step(1), 3 if small else 20, device, warm=3)
    median = statistics.median(taken)
    work = 3 * flops * training.batch_size  # backward costs about twice the forward
    memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return {
        "first_s": round(first, 2),
        "step_ms": round(1000 * median, 2),
        "batch": training.batch_size,
        "gflop": round(work / 1e9, 1),
        "share_of_bf16_product": round(work / median / 1e12 / speed, 4),
        "peak_bytes": memory,
    }


def seconds(action: Callable[[], Any], repeats: int, device: torch.device, warm: int = 2) -> list[float]:
    """Seconds of each repeat, the card's work included, after some that are not counted."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    taken = []
    for number in range(warm + repeats):
        wait()
        start = time.perf_counter()
        action()
        wait()
        if number >= warm:
            taken.append(time.perf_counter() - start)
    return taken


def compiling(kept: Kept, options: argparse.Namespace) -> None:
    """The first run decides by what is assumed, the second by what the first has measured."""
    configuration = chosen("quickstart", ("baseline",), small=options.small)["baseline"]
    training = with_training(configuration, {"compile": "auto"})
    for name in ("as assumed", "as measured"):
        kept.measure(name, lambda: compiled(configuration, training, options.device))


def compiled(configuration: Configuration, training: TrainingConfig, device: torch.device) -> Row:
    data, model = opened(configuration, device)
    result = fit(model, data, training, seed=0, device=device)
    told = result.compilation.model_dump() if result.compilation else {}
    return {**told, "step_ms": round(result.step_milliseconds, 2), "seconds_in_all": round(result.seconds, 1)}


# ------------------------------------------------------------------ whole studies


def packing(kept: Kept, options: argparse.Namespace) -> None:
    small = ["--quick"] if options.small else []
    for workers in ("1", "2", "4", "auto"):
        out = options.out / "runs" / f"packing-{workers}"
        arguments = ["quickstart", "--seeds", "0-3", "--variants", "baseline", "--workers", workers, *small]
        kept.measure(f"{workers} at a time", lambda a=arguments, o=out: command(kept, a, o, options))


def quick(kept: Kept, options: argparse.Namespace) -> None:
    for recipe in sorted((ROOT / "recipes").glob("*.yaml")):
        if recipe.stem not in NEEDS_FILES and not (options.small and recipe.stem != "quickstart"):
            out = options.out / "runs" / "quick"
            kept.measure(recipe.stem, lambda r=recipe.stem, o=out: command(kept, [r, "--quick"], o, options))


def study(kept: Kept, options: argparse.Namespace) -> None:
    """Interrupted by time, a run goes on from its checkpoint when the piece is given again."""
    small = ["--quick"] if options.small else []
    for seed in load_recipe(ROOT / "recipes" / "vivit_fixes.yaml").seeds[: 1 if options.small else None]:
        arguments = ["vivit_fixes", "--seeds", str(seed), *small]
        kept.measure(f"seed {seed}", lambda a=arguments: command(kept, a, options.out / "runs", options))


def command(kept: Kept, arguments: list[str], out: Path, options: argparse.Namespace) -> Row:
    """`ablate run` as a person gives it, stopped as Ctrl-C stops it when the time is over. Raises where it fails."""
    recipe, *more = arguments
    given = ["run", str(ROOT / "recipes" / f"{recipe}.yaml"), *more, "--out", str(out), "--device", str(options.device)]
    process = subprocess.Popen(
        [sys.executable, "-m", "ablate", *given], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        said, _ = process.communicate(timeout=max(1.0, kept.until - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.send_signal(2)
        said, _ = process.communicate()
    text = said.decode(errors="replace")
    if process.returncode != 0:
        raise RuntimeError(f"exit code {process.returncode}: {text[-250:]}")
    return {"exit": 0, "last": text.strip().splitlines()[-1][:200]}


# ------------------------------------------------------------------ what is trained


def chosen(recipe: str, names: tuple[str, ...], *, small: bool) -> dict[str, Configuration]:
    """Variants of a shipped recipe; small: as `--quick` cuts them."""
    variants = lay_out(load_recipe(ROOT / "recipes" / f"{recipe}.yaml")).variants
    found = {variant.name: variant.configuration for variant in variants if variant.name in names}
    return {name: rehearse(one) if small else one for name, one in found.items()}


def with_training(configuration: Configuration, changed: Row) -> TrainingConfig:
    return TrainingConfig.model_validate({**configuration.training.model_dump(), **changed})


def opened(configuration: Configuration, device: torch.device) -> tuple[Dataset, Model]:
    data = open_data(configuration, device)
    return data, build_model(configuration, data, 0, device)


PIECES: dict[str, Callable[[Kept, argparse.Namespace], None]] = {
    "parity": parity,
    "product": product,
    "steps": steps,
    "compile": compiling,
    "packing": packing,
    "quick": quick,
    "study": study,
}


def asked() -> Iterator[tuple[str, argparse.Namespace]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces", nargs="*", metavar="PIECE", help=", ".join(PIECES))
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks" / "gpu")
    parser.add_argument("--seconds", type=float, default=540, help="of each piece; no row is begun after that")
    parser.add_argument("--device", type=torch.device, default=torch.device("cuda"))
    parser.add_argument("--small", action="store_true", help="rehearsal sizes")
    parser.add_argument("--again", action="store_true", help="measure rows that are there already")
    options = parser.parse_args()
    if unknown := [piece for piece in options.pieces if piece not in PIECES]:
        parser.error(f"unknown piece {unknown[0]}; there are {', '.join(PIECES)}")
    for piece in options.pieces or [name for name in PIECES if name != "study"]:
        yield piece, options


def main() -> None:
    for piece, options in asked():
        print(f"== {piece}", flush=True)
        PIECES[piece](Kept(piece, options), options)


if __name__ == "__main__":
    main()
