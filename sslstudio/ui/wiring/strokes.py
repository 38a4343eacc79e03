"""What is said after a stroke that cannot be seen, or that changed nothing because something forbids it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QKeySequence

from sslstudio.language import tr
from sslstudio.project.label_map import UNPAINTED
from sslstudio.ui.notice import Notice
from sslstudio.ui.tool_options import EVERYTHING

if TYPE_CHECKING:
    from sslstudio.ui.canvas.strokes import Ended
    from sslstudio.ui.main_window import MainWindow

_ABOUT = "strokes"


class StrokesWiring(QObject):
    """Tells it once for each situation, and takes it back when the situation is over."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.canvas = window, window.canvas
        self._told = ""
        self.canvas.lifted.connect(self._on_lifted)
        self.canvas.options_changed.connect(lambda _: self._on_other())
        window.actions_["view.masks"].toggled.connect(lambda _: self._on_other())
        window.session.image_chosen.connect(lambda _: self._on_other())

    def _on_lifted(self, stroke: Ended) -> None:
        notice = self._unseen(stroke.value) if stroke.changed else self._in_vain(stroke.value, stroke.held)
        if notice is None:
            self._on_other()
        elif notice.text != self._told:
            self._told = notice.text
            self.window.tell(notice)

    def _on_other(self) -> None:
        """The situation is another."""
        if self._told:
            self._told = ""
            self.window.notice.solved(_ABOUT)

    def _unseen(self, value: int) -> Notice | None:
        """Why the change that was made is not seen; None where it is."""
        masks = self.window.actions_["view.masks"]
        if not masks.isChecked():
            act: Callable[[], None] = masks.trigger
            return Notice(
                tr("Masks are hidden, so you do not see what you paint."),
                self._key("view.masks"),
                about=_ABOUT,
                button=tr("Show masks"),
                act=act,
            )
        if value in self.canvas.options.hidden:
            return Notice(
                tr("“{name}” is hidden, so you do not see what you paint.").format(name=self._class(value)),
                tr("The eye beside its name in the list shows it."),
                about=_ABOUT,
                button=tr("Show “{name}”").format(name=self._class(value)),
                act=lambda: self.window.tools.hide(value, False),
            )
        return None

    def _in_vain(self, value: int, held: int | None) -> Notice | None:
        """Why nothing was changed; None where there was nothing to change."""
        options = self.canvas.options
        if held is None:
            return None
        name = self._class(held)
        if options.only == value != UNPAINTED:
            text = tr("Strokes change only “{name}”, with which you paint: nothing can change.")
            return self._about_only(text.format(name=self._class(value)))
        if held in options.locked:
            return Notice(
                tr("“{name}” is locked, so it stays as it is.").format(name=name),
                tr("The lock beside its name in the list opens it."),
                about=_ABOUT,
                button=tr("Unlock “{name}”").format(name=name),
                act=lambda: self.window.tools.lock(held, False),
            )
        if held in options.hidden:
            return Notice(
                tr("“{name}” is hidden, and stays as it is meanwhile.").format(name=name),
                tr("The eye beside its name in the list shows it."),
                about=_ABOUT,
                button=tr("Show “{name}”").format(name=name),
                act=lambda: self.window.tools.hide(held, False),
            )
        if options.only == UNPAINTED:
            return self._about_only(tr("Strokes change only what is unpainted."))
        return self._about_only(tr("Strokes change only “{name}”.").format(name=self._class(options.only)))

    def _about_only(self, text: str) -> Notice:
        advice = tr("“Stroke options” in the panel says what they may change.")
        return Notice(
            text,
            advice,
            about=_ABOUT,
            button=tr("Let them change everything"),
            act=lambda: self.window.tools.change(only=EVERYTHING),
        )

    def _class(self, label: int) -> str:
        project = self.window.session.project
        classes = project.classes if project else ()
        return classes[label].name if label < len(classes) else tr("unpainted")

    def _key(self, action: str) -> str:
        """The other way than the notice's button, where there is a key."""
        key = self.window.actions_[action].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        return tr("{key} shows them.").format(key=key) if key else ""
