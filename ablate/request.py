"""What a person asked of a recipe on the command line. Loads no torch, so that a finished study answers at once."""

import hashlib
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ablate.disk.absent import absent
from ablate.errors import AblateError

MEANS_NOTHING = ("execution", "log")
"""Words of a recipe that say nothing of what its runs are."""
RETRYABLE = ("failed", "diverged", "interrupted")


@dataclass(frozen=True)
class Allowance:
    """The most that a study may take in all: runs, or seconds from its start to its end; None: no limit."""

    runs: int | None = None
    seconds: float | None = None

    @classmethod
    def read(cls, text: str) -> "Allowance":
        """`80` (runs), `2h`, `30min` (of waiting). Raises AblateError for anything else."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(h|min|)", text.strip())
        if found is None or float(found[1]) <= 0 or (not found[2] and "." in found[1]):
            raise AblateError(f"--budget {text} is no budget", hint="write 80 (runs), 2h or 30min (from start to end)")
        if not found[2]:
            return cls(runs=int(found[1]))
        return cls(seconds=float(found[1]) * (3600 if found[2] == "h" else 60))

    def covers(self, runs: int, seconds: float) -> bool:
        """Whether so many runs, and so many seconds, are within it."""
        return (self.runs is None or runs <= self.runs) and (self.seconds is None or seconds <= self.seconds)


@dataclass(frozen=True)
class Request:
    """The options of `ablate run`. Lists are still text as typed: `seeds` "0,1" or "0-4", `variants` and `only`
    "p1,p1+p2".
    """

    recipe: Path
    sets: tuple[str, ...] = ()
    seeds: str | None = None
    variants: str | None = None
    only: str | None = None
    data: tuple[Path, ...] = ()
    device: str = "auto"
    out: Path = Path("results")
    quick: bool = False
    workers: int | str | None = None
    """Runs at a time; `auto`: on GPUs as many as have room."""
    threads: int | None = None
    inline: bool = False
    engine: str | None = None
    """Where runs are executed; the recipe's choice, the site's, or `pool`, where nothing is said."""
    retry: str | None = None
    fresh: bool = False
    changed: bool = False
    allow_noop: bool = False
    run_timeout: float | None = None
    until: str | None = None
    budget: str | None = None
    worth: str | None = None
    ahead: int = 0
    """With `until`: looks whose seeds are trained with those of the look before, on the chance that rows stay open."""
    confirm: int | None = None
    confirm_rows: str = "winner"
    """Which rows it tries: `winner`, `all`, `controls` or names."""
    log: str | None = None
    """Loggers, with commas, in the place of the recipe's; `none`: no logger."""
    retune: str = "ahead"
    """Which rows the recipe's search is made for, beside the baseline: `ahead`, `all` or `none`."""

    def until_settled(self) -> bool:
        """Whether seeds are bought look by look. Raises AblateError for options that do not go with that."""
        if self.until is None:
            needing = (("--budget", self.budget), ("--worth", self.worth), ("--ahead", self.ahead or None))
            for option, value in needing:
                if value is not None:
                    raise AblateError(
                        f"{option} needs `--until settled`", hint=f"ablate run ... --until settled {option} {value}"
                    )
            return False
        if self.until != "settled":
            raise AblateError(f"--until {self.until} is unknown", hint="write `--until settled`")
        barred: dict[str, str | bool | None] = {
            "--seeds": self.seeds,
            "--only": self.only,
            "--quick": self.quick,
            "--fresh": self.fresh,
        }
        for option, given in barred.items():
            if given:
                raise AblateError(
                    f"{option} does not go with `--until settled`",
                    hint="its seeds follow a fixed schedule; give the study another --out to begin anew",
                )
        return True

    def check_confirmation(self) -> None:
        """Raises AblateError for options that do not go with `--confirm`, or need it."""
        if self.retune not in ("ahead", "all", "none"):
            raise AblateError(f"--retune {self.retune} is unknown", hint="write ahead, all or none")
        if self.confirm is None and self.confirm_rows != "winner":
            hint = f"ablate run ... --confirm 5 --confirm-rows {self.confirm_rows}"
            raise AblateError("--confirm-rows needs `--confirm`", hint=hint)
        for option, given in (("--quick", self.quick), ("--only", self.only is not None)):
            if self.confirm is not None and given:
                hint = "a confirmation tries what a whole study has chosen against its baseline"
                raise AblateError(f"{option} does not go with `--confirm`", hint=hint)

    def worth_having(self) -> float | None:
        """`--worth` as a share: `2%` and `0.02` are the same; None for the recipe's."""
        if self.worth is None:
            return None
        text = self.worth.replace(" ", "")
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = math.nan
        if not 0 < share < 1:
            raise AblateError(f"--worth {self.worth} is no share", hint="write 2% or 0.02")
        return share

    def allowance(self) -> "Allowance":
        """What `--budget` lets the study take in all."""
        return Allowance() if self.budget is None else Allowance.read(self.budget)

    def seed_list(self) -> tuple[int, ...] | None:
        """The chosen seeds, or None for the recipe's. Raises AblateError for anything but numbers and ranges."""
        return None if self.seeds is None else parse_seeds(self.seeds)

    def variant_names(self) -> tuple[str, ...] | None:
        """The chosen variants, or None for all of them."""
        chosen = self.only if self.only is not None else self.variants
        return None if chosen is None else tuple(name.strip() for name in chosen.split(",") if name.strip())

    def retried_states(self) -> tuple[str, ...]:
        """The states of finished runs that are trained again."""
        if self.retry is None:
            return ("interrupted",)
        if self.retry == "all":
            return RETRYABLE
        if self.retry not in RETRYABLE:
            raise AblateError(
                f"--retry {self.retry} is no state of a run", hint=f"choose {', '.join(RETRYABLE)} or all"
            )
        return (self.retry, "interrupted")

    def data_paths(self) -> tuple[str, ...]:
        """Every `--data` as it is recorded: from the working directory, since records are committed and an absolute
        path means nothing to whoever reads them. Absolute only where there is no such way (another drive)."""
        return tuple(map(_from_here, self.data))

    def overrides(self) -> tuple[str, ...]:
        """Everything that changes what a recipe means, in a fixed order, for `study.json`."""
        data = tuple(f"data={path}" for path in self.data_paths())
        meant = (one for one in self.sets if _first_word(one) not in MEANS_NOTHING)
        return (*meant, *data, *(("quick",) if self.quick else ()))

    def engine_name(self) -> str | None:
        """The engine that was asked for. Raises AblateError where two were."""
        if self.inline and self.engine not in (None, "inline"):
            raise AblateError(f"--inline and --engine {self.engine} name two engines", hint="keep one of the two")
        return "inline" if self.inline else self.engine

    def recipe_text(self) -> str:
        """The recipe as written."""
        try:
            return self.recipe.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise unreadable(self.recipe, fault) from None


