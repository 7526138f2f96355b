"""Whether a run's model is compiled: decided once, by seconds, and told with what it cost.

    compile where  steps left * seconds of a step * saving > seconds of compiling

`compile: auto` asks this on a card, once DECIDED_AFTER steps have run as they stand. Saving and cost are those of the
last run of the same model on the same machine that was compiled, which the cache folder keeps; where there is none,
they are assumed, and the run says so. What evaluations would save is left out. On a CPU the answer was measured: no.
"""

import hashlib
import importlib.util
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ablate.contract import Dataset, Model
from ablate.disk.cache import cache_folder
from ablate.disk.whole import whole_file
from ablate.result.record import Compilation
from ablate.training.config import TrainingConfig
from ablate.training.device import device_name, resolve_precision
from ablate.training.ranks import ALONE, Ranks

DECIDED_AFTER = 20  # steps: the first ten are cold, and a card's losses, with its clock, are read every ten
ASSUMED_SAVING = 1 - 1 / 1.41  # of a step: geometric mean over 180 models trained on an A100 (Ansel et al. 2024)
ASSUMED_SECONDS = 109.0  # of compiling: what the quickstart took on a CPU; on a card none has been measured
NEVER = {
    "cpu": "on a CPU it was measured not to pay: 109 s for steps 1.37 times as fast in the quickstart, 390 s for none "
    "at the notes' size",
    "mps": "on MPS it has not been measured",
}


@dataclass(frozen=True)
class Measured:
    """What compiling a model brought on this machine. seconds: of compiling. plain, compiled: milliseconds of a step
    before and after; plain is None where no step had run before.
    """

    seconds: float
    compiled: float
    plain: float | None = None

    @property
    def saving(self) -> float | None:
        """Share of a step; negative where compiled steps are slower."""
        return 1 - self.compiled / self.plain if self.plain else None


@dataclass
class Decided:
    """What was decided of a run and what it cost so far: plain values, which go with its checkpoints, so that a run
    that is taken up again stays as it began."""

    compiled: bool
    why: str
    plain: float | None = None
    """Milliseconds of a step before."""
    seconds: float = 0.0
    graphs: int = 0
    cached: int = 0
    starts: int = 0
    """Processes that have compiled it: one, and one for each time that the run was taken up again."""


