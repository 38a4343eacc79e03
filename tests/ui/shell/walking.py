"""Walks the controls of a real widget as somebody would who sees nothing or has no mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QMenuBar,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTextEdit,
    QWidget,
)

_KINDS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit,
    QTabBar, QTextEdit,
)  # fmt: skip
_POINTED = ("mousePressEvent", "mouseReleaseEvent", "mouseDoubleClickEvent")
# What the pointer alone steers there can be had by these controls or actions, too.
BY_OTHER_WAYS = {
    "minimap": "the canvas itself is moved by Space, zoomed by Ctrl++ and Ctrl+-",
    "view.histogram": "view.low and view.high, two fields beside it",
}


def controls(root: QWidget) -> Iterator[QWidget]:
    """Everything visible in ``root`` that somebody can act on; parts of a compound control count as that control."""
    for widget in root.findChildren(QWidget):
        if widget.isVisible() and _acts(widget) and not _part(widget):
            yield widget


def complaints(root: QWidget) -> list[str]:
    """What keeps somebody without eyes or without a mouse from a control, one sentence each."""
    found = []
    for one in controls(root):
        name = one.objectName() or f"a {type(one).__name__} in {one.parentWidget().objectName()}"
        if not spoken(one):
            found.append(f"{name} has no name")
        if not _text(one) and isinstance(one, QAbstractButton) and not one.toolTip():
            found.append(f"{name} shows no word and has no tool tip")
        if not one.focusPolicy() & Qt.FocusPolicy.TabFocus and not _other_way(one):
            found.append(f"{name} cannot be reached by keyboard")
    return found


def dialogs(
    window: QWidget, asks: Iterable[str | Callable[[QWidget, Path], QDialog]], folder: Path
) -> Iterator[QDialog]:
    """One dialog after the other, open until the next is wanted: of an action by its id, or of what makes one."""
    for ask in asks:
        if isinstance(ask, str):
            window.actions_[ask].trigger()
            dialog = next(one for one in window.findChildren(QDialog) if one.isVisible())
        else:
            dialog = ask(window, folder)
            dialog.show()
        yield dialog
        dialog.close()


def spoken(widget: QWidget) -> str:
    """What a screen reader says of a widget."""
    interface = QAccessible.queryAccessibleInterface(widget)
    return str(interface.text(QAccessible.Text.Name)).strip() if interface else ""


def tabbed(window: QWidget, start: QWidget) -> set[str]:
    """Names of all widgets that Tab comes to from ``start`` until it has come round."""
    start.setFocus()
    seen: set[str] = set()
    for _ in range(600):
        here = QApplication.focusWidget()
        if here is None or (here is start and seen):
            break
        seen.add(here.objectName())
        QTest.keyClick(here, Qt.Key.Key_Tab)
    return seen


def must_tab(root: QWidget) -> set[str]:
    """Names of the controls that Tab has to come to; of choices side by side only the chosen one counts."""
    return {
        one.objectName()
        for one in controls(root)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.isEnabled() and one.objectName() and not _grouped(one)
    }


def _acts(widget: QWidget) -> bool:
    if isinstance(widget, QScrollBar | QMenuBar):
        return False
    own = [kind for kind in type(widget).__mro__ if kind.__module__.startswith("sslstudio")]
    return isinstance(widget, _KINDS) or any(name in vars(kind) for kind in own for name in _POINTED)


def _part(widget: QWidget) -> bool:
    """Whether it belongs to a control that is walked itself: the line of a spin box, a table's header."""
    if widget.objectName().startswith("qt_"):
        return True
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QComboBox | QAbstractSpinBox | QAbstractItemView | QLineEdit):
            return True
        if isinstance(parent, QAbstractScrollArea) and parent.viewport() is widget:
            return True
        parent = parent.parentWidget()
    return False


def _text(widget: QWidget) -> str:
    return str(widget.text()) if hasattr(widget, "text") and not isinstance(widget, QLineEdit) else ""


def _other_way(widget: QWidget) -> bool:
    """Buttons of an action that has a key, a list that a line's arrows steer, or what stands in the table above."""
    if widget.objectName() in BY_OTHER_WAYS or any(action.shortcut() for action in widget.actions()):
        return True
    return (
        isinstance(widget, QAbstractItemView)
        and widget.focusPolicy() == Qt.FocusPolicy.NoFocus
        and bool([line for line in widget.parentWidget().findChildren(QLineEdit) if line.hasFocus()])
    )


def _grouped(widget: QWidget) -> bool:
    """Whether arrows, not Tab, go to it: one of several of which exactly one is chosen."""
    if not isinstance(widget, QAbstractButton) or widget.isChecked():
        return False
    group = widget.group()
    return widget.autoExclusive() or (group is not None and group.exclusive() and group.checkedButton() is not None)
