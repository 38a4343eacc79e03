"""The list of classes: colour, name, key, how much is painted; add, rename, recolour, remove."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QColorDialog,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from sslstudio.language import tr
from sslstudio.ui.actions import CLASS_KEYS
from sslstudio.ui.keyboard import KeyboardPlace
from sslstudio.ui.panels.bars import SlimBar
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Line
from sslstudio.ui.panels.parts import RADIUS
from sslstudio.ui.panels.states import ClassRow
from sslstudio.ui.panels.words import thousands
from sslstudio.ui.theme import SMALL, SPACE, TEXT, font

ROW_HEIGHT, _GAP = 5 * SPACE, SPACE // 2
MOST = 8.5  # rows in sight; the half one tells that there are more


class Swatch(KeyboardPlace, QAbstractButton):
    """A class's colour; a click asks for another."""

    def __init__(self, name: str, colour: str, title: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(tr("Colour of {title}").format(title=title))
        self.setToolTip(tr("Change the colour"))
        self.setFixedSize(20, 20)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.colour = colour

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a filled square with an outline that can be seen on any ground."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(self.colour))
        role = QPalette.ColorRole.Highlight if self.has_keyboard() else QPalette.ColorRole.Dark
        painter.setPen(QPen(self.palette().color(role), 2 if self.has_keyboard() else 1))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)


