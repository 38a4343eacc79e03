"""The window fits on the screen that is there, whatever screen it was last on."""

import json
import os
import subprocess
import sys

import pytest

_START = """
import sys
from PySide6.QtCore import QTimer
from sslstudio.ui.app import make_application
app = make_application()
from sslstudio.ui.main_window import MainWindow
window = MainWindow()
window.fit_on_screen()
window.show()
window.show_page(project=True)


def look():  # after the platform has put its frame around it
    room = app.primaryScreen().availableGeometry()
    shown = window.geometry()
    panel = window.panel_stack
    right = panel.mapToGlobal(panel.rect().topRight()).x()
    print(room.contains(shown), window.isMaximized(), right <= room.right(), shown.width(), shown.height())
    window.close()


QTimer.singleShot(100, look)
app.exec()
"""


@pytest.fixture
def start(tmp_path):
    """A function that shows the window on a screen of some size, and tells how it lies there."""

    def run(width, height):
        screen = {"name": "s", "x": 0, "y": 0, "width": width, "height": height, "logicalDpi": 96, "dpr": 1}
        (tmp_path / "screen.json").write_text(json.dumps({"screens": [screen]}))
        told = subprocess.run(
            [sys.executable, "-c", _START],
            cwd=tmp_path,
            env=os.environ
            | {"QT_QPA_PLATFORM": "offscreen:configfile=screen.json", "SSLSTUDIO_STATE": str(tmp_path / "own")}
            | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=100,
        ).stdout.split()
        return [word == "True" for word in told[:3]], (int(told[3]), int(told[4]))

    return run


def test_the_first_start_and_a_screen_that_is_gone(start):
    assert start(1366, 768)[0] == [True, True, True]
    assert start(2560, 1440)[0][0]
    (inside, maximised, _), size = start(1920, 1080)
    assert inside
    assert not maximised or size == (1920, 1080)


def test_a_large_screen_keeps_the_size_of_the_first_start(start):
    (inside, maximised, right), size = start(1920, 1080)
    assert inside
    assert right
    assert not maximised
    assert size == (1440, 900)
    assert start(1366, 768)[0] == [True, True, True], "what was remembered of the larger screen does not fit"


def test_a_screen_smaller_than_the_window_likes_to_be(start):
    """A laptop's screen with everything enlarged by half: the bottom is not cut off."""
    (inside, maximised, _), _ = start(911, 560)
    assert inside
    assert maximised
