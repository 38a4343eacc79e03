"""How tools work: their options, what they may change, locked and hidden classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sslstudio.project.label_map import UNPAINTED
from sslstudio.ui.canvas.options import EVERYTHING, ToolOptions, options_from_json

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow

_ACTIONS = {"paint.square": "square"}  # switches that are an option of the same kind


class ToolsWiring(QObject):
    """Connects the canvas's options with panel, actions and the project's memory."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session
        self.canvas = window.canvas
        self._names: tuple[str, ...] = ()
        self.session.opened.connect(self._on_opened)
        self.session.classes_changed.connect(self._on_classes)
        self.canvas.options_changed.connect(self._on_options)
        self.canvas.class_changed.connect(self._show)
        self._wire_actions()
        self._wire_panel()

    def _wire_actions(self) -> None:
        act = self.window.actions_
        for name, option in _ACTIONS.items():
            act[name].triggered.connect(lambda on, option=option: self.change(**{option: on}))
        act["paint.only"].triggered.connect(self.next_only)
        act["paint.lock"].triggered.connect(lambda on: self.lock(self.canvas.current_class, on))
        act["paint.hide"].triggered.connect(lambda on: self.hide(self.canvas.current_class, on))

    def _wire_panel(self) -> None:
        panel = self.window.panels["paint"]
        panel.only_chosen.connect(lambda label: self.change(only=label))
        panel.square_chosen.connect(lambda on: self.change(square=on))
        panel.class_lock_wanted.connect(self.lock)
        panel.class_hide_wanted.connect(self.hide)

    # wishes ---------------------------------------------------------------------------------------------

    def change(self, **values: object) -> None:
        """Change some of the options."""
        self.canvas.set_options(replace(self.canvas.options, **values))  # type: ignore[arg-type]

    def next_only(self) -> None:
        """Bind strokes to the next of: everything, only unpainted, only the current class."""
        order = {EVERYTHING: UNPAINTED, UNPAINTED: self.canvas.current_class}
        self.change(only=order.get(self.canvas.options.only, EVERYTHING))

    def lock(self, at: int, wanted: bool) -> None:
        """Keep what is painted with a class, or no longer."""
        locked = self.canvas.options.locked
        self.change(locked=locked | {at} if wanted else locked - {at})

    def hide(self, at: int, wanted: bool) -> None:
        """Hide a class, or show it again."""
        hidden = self.canvas.options.hidden
        self.change(hidden=hidden | {at} if wanted else hidden - {at})

    # what happens ---------------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        self._names = self._named()
        kept = self.session.recall("tools", {})
        # yesterday's restriction would be a riddle today
        self.canvas.set_options(replace(options_from_json(kept), only=EVERYTHING, hidden=frozenset()))
        self._show()

    def _on_classes(self) -> None:
        """Classes may have gone or moved: locks go with their names."""
        old, self._names = self._names, self._named()
        if len(old) != len(self._names):
            options = self.canvas.options
            only = options.only if options.only in (EVERYTHING, UNPAINTED) else EVERYTHING
            self.change(only=only, locked=self._moved(old, options.locked), hidden=self._moved(old, options.hidden))
        self._show()

    def _moved(self, old: tuple[str, ...], places: frozenset[int]) -> frozenset[int]:
        names = {old[at] for at in places if at < len(old)}
        return frozenset(at for at, name in enumerate(self._names) if name in names)

    def _named(self) -> tuple[str, ...]:
        project = self.session.project
        return tuple(one.name for one in project.classes) if project else ()

    def _on_options(self, options: ToolOptions) -> None:
        self.session.remember("tools", options.to_json())
        self._show()

    def _show(self) -> None:
        act, options, current = self.window.actions_, self.canvas.options, self.canvas.current_class
        for name, option in _ACTIONS.items():
            act[name].setChecked(bool(getattr(options, option)))
        act["paint.lock"].setChecked(current in options.locked)
        act["paint.hide"].setChecked(current in options.hidden)
        self.window.redraw()
