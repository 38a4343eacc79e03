"""Controls that hold a value: lists, lines, boxes, numbers, sliders; flat, with outlines that can be seen."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLineEdit,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QWidget,
)

from sslstudio.ui.icons import icon
from sslstudio.ui.keyboard import KeyboardPlace
from sslstudio.ui.panels.parts import ICON, label
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.theme import SPACE, TEXT, font


class Combo(QComboBox):
    """A combo box that shrinks to its panel and that a scrolling wheel does not change."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(4)
        self.setFixedHeight(32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it flat: ground, outline, text and a chevron; the field of an editable one draws itself."""
        painter = QPainter(self)
        draw_field(painter, self)
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        ink = self.palette().color(group, QPalette.ColorRole.Text)
        area = self.rect().adjusted(SPACE, 0, -SPACE, 0)
        painter.save()
        painter.translate(area.right() - ICON / 2 + 4, area.center().y() + 1)
        painter.rotate(90)
        icon("next", ink.name()).paint(painter, QRect(-9, -9, 18, 18))
        painter.restore()
        if not self.isEditable():
            room = area.adjusted(0, 0, -ICON, 0)
            painter.setPen(ink)
            painter.setFont(self.font())
            words = painter.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)

    def draw(self, choices: tuple[Choice, ...], current: str) -> None:
        """Show the choices, refilled only when they changed, and mark one; emits nothing that users cause."""
        wanted = [(choice.id, choice.label) for choice in choices]
        if wanted != [(self.itemData(i), self.itemText(i)) for i in range(self.count())]:
            self.clear()
            for place, choice in enumerate(choices):
                self.addItem(choice.label, choice.id)
                self.setItemData(place, choice.note, Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(self.findData(current))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the panel scroll instead."""
        event.ignore()


def draw_field(painter: QPainter, field: QWidget) -> None:
    """The ground and outline of a control that holds a value; the outline shows where the keyboard is."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    palette, role = field.palette(), QPalette.ColorRole
    painter.setBrush(palette.color(role.Base if field.isEnabled() else role.Window))
    draw_outline(painter, field)


def draw_outline(painter: QPainter, field: QWidget) -> None:
    """Fusion's own outlines drown in dark windows, so fields get one that can be seen."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    palette, role = field.palette(), QPalette.ColorRole
    edge = role.Dark if field.isEnabled() else role.Mid
    painter.setPen(QPen(palette.color(role.Highlight), 2) if field.hasFocus() else QPen(palette.color(edge), 1))
    painter.drawRoundedRect(QRectF(field.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)


class Line(QLineEdit):
    """A line of text with room at its sides and an outline that can be seen."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setFixedHeight(32)
        self.setTextMargins(SPACE // 2, 0, SPACE // 2, 0)
        self.setAcceptDrops(False)  # a folder that is dropped here is meant for the window

    def paintEvent(self, event: QPaintEvent) -> None:
        """Outline it."""
        super().paintEvent(event)
        painter = QPainter(self)
        draw_outline(painter, self)


class Check(KeyboardPlace, QCheckBox):
    """A check box whose box can be seen in light and dark."""

    SIDE = 16

    def __init__(self, name: str, text: str = "", tip: str = "") -> None:
        super().__init__(text)
        self.setObjectName(name)
        self.setToolTip(tip)
        self.setFixedHeight(24)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Box and text."""
        text = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(self.SIDE + 2 + (SPACE + text if text else 0), 24)

    def hitButton(self, place: QPoint) -> bool:
        """The text belongs to it."""
        return self.rect().contains(place)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw box, tick and text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, role = self.palette(), QPalette.ColorRole
        box = QRectF(1, (self.height() - self.SIDE) / 2, self.SIDE, self.SIDE)
        on = self.isChecked()
        painter.setBrush(palette.color(role.Highlight if on else role.Base))
        edge = role.Highlight if on or self.has_keyboard() else (role.Dark if self.isEnabled() else role.Mid)
        painter.setPen(QPen(palette.color(edge), 2 if self.has_keyboard() else 1))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        if on:
            icon("check", palette.color(role.HighlightedText).name()).paint(painter, box.toRect())
        painter.setPen(palette.color(role.WindowText))
        words = QRectF(box.right() + SPACE, 0, self.width(), self.height())
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), self.text())


class _Calm:
    """Mixed into a spin box, before its Qt class: an outline that can be seen, and no wheel without the focus."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Outline it."""
        super().paintEvent(event)  # type: ignore[misc]
        painter = QPainter(self)  # type: ignore[call-overload]
        draw_outline(painter, self)  # type: ignore[arg-type]

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the panel scroll unless it has the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()  # type: ignore[misc,attr-defined]


class Number(_Calm, QDoubleSpinBox):
    """A spin box for numbers with a point; the wheel changes it only while it has the focus."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        _prepare_spin(self, name, title)

    def textFromValue(self, value: float) -> str:
        """No more digits than the number has."""
        text = super().textFromValue(value)
        point = self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text


class Whole(_Calm, QSpinBox):
    """A spin box for whole numbers; the wheel changes it only while it has the focus."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        _prepare_spin(self, name, title)


def _prepare_spin(box: QSpinBox | QDoubleSpinBox, name: str, title: str) -> None:
    box.setObjectName(name)
    box.setAccessibleName(title)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setFont(font(TEXT, tabular=True))
    box.setFixedHeight(32)
    box.setKeyboardTracking(False)


class SliderRow(QWidget):
    """A slider with its name at the left and its number at the right, which keeps its width.

    ``narrow``: pixels of the name where all of it stands in one line; 0 for the slider below.

    Signals:
        chosen: The new number.
    """

    chosen = Signal(int)

    def __init__(self, name: str, title: str, low: int, high: int, unit: str, *, narrow: int = 0) -> None:
        super().__init__()
        self._unit = unit
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(SPACE // 2)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName(name)
        self.slider.setAccessibleName(title)
        self.slider.setRange(low, high)
        self.slider.setFixedHeight(24)
        self.number = label(tabular=True, wrap=False)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        words = label(title, wrap=False)
        grid.addWidget(words, 0, 0)
        grid.addWidget(self.number, 0, 2 if narrow else 1)
        grid.addWidget(self.slider, *((0, 1) if narrow else (1, 0, 1, 2)))
        if narrow:
            words.setFixedWidth(narrow)
            self.number.setFixedWidth(7 * SPACE)  # the same in all, so that sliders end below each other
            grid.setHorizontalSpacing(SPACE)
        self.slider.valueChanged.connect(self._on_value)
        self._on_number(low)

    def draw(self, value: int) -> None:
        """Show a number without telling anybody; not while the user holds the handle."""
        if self.slider.isSliderDown():
            return
        self.slider.blockSignals(True)
        self.slider.setValue(value)
        self.slider.blockSignals(False)
        self._on_number(value)

    def _on_value(self, value: int) -> None:
        self._on_number(value)
        self.chosen.emit(value)

    def _on_number(self, value: int) -> None:
        self.number.setText(f"{value} {self._unit}")
