"""Jobs that count, a step at a time, and save their place: what a run is to a store, without a model."""

import itertools
from collections.abc import Callable
from pathlib import Path

from ablate.execution.job import Busy
from ablate.execution.storage.home import JobFiles

STEPS, EVERY = 20, 5


class Lock:
    def __init__(self, claims: set[str], key: str):
        self.claims, self.key = claims, key

    def release(self) -> None:
        self.claims.discard(self.key)


class CountingHome:
    """`Home` of such jobs. claims: held now. elsewhere: keys that another process does."""

    word = "store"

    def __init__(self, root: Path):
        self.root = root
        self.claims: set[str] = set()
        self.elsewhere: set[str] = set()
        self.fresh: set[str] = set()
        self.received: list[str] = []
        self._numbers = itertools.count()

    def files(self, key: str) -> JobFiles:
        return JobFiles(f"places/{key}", f"results/{key}", f"logs/{key}.progress", f"logs/{key}.log")

    def afresh(self, key: str) -> bool:
        return key in self.fresh

    def took(self, key: str) -> None:
        """Nothing is known of that."""

    def claim(self, key: str) -> Lock:
        if key in self.elsewhere or key in self.claims:
            raise Busy("process 1 on here does it")
        self.claims.add(key)
        return Lock(self.claims, key)

    def receive(self, key: str, fill: Callable[[Path], None]) -> bool:
        assert key in self.claims
        beside = self.root / f"beside-{next(self._numbers)}"
        beside.mkdir(parents=True)
        fill(beside)
        place = self.root / self.files(key).result
        place.parent.mkdir(exist_ok=True)
        beside.rename(place)
        self.received.append(key)
        return True

    def result(self, key: str) -> dict[str, str]:
        return {path.name: path.read_text() for path in (self.root / self.files(key).result).iterdir()}


def steps_done(place: Path) -> int:
    return max((int(path.name.split("-")[1]) for path in place.glob("step-*")), default=0)


def counting(at: Callable[[str, int], None] = lambda key, step: None) -> Callable[[dict], None]:
    """The work. at: called with the key after each step that was done in this attempt, may raise."""

    def work(payload: dict) -> None:
        root, key = Path(payload["store"]), payload["key"]
        place = root / "places" / key
        begun = steps_done(place)
        for step in range(begun + 1, STEPS + 1):
            at(key, step)
            if step % EVERY == 0:
                place.mkdir(parents=True, exist_ok=True)
                beside = place / f".tmp-{step}"
                beside.write_text(f"{key} {step}")
                beside.rename(place / f"step-{step:09d}")
            progress = root / "logs" / f"{key}.progress"
            progress.write_text(f"{step} of {STEPS}")
        result = root / "results" / key
        result.mkdir(parents=True)
        (result / "sum").write_text(f"{key} {sum(range(STEPS + 1))}")
        (result / "large").write_text(key * 1000)

    return work


def expected(key: str) -> dict[str, str]:
    return {"sum": f"{key} {sum(range(STEPS + 1))}", "large": key * 1000}
