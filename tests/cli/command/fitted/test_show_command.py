"""`ablate show`: what it takes for a run, and what it says of anything else."""

from pathlib import Path

import pytest

from ablate.cli.command.fitted.show import show_run
from ablate.errors import AblateError


def test_a_folder_that_is_neither_a_run_nor_a_study_is_told(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="is neither a run's folder nor a study's") as told:
        show_run(tmp_path)
    assert "results/<study>/runs/<key>" in told.value.problems[0].hint
    with pytest.raises(AblateError, match="there is no such folder"):
        show_run(tmp_path / "absent")
