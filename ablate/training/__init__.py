"""Takes any model, any dataset and a `TrainingConfig`, gives the trained model, its learning curve and its scores.

The loop cannot know which variant it trains: that is what makes the comparison of variants fair.
"""

from ablate.training.config import TrainingConfig

__all__ = ["TrainingConfig"]
