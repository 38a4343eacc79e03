"""The few controls that all panels are made of, drawn flat in the palette's colours."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollBar,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)

from sslstudio.ui.icons import icon
from sslstudio.ui.keyboard import KeyboardPlace
from sslstudio.ui.panels.states import Choice, Level
from sslstudio.ui.theme import SMALL, SPACE, TEXT, font, tone

RADIUS = 5
ICON = 20
Kind = Literal["primary", "plain", "segment", "link", "tool"]
HEIGHTS: dict[Kind, int] = {"primary": 40, "plain": 32, "segment": 32, "link": 24, "tool": 40}


class Words(QLabel):
    """A label whose wrapped text takes exactly the height that it needs at its width, no more."""

    def sizeHint(self) -> QSize:
        """Narrow enough for any panel; the height for that width."""
        if not self.wordWrap():
            return super().sizeHint()
        width = min(super().sizeHint().width(), 240)
        return QSize(width, max(self.minimumHeight(), self.heightForWidth(width)))

    def minimumSizeHint(self) -> QSize:
        """One line; the layout asks for the height at the real width."""
        if not self.wordWrap():
            return super().minimumSizeHint()
        return QSize(40, max(self.minimumHeight(), self.fontMetrics().lineSpacing()))


def label(
    text: str = "",
    size: int = TEXT,
    *,
    quiet: bool = False,
    bold: bool = False,
    lines: int = 0,
    tabular: bool = False,
    wrap: bool = True,
) -> QLabel:
    """A wrapping text label; ``quiet`` for what matters less, ``lines`` keeps room so that nothing jumps."""
    made = Words(text)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setFont(font(size, bold=bold, tabular=tabular))
    made.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    policy.setHeightForWidth(wrap)
    made.setSizePolicy(policy)
    if quiet:
        made.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    if lines:
        made.setMinimumHeight(made.fontMetrics().lineSpacing() * lines + 2)
    return made


def question(text: str) -> QLabel:
    """The heading of a part of a panel."""
    return label(text, bold=True, wrap=False)


def level_colour(level: Level) -> str:
    """The colour that goes with a level in the tone shown now."""
    now = tone()
    return {"good": now.good, "fair": now.warning, "poor": now.error, "none": now.quiet}[level]


class Button(KeyboardPlace, QPushButton):
    """A flat button: ``primary`` (the one big one), ``plain``, ``segment``, ``link`` or ``tool``."""

    def __init__(self, name: str, text: str = "", kind: Kind = "plain", glyph: str = "", tip: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.setObjectName(name)
        self.setFont(font(TEXT, bold=kind == "primary"))
        self.setFixedHeight(HEIGHTS[kind])
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoDefault(False)
        self._glyph = glyph
        self._turn = 0
        if kind == "tool":
            self.setFixedWidth(HEIGHTS["tool"])
        if kind == "link":
            self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if tip:
            self.setToolTip(tip)
        if text or tip:
            self.setAccessibleName(text or tip)

    def set_words(self, text: str) -> None:
        """Change the text and what screen readers say."""
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)

    def set_primary(self, primary: bool) -> None:
        """Be the one big button, or one of the others; the height stays."""
        kind: Kind = "primary" if primary else "plain"
        if kind != self.kind:
            self.kind = kind
            self.setFont(font(TEXT, bold=primary))
            self.update()

    def set_glyph(self, glyph: str, turn: int = 0) -> None:
        """Change the icon; ``turn`` in degrees."""
        self._glyph, self._turn = glyph, turn
        self.update()

    def sizeHint(self) -> QSize:
        """Text with room around it."""
        margin = {"link": 0, "segment": SPACE // 2, "tool": 0}.get(self.kind, SPACE)
        width = self.fontMetrics().horizontalAdvance(self.text()) + 2 * margin
        width += ICON + (SPACE // 2 if self.text() else 0) if self._glyph else 0
        return QSize(HEIGHTS["tool"] if self.kind == "tool" else width, HEIGHTS[self.kind])

    def minimumSizeHint(self) -> QSize:
        """As small as the text allows."""
        return self.sizeHint()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be pressed."""
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Show it at rest again."""
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, outline, icon and text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill, edge, ink = self._colours()
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(fill or Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(edge, 1) if edge else Qt.PenStyle.NoPen)
        if self.kind != "link":
            painter.drawRoundedRect(area, RADIUS, RADIUS)
        if self.has_keyboard():
            self._draw_focus(painter, area, ink)
        self._draw_words(painter, area, ink)

    def _colours(self) -> tuple[QColor | None, QColor | None, QColor]:
        palette, role = self.palette(), QPalette.ColorRole
        enabled, hover = self.isEnabled(), self.underMouse() and self.isEnabled()
        if self.kind == "link":
            link = palette.color(role.Link if enabled else role.ButtonText)
            return None, None, link.lighter(115) if hover else link
        if self.kind == "primary" or self.isChecked():
            accent = palette.color(role.Highlight)
            if self.isDown():
                accent = accent.darker(115)
            elif hover:
                accent = accent.lighter(108)
            return accent, None, palette.color(role.HighlightedText)
        ground = palette.color(role.Button)
        if self.isDown() or hover:
            ground = palette.color(role.Mid if self.isDown() else role.Midlight)
        if self.kind == "tool" and not hover:
            return None, None, palette.color(role.ButtonText)
        edge = palette.color(role.Dark if enabled else role.Mid)
        edge.setAlphaF(0.9 if hover else 0.7)
        return ground, edge, palette.color(role.ButtonText)

    def _draw_focus(self, painter: QPainter, area: QRectF, ink: QColor) -> None:
        painter.save()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        accented = self.kind == "primary" or self.isChecked()
        painter.setPen(QPen(ink if accented else self.palette().color(QPalette.ColorRole.Highlight), 2))
        inset = 3 if accented else 1
        painter.drawRoundedRect(area.adjusted(inset, inset, -inset, -inset), RADIUS - 1, RADIUS - 1)
        painter.restore()

    def _draw_words(self, painter: QPainter, area: QRectF, ink: QColor) -> None:
        painter.setPen(ink)
        painter.setFont(self.font())
        text = self.text()
        left = area
        if self._glyph:
            wide = ICON + (SPACE // 2 + self.fontMetrics().horizontalAdvance(text) if text else 0)
            start = area.left() if self.kind == "link" else area.left() + (area.width() - wide) / 2
            top = area.top() + (area.height() - ICON) / 2
            painter.save()
            painter.translate(round(start) + ICON / 2, round(top) + ICON / 2)
            painter.rotate(self._turn)
            icon(self._glyph, ink.name()).paint(painter, QRect(-ICON // 2, -ICON // 2, ICON, ICON))
            painter.restore()
            left = QRectF(start + ICON + SPACE // 2, area.top(), area.right() - start - ICON, area.height())
        if not text:
            return
        centred = Qt.AlignmentFlag.AlignVCenter | (
            Qt.AlignmentFlag.AlignLeft if self._glyph or self.kind == "link" else Qt.AlignmentFlag.AlignHCenter
        )
        painter.drawText(left, int(centred), text)


class Bar(QProgressBar):
    """A slim progress bar; 0 to 1000, or running to and fro at maximum 0."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setTextVisible(False)
        self.setFixedHeight(SPACE)
        self.setRange(0, 1000)

    def set_share(self, share: float) -> None:
        """Show 0 to 1."""
        self.setValue(round(1000 * min(1.0, max(0.0, share))))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a rounded track and what is done of it."""
        painter = QPainter(self)
        draw_share(
            painter, QRectF(self.rect()), self.value() / 1000, self.palette().color(QPalette.ColorRole.Highlight)
        )


def draw_share(painter: QPainter, area: QRectF, share: float, colour: QColor) -> None:
    """A rounded track with the first ``share`` of it filled."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    radius = area.height() / 2
    painter.setBrush(QColor(tone().line))
    painter.drawRoundedRect(area, radius, radius)
    if share > 0:
        painter.setBrush(colour)
        width = max(area.height(), area.width() * min(1.0, share))
        painter.drawRoundedRect(QRectF(area.left(), area.top(), width, area.height()), radius, radius)


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


