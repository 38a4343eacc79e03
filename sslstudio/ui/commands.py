"""What the command palette offers: every action, every class, places in the window, and what only the pointer does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from sslstudio.language import tr
from sslstudio.ui.actions import BY_ID, CLASS_KEYS, Action
from sslstudio.ui.synonyms import BY_POINTER, PLACES, SYNONYMS, told_how

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow


@dataclass(frozen=True)
class Command:
    """One line of the palette.

    ``others`` is what it is found by beside its text, the closest first. ``why_not`` says why it cannot be done now;
    ``do`` is None for what only the pointer does, and ``key`` then says how.
    """

    id: str
    text: str
    others: tuple[str, ...] = ()
    key: str = ""
    icon: str = ""
    tip: str = ""
    why_not: str = ""
    do: Callable[[], object] | None = None


def commands(window: MainWindow) -> list[Command]:
    """All of them, as they are now."""
    rows = [BY_ID[name] for name, one in window.actions_.items() if one.isVisible() and name != "help.palette"]
    return [
        *(_of_action(row, window) for row in rows if not _is_class(row)),
        *_classes(window),
        *_places(window),
        *(
            Command("", tr(text), _both(words), told_how(how, _key(window, name)))
            for text, how, words, name in BY_POINTER
        ),
    ]


def _of_action(row: Action, window: MainWindow) -> Command:
    action = window.actions_[row.id]
    words = " ".join((*_both(SYNONYMS.get(row.id, "")), row.text.format(number=row.number), tr(row.menu)))
    return Command(
        row.id,
        action.text().rstrip("…"),
        (words, row.told_tip),
        _key(window, row.id),
        row.icon,
        row.told_tip,
        "" if action.isEnabled() else _why_not(row, window),
        action.trigger,
    )


def _key(window: MainWindow, name: str) -> str:
    """The key of an action as people read it; empty for none."""
    return window.actions_[name].shortcut().toString(QKeySequence.SequenceFormat.NativeText) if name else ""


def _why_not(row: Action, window: MainWindow) -> str:
    session = window.session
    if row.needs and session.project is None:
        return tr("no project is open")
    if session.reading and row.changes:
        return tr("open for reading")
    if row.needs == "image" and session.labels is None:
        return tr("no image is shown")
    if row.needs == "run":
        return tr("nothing runs")
    return {"edit.undo": tr("nothing to take back"), "edit.redo": tr("nothing to bring back")}.get(
        row.id, tr("not possible here")
    )


def _is_class(row: Action) -> bool:
    return row.menu == "Paint" and row.number > 0


def _classes(window: MainWindow) -> list[Command]:
    """Every class of the project, those without a key too."""
    project = window.session.project
    return [
        Command(
            f"class.{at}",
            tr("Class: {name}").format(name=one.name),
            (tr("paint label category"),),
            _key(window, f"paint.class_{at + 1}") if at < CLASS_KEYS else "",
            why_not=tr("open for reading") if window.session.reading else "",
            do=partial(window.painting.choose_class, at),
        )
        for at, one in enumerate(project.classes if project else ())
    ]


def _places(window: MainWindow) -> list[Command]:
    found = []
    for name, text, words in PLACES:
        place = window.findChild(QWidget, name)
        if place is not None and place.isVisible():
            do = partial(place.setFocus, Qt.FocusReason.ShortcutFocusReason)
            found.append(Command(name, tr(text), _both(words), do=do))
    return found


def _both(words: str) -> tuple[str, ...]:
    """Words in the language in force and in English, which many tools are known by."""
    return (f"{tr(words)} {words}",) if words else ()
