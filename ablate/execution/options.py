"""What a recipe's `execution:`, or a site's file, may say of how runs are executed. No run's key depends on it.

The register of engines decides which names and which sections there are.
"""

from typing import Any, Literal

from pydantic import Field, create_model

from ablate.config import Config
from ablate.execution.engine import ENGINES, options_of


class Common(Config):
    """What every engine understands."""

    engine: str = "pool"
    """Where runs are executed."""
    workers: int | None = Field(default=None, ge=1)
    """Runs at a time: one a core or a GPU on this machine, all that the cluster lets run elsewhere, where not given."""
    cpus: int | None = Field(default=None, ge=1)
    """Processor threads of a run, and the cores that a cluster gives it. A run's bits depend on their number."""
    gpus: float | None = Field(default=None, ge=0)
    """GPUs of a run on a cluster; a fraction where the engine can share one."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Host memory of a run on a cluster."""
    hours: float | None = Field(default=None, gt=0)
    """Time limit of a run on a cluster: it saves its place before that, and goes on in a new job."""

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
