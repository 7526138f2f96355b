"""The planted studies beside this file serve the tests of the rooms below it too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
