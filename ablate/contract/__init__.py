"""What flows between the rooms, and all that is asked of each part, model and data set. The one place to import from.

Shape letters, the same everywhere: `b` batch, `t` frame (oldest first), `c` channel, `h w` row and column, `k`
behaviour variable, `s` spatial token, `d` token width, `u` unit, `n` scored bin; in fusion models also `i` interval,
`f` frame in an interval, `e` EEG token, and `n` latent.

Units: rates are expected spikes a bin; log-rates their natural logarithm; behaviour is z-scored by the training split;
stimulus is normalised by the training split's mean and standard deviation; places on the stimulus run over [-1, 1].
"""

from ablate.contract.batch import (
    Batch,
    BatchStream,
    EncodingBatch,
    FusionBatch,
    SessionWindows,
    Target,
    example_batch,
    frame_key,
)
from ablate.contract.dataset import Attainable, DataOptions, Dataset, Folds, Showings, Split
from ablate.contract.model import Model, ModelOptions
from ablate.contract.part import (
    Adapter,
    Compressor,
    Core,
    EegEncoder,
    FeatureMap,
    Frontend,
    Fusion,
    MapPart,
    Mixer,
    Modulator,
    Part,
    Readout,
    VideoEncoder,
    no_decay,
)
from ablate.contract.past import PastSpikes
from ablate.contract.recompute import Recomputing
from ablate.contract.spec import NULL_RATE_FLOOR, DataSpec, EncodingSpec, FusionSpec, SessionSpec, TargetSpec

__all__ = [
    "NULL_RATE_FLOOR",
    "Adapter",
    "Attainable",
    "Batch",
    "BatchStream",
    "Compressor",
    "Core",
    "DataOptions",
    "DataSpec",
    "Dataset",
    "EegEncoder",
    "EncodingBatch",
    "EncodingSpec",
    "FeatureMap",
    "Folds",
    "Frontend",
    "Fusion",
    "FusionBatch",
    "FusionSpec",
    "MapPart",
    "Mixer",
    "Model",
    "ModelOptions",
    "Modulator",
    "Part",
    "PastSpikes",
    "Readout",
    "Recomputing",
    "SessionSpec",
    "SessionWindows",
    "Showings",
    "Split",
    "Target",
    "TargetSpec",
    "VideoEncoder",
    "example_batch",
    "frame_key",
    "no_decay",
]
