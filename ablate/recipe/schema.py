"""What a recipe holds once it is read: the baseline, the patches, and which variants are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import model_validator

from ablate.config import Config
from ablate.data import DataConfig
from ablate.disk.read import Json
from ablate.errors import Problem
from ablate.logger import AnyLogger
from ablate.metric import METRICS
from ablate.model import EncoderConfig, GlmConfig, ModelConfig
from ablate.recipe.tree.node import Node
from ablate.result.manifest import AnalysisRule, LookedAt
from ablate.training import TrainingConfig

Strategy = Literal["each", "ladder", "leave_one_out", "factorial", "list"]
STRATEGIES: tuple[Strategy, ...] = ("each", "ladder", "leave_one_out", "factorial")
Range = tuple[float, float]


class Configuration(Config):
    """One variant, fully resolved: all that a run depends on but its seed."""

    data: DataConfig
    """What is seen and what is scored."""
    model: ModelConfig
    """What is trained; `baseline` in a recipe."""
    training: TrainingConfig
    """How it is trained."""

    @model_validator(mode="after")
    def _metric_fits_the_model(self) -> "Configuration":
        model = self.model
        if self.data.metric == "fev" and isinstance(model, EncoderConfig | GlmConfig) and model.history.lags:
            raise ValueError(
                "metric fev asks what the stimulus explains of repeats, and with history a rate depends on the spikes "
                "of each showing; set baseline.history.lags: 0, or another metric"
            )
        return self

    @model_validator(mode="after")
    def _loss_fits_the_data(self) -> "Configuration":
        if self.training.loss != "poisson" and METRICS[self.data.metric].task == "labels":
            raise ValueError(f"training.loss {self.training.loss} is a loss of counts, and these data are labels")
        return self

    @property
    def bins_per_step(self) -> int:
        """Supervised bins (or labels) of an optimizer step: how much it is taught."""
        return self.training.batch_size * self.data.bins_per_row


@dataclass(frozen=True)
class Patch:
    """A named diff against the baseline.

    expect: the relative gain that its author expects, (0.03, 0.05). expect_cost: the expected cost relative to the
    baseline, {"flops": 2.6}. was: the values that the patch was written against, in the shape of the fragment.
    order: place
    among the patches where a strategy combines them, and a statement that it may override or be overridden.
    """

    name: str
    title: str = ""
    description: str = ""
    expect: Range | None = None
    expect_cost: Mapping[str, float] | None = None
    order: int | None = None
    allow_noop: bool = False
    control: bool = False
    tree: Node = field(default_factory=lambda: Node({}))
    """The fragment with the place of each of its keys, in the shape of a Configuration (data, model, training)."""
    was_tree: Node | None = None

    @property
    def fragment(self) -> Json:
        """What the patch changes: plain values in the shape of a Configuration."""
        return {key: node.plain() for key, node in self.tree.value.items()}

    @property
    def where(self) -> str:
        return self.tree.where


@dataclass(frozen=True)
class Selection:
    """One entry of `variants`: a strategy over some patches, or one explicit combination.

    patches: in order; None means all patches that are not controls. name and expect_cost: for an explicit combination.
    expect: expectations by the name of the variant.
    """

    strategy: Strategy
    patches: tuple[str, ...] | None = None
    name: str = ""
    title: str = ""
    expect: Mapping[str, Range] = field(default_factory=dict)
    expect_cost: Mapping[str, float] | None = None
    where: str = ""
    path: str = "variants"


@dataclass(frozen=True)
class Retuned:
    """A key that is searched for each model. path: in the shape of a Configuration. values: the baseline's first."""

    name: str
    path: tuple[str, ...]
    values: tuple[object, ...]


def placed(path: tuple[str, ...], value: object, where: str = "") -> Node:
    """A value at its place in an otherwise empty configuration."""
    node = Node(value, where)
    for name in reversed(path):
        node = Node({name: node}, where)
    return node


@dataclass(frozen=True)
class Recipe:
    """One YAML file: question, data, baseline, training, patches, variants, seeds.

    references: the lagged Poisson model that an encoding study shows beside the baseline is among them. looked_at:
    seeds that chose something before the study, and what. retune: keys that are searched for the baseline and the rows
    ahead. analysis: how gains become verdicts. execution: how runs are executed, as written and checked. log: the
    loggers that are told of them. tree: the baseline's full configuration, each value with its place. notices: what a
    user should know but need not fix.
    """

    name: str
    configuration: Configuration
    question: str = ""
    expectation: str = ""
    cost: str = ""
    patches: Mapping[str, Patch] = field(default_factory=dict)
    references: Mapping[str, Patch] = field(default_factory=dict)
    variants: tuple[Selection, ...] = ()
    seeds: tuple[int, ...] = (0,)
    looked_at: LookedAt | None = None
    retune: tuple[Retuned, ...] = ()
    analysis: AnalysisRule = field(default_factory=AnalysisRule)
    execution: Node = field(default_factory=lambda: Node({}))
    log: tuple[AnyLogger, ...] = ()
    tree: Node = field(default_factory=lambda: Node({}))
    notices: tuple[Problem, ...] = ()
    path: str = ""
    text: str = ""

    @property
    def data(self) -> DataConfig:
        return self.configuration.data

    @property
    def baseline(self) -> ModelConfig:
        return self.configuration.model

    @property
    def training(self) -> TrainingConfig:
        return self.configuration.training
