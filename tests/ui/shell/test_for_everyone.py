"""Every control of the real window has a name and is reached without a mouse; keys are told; nothing is only colour."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QPushButton, QWidget

from sslstudio.project.classes import LabelClass
from sslstudio.ui import theme
from sslstudio.ui.main_window import MainWindow
from sslstudio.ui.notice import Notice
from sslstudio.ui.stepper import STEPS
from sslstudio.ui.strip import TOOLS

from .walking import complaints, controls, dialogs, must_tab, spoken, tabbed

PLACES = (*STEPS, "working")


@pytest.fixture
def opened(qtbot, opened):
    """The window once its list of classes is drawn, a moment after it opens."""
    opened.go_to_step("paint")
    qtbot.waitUntil(lambda: len(opened.panels["paint"].classes.lines) == 2)
    opened.tell(Notice("A sentence.", "Some advice.", button="Do it", act=lambda: None))
    return opened


def unfold(window: MainWindow) -> None:
    """Open every part of the panel that is folded."""
    for button in window.panel_stack.currentWidget().findChildren(QAbstractButton):
        if button.objectName().endswith(".head") and button.isCheckable() and not button.isChecked():
            button.click()


def test_the_walker_finds_what_is_wrong(qtbot):
    root = QWidget()
    qtbot.addWidget(root)
    button, line = QPushButton(root, objectName="mute"), QLineEdit(root, objectName="line")
    button.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    line.setAccessibleName("Name")
    root.show()
    assert complaints(root) == [
        "mute has no name", "mute shows no word and has no tool tip", "mute cannot be reached by keyboard"
    ]  # fmt: skip


def test_the_welcome_page_is_for_everyone(window):
    assert complaints(window) == []
    assert {"welcome.open", "welcome.sample", "welcome.project"} <= tabbed(window, window.welcome.open_button)


def test_every_step_is_for_everyone(opened):
    opened.actions_["view.look"].setChecked(True)
    for step in PLACES:
        opened.go_to_step(step)
        unfold(opened)
        assert len(list(controls(opened))) > 30
        assert complaints(opened) == [], step


def test_tab_comes_to_every_control_and_goes_on(opened):
    opened.actions_["view.look"].setChecked(True)
    unfold(opened)
    assert must_tab(opened) - tabbed(opened, opened.canvas) == set()


def test_the_options_of_each_tool_are_for_everyone(opened):
    unfold(opened)
    for tool in TOOLS:
        opened.actions_[tool].trigger()
        assert complaints(opened.panel_stack) == [], tool
    opened.actions_["view.map"].trigger()
    assert complaints(opened) == []


def test_tool_tips_of_actions_and_their_buttons_tell_the_key(opened):
    native = QKeySequence.SequenceFormat.NativeText
    for name, action in opened.actions_.items():
        key = action.shortcut().toString(native)
        assert action.toolTip(), name
        assert not key or f"({key})" in action.toolTip(), name
    for button in opened.findChildren(QAbstractButton):
        for action in button.actions():
            key = action.shortcut().toString(native)
            assert not key or key in button.toolTip(), button.objectName()


def _import_preview(window, tmp_path):
    from sslstudio.annotations.bringing_in import look
    from sslstudio.ui.dialogs.import_preview import ImportPreviewDialog

    from .test_masks_in_out import coco

    return ImportPreviewDialog(look(window.session.project, coco(tmp_path), lambda *_: None), "COCO", window)


def _mask_values(window, tmp_path):
    import numpy as np
    from PIL import Image

    from sslstudio.annotations.bringing_in import look
    from sslstudio.annotations.survey import Survey
    from sslstudio.ui.dialogs.mask_values import MaskValuesDialog

    masks = tmp_path / "masks"
    masks.mkdir()
    Image.fromarray(np.repeat(np.array([[0, 70, 200]], np.uint8), 32, 0).repeat(16, 1)).save(masks / "cell_1.png")
    found = look(window.session.project, masks, lambda *_: None)
    assert isinstance(found, Survey)
    return MaskValuesDialog(found, window)


def _import_report(window, _):
    from sslstudio.annotations.palette_png import ImportReport
    from sslstudio.ui.dialogs.import_report import ImportReportDialog

    return ImportReportDialog(ImportReport(("a.png",), ("b.png",), (("c.png", "It is empty."),)), window)


def _measure(window, _):
    from sslstudio.ui.dialogs.export_masks import MeasureDialog

    return MeasureDialog(["cells"], window)


def _backbones(window, _):
    from sslstudio.ui.dialogs.backbones import BackbonesDialog

    return BackbonesDialog("vit_tiny_patch16_224", gpu=False, parent=window)


def _closing(window, _):
    from sslstudio.ui.dialogs.closing import ClosingDialog

    return ClosingDialog("Pretraining", lambda: None, lambda: None, window)


def _removing(window, _):
    from sslstudio.ui.dialogs.removing import RemovingDialog

    return RemovingDialog("object", 20, 2, lambda: None, window)


def _report(window, _):
    from sslstudio.ui.dialogs.report import ReportDialog

    return ReportDialog("Traceback …", window)


def _palette(window, _):
    from sslstudio.ui.commands import commands
    from sslstudio.ui.dialogs.palette import PaletteDialog

    return PaletteDialog(commands(window), window)


ACTIONS_THAT_ASK = ("help.about", "help.shortcuts", "edit.classes", "file.export_masks")
MADE = (_import_preview, _mask_values, _import_report, _measure, _backbones, _closing, _removing, _report, _palette)


def test_every_dialog_is_for_everyone(qtbot, opened, tmp_path):
    for dialog in dialogs(opened, (*ACTIONS_THAT_ASK, *MADE), tmp_path):
        name = dialog.objectName()
        popup = dialog.windowType() == Qt.WindowType.Popup
        qtbot.waitUntil(lambda dialog=dialog, popup=popup: popup or dialog.isActiveWindow(), timeout=20_000)
        assert dialog.windowTitle() or dialog.accessibleName(), name
        assert list(controls(dialog)), name
        assert complaints(dialog) == [], name
        first = next(one for one in controls(dialog) if one.focusPolicy() & Qt.FocusPolicy.TabFocus)
        assert must_tab(dialog) - tabbed(dialog, first) == set(), name


def test_classes_are_told_by_name_not_by_colour_alone(opened):
    names = " ".join(spoken(one) for one in controls(opened.panels["paint"]))
    for one in opened.session.project.classes:
        assert one.name in names
    for button in opened.panels["paint"].findChildren(QWidget):
        if "swatch" in button.objectName() or button.objectName().endswith(".colour"):
            assert "#" in spoken(button) or "colour" in spoken(button).lower(), button.objectName()


def test_tab_comes_to_the_classes_where_they_stand(opened):
    opened.go_to_step("paint")
    opened.drawing.draw()
    panel = opened.panels["paint"]
    order, one = [], opened.browser.search  # made before all panels
    for _ in range(5000):
        order.append(one.objectName())
        one = one.nextInFocusChain()
        if one is opened.browser.search:
            break
    wanted = ("classes.0", "classes.0.colour", "classes.1", "classes.new", "classes.add", "continue")
    places = [order.index(f"panel.paint.{name}") for name in wanted]
    assert places == sorted(places), dict(zip(wanted, places, strict=True))
    opened.session.set_classes((*opened.session.project.classes, LabelClass("third", "#123456")))
    opened.drawing.draw()
    assert panel.classes.lines[2].nextInFocusChain() is panel.classes.lines[2].swatch
    assert panel.classes.lines[1].remove.nextInFocusChain() is panel.classes.lines[2]


@pytest.mark.parametrize("name", ["browser.images", "canvas"])
def test_the_keyboard_is_seen_on_large_areas_where_it_came_by_tab(qtbot, opened, name):
    area = opened.browser.view if name == "browser.images" else opened.canvas
    area.clearFocus()
    before = area.grab().toImage()
    area.setFocus(Qt.FocusReason.OtherFocusReason)
    assert area.grab().toImage().pixelColor(1, 1) == before.pixelColor(1, 1), "not after a click"
    area.clearFocus()
    area.setFocus(Qt.FocusReason.TabFocusReason)
    assert area.grab().toImage().pixelColor(1, 1) == QColor(theme.tone().accent)
    area.clearFocus()
    assert area.grab().toImage().pixelColor(1, 1) == before.pixelColor(1, 1)
