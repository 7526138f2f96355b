"""One thread a test, and the toy data set as a fixture."""

from collections.abc import Iterator

import pytest
import torch
from training_toys import ToyDataset


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def toy_dataset() -> ToyDataset:
    return ToyDataset()
