"""The share of a GPU that a job asks for where its settings leave that to what the first of its kind took.

The first job of a kind is given a whole GPU. The others of its kind wait for its end and then ask for as much as it
held at its peak. Where nobody measured that, and once one ran out of memory on its share, they are given whole ones.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ablate.execution.job import DeviceUse, Job, Outcome

HEADROOM = 1.2
"""Over what was measured: how much memory torch keeps depends on the order of what it frees."""
BESIDE = 2**30
"""Bytes that a process takes beside what torch counts: CUDA's context, its libraries, compiled kernels."""
STEP = 0.01
"""Shares are multiples of it."""


@dataclass
class Shares:
    """gpus: what a job is given where nothing is measured. measured: whether shares are. known: what earlier jobs took,
    by kind. took: what a job that is done has taken, by key. say: called with a key and a sentence for people."""

    gpus: float
    measured: bool
    known: dict[str, DeviceUse]
    took: Callable[[str], DeviceUse | None]
    say: Callable[[str, str], None]
    _whole: set[str] = field(default_factory=set)
    """Kinds that are given whole GPUs."""
    _first: dict[str, str] = field(default_factory=dict)
    """By kind, the key of the job that is measured."""
    _held: dict[str, list[Job]] = field(default_factory=dict)
    """By kind, those that wait for its end."""
    _told: set[str] = field(default_factory=set)

    def asked(self, job: Job) -> float | None:
        """GPUs that it asks for now; None where it is kept here until `ended` gives it back."""
        if not self.measured or job.kind in self._whole:
            return self.gpus
        if job.kind in self.known:
            return self._share(job)
        if self._first.setdefault(job.kind, job.key) == job.key:
            return self.gpus
        self._held.setdefault(job.kind, []).append(job)
        return None

    def ended(self, outcome: Outcome) -> Sequence[Job]:
        """Hears of every outcome; gives the jobs that waited for this one."""
        kind = next((kind for kind, key in self._first.items() if key == outcome.key), None)
        if kind is None:
            return ()
        del self._first[kind]
        if outcome.state == "done":
            took = self.took(outcome.key)
            if took is not None:
                self.known[kind] = took
            else:
                self._whole.add(kind)
                self.say(outcome.key, f"{kind}: whole GPUs for all runs, since its first one measured no GPU's memory")
        return self._held.pop(kind, ())

    def too_small(self, job: Job, gpus: float) -> bool:
        """Whether a job that ran out of memory had only a share, as measured; its kind is given whole GPUs from now."""
        if not self.measured or gpus == self.gpus:
            return False
        self._whole.add(job.kind)
        return True

    def _share(self, job: Job) -> float:
        """Of the smallest GPU that is known of: the next may be such a one."""
        took, smallest = self.known[job.kind], min(use.total for use in self.known.values())
        share = min(1.0, round(math.ceil((took.peak * HEADROOM + BESIDE) / smallest / STEP) * STEP, 2))
        if job.kind not in self._told:
            self._told.add(job.kind)
            held = f"a run held {took.peak / 2**30:.1f} of {took.total / 2**30:.1f} GiB at its peak"
            self.say(job.key, f"{job.kind}: each run asks for {share:g} of a GPU; {held}")
        return share


def known_uses(jobs: Iterable[Job]) -> dict[str, DeviceUse]:
    """What earlier jobs took, by kind."""
    return {job.kind: job.took for job in jobs if job.took is not None}
