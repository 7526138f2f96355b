"""docs/recordings.md: its own recording can be read, and its table names every format with settings that exist."""

import re
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from ablate.data.formats.kinds import KINDS
from ablate.data.recording import read_recording
from ablate.model import EncoderConfig, GlmConfig

PAGE = (Path(__file__).parents[2] / "docs" / "recordings.md").read_text()


def test_the_recording_of_the_page_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/recordings.md", "exec"), {})
    recording = read_recording(tmp_path / "mine")
    assert (recording.frames, recording.units, recording.bin_rate_hz) == (6000, 2, 60.0)
    assert np.corrcoef(recording.spikes[:, 0], recording.stimulus[:, 2, 2])[0, 1] > 0.1


def test_the_table_names_every_format_and_settings_that_it_has() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == set(KINDS)
    for name, settings in rows:
        fields = KINDS[name][0].model_fields
        assert all(setting in fields for setting in re.findall(r"`(\w+)`", settings)), name


def test_the_patches_of_spike_history_fit_both_models() -> None:
    (fragment,) = (block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "history" in block)
    patches = YAML(typ="safe", pure=True).load(fragment)["patches"]
    for config in (GlmConfig, EncoderConfig):
        read = {name: config.model_validate(patch["model"]).history for name, patch in patches.items()}
        assert {name: one.coupling for name, one in read.items()} == {"own_past": False, "coupled": True}
