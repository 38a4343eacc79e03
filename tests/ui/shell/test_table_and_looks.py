"""The table of actions, and the palettes' contrast."""

import json
import subprocess
import sys

import pytest
from PySide6.QtGui import QAction, QKeySequence

from sslstudio.ui import icons, theme
from sslstudio.ui.actions import ACTIONS, MENUS
from sslstudio.ui.stepper import STEPS


def test_ids_and_shortcuts_are_unique():
    ids = [action.id for action in ACTIONS]
    keys = [QKeySequence(key).toString() for action in ACTIONS for key in action.shortcuts]
    assert len(ids) == len(set(ids))
    assert all(keys), "a shortcut that Qt does not understand"
    assert len(keys) == len(set(keys))
    assert {action.menu for action in ACTIONS} == set(MENUS)


def test_the_keys_that_hands_know():
    by_key = {key: action.id for action in ACTIONS for key in action.shortcuts}
    known = {
        "B": "paint.brush",
        "E": "paint.eraser",
        "P": "paint.polygon",
        "F": "paint.fill",
        "[": "paint.smaller",
        "]": "paint.larger",
        "X": "paint.swap",
        "A": "image.previous",
        "D": "image.next",
        "Ctrl+Z": "edit.undo",
        "Ctrl+Shift+Z": "edit.redo",
        "Ctrl+Y": "edit.redo",
        "Ctrl+O": "file.open_folder",
        "Ctrl+T": "learn.finetune",
        "L": "view.live",
        "1": "paint.class_1",
        "9": "paint.class_9",
    }
    assert {key: by_key.get(key) for key in known} == known


def test_the_table_needs_no_qt():
    code = "import sys; import sslstudio.ui.actions; print([m for m in sys.modules if 'PySide6' in m or 'torch' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_every_action_is_in_a_menu_under_its_id(window):
    in_menus = {action.objectName() for menu in window.menuBar().actions() for action in menu.menu().actions()}
    assert {action.id for action in ACTIONS} <= in_menus
    for row in ACTIONS:
        found = window.findChild(QAction, row.id)
        assert found is not None
        assert found.text() == row.told
        assert not row.icon or row.icon in icons.GLYPHS, row.icon


def test_panels_and_steps_are_named_and_can_be_read_aloud(window):
    for step in STEPS:
        assert window.panels[step].objectName() == f"panel.{step}"
        assert window.panels[step].accessibleName()
        assert window.stepper.buttons[step].accessibleName() == STEPS[step]


TEXTS = [(ink, ground) for ink in ("text", "quiet", "link", "error", "good") for ground in ("window", "base")] + [
    ("text", "alternate"),
    ("quiet", "alternate"),
    ("text", "button"),
    ("on_accent", "accent"),
    ("text", "notice"),
]
TEXTS += [("on_surround", "surround"), ("link", "alternate"), ("warning", "window"), ("warning", "notice")]
CONTROLS = [(edge, ground) for edge in ("edge", "accent") for ground in ("window", "base", "button", "alternate")]


@pytest.mark.parametrize("name", ["light", "dark"])
def test_contrast_is_enough_to_read_and_to_find_controls(name):
    tone = theme.tones()[name]
    weak = [(a, b, theme.contrast(tone[a], tone[b])) for a, b in TEXTS if theme.contrast(tone[a], tone[b]) < 4.5]
    faint = [(a, b, theme.contrast(tone[a], tone[b])) for a, b in CONTROLS if theme.contrast(tone[a], tone[b]) < 3]
    assert weak == []
    assert faint == []


def test_contrast_is_measured_as_wcag_does():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_surround_of_the_canvas_is_neutral():
    for tone in theme.tones().values():
        red, green, blue = (tone["surround"][at : at + 2] for at in (1, 3, 5))
        assert red == green == blue


def test_the_window_starts_without_anything_heavy():
    code = (
        "import sys\nfrom sslstudio.ui.app import make_application\napp = make_application()\n"
        "from sslstudio.ui.main_window import MainWindow\nwindow = MainWindow()\nwindow.show()\n"
        "print([n for n in ('torch', 'timm', 'pyqtgraph', 'tifffile', 'qtawesome', 'imagecodecs') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_light_and_dark_are_chosen_in_the_menu_and_kept(qtbot, opened):
    from sslstudio.ui import state
    from sslstudio.ui.main_window import MainWindow

    assert opened.actions_["looks.system"].isChecked()

    def bright():
        return opened.grab().toImage().pixelColor(300, 60).lightness() > 128

    assert bright()
    opened.actions_["looks.dark"].trigger()
    assert theme.tone() is theme.DARK
    qtbot.waitUntil(lambda: not bright(), timeout=5000)
    again = MainWindow()
    qtbot.addWidget(again)
    assert again.actions_["looks.dark"].isChecked()
    assert state.look() == "dark", "what the next start begins with"
    opened.actions_["looks.light"].trigger()
    assert theme.tone() is theme.LIGHT
