"""A real window on a real project of small made images."""

import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from sslstudio.ui import theme
from sslstudio.ui.main_window import MainWindow

PATIENCE = 20_000  # milliseconds; other processes may keep the machine busy


@pytest.fixture
def window(qtbot, tmp_path, monkeypatch):
    """The welcome page, with a state folder of its own; a bug anywhere fails the test."""
    monkeypatch.setenv("SSLSTUDIO_STATE", str(tmp_path / "state"))
    bugs = []
    monkeypatch.setattr(sys, "excepthook", lambda *about: bugs.append(about))
    theme.apply(QApplication.instance(), dark=False)
    shown = MainWindow()
    qtbot.addWidget(shown, before_close_func=lambda w: w.session.close())
    with qtbot.waitActive(shown, timeout=PATIENCE):  # keys reach only the active window
        shown.show()
        shown.activateWindow()
    yield shown
    shown.session.close()
    assert not bugs, bugs


@pytest.fixture
def open_folder(qtbot, window):
    """Open a folder or project in the window and wait until image and check are there."""

    def run(path: Path):
        seen = []
        window.session.checked.connect(lambda number: seen.append(number) if number < 0 else None)
        window.session.image_ready.connect(lambda: seen.append("image"))
        window.session.image_failed.connect(lambda _: seen.append("image"))
        window.files.open(path)
        qtbot.waitUntil(lambda: -1 in seen and ("image" in seen or not window.session.image), timeout=PATIENCE)
        return window

    return run


@pytest.fixture
def opened(open_folder, image_folder):
    """The window on a project of six images."""
    return open_folder(image_folder)
