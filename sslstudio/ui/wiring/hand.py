"""Keys for the hand that draws, wherever in the window the keyboard is, and what is said about outlines under way."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QMenuBar

from sslstudio.language import tr
from sslstudio.ui.canvas.held_keys import HeldKeys
from sslstudio.ui.canvas.pen import TOOLS
from sslstudio.ui.image_model import title
from sslstudio.ui.keyboard import is_typing
from sslstudio.ui.notice import Notice
from sslstudio.ui.shortcuts import named

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow

_KEPT = "outlines"  # what is kept with the project
TAP = 0.6  # seconds up to which a tool's key was tapped; held longer, its tool is for as long as it is held
SOON = 700  # milliseconds after which it is said that an outline waits: a tool may be taken for a moment only


@dataclass
class _Held:
    """A tool's key that is down, and the tool to go back to."""

    key: int
    before: str
    since: float  # seconds of ``time.monotonic``
    used: bool = False  # whether something was done with the tool, so that this was no tap

    def tapped(self, until: float) -> bool:
        """Whether it came up at once."""
        return not self.used and until - self.since <= TAP


class HandWiring(QObject):
    """Hears the keys of the window's frame before its widgets do, and lets those of drawing reach the canvas.

    A click on a button or in a list moves the keyboard there; whoever paints on does not think of that. So the canvas
    takes the keyboard back with the first key that is meant for it, save while somebody types.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.canvas = window, window.canvas
        self._keys = HeldKeys(self)
        self._keys.came_up.connect(self._on_up)
        self._pressed: _Held | None = None  # a key that has come down, until its tool is taken
        self._held: list[_Held] = []  # those with which a tool was taken, each held within the one before
        self._back = ""  # the tool to go back to, once the stroke under way is done
        self._aside = ("", "")  # the image and the tool of the outline that was put aside last
        self._late = QTimer(self, interval=SOON, singleShot=True)
        self._late.timeout.connect(self._tell_waiting)
        self._readers = {
            QEvent.Type.ShortcutOverride: self._on_key,
            QEvent.Type.KeyPress: self._on_press,
            QEvent.Type.KeyRelease: self._on_release,
            QEvent.Type.MouseButtonPress: self._on_button,
            QEvent.Type.MouseButtonRelease: self._on_button_up,
            QEvent.Type.FocusOut: self._on_focus_out,
        }
        self._wire()

    def _wire(self) -> None:
        window, canvas, session = self.window, self.canvas, self.window.session
        for tool in TOOLS:
            window.actions_[f"paint.{tool}"].triggered.connect(lambda _=False, tool=tool: self._on_tool(tool))
        for field in (window.browser.search, window.panels["paint"].classes.new):
            field.returnPressed.connect(self._give_back)
        canvas.outlines.put_aside.connect(self._on_aside)
        canvas.outlines.brought_back.connect(lambda _: window.notice.solved("outline"))
        canvas.outlines.changed.connect(lambda: window.notice.solved("corners"))
        canvas.outlines.too_short.connect(self._on_short)
        session.image_ready.connect(self._late.start)
        session.opened.connect(lambda: canvas.outlines.take_over(session.recall(_KEPT, [])))
        session.closed.connect(self._on_closed)
        for signal in (canvas.outlines.changed, canvas.outlines.put_aside, canvas.outlines.brought_back):
            signal.connect(lambda *_: self._keep())

    def listen(self) -> None:
        """Hear what comes to the window's frame, which is there once the window is shown."""
        frame = self.window.windowHandle()
        if frame is not None:
            frame.installEventFilter(self)  # once more does no harm

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at keys and buttons; all go on to where they belong."""
        reader = self._readers.get(event.type())
        if reader is not None:
            reader(event)  # type: ignore[arg-type]
        return False

    # keys -----------------------------------------------------------------------------------------------

    def _on_key(self, event: QKeyEvent) -> None:
        """A key comes down, before it is a shortcut: those of drawing take the keyboard to the canvas."""
        fresh = self._keys.press(event)
        elsewhere = is_typing() or QApplication.activePopupWidget() is not None
        if elsewhere or isinstance(QApplication.focusWidget(), QMenuBar):
            return
        if fresh:
            before = self._back or self.canvas.hand.coming
            self._pressed = _Held(event.key(), before, time.monotonic()) if self._is_of_tool(event) else None
        if self.canvas.isVisible() and not self.canvas.hasFocus() and self.canvas.hand.wants(event):
            self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_press(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.canvas.hand.walked = True

    def _is_of_tool(self, event: QKeyEvent) -> bool:
        pressed = QKeySequence(event.keyCombination())
        return any(pressed in self.window.actions_[f"paint.{tool}"].shortcuts() for tool in TOOLS)

    def _give_back(self) -> None:
        """What was typed is done: the next key is for painting."""
        if self.canvas.isVisible():
            self.canvas.setFocus()

    # a tool for a moment --------------------------------------------------------------------------------

    def _on_tool(self, tool: str) -> None:
        """A tool's key took it: it may be let go of."""
        if self._pressed is not None and self._pressed.before != tool:
            self._held.append(self._pressed)
            self._back = ""
        self._pressed = None

    def _on_release(self, event: QKeyEvent) -> None:
        self._keys.release(event)

    def _on_up(self, key: int, when: float) -> None:
        """A key is held no longer; a tap leaves its tool in the hand."""
        self._pressed = None
        place = next((at for at, held in enumerate(self._held) if held.key == key), None)
        if place is None:
            return
        held = self._held.pop(place)
        if place < len(self._held):  # another was taken since, and is in the hand
            if not held.tapped(when):
                self._held[place].before = held.before
        elif held.tapped(when):
            self._held.clear()
        else:
            self._back = held.before
            self._go_back()

    def _on_button(self, event: QEvent) -> None:
        self._keys.settle()
        self.canvas.hand.walked = False
        if self.canvas.underMouse():
            for held in self._held:
                held.used = True

    def _on_button_up(self, event: QEvent) -> None:
        QTimer.singleShot(0, self, self._on_lifted)  # the canvas has not heard of it yet

    def _on_lifted(self) -> None:
        self._go_back()
        if self.canvas.outlines.first is not None:
            self._keep()

    def _on_focus_out(self, event: QEvent) -> None:
        """Nobody tells when the key comes up in another window."""
        self._keys.settle()
        self._pressed = None
        if self._held:
            self._back = self._held[0].before
            self._held.clear()
            QTimer.singleShot(0, self, self._go_back)  # the canvas lifts the pen first

    def _go_back(self) -> None:
        """The tool from before the key was held, unless what was begun with this one goes on."""
        if self.canvas.hand.dragging:
            return  # once the stroke is done
        tool, self._back = self._back, ""
        if tool and not self.canvas.busy:
            self.canvas.set_tool(tool)

    # outlines -------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Keep with the project what is not closed yet, so that it is there again tomorrow."""
        if self.canvas.pen.labels is not None:
            self.window.session.remember(_KEPT, self.canvas.outlines.to_json())

    def _on_closed(self) -> None:
        """Images of another project may have the same names."""
        self.canvas.forget()
        self.canvas.outlines.forget_steps()
        self.canvas.outlines.take_over([])

    def _on_aside(self, tool: str) -> None:
        self._aside = (self.canvas.key, tool)
        self._late.start()

    def _tell_waiting(self) -> None:
        """Say that an outline waits here for its tool, or at the image that was left."""
        canvas, (key, tool) = self.canvas, self._aside
        self._aside = ("", "")
        here = canvas.outlines.waiting_at(canvas.key)
        left = self.window.session.record(key) if tool in canvas.outlines.waiting_at(key) else None
        if here:
            text = tr("What you began to draw with {tool} is kept.").format(tool=self._tool(here[-1]))
            advice = tr("Take that tool to go on with it; Esc then drops it.")
        elif left is not None:
            text = tr("What you began to draw on {image} is kept.").format(image=title(left))
            advice = tr("Go back there with {tool} to go on with it.").format(tool=self._tool(tool))
        else:
            return
        self.window.tell(Notice(text, advice, about="outline"))

    def _tool(self, tool: str) -> str:
        """A tool by its name and, where it has one, its key."""
        return named(f"paint.{tool}", self.window.actions_)

    def _on_short(self) -> None:
        self.window.tell(
            Notice(
                tr("This encloses nothing yet: it takes three corners."),
                tr("Click on, or press Esc to drop it."),
                about="corners",
            )
        )
