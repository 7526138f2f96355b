"""`ablate`: takes a recipe (a baseline model and a list of patches), gives a ranked table of which change is worth
having.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

    from ablate.analysis import StudyAnalysis

__version__ = "0.1.0"


def judge(frame: "DataFrame", **choice: Any) -> "StudyAnalysis":
    """The verdicts on runs that any program trained: a pandas frame with columns variant, seed and score.

    choice: `score`, `variant`, `seed` (names of columns), `baseline` (a variant), `lower_is_better`, `worth` (a share),
    `expect` (variant -> expected relative gain, low and high). Raises AblateError for what could be read in two ways.
    """
    from ablate.analysis.judge import judge as judged  # `import ablate` stays light

    return judged(frame, **choice)
