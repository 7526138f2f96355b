"""What a person asked of a recipe on the command line. Loads no torch, so that a finished study answers at once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ablate.errors import AblateError

RETRYABLE = ("failed", "diverged", "interrupted")


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
    data: Path | None = None
    device: str = "auto"
    out: Path = Path("results")
    quick: bool = False
    workers: int | None = None
    threads: int | None = None
    inline: bool = False
    retry: str | None = None
    fresh: bool = False
    changed: bool = False
    allow_noop: bool = False
    run_timeout: float | None = None

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

    def overrides(self) -> tuple[str, ...]:
        """Everything that changes what a recipe means, in a fixed order, for `study.json`."""
        data = () if self.data is None else (f"data={self.data}",)
        return (*self.sets, *data, *(("quick",) if self.quick else ()))

    def recipe_text(self) -> str:
        """The recipe as written."""
        try:
            return self.recipe.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise unreadable(self.recipe, fault) from None


def unreadable(path: Path, fault: Exception) -> AblateError:
    """The error for a recipe that cannot be read."""
    if isinstance(fault, FileNotFoundError):
        return AblateError("there is no such recipe", where=str(path), hint="the shipped ones are under recipes/")
    if isinstance(fault, IsADirectoryError):
        return AblateError("this is a folder, not a recipe", where=str(path))
    reason = "not UTF-8 text" if isinstance(fault, UnicodeDecodeError) else str(getattr(fault, "strerror", fault))
    return AblateError(f"the recipe cannot be read: {reason}", where=str(path))


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from "0,1,2", "0-4" or a mixture; each once, in the order written."""
    seeds: list[int] = []
    for item in text.replace(" ", "").split(","):
        first, dash, last = item.partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise AblateError(f"--seeds {text}: `{item}` is no seed", hint="write 0,1,2 or 0-4")
        if int(last or first) < int(first):
            raise AblateError(f"--seeds {text}: `{item}` runs backwards", hint=f"write {last}-{first}")
        seeds.extend(range(int(first), int(last or first) + 1))
    if len(seeds) > MOST_SEEDS:
        raise AblateError(f"--seeds {text}: {len(seeds)} seeds are more than {MOST_SEEDS}")
    return tuple(dict.fromkeys(seeds))


MOST_SEEDS = 10_000


def request_hash(request: Request) -> str:
    """Changes whenever the recipe's text or anything on the command line that changes its meaning does."""
    parts = [
        request.recipe_text(),
        *request.overrides(),
        f"seeds={request.seeds}",
        f"variants={request.variant_names()}",
        *(("without the baseline",) if request.only is not None else ()),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