def _first_word(override: str) -> str:
    return override.partition("=")[0].partition(".")[0].strip()


def _from_here(path: Path) -> str:
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:
        return str(path.resolve())


def unreadable(path: Path, fault: Exception) -> AblateError:
    """The error for a recipe that cannot be read."""
    if isinstance(fault, FileNotFoundError):
        return absent(path, "there is no such recipe", "the shipped ones are under recipes/")
    if isinstance(fault, IsADirectoryError):
        return AblateError("this is a folder, not a recipe", where=str(path))
    reason = str(fault.strerror if isinstance(fault, OSError) else fault)
    reason = "not UTF-8 text" if isinstance(fault, UnicodeDecodeError) else reason
    return AblateError(f"the recipe cannot be read: {reason}", where=str(path))


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from "0,1,2", "0-4" or a mixture; each once, in the order written."""
    seeds: dict[int, None] = {}
    for item in text.replace(" ", "").split(","):
        found = SEED_RANGE.fullmatch(item)
        if found is None:
            raise AblateError(f"--seeds: `{item:.40}` is no seed", hint="write 0,1,2 or 0-4, each at most 9 digits")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise AblateError(f"--seeds {text:.40}: `{item}` runs backwards", hint=f"write {last}-{first}")
        if last - first >= MOST_SEEDS or len(seeds) > MOST_SEEDS:
            raise AblateError(f"--seeds {text:.40}: more than {MOST_SEEDS} seeds")
        seeds |= dict.fromkeys(range(first, last + 1))
    if len(seeds) > MOST_SEEDS:
        raise AblateError(f"--seeds {text:.40}: more than {MOST_SEEDS} seeds")
    return tuple(seeds)


MOST_SEEDS = 10_000
SEED_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def request_hash(request: Request) -> str:
    """Changes whenever the recipe's text or anything on the command line that changes its meaning does."""
    parts = [
        request.recipe_text(),
        *request.overrides(),
        f"seeds={request.seeds}",
        f"variants={request.variant_names()}",
        *(("without the baseline",) if request.only is not None else ()),
        *((f"until={request.until}", f"worth={request.worth_having()}") if request.until is not None else ()),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
