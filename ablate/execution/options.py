"""What a recipe's `execution:`, or a site's file, may say of how runs are executed. No run's key depends on it.

The register of engines decides which names and which sections there are.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from ablate.config import Config
from ablate.execution.engine import ENGINES, options_of


class Common(Config):
    """What every engine understands."""

    engine: str = "pool"
    """Where runs are executed."""
    workers: Annotated[int, Field(ge=1)] | Literal["auto"] | None = None
    """Runs at a time: one a core or a GPU on this machine, all that the cluster lets run elsewhere, where not given.
    auto = the same, but on this machine's GPUs more, as measured memory and idle time leave room."""
    cpus: int | None = Field(default=None, ge=1)
    """Processor threads of a run, and the cores that a cluster gives it, for each of its devices. A run's bits depend
    on their number."""
    devices: int | None = Field(default=None, ge=1)
    """Devices of one machine that train a run together, its batch shared out: GPUs, or on a CPU processes. One where
    not given, on a cluster as many as `gpus`. A run's last bits depend on their number."""
    gpus: Annotated[float, Field(ge=0)] | Literal["auto"] | None = None
    """GPUs of a run on a cluster, which train it together; a fraction where the engine can share one. `auto`: a whole
    one for the first run of each variant, for its others the share that it was measured to take (Ray)."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Host memory of a run on a cluster."""
    hours: float | None = Field(default=None, gt=0)
    """Time limit of a run on a cluster: it saves its place before that, and goes on in a new job."""

    @model_validator(mode="after")
    def _one_device_a_gpu(self) -> "Common":
        if self.gpus and self.gpus != "auto" and self.devices and self.devices != max(1.0, self.gpus):
            raise ValueError(f"gpus {self.gpus:g} and devices {self.devices} disagree; say one of them")
        return self

    @property
    def whole_gpus(self) -> float:
        """GPUs of a run, of the first one of a variant where its share is to be measured."""
        return float(self.processes) if self.gpus == "auto" else self.gpus or 0.0

    @property
    def shares(self) -> bool:
        """Whether a run's share of a GPU is measured; never of several."""
        return self.gpus == "auto" and self.processes == 1

    @property
    def processes(self) -> int:
        """Processes that train a run together on a cluster."""
        return self.devices or (1 if self.gpus == "auto" else max(1, int(self.gpus or 0)))

    @property
    def most_workers(self) -> int | None:
        """Runs at a time where a number is given."""
        return None if self.workers == "auto" else self.workers

    def section(self) -> Config | None:
        """The own options of the engine that is named."""
        section: Config | None = getattr(self, self.engine, None)  # some engines have a section of their own
        return section


def execution_class() -> type[Common]:
    """`Common` with a section for every engine that has options of its own, and only engines that there are."""
    sections: dict[str, Any] = {}
    for name in ENGINES:
        if (options := options_of(name)) is not None:
            sections[name] = (options, options())
    names: Any = Literal[tuple(ENGINES)]  # type: ignore[valid-type]
    return create_model("Execution", __base__=Common, engine=(names, "pool"), **sections)
