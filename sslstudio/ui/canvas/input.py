"""Reads mouse, wheel, pen tablet, touchpad and keys for the canvas."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent, QTabletEvent

from sslstudio.project.label_map import UNPAINTED
from sslstudio.regions.rect import NOTHING
from sslstudio.ui.canvas.held_keys import HeldKeys
from sslstudio.ui.canvas.pace import Pace
from sslstudio.ui.canvas.sizing import SIZED
from sslstudio.ui.canvas.strokes import Point
from sslstudio.ui.canvas.stylus import Stylus
from sslstudio.ui.canvas.wheel import Wheel

if TYPE_CHECKING:
    from sslstudio.ui.canvas.canvas import Canvas

_FREEHAND_STEP = 5  # widget pixels between corners of a polygon that is dragged
_DIVIDER_REACH = 8
_AGAIN = 15  # milliseconds after which a tool is asked again that was not ready
_RIGHT_REACH = 5  # widget pixels from which on a right click is a drag
_CURSORS = {
    "pan": Qt.CursorShape.OpenHandCursor,
    "fill": Qt.CursorShape.PointingHandCursor,
    "brush": Qt.CursorShape.BlankCursor,
    "eraser": Qt.CursorShape.BlankCursor,
}
_STROKES = ("paint", "polygon", "corner", "reshape", "gesture")  # what is dragged with a tool
_DRAWING = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Backspace)
_Mouse = QEvent.Type


class Hand:
    """What the user's hand does on a canvas: where the pointer is and what it drags."""

    _readers: Mapping[QEvent.Type, Callable[..., object]] = MappingProxyType({})  # Qt tells events after its life, too

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.pointer = QPointF()
        self.query: Point | None = None  # where the attention asks from
        self._inside = False
        # "", "paint", "polygon", "corner" (then "reshape"), "gesture", "pan", "swipe" or "right" (then "window")
        self._drag = ""
        self._pressed = QPointF()
        self._grip: int | None = None  # the corner that is held
        self._closed = False  # whether the click before this one closed an outline
        self.walked = False  # whether somebody goes through the window by Tab, so that Space is for what is reached so
        self._alt = False
        self._space = False
        self._next = ""  # the tool that was asked for during a stroke
        self._keys = HeldKeys(canvas)
        self._keys.came_up.connect(self._on_up)
        self.stylus, self.pace, self._wheel = Stylus(), Pace(canvas), Wheel(canvas)
        self._readers = {
            _Mouse.MouseButtonPress: self._press,
            _Mouse.MouseButtonDblClick: self._double_click,
            _Mouse.MouseMove: self._move,
            _Mouse.MouseButtonRelease: self._release,
            _Mouse.TabletPress: self._tablet,
            _Mouse.TabletMove: self._tablet,
            _Mouse.TabletRelease: self._tablet,
            _Mouse.Wheel: self._wheel.turn,
            _Mouse.NativeGesture: self._wheel.pinch,
            _Mouse.ShortcutOverride: self._override,
            _Mouse.KeyPress: self._key_down,
            _Mouse.KeyRelease: self._key_up,
            _Mouse.Enter: self._enter,
            _Mouse.Leave: self._leave,
            _Mouse.FocusOut: self._lose_focus,
            _Mouse.Hide: self._lose_focus,
        }

    @property
    def erasing(self) -> bool:
        """Whether painting now would erase."""
        return self._alt or self.stylus.erases or self._canvas.tool == "eraser"

    @property
    def diameter(self) -> int:
        """The brush as it is now, pressure included, in image pixels."""
        brush = self._canvas.brush
        return self.stylus.width(brush) if self._canvas.options.pressure else brush

    @property
    def place(self) -> QPointF:
        """Where the tool is seen: under the pointer, or amid the canvas while the pointer sets its size elsewhere."""
        return self.pointer if self._inside else QPointF(self._canvas.width() / 2, self._canvas.height() / 2)

    @property
    def gesturing(self) -> bool:
        """Whether a tool's gesture is being dragged."""
        return self._drag == "gesture"

    @property
    def coming(self) -> str:
        """The tool in the hand once the button is up."""
        return self._next or self._canvas.tool

    @property
    def inside(self) -> bool:
        """Whether the pointer is on the canvas."""
        return self._inside

    @property
    def dragging(self) -> bool:
        """Whether a button is held that does something."""
        return bool(self._drag)

    @property
    def brush_in_sight(self) -> bool:
        """Whether the brush's outline is to be drawn."""
        painting = self._drag == "paint" or not (self._drag or self._canvas.attention or self._space)
        seen = self._inside or bool(self._canvas.sizing.words)
        return seen and painting and self._canvas.tool in SIZED and self._paintable

    @property
    def _paintable(self) -> bool:
        return self._canvas.pen.labels is not None and self._canvas.paintable

    def read(self, event: QEvent) -> bool:
        """Act on an event; whether it is dealt with."""
        reader = self._readers.get(event.type())
        if reader is not None and event.type() not in (_Mouse.MouseMove, _Mouse.TabletMove):
            self.pace.catch_up()
        dealt = bool(reader(event)) if reader else False  # type: ignore[operator]
        if dealt:
            self._canvas.outlines.look()
        return dealt

    def keeps(self, tool: str) -> bool:
        """Whether a stroke under way keeps its own tool; the other one then comes once the button is up."""
        self._next = tool if self._drag in _STROKES else ""
        return bool(self._next)

    def let_go(self) -> None:
        """Forget what was dragged."""
        self.pace.forget()
        if self._drag in _STROKES:
            self._drag = ""
            self._canvas.minimap.make_way(None)
        self.stylus.put_away()

    def show_cursor(self) -> None:
        """The cursor that fits the tool and what is going on."""
        shape = _CURSORS.get(self._canvas.tool, Qt.CursorShape.CrossCursor)
        if not self._paintable or self._canvas.attention:
            shape = Qt.CursorShape.ArrowCursor if not self._canvas.attention else Qt.CursorShape.CrossCursor
        if self._space or self._drag == "pan":
            shape = Qt.CursorShape.ClosedHandCursor if self._drag == "pan" else Qt.CursorShape.OpenHandCursor
        elif self._drag == "swipe" or self._on_divider():
            shape = Qt.CursorShape.SplitHCursor
        if self._canvas.cursor().shape() != shape:
            self._canvas.setCursor(shape)

    def report_place(self) -> None:
        """Tell what is under the pointer."""
        canvas = self._canvas
        point = canvas.image_point(self.pointer)
        label = canvas.pen.label_at(point) if self._inside else None
        if label is None:
            canvas.cursor_moved.emit(-1, -1, None)
        else:
            canvas.cursor_moved.emit(math.floor(point[0]), math.floor(point[1]), None if label == UNPAINTED else label)

    # --- mouse -----------------------------------------------------------------------------------------------------

    def _press(self, event: QMouseEvent) -> bool:
        self._keys.settle()
        self._canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        self._follow(event.position(), event.modifiers())
        if not self.stylus.down:  # it is a mouse
            self.put_pen_away()
        button, self._closed = event.button(), False
        if self._drag:  # a second button during a stroke
            return True
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and self._pans()):
            self._drag = "pan"
        elif button == Qt.MouseButton.LeftButton and self._on_divider():
            self._drag = "swipe"
        elif button == Qt.MouseButton.RightButton:
            self._drag, self._pressed = "right", event.position()
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._pick()
        elif button == Qt.MouseButton.LeftButton:
            self._paint()
        else:
            return False
        self.show_cursor()
        self.report_place()
        return True

    def _double_click(self, event: QMouseEvent) -> bool:
        left, gesture = event.button() == Qt.MouseButton.LeftButton, self._canvas.gesture
        if left and self._closed:
            return True
        if left and (self._canvas.pen.points or (gesture is not None and gesture.more)):
            self.finish()
            return True
        return self._press(event)

    def _move(self, event: QMouseEvent) -> bool:
        canvas, old = self._canvas, self.pointer
        canvas.update_pointer()
        self._follow(event.position(), event.modifiers())
        if self._drag == "pan":
            ratio = canvas.devicePixelRatioF()
            canvas.set_view(
                canvas.viewport.moved((self.pointer.x() - old.x()) * ratio, (self.pointer.y() - old.y()) * ratio)
            )
        elif self._drag in ("right", "window"):
            self.pace.answer(self._drag_window)
        elif self._drag == "swipe":
            canvas.set_divider(self.pointer.x())
        elif self._drag == "paint":
            canvas.minimap.make_way(self.pointer)
            self.pace.draw_to((canvas.image_point(self.pointer), self.diameter))
        elif self._drag in ("corner", "reshape"):
            self._drag_corner()
        elif self._drag == "gesture" and canvas.gesture is not None:
            self._drag_gesture() if canvas.gesture.every_place else self.pace.answer(self._drag_gesture)
        elif canvas.pen.points:
            self._drag_polygon()
        elif canvas.gesture is not None and not event.buttons() and self._paintable and not canvas.attention:
            self.pace.answer(self.hover)
        elif canvas.attention and not event.buttons():
            self.pace.answer(self._ask)
        canvas.update_pointer()
        self.show_cursor()
        self.report_place()
        return True

    def _release(self, event: QMouseEvent) -> bool:
        right = (Qt.MouseButton.RightButton,)
        ends = {"pan": (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton), "right": right, "window": right}
        if self._drag and event.button() in ends.get(self._drag, (Qt.MouseButton.LeftButton,)):
            if self._drag == "right" and not self._counters():
                self._pick()
            if self._drag in ("paint", "gesture"):
                self._canvas.lift()
                self._canvas.update()
            closing = self._drag == "corner" and self._grip == 0 and not self._canvas.outlines.short
            self._drag = ""
            if closing:
                self.finish()
                self._closed = True
            self.show_cursor()
            self._canvas.update_pointer()
        self._take_next()
        return True

    def _take_next(self) -> None:
        """Take the tool that was asked for during the stroke, now that it is done."""
        if self._next and not self._drag:
            self._canvas.set_tool(self._next)

    def _enter(self, event: QEvent) -> bool:
        self.walked = False
        return False

    def _leave(self, event: QEvent) -> bool:
        self.leave()
        return False

    def leave(self) -> None:
        """The pointer is on the image no more."""
        self._canvas.update_pointer()
        self._inside = False
        if self.query is not None:
            self._canvas.update()
        self.report_place()

    def _lose_focus(self, event: QEvent) -> bool:
        """Finish what was begun, so that nothing is lost with the focus."""
        self._canvas.lift()
        self._drag, self._space, self._alt = "", False, False
        self._keys.forget()
        self._take_next()
        self.show_cursor()
        self._canvas.update()
        return False

    def _follow(self, place: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self.pointer, self._inside = place, True
        self._alt = bool(modifiers & Qt.KeyboardModifier.AltModifier)

    def _pans(self) -> bool:
        return self._space or self._canvas.tool == "pan"

    def _on_divider(self) -> bool:
        near = abs(self.pointer.x() - self._canvas.divider) <= _DIVIDER_REACH
        return self._canvas.split == "swipe" and self._inside and near

    def _paint(self) -> None:
        canvas, pen = self._canvas, self._canvas.pen
        place, erase, diameter = canvas.image_point(self.pointer), self.erasing, self.diameter
        if not self._paintable:
            return
        self._grip, self._pressed = canvas.outlines.grip(self.pointer), self.pointer
        if canvas.tool in ("polygon", "livewire"):
            canvas.outlines.begin_step()
        if self._grip is not None:
            self._drag = "corner"
        elif canvas.tool == "polygon":
            pen.add_corner(place, erase=erase)
            self._drag = "polygon"
            canvas.update()
        elif canvas.gesture is not None:
            self._drag = "gesture"
            canvas.mend(canvas.gesture.press(pen, place, canvas.sight(), erase=erase))
            canvas.update()
        elif canvas.tool == "fill":
            canvas.mend(pen.fill(place, erase=erase))
            canvas.lift()
        elif canvas.tool in ("brush", "eraser"):
            self._drag = "paint"
            canvas.mend(pen.begin(place, erase=erase, diameter=diameter))
            canvas.update_pointer()

    def _counters(self) -> bool:
        """Whether the tool makes something of the right button."""
        canvas = self._canvas
        if canvas.gesture is None or not canvas.gesture.counter(canvas.pen, canvas.image_point(self.pointer)):
            return False
        canvas.offers.hear_gesture()
        canvas.update()
        return True

    def _drag_window(self) -> None:
        """Tell how far the right button was dragged; a click that trembles is none."""
        moved, begins = self.pointer - self._pressed, self._drag == "right"
        if not begins or moved.manhattanLength() >= _RIGHT_REACH:
            self._drag = "window"
            self._canvas.window_dragged.emit(moved.x(), -moved.y(), begins)

    def _pick(self) -> None:
        label = self._canvas.pen.label_at(self._canvas.image_point(self.pointer))
        if label is not None and label != UNPAINTED:
            self._canvas.set_current_class(label)

    def _drag_corner(self) -> None:
        """Move the corner that is held; a click that trembles moves none, nor does a live-wire have any to be moved."""
        if (self.pointer - self._pressed).manhattanLength() >= _RIGHT_REACH and self._canvas.tool == "polygon":
            self._drag = "reshape"
        if self._drag == "reshape" and self._grip is not None:
            self._canvas.outlines.move(self._grip, self._canvas.image_point(self.pointer))

    def _drag_polygon(self) -> None:
        canvas = self._canvas
        last = canvas.widget_points(canvas.pen.points[-1])[0]
        if self._drag == "polygon" and (last - self.pointer).manhattanLength() >= _FREEHAND_STEP:
            canvas.pen.add_corner(canvas.image_point(self.pointer))
        canvas.update()

    def _drag_gesture(self) -> None:
        canvas = self._canvas
        if canvas.gesture is not None:
            canvas.mend(canvas.gesture.drag(canvas.pen, canvas.image_point(self.pointer), canvas.sight()))
            canvas.update()

    def hover(self) -> None:
        """Let the tool show what it has to show under a pointer that only moves."""
        canvas = self._canvas
        if canvas.gesture is None:
            return
        if canvas.gesture.hover(canvas.pen, canvas.image_point(self.pointer), canvas.sight()):
            canvas.update()
        if canvas.gesture.unready:
            QTimer.singleShot(_AGAIN, canvas, self._hover_again)

    def _hover_again(self) -> None:
        """The tool did not know all when the pointer came to rest; it may by now."""
        canvas = self._canvas
        if canvas.gesture is None or self._drag or not (self._inside and self._paintable and canvas.gesture.unready):
            return
        self.hover()

    def finish(self) -> None:
        """Close the outline, or whatever else has begun; what encloses nothing yet stays."""
        canvas = self._canvas
        if canvas.outlines.short:
            canvas.outlines.too_short.emit()
            return
        canvas.outlines.forget_steps()
        if canvas.gesture is not None:
            canvas.mend(canvas.gesture.finish(canvas.pen))
            canvas.offers.hear_gesture()
        else:
            canvas.mend(canvas.pen.close_polygon())
        canvas.lift()
        canvas.update()

    def _back(self) -> None:
        """Take back the last corner."""
        if self._canvas.outlines.first is not None:
            self._canvas.outlines.drop_corner()
        elif self._canvas.gesture is not None:
            self._canvas.gesture.back()
            self._canvas.offers.hear_gesture()
        self._canvas.update()

    def _ask(self) -> None:
        """Ask for the attention of the place under the pointer."""
        point = self._canvas.image_point(self.pointer)
        if self._canvas.contains(point):
            self.query = point
            self._canvas.update()
            self._canvas.query_hovered.emit(*point)

    # --- tablet ----------------------------------------------------------------------------------------------------

    def _tablet(self, event: QTabletEvent) -> bool:
        """Note what the pen does; Qt then sends the mouse event that does the rest."""
        self._canvas.update_pointer()
        self.stylus.read(event)
        event.ignore()
        return False

    def put_pen_away(self) -> None:
        """The tablet's pen has gone out of reach."""
        self._canvas.update_pointer()
        self.stylus.put_away()
        self._canvas.update_pointer()

    # --- keys ------------------------------------------------------------------------------------------------------

    def wants(self, event: QKeyEvent) -> bool:
        """Whether a key is the hand's before it is a shortcut's, a button's or the menu bar's.

        Space is, the keys of drawing are while something is drawn, and Alt is where it erases, with the digits.
        """
        canvas, key = self._canvas, event.key()
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key == Qt.Key.Key_Alt:
            return self._inside and self._paintable and not held & ~Qt.KeyboardModifier.AltModifier
        if held == Qt.KeyboardModifier.AltModifier and self._drag:
            return Qt.Key.Key_1 <= key <= Qt.Key.Key_9
        if held:
            return False
        if key == Qt.Key.Key_Space:
            return canvas.hasFocus() or (canvas.pen.labels is not None and not self.walked)
        if key == Qt.Key.Key_Escape and (canvas.searches.running or not canvas.pen.selection.empty):
            return True
        return key in _DRAWING and (canvas.busy or (canvas.offers.open and key != Qt.Key.Key_Backspace))

    def _override(self, event: QKeyEvent) -> bool:
        if self.wants(event):
            event.accept()
            return True
        return False

    def _key_down(self, event: QKeyEvent) -> bool:
        canvas, key = self._canvas, cast("Qt.Key", event.key())
        self._keys.press(event)
        if key == Qt.Key.Key_Space:
            self._hold_space(True)
        elif key == Qt.Key.Key_Alt:
            self._hold_alt(True)
        elif key == Qt.Key.Key_Escape and (canvas.busy or canvas.searches.running):
            canvas.cancel_stroke()
        elif canvas.offers.open and key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter) and not canvas.busy:
            canvas.offers.answered.emit(key != Qt.Key.Key_Escape)
        elif key == Qt.Key.Key_Escape and not canvas.pen.selection.empty:
            canvas.select(NOTHING)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and canvas.busy and not canvas.pen.drawing:
            self.finish()
        elif key == Qt.Key.Key_Backspace and canvas.busy and not canvas.pen.drawing:
            self._back()
        elif self._drag and event.modifiers() & Qt.KeyboardModifier.AltModifier and self.wants(event):
            canvas.set_current_class(key - Qt.Key.Key_1)
        else:
            return False
        return True

    def _key_up(self, event: QKeyEvent) -> bool:
        if event.isAutoRepeat() or event.key() not in (Qt.Key.Key_Space, Qt.Key.Key_Alt):
            return False
        if event.key() == Qt.Key.Key_Space:
            self._keys.release(event)
        else:
            self._hold_alt(False)
        return True

    def _on_up(self, key: int, when: float) -> None:
        self._hold_space(False)

    def _hold_space(self, held: bool) -> None:
        self._canvas.update_pointer()
        self._space = held
        self.show_cursor()
        self._canvas.update_pointer()

    def _hold_alt(self, held: bool) -> None:
        self._alt = held
        self._canvas.update_pointer()
