"""On a real X server, with its real pointer: what only a window system does, Qt's own queue included."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.skipif(not (shutil.which("xvfb-run") and shutil.which("xdotool")), reason="needs xvfb-run and xdotool")
def test_a_circle_drawn_while_the_window_is_busy_is_a_circle():
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(HERE.parents[2])}
    display = ["xvfb-run", "-a", "-s", "-screen 0 800x600x24"]
    command = [*display, sys.executable, str(HERE / "stroke_on_x11.py")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["painted"] > 3000, "the whole way round"
    assert told["nearest"] > 150 - 8, "and not across it"