class ClassLine(KeyboardPlace, QAbstractButton):
    """One class; a click chooses it, a double click or F2 renames it.

    Signals:
        rename_wanted: The new name.
        recolour_wanted: The new colour as ``#rrggbb``.
        remove_wanted: The class may go (whoever listens asks first where it is painted).
        lock_wanted, hide_wanted: Whether what is painted with it is to stay as it is; whether it is to be hidden.
    """

    rename_wanted = Signal(str)
    recolour_wanted = Signal(str)
    remove_wanted = Signal()
    lock_wanted = Signal(bool)
    hide_wanted = Signal(bool)

    def __init__(self, name: str, row: ClassRow, place: int, *, removable: bool) -> None:
        super().__init__()
        self.row, self.place = row, place
        self.setObjectName(name)
        self.setCheckable(True)
        self.setFixedHeight(ROW_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(tr("Double-click or F2 to rename"))
        self._say()
        self.swatch = Swatch(f"{name}.colour", row.colour, row.name)
        self.edit = Line(f"{name}.name", tr("Name of {name}").format(name=row.name))
        self.edit.setFixedHeight(28)
        self.edit.hide()
        self.remove = Button(f"{name}.remove", "", "link", "close", tr("Remove this class"))
        self.remove.setAccessibleName(tr("Remove {name}").format(name=row.name))
        self.remove.set_quiet(True)
        self.lock = Button(f"{name}.lock", "", "link", "unlocked", tr("Lock"))
        self.hide_ = Button(f"{name}.hide", "", "link", "eye", tr("Hide"))
        self._show_switches()
        box = QHBoxLayout(self)
        box.setContentsMargins(SPACE, 0, SPACE, 0)
        box.setSpacing(SPACE)
        box.addWidget(self.swatch)
        box.addWidget(self.edit, 1)
        box.addStretch(1)
        box.setSpacing(SPACE // 2)
        for switch in (self.hide_, self.lock, self.remove):
            box.addWidget(switch)
        self.remove.setVisible(removable)  # not earlier: without a parent it would open as a window of its own
        self.lock.clicked.connect(lambda: self.lock_wanted.emit(not self.row.locked))
        self.hide_.clicked.connect(lambda: self.hide_wanted.emit(not self.row.hidden))
        self.swatch.clicked.connect(self._on_swatch)
        self.remove.clicked.connect(self.remove_wanted)
        self.edit.editingFinished.connect(self._on_edited)
        self.edit.installEventFilter(self)

    def set_row(self, row: ClassRow) -> None:
        """Show another count, lock or eye without building the line again."""
        self.row = row
        self._show_switches()
        self._say()
        self.update()

    def _show_switches(self) -> None:
        locked, hidden, name = self.row.locked, self.row.hidden, self.row.name
        self.lock.set_quiet(not locked)
        self.hide_.set_quiet(not hidden)
        self.lock.set_glyph("locked" if locked else "unlocked")
        self.lock.setAccessibleName(
            tr("Unlock {name}").format(name=name) if locked else tr("Lock {name}").format(name=name)
        )
        self.lock.setToolTip(
            tr("Locked: what is painted with it stays. Unlock") if locked else tr("Lock: keep what is painted with it")
        )
        self.hide_.set_glyph("eye_off" if hidden else "eye")
        self.hide_.setAccessibleName(
            tr("Show {name}").format(name=name) if hidden else tr("Hide {name}").format(name=name)
        )
        self.hide_.setToolTip(
            tr("Hidden, and kept as it is. Show") if hidden else tr("Hide; it is kept as it is meanwhile")
        )

    def begin_rename(self) -> None:
        """Let the user type another name in place."""
        self.edit.setText(self.row.name)
        self.edit.show()
        self.edit.selectAll()
        self.edit.setFocus()
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Rename."""
        self.begin_rename()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F2 renames, the rest as for any button."""
        if event.key() == Qt.Key.Key_F2:
            self.begin_rename()
            return
        super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape in the name field keeps the old name."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.edit.setText(self.row.name)
            self.edit.hide()
            self.setFocus()
            self.update()
            return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, the name, the key and the count."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        role = QPalette.ColorRole
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self.isChecked() or self.underMouse():
            painter.setPen(QPen(self.palette().color(role.Highlight), 2) if self.isChecked() else Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(role.Base if self.isChecked() else role.Midlight))
            painter.drawRoundedRect(area, RADIUS, RADIUS)
        if self.has_keyboard() and not self.isChecked():
            painter.setPen(QPen(self.palette().color(role.Dark), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area, RADIUS, RADIUS)
        if self.edit.isHidden():
            self._draw_words(painter, area)

    def _draw_words(self, painter: QPainter, area: QRectF) -> None:
        role, middle = QPalette.ColorRole, Qt.AlignmentFlag.AlignVCenter
        taken = 24 * (3 if self.remove.isVisibleTo(self) else 2) + SPACE // 2
        right = area.adjusted(0, 0, -SPACE - taken, 0)
        key = str((self.place + 1) % 10) if self.place < CLASS_KEYS else ""
        painter.setFont(font(SMALL, tabular=True))
        painter.setPen(self.palette().color(role.PlaceholderText))
        painter.drawText(right, int(middle | Qt.AlignmentFlag.AlignRight), key)
        count = tr("{pixels} px").format(pixels=thousands(self.row.pixels)) if self.row.pixels else tr("not painted")
        counted = right.adjusted(0, 0, -2 * SPACE, 0)
        painter.drawText(counted, int(middle | Qt.AlignmentFlag.AlignRight), count)
        taken = painter.fontMetrics().horizontalAdvance(count) + SPACE
        painter.setFont(font(TEXT, bold=self.isChecked()))
        painter.setPen(self.palette().color(role.WindowText))
        room = QRectF(4.5 * SPACE, area.top(), counted.right() - taken - 4.5 * SPACE, area.height())
        name = painter.fontMetrics().elidedText(self.row.name, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, int(middle | Qt.AlignmentFlag.AlignLeft), name)

    def _say(self) -> None:
        painted = tr("{pixels} pixels painted").format(pixels=self.row.pixels) if self.row.pixels else tr("not painted")
        self.setAccessibleName(tr("Class {name}, {painted}").format(name=self.row.name, painted=painted))
        if self.place < CLASS_KEYS:
            self.setAccessibleDescription(tr("Key {place}").format(place=(self.place + 1) % 10))

    def _on_edited(self) -> None:
        if self.edit.isHidden():
            return
        name = self.edit.text().strip()
        self.edit.hide()
        self.update()
        if name and name != self.row.name:
            self.rename_wanted.emit(name)

    def _on_swatch(self) -> None:
        dialog = QColorDialog(QColor(self.row.colour), self)
        dialog.setObjectName("dialog.colour")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._on_colour)
        dialog.open()

    def _on_colour(self, colour: QColor) -> None:
        self.recolour_wanted.emit(colour.name())


class ClassList(QWidget):
    """All classes and a field for one more.

    Signals:
        chosen: The place of a class; likewise the first value of the others.
        add_wanted: The name of a new class.
        rename_wanted, recolour_wanted, remove_wanted, lock_wanted, hide_wanted: Change a class.
    """

    chosen = Signal(int)
    add_wanted = Signal(str)
    rename_wanted = Signal(int, str)
    recolour_wanted = Signal(int, str)
    remove_wanted = Signal(int)
    lock_wanted = Signal(int, bool)
    hide_wanted = Signal(int, bool)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._key: tuple = ()
        self.lines: list[ClassLine] = []
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE // 2)
        rows = QWidget()
        self._box = QVBoxLayout(rows)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(_GAP)
        self.area = QScrollArea(widgetResizable=True)
        self.area.setObjectName(f"{name}.scroll")
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setVerticalScrollBar(SlimBar())
        self.area.setWidget(rows)
        self.area.setFixedHeight(0)  # until there are rows: its own idea of a height would be much
        box.addWidget(self.area)
        row = QHBoxLayout()
        row.setContentsMargins(0, SPACE // 2, 0, 0)
        row.setSpacing(SPACE)
        self.new = Line(f"{name}.new", tr("Name of a new class"))
        self.new.setPlaceholderText(tr("New class, such as “crack”"))
        self.add = Button(f"{name}.add", tr("Add"), glyph="plus")
        self.add.setAccessibleName(tr("Add the class"))
        self.add.setEnabled(False)
        row.addWidget(self.new, 1)
        row.addWidget(self.add)
        box.addLayout(row)
        self.new.textChanged.connect(self._on_text)
        self.new.returnPressed.connect(self._on_add)
        self.add.clicked.connect(self._on_add)

    def draw(self, rows: tuple[ClassRow, ...], current: int) -> None:
        """Show the classes; built again only when names or colours changed."""
        key = tuple((row.name, row.colour) for row in rows)
        if key != self._key:
            self._key = key
            self._build(rows)
        for place, (line, row) in enumerate(zip(self.lines, rows, strict=True)):
            if place == current and not line.isChecked():
                self._reveal(line)
            line.setChecked(place == current)
            if line.row != row:
                line.set_row(row)

    def _build(self, rows: tuple[ClassRow, ...]) -> None:
        for line in self.lines:
            self._box.removeWidget(line)
            line.hide()
            line.deleteLater()
        self.lines = []
        for place, row in enumerate(rows):
            removable = len(rows) > 1
            line = ClassLine(f"{self.objectName()}.{place}", row, place, removable=removable)
            line.clicked.connect(self._on_clicked)
            line.rename_wanted.connect(self._on_rename)
            line.recolour_wanted.connect(self._on_recolour)
            line.remove_wanted.connect(self._on_remove)
            line.lock_wanted.connect(self._on_lock)
            line.hide_wanted.connect(self._on_hide)
            self._box.addWidget(line)
            self.lines.append(line)
        self._put_in_order()
        self.area.setFixedHeight(round(min(len(rows), MOST) * (ROW_HEIGHT + _GAP)) - _GAP * (len(rows) <= MOST))

    def _put_in_order(self) -> None:
        """Let Tab come to the lines where they stand; Qt puts what was made last at the end of the window."""
        before = self.new.previousInFocusChain()
        while before is not None and before.focusPolicy() == Qt.FocusPolicy.NoFocus:  # Qt puts nothing behind those
            before = before.previousInFocusChain()
        for line in self.lines:
            for part in (line, line.swatch, line.edit, line.hide_, line.lock, line.remove):
                if before is not None:
                    QWidget.setTabOrder(before, part)
                before = part

    def _reveal(self, line: ClassLine) -> None:
        """Scroll to a line that was chosen by key."""
        QTimer.singleShot(0, line, lambda: self.area.ensureWidgetVisible(line, 0, ROW_HEIGHT // 2))

    def _place(self) -> int:
        line = self.sender()
        return line.place if isinstance(line, ClassLine) else -1

    def _on_clicked(self) -> None:
        pressed = self._place()
        for line in self.lines:
            line.setChecked(line.place == pressed)
        self.chosen.emit(pressed)

    def _on_rename(self, name: str) -> None:
        self.rename_wanted.emit(self._place(), name)

    def _on_recolour(self, colour: str) -> None:
        self.recolour_wanted.emit(self._place(), colour)

    def _on_remove(self) -> None:
        self.remove_wanted.emit(self._place())

    def _on_lock(self, wanted: bool) -> None:
        self.lock_wanted.emit(self._place(), wanted)

    def _on_hide(self, wanted: bool) -> None:
        self.hide_wanted.emit(self._place(), wanted)

    def _on_text(self, text: str) -> None:
        self.add.setEnabled(bool(text.strip()))

    def _on_add(self) -> None:
        name = self.new.text().strip()
        if name:
            self.new.clear()
            self.add_wanted.emit(name)
