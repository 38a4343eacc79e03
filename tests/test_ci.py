"""What the continuous integration runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).parents[1] / ".ci" / "run"


@pytest.mark.parametrize(("broken", "run"), [("check", ["check"]), ("test", ["check", "tour", "test"])])
def test_style_types_and_borders_come_first_and_either_failure_fails(tmp_path, broken, run):
    (tmp_path / ".ci").mkdir()
    shutil.copy(CI, tmp_path / ".ci" / "run")
    studio = tmp_path / "studio"
    studio.write_text(f'#!/bin/sh\necho "$1" >> said\n[ "$1" != {broken} ]\n')
    studio.chmod(0o755)
    done = subprocess.run(["sh", tmp_path / ".ci" / "run"], check=False, env={**os.environ})
    assert done.returncode != 0
    assert (tmp_path / "said").read_text().split() == run
