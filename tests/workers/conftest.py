"""A small real project that several worker tests share."""

from pathlib import Path

import pytest

from sslstudio.images.sample import CLASSES, write_sample
from sslstudio.project.project import Project


@pytest.fixture
def small_project(tmp_path: Path) -> Path:
    """A project of eight sample pictures; its folder."""
    sample = write_sample(tmp_path / "sample", 8)
    with Project.create(tmp_path / "cells", sample.images, CLASSES) as project:
        return project.path
