"""What `params` and `check` load: nothing that only training, plots or judging need."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiny_study import BASELINE, environment, write_recipe

NEVER = ("torch._dynamo", "triton", "timm", "torchvision", "scipy.special", "pandas", "matplotlib")
RESNET = """\
  resnet: {title: a core of another kind, convnet: {type: resnet, channels: [4, 4, 4], stem_stride: [4, 2, 2]}}
"""
CONSTANT = "  still: {title: behaviour held constant, data: {behavior: constant}}\n"


@pytest.mark.parametrize("command", ["params", "check"])
def test_a_recipe_is_weighed_and_checked_without_a_compiler_timm_or_statistics(tmp_path: Path, command: str):
    """Batches were compared by a method that torch keeps from its compiler, for which it loaded the compiler: 2 s."""
    patches = f"patches:\n  fast: {{title: faster, training: {{learning_rate: 3.0e-3}}}}\n{CONSTANT}{RESNET}"
    recipe = write_recipe(
        tmp_path, patches=patches, baseline=BASELINE.replace("modulator: {type: none}", "modulator: {type: film}")
    )
    made = ["check", str(recipe)]  # the world needs scipy, once
    subprocess.run([sys.executable, "-m", "ablate", *made], env=environment(), check=False, capture_output=True)
    script = f"""
import sys
from ablate.cli.app import app
try:
    app([{command!r}, {str(recipe)!r}], standalone_mode=False)
finally:
    print(sorted(set({NEVER!r}) & set(sys.modules)), file=sys.stderr)
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=False
    )
    assert "Traceback" not in told.stderr, told.stderr
    assert told.stderr.rstrip().endswith("[]"), told.stderr
    assert "resnet" in told.stdout
