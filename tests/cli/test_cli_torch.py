"""A CPU-only torch beside a torchvision for CUDA does not import; a person is then told what to install."""

import pytest

from ablate.cli.exit import exit_code


@pytest.mark.parametrize(
    "fault", [RuntimeError("operator torchvision::nms does not exist"), ModuleNotFoundError("No module", name="torch")]
)
def test_a_torch_that_does_not_fit_is_named_with_its_fix(fault, capsys):
    def broken():
        raise fault

    assert exit_code(broken) == 2
    assert "hint: install a matching pair: pip install" in capsys.readouterr().err


def test_any_other_fault_is_not_hidden():
    def broken():
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        exit_code(broken)
