"""What holds for every panel in every state."""

import subprocess
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QScrollBar,
    QWidget,
)

from sslstudio.ui import theme
from sslstudio.ui.panels.running import RunList
from sslstudio.ui.panels.states import RunRow

from .conftest import PANELS, states

CONTROLS = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QListWidget)
FORBIDDEN = ("invalid", "failed to", "error", "color", "gray")


def own_controls(panel: QWidget) -> list[QWidget]:
    """Controls that we made; parts inside Qt's own (a spin box's line) belong to those."""
    return [
        widget
        for widget in panel.findChildren(QWidget)
        if isinstance(widget, CONTROLS) and not widget.objectName().startswith("qt_") and not _inside_qt(widget)
    ]


def _inside_qt(widget: QWidget) -> bool:
    """Whether Qt made it for one of its own: a scroll bar of a list, the list of a combo box."""
    if isinstance(widget, QScrollBar) and not widget.objectName():
        return True
    parent = widget.parent()
    while parent is not None:
        if isinstance(parent, QComboBox):
            return True
        parent = parent.parent()
    return False


@pytest.mark.parametrize("name", PANELS)
def test_each_state_fits_the_width_of_the_panel(name, tmp_path, show):
    for state in states(tmp_path)[name]:
        panel = show(name, state)
        for fold in panel.findChildren(QAbstractButton):
            if fold.objectName().endswith("advanced.head"):
                fold.click()
        assert panel.widget().minimumSizeHint().width() <= 320, state
        assert panel.grab().width() == 320


@pytest.mark.parametrize("name", PANELS)
def test_every_control_has_a_name_for_screen_readers_and_for_tests(name, tmp_path, show):
    panel = show(name, states(tmp_path)[name][-1])
    assert panel.objectName() == f"panel.{name}"
    found = own_controls(panel)
    assert found
    for control in found:
        assert control.objectName().startswith(f"panel.{name}."), control
        spoken = control.accessibleName() or (control.text() if isinstance(control, QAbstractButton) else "")
        assert spoken.strip(), control.objectName()
    names = [control.objectName() for control in found]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", PANELS)
def test_every_control_can_be_reached_by_the_keyboard(name, tmp_path, show):
    for state in states(tmp_path)[name]:
        panel = show(name, state)
        for control in own_controls(panel):
            if not isinstance(control, QScrollBar):
                assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.objectName()


@pytest.mark.parametrize("name", PANELS)
def test_the_words_are_plain(name, tmp_path, show):
    for state in states(tmp_path)[name]:
        panel = show(name, state)
        texts = [label.text() for label in panel.findChildren(QLabel)]
        texts += [button.text() for button in panel.findChildren(QAbstractButton)]
        texts += [widget.toolTip() for widget in panel.findChildren(QWidget)]
        spoken = " ".join(texts).lower()
        assert not [word for word in FORBIDDEN if word in spoken]


@pytest.mark.parametrize("name", PANELS)
def test_drawing_asks_for_nothing(name, tmp_path, qtbot):
    panel = PANELS[name]()
    qtbot.addWidget(panel)
    asked = []
    for attribute in dir(type(panel)):
        if attribute.endswith(("_wanted", "_chosen")):
            getattr(panel, attribute).connect(lambda *args, attribute=attribute: asked.append((attribute, args)))
    for state in states(tmp_path)[name] * 2:
        panel.draw(state)
    assert asked == []


@pytest.mark.parametrize("name", PANELS)
def test_one_big_button_at_most(name, tmp_path, show):
    for state in states(tmp_path)[name]:
        panel = show(name, state)
        big = [button for button in own_controls(panel) if getattr(button, "kind", "") == "primary"]
        assert len([button for button in big if button.isVisible()]) <= 1, state


@pytest.mark.parametrize("name", PANELS)
def test_light_and_dark_look_different(name, tmp_path, show, qapp: QApplication):
    panel = show(name, states(tmp_path)[name][-1])
    light = panel.grab().toImage()
    theme.apply(qapp, dark=True)
    qapp.sendPostedEvents()  # the application posts the change to its widgets
    dark = panel.grab().toImage()
    assert light.pixelColor(4, 4).lightness() > 200 > 80 > dark.pixelColor(4, 4).lightness()


def test_panels_load_neither_torch_nor_a_plot_library():
    code = (
        "import sys\n"
        "import sslstudio.ui.panels.images, sslstudio.ui.panels.pretrain, sslstudio.ui.panels.paint\n"
        "import sslstudio.ui.panels.finetune, sslstudio.ui.panels.review, sslstudio.ui.panels.export\n"
        "print([name for name in ('torch', 'pyqtgraph', 'cv2', 'qtawesome') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_a_run_came_to_never_makes_the_panel_wider(qtbot):
    runs = RunList("panel.test.earlier", "Earlier runs")
    qtbot.addWidget(runs)
    note = "overlap about 67 % of what was painted in the images that were kept aside"
    runs.draw((RunRow("r1", "13:00 · DINO · ViT tiny, 16 px", "finished", 3.0, note, "good"),))
    assert runs.minimumSizeHint().width() <= 300
