"""A user's own part by name."""

import pytest
from torch import nn

from ablate.errors import AblateError
from ablate.model.layer.imported import ImportedPart


class Doubling(nn.Module):
    def __init__(self, input: int, *, extra: int = 0):
        super().__init__()
        self.out = 2 * input + extra


def test_the_class_is_called_with_what_build_gets_and_its_params() -> None:
    part = ImportedPart(target=f"{__name__}:Doubling", params={"extra": 1})
    assert part.build(3).out == 7


@pytest.mark.parametrize("target", ["torch.nn", "torch.nn:", ":Linear", "../x:y", "a b:c", "os:system()"])
def test_a_target_that_names_no_class_is_refused_when_read(target: str) -> None:
    with pytest.raises(ValueError, match=r"package\.module:Class"):
        ImportedPart(target=target)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("no_such_package:Thing", "cannot import `no_such_package`"),
        ("torch.nn:NoSuchClass", "`torch.nn` has no `NoSuchClass`"),
        ("math:sqrt", "`sqrt` is not a subclass of torch.nn.Module"),
    ],
)
def test_a_class_that_is_not_there_is_told_when_built(target: str, told: str) -> None:
    with pytest.raises(AblateError, match=told):
        ImportedPart(target=target).build()


class Raising(nn.Module):
    def __init__(self) -> None:
        raise ValueError("too narrow")


def test_a_fault_in_the_class_of_the_user_is_told_as_one_message() -> None:
    with pytest.raises(AblateError, match="`Raising` cannot be built: ValueError: too narrow"):
        ImportedPart(target=f"{__name__}:Raising").build()


def test_params_that_the_class_does_not_take_are_told_as_one_message() -> None:
    with pytest.raises(AblateError, match="unexpected keyword argument 'depth'"):
        ImportedPart(target=f"{__name__}:Doubling", params={"depth": 2}).build(3)
