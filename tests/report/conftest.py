"""The planted studies of the analysis' tests serve the report's tests too."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "analysis"), str(Path(__file__).parent)]