class Compiler:
    """Decides for one run and compiles its model in place."""

    def __init__(
        self,
        model: Model,
        dataset: Dataset,
        config: TrainingConfig,
        *,
        device: torch.device,
        ranks: Ranks = ALONE,
    ):
        self._model, self._config, self._device, self._ranks = model, config, device, ranks
        self.decided: Decided | None = None
        self._counted: tuple[float, int, int] | None = None
        """Seconds, graphs and those from the cache when this run began to compile; None before."""
        self._place = place_of(model, dataset, config, device, ranks) if config.compile else None

    def due(self, taken: int) -> bool:
        """Whether this is the place to decide: at once but where steps are to be timed first."""
        if self.decided is not None or not self._config.compile:
            return False
        return self._config.compile != "auto" or self._never() is not None or taken >= DECIDED_AFTER

    def consider(self, taken: int, milliseconds: float) -> str:
        """Decides where it is due, and compiles what is to be compiled. Gives what is to be told, if anything.

        milliseconds: of a step so far.
        """
        said = ""
        if self.due(taken):
            self.decided = self._decide(taken, milliseconds)
            said = ("compiled: " if self.decided.compiled else "not compiled: ") + self.decided.why
        if self.decided is not None and self.decided.compiled and self._counted is None:
            self._counted = _counters()
            self.decided.starts += 1
            self._model.compile(**self._options())
        return said

    def _options(self) -> dict[str, str]:
        """Of `torch.compile`. What a CUDA graph gives holds until it is replayed: gradients that micro-batches add up
        would be lost."""
        if self._config.compile != "max":
            return {}
        return {"mode": "max-autotune" if self._config.accumulate == 1 else "max-autotune-no-cudagraphs"}

    def _never(self) -> str | None:
        """Why it is not asked here at all; None where it is."""
        if self._device.type == "cuda" and importlib.util.find_spec("triton") is None:
            return "triton is not installed, without which nothing is compiled for a card"
        return NEVER.get(self._device.type)

    def _decide(self, taken: int, milliseconds: float) -> Decided:
        if self._config.compile != "auto":
            mode = self._options().get("mode", "")
            return Decided(True, "asked for" + (f", in mode {mode}" if mode else ""))
        if (never := self._never()) is not None:
            return Decided(False, never)
        known = None if self._place is None else _read(self._place)
        pays, why = weigh(self._config.steps - taken, milliseconds, known)
        pays = self._ranks.agreed(pays and self._ranks.first)  # by the first one's clock
        return Decided(pays, why, plain=milliseconds)

    # ------------------------------------------------------------------ what it cost

    def count(self) -> None:
        """Brings the cost up to now."""
        if self._counted is None or self.decided is None:
            return
        now = _counters()
        self.decided.seconds += now[0] - self._counted[0]
        self.decided.graphs += now[1] - self._counted[1]
        self.decided.cached += now[2] - self._counted[2]
        self._counted = now

    def keep(self, milliseconds: float) -> str:
        """Keeps what was measured for later runs of this model on this machine, and gives it in words; empty where
        nothing was compiled. milliseconds: of a compiled step. Silent on a full disk.
        """
        known = self.decided
        if self._place is None or known is None or not known.starts:
            return ""
        before = _read(self._place)
        plain = known.plain or (before.plain if before is not None else None)
        if milliseconds and self._ranks.first:
            _write(self._place, Measured(known.seconds / known.starts, milliseconds, plain))
        said = f"compiling took {known.seconds:.0f} s (graphs: {known.graphs}, from the cache on disk: {known.cached})"
        return f"{said}, a step then {milliseconds:.1f} ms" + (f", before {known.plain:.1f}" if known.plain else "")

    def told(self) -> Compilation | None:
        """For the run's record; None where nothing was asked for."""
        if not self._config.compile:
            return None
        known = self.decided or Decided(False, f"the run ended before step {DECIDED_AFTER}, after which it is decided")
        nothing = known.starts > 0 and not known.graphs
        return Compilation(
            compiled=known.compiled and not nothing,
            why=known.why + ("; the model has nothing to compile" if nothing else ""),
            seconds=round(known.seconds, 3),
            graphs=known.graphs,
            cached=known.cached,
            plain_milliseconds=known.plain,
        )


def weigh(steps: int, milliseconds: float, known: Measured | None) -> tuple[bool, str]:
    """Whether compiling pays for so many steps of so many milliseconds, and why, in words."""
    saving = known.saving if known is not None else None
    share, by_share = (ASSUMED_SAVING, "assumed") if saving is None else (saving, "measured")
    cost, by_cost = (ASSUMED_SECONDS, "assumed") if known is None else (known.seconds, "measured")
    saved = steps * milliseconds / 1000 * share
    why = f"{steps:,} steps of {milliseconds:.1f} ms would save {saved:.0f} s ({100 * share:.0f} % of a step, "
    why += f"{by_share}), and compiling takes {cost:.0f} s ({by_cost})"
    return saved > cost, why


def place_of(model: Model, dataset: Dataset, config: TrainingConfig, device: torch.device, ranks: Ranks) -> Path:
    """Where the cache folder keeps what was measured of this model with these batches on this machine."""
    facts = [
        [(name, type(module).__qualname__) for name, module in model.named_modules()],
        [(name, list(value.shape)) for name, value in model.named_parameters()],
        [dataset.fingerprint, -(-config.micro_batch_size // ranks.count)],
        [resolve_precision(device, config.precision), device_name(device), torch.__version__, config.compile == "max"],
    ]
    return cache_folder() / "compiled" / f"{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:20]}.json"


def _read(place: Path) -> Measured | None:
    """None where nothing is known, or where it cannot be read."""
    with suppress(OSError, ValueError, TypeError):
        return Measured(**json.loads(place.read_text()))
    return None


def _write(place: Path, measured: Measured) -> None:
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(place, durable=False) as file:
            file.write(json.dumps(asdict(measured)).encode())


def _counters() -> tuple[float, int, int]:
    """Of this process so far: seconds of compiling, graphs, and those that came from the compiler's cache on disk."""
    from torch._dynamo.utils import calculate_time_spent, counters  # seconds to load, and there once a model compiles

    seconds = float(calculate_time_spent()["total_wall_time"])
    return seconds, counters["stats"]["unique_graphs"], counters["aot_autograd"]["autograd_cache_hit"]
