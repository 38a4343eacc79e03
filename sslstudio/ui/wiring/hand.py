"""Keys for the hand that draws, wherever in the window the keyboard is, and what is said about outlines under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QMenuBar

from sslstudio.language import tr
from sslstudio.ui.canvas.pen import TOOLS
from sslstudio.ui.image_model import title
from sslstudio.ui.keyboard import is_typing
from sslstudio.ui.notice import Notice
from sslstudio.ui.shortcuts import named

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow

_KEPT = "outlines"  # what is kept with the project
TAP = 600  # milliseconds up to which a tool's key was tapped; held longer, its tool is for as long as it is held
SOON = 700  # milliseconds after which it is said that an outline waits: a tool may be taken for a moment only


class HandWiring(QObject):
    """Hears the keys of the window's frame before its widgets do, and lets those of drawing reach the canvas.

    A click on a button or in a list moves the keyboard there; whoever paints on does not think of that. So the canvas
    takes the keyboard back with the first key that is meant for it, save while somebody types.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.canvas = window, window.canvas
        self._pressed: tuple[int, str] | None = None  # a key that is down, and the tool that was in the hand before
        self._held: tuple[int, str] | None = None  # the same once the key has taken another tool
        self._used = False
        self._aside = ("", "")  # the image and the tool of the outline that was put aside last
        self._since = QElapsedTimer()
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
        elsewhere = is_typing() or QApplication.activePopupWidget() is not None
        if elsewhere or isinstance(QApplication.focusWidget(), QMenuBar):
            return
        if not event.isAutoRepeat():
            self._pressed = (event.key(), self.canvas.tool) if self._is_of_tool(event) else None
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
        if self._pressed is not None and self._pressed[1] != tool:
            self._held, self._used = self._pressed, False
            self._since.start()
        self._pressed = None

    def _on_release(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        self._pressed = None
        if self._held is not None and event.key() == self._held[0]:
            if not (self._used or self._since.hasExpired(TAP)):
                self._held = None  # a tap: the tool stays in the hand
            elif not self.canvas.hand.dragging:
                self._go_back()
            else:
                self._held = (0, self._held[1])  # once the stroke is done

    def _on_button(self, event: QEvent) -> None:
        self.canvas.hand.walked = False
        self._used = self._used or self.canvas.underMouse()

    def _on_button_up(self, event: QEvent) -> None:
        QTimer.singleShot(0, self, self._on_lifted)  # the canvas has not heard of it yet

    def _on_lifted(self) -> None:
        if self._held is not None and self._held[0] == 0:
            self._go_back()
        if self.canvas.outlines.first is not None:
            self._keep()

    def _on_focus_out(self, event: QEvent) -> None:
        """Nobody tells when the key comes up in another window."""
        self._pressed = None
        if self._held is not None:
            self._go_back()

    def _go_back(self) -> None:
        """The tool from before the key was held, unless what was begun with this one goes on."""
        held, self._held = self._held, None
        if held is not None and not self.canvas.busy:
            self.canvas.set_tool(held[1])

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
