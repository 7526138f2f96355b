"""The record of one run: what was trained, what it scored, what it cost. Small, so that thousands load in a second.

The bulky parts lie beside it in the run's folder: `units.json` (per-unit scores), `predictions.csv` (every label with
its guess and the probability of each class, or every number with predicted mean and deviation), `history.jsonl`
(learning curve), `config.json`, `log.txt`, `weights.safetensors`.
"""

from typing import Annotated, Literal

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

from ablate.config import Config
from ablate.disk.read import Json
from ablate.result.measure.agreement import Moments

RunState = Literal["done", "failed", "diverged", "interrupted"]
ScoredSplit = Literal["validation", "test"]
SPLITS: tuple[ScoredSplit, ...] = ("validation", "test")


class SessionScore(Config):
    """One session's (for fusion: one subject's) part of a score."""

    name: str
    entries: int
    """Scored units (for fusion: trials)."""
    excluded: int
    """Units left out because they had fewer than `min_spikes` spikes in the split."""
    mean: float
    """Mean over the scored units of bits/spike (for fusion: mean bits per label over trials)."""
    pooled: float
    """All units' gains over all units' spikes: sums divided once."""
    weight: float
    """Spikes (or labels) in the split."""
    attainable: float | None = None
    """The same mean for the true rates, where truth is known."""
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    macro_f1: float | None = None
    correlation: float | None = None
    """Of numbers with what is predicted of them, a mean over targets (`result/measure/agreement.py`)."""
    concordance: float | None = None


class TargetScore(Config):
    """What was made of one of the numbers that are learned, over all labels of the split."""

    name: str
    bits: float
    """Gain over the training split's distribution, a label."""
    moments: Moments


class Score(Config):
    """The score of one split. The headline is the mean over units of each session, then over sessions."""

    metric: str
    """Name of one of `ablate.metric.METRICS`."""
    headline: float
    weighted: float
    """Session means weighted by spikes."""
    pooled: float
    sessions: tuple[SessionScore, ...]
    scored_hash: str
    """Hash of the set of scored (session, bin, unit) entries: scores over different sets are never compared."""
    attainable: float | None = None
    floor: float | None = None
    """Score of the true rates of a world without receptive fields, where it is known: what a model must clear."""
    accuracy: float | None = None
    balanced_accuracy: float | None = None
    macro_f1: float | None = None
    calibration_error: float | None = None
    """Expected calibration error (`result/measure/confusion.py`)."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """Labels of each class (row) by the class that was guessed (column)."""
    class_names: tuple[str, ...] = ()
    """Of the confusion matrix, where classes have names."""
    attainable_accuracy: float | None = None
    correlation: float | None = None
    """Of numbers with what is predicted of them over all labels of the split, a mean over targets."""
    concordance: float | None = None
    """Lin's coefficient, the same way."""
    targets: tuple[TargetScore, ...] = ()


class Tokens(Config):
    """Temporal and spatial tokens (or map steps and cells) after the core."""

    time: int
    space: tuple[int, int]


class ModelCost(Config):
    """What a model weighs, before it is trained."""

    parts: dict[str, int]
    """Parameters a part, in the order of the flow."""
    total_parameters: int
    trainable_parameters: int
    frozen: dict[str, int] = {}
    """Parameters that are never trained, of the parts that have any."""
    inputs: dict[str, tuple[int, ...]] = {}
    """Shape of what a fusion model is given for one clip (`frames`, `eeg`), batch axis left out."""
    flops: dict[str, int]
    """Forward floating-point operations (2 x MAC) of one sample (window or clip), a part."""
    shapes: dict[str, tuple[int, ...]]
    """Shape of the output of each part for one sample, batch axis left out."""
    tokens: Tokens | None = None
    pixels_never_seen: float = 0.0
    """Share of the grid's pixels that no token covers."""
    receptive_field: dict[str, float] | None = None
    """For example {"frames": 32, "pixels": 19}: extent of the input that one output cell depends on, before any
    attention.
    """
    notes: dict[str, str] = {}
    """Anything else worth printing (fusion: the isolation matrix, cached cost)."""
    lints: tuple[str, ...] = ()
    reads_spikes: int = 0
    """Bins of counts before a bin that its rate is given: scores are conditional on them."""
    bins_per_step: int | None = None
    """Supervised bins (or labels) of an optimizer step."""

    @property
    def total_flops(self) -> int:
        return sum(self.flops.values())


class Compilation(Config):
    """Whether a run's model was compiled, where its recipe asks for it, and what that cost."""

    compiled: bool
    why: str
    seconds: float = 0.0
    """Of compiling, all graphs and all processes of the run."""
    graphs: int = 0
    cached: int = 0
    """Graphs that came from the compiler's cache on disk."""
    plain_milliseconds: float | None = None
    """Of a step before it was decided, where steps were timed first."""


class Usage(Config):
    """What a run used, measured."""

    seconds: float
    cpu_seconds: float | None = None
    """Of the processor, all threads together: other programs on the machine change it little."""
    steps: int
    best_step: int
    step_milliseconds: float
    peak_memory_bytes: int
    device_memory_bytes: int | None = None
    """Of the GPU, held by the process at most, what it kept unused among it; None on a CPU."""
    compilation: Compilation | None = None


class RunRecord(Config):
    """One variant with one seed. `key` is the hash of the resolved configuration, the seed and the data's
    fingerprint.
    """

    format: int = 1
    key: str
    study: str
    variant: str
    seed: int
    fold: str = ""
    """Of a cross-validation, by its name; empty without one."""
    state: RunState
    reason: str = ""
    """Why a run failed, diverged (with the step) or was interrupted; empty when done."""
    rehearsal: bool = False
    config: Json
    data_fingerprint: str = ""
    test: Score | None = None
    validation: Score | None = None
    cost: ModelCost | None = None
    usage: Usage | None = None
    measures: dict[str, float] = {}
    """What was measured of the trained model beside its score, by name (fusion: `leak`)."""
    environment: Json = {}
    started: str = ""
    finished: str = ""

    def score(self, split: ScoredSplit) -> Score | None:
        """Of one split; None where the run has none."""
        return self.validation if split == "validation" else self.test


def _only(*names: str) -> GetPydanticSchema:
    """An object of whose fields only these are kept."""
    fields = {name: core_schema.typed_dict_field(core_schema.any_schema(), required=False) for name in names}
    return GetPydanticSchema(lambda source, handler: core_schema.typed_dict_schema(fields, extra_behavior="ignore"))


class ReportedRun(RunRecord):
    """A record without its configuration, and of its environment what a report asks each run for: the hundred values
    left out are half of the time that reading a record takes."""

    config: Annotated[Json, _only()]
    environment: Annotated[Json, _only("git", "device")] = {}
