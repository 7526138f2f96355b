"""Takes runs, points of their curves and how they ended; gives them to a logger of somebody else's. Knows no study."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Annotated

from pydantic import Field

from ablate.errors import AblateError
from ablate.logger.contract import LoggedRun, Logger, Number, Point, RunEnd
from ablate.logger.mlflow import MlflowConfig
from ablate.logger.tensorboard import TensorBoardConfig
from ablate.logger.trackio import TrackioConfig
from ablate.logger.wandb import WandbConfig

AnyLogger = TensorBoardConfig | MlflowConfig | WandbConfig | TrackioConfig
LoggerConfig = Annotated[AnyLogger, Field(discriminator="type")]
LOGGERS: Mapping[str, type[AnyLogger]] = {
    "tensorboard": TensorBoardConfig,
    "mlflow": MlflowConfig,
    "wandb": WandbConfig,
    "trackio": TrackioConfig,
}
NONE = "none"
"""Of `--log`: nothing is logged, whatever the recipe says."""


def chosen_loggers(written: tuple[AnyLogger, ...], flag: str | None) -> tuple[AnyLogger, ...]:
    """The loggers of a study, each ready to be opened. Raises AblateError for one that nobody wrote, and where a
    package is not installed.

    written: of the recipe. flag: `--log`, names with commas, which stand in the place of the recipe's; one that the
    recipe has too keeps its options.
    """
    chosen = written
    if flag is not None:
        options: dict[str, AnyLogger] = {one.type: one for one in written}
        names = [name.strip() for name in flag.split(",") if name.strip()]
        chosen = tuple(options.get(name) or _class(name)() for name in dict.fromkeys(names) if name != NONE)
    for one in chosen:
        if find_spec(one.needs) is None:
            what = f"logger `{one.type}` needs the package {one.needs}, which is not installed"
            raise AblateError(what, where="--log" if flag else "log", hint=f"pip install 'ablate[{one.type}]'")
    return chosen


def _class(name: str) -> type[AnyLogger]:
    if name not in LOGGERS:
        near = get_close_matches(name, [*LOGGERS, NONE], n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"loggers: {', '.join([*LOGGERS, NONE])}"
        raise AblateError(f"no logger is called `{name}`", where="--log", hint=hint)
    return LOGGERS[name]