class Number(QDoubleSpinBox):
    """A spin box for numbers with a point; the wheel changes it only while it has the focus."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        _prepare_spin(self, name, title)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Outline it."""
        super().paintEvent(event)
        painter = QPainter(self)
        draw_outline(painter, self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the panel scroll unless it has the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()

    def textFromValue(self, value: float) -> str:
        """No more digits than the number has."""
        text = super().textFromValue(value)
        point = self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text


class Whole(QSpinBox):
    """A spin box for whole numbers; the wheel changes it only while it has the focus."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__()
        _prepare_spin(self, name, title)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Outline it."""
        super().paintEvent(event)
        painter = QPainter(self)
        draw_outline(painter, self)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the panel scroll unless it has the focus."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


def _prepare_spin(box: QSpinBox | QDoubleSpinBox, name: str, title: str) -> None:
    box.setObjectName(name)
    box.setAccessibleName(title)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setFont(font(TEXT, tabular=True))
    box.setFixedHeight(32)
    box.setKeyboardTracking(False)


class SliderRow(QWidget):
    """A slider with its name at the left and its number at the right, which keeps its width.

    Signals:
        chosen: The new number.
    """

    chosen = Signal(int)

    def __init__(self, name: str, title: str, low: int, high: int, unit: str) -> None:
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
        grid.addWidget(label(title, wrap=False), 0, 0)
        grid.addWidget(self.number, 0, 1)
        grid.addWidget(self.slider, 1, 0, 1, 2)
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


def quiet_number(text: str = "") -> QLabel:
    """A small note with figures of equal width."""
    return label(text, SMALL, quiet=True, tabular=True, wrap=False)


class SlimBar(QScrollBar):
    """A scroll bar that lies in the margin beside the content, so that nothing moves when it comes."""

    BREADTH = SPACE

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the handle only."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ScrollBarSlider
        handle = self.style().subControlRect(QStyle.ComplexControl.CC_ScrollBar, option, part, self)
        colour = self.palette().color(QPalette.ColorRole.Dark)
        colour.setAlphaF(0.9 if self.underMouse() or self.isSliderDown() else 0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        area = QRectF(handle).adjusted(2, 2, -2, -2)
        painter.drawRoundedRect(area, area.width() / 2, area.width() / 2)
