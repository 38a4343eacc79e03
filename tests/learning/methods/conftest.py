"""What the tests of methods share: a fixed seed and one thread, so that figures repeat."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)
    torch.set_num_threads(1)
