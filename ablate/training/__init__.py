"""Takes any model, any dataset and a `TrainingConfig`, gives the trained model, its learning curve and its scores.

The loop cannot know which variant it trains: that is what makes the comparison of variants fair.
"""

from ablate.training.checkpoint import Checkpoints
from ablate.training.config import TrainingConfig
from ablate.training.device import device_name, pick_device, resolve_precision
from ablate.training.evaluate import evaluate
from ablate.training.fit import FitResult, fit
from ablate.training.run import Listener
from ablate.training.score import EntryTable, scorer_for
from ablate.training.seed import seeded, stream_seed
