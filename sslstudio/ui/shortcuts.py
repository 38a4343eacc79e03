"""Which keys do what: the table's own, and what the user chose instead; kept for all projects."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from sslstudio.language import later, tr
from sslstudio.ui import state
from sslstudio.ui.actions import ACTIONS, BY_ID, MENUS, Action

Keys = dict[str, tuple[str, ...]]  # the id of an action and its keys, such as "Ctrl+K"

_KEPT = "shortcuts"
_TIP, _NAMES, _KEYS = "tip", "tip_actions", "tip_keys"  # of widgets whose tool tips name keys
# These steer drawing itself; an action on one of them would keep a polygon from being closed.
RESERVED = {
    "Space": later("moving the image"),
    "Return": later("finishing"),
    "Esc": later("cancelling"),
    "Backspace": later("one corner back"),
}


def menu_texts() -> list[str]:
    """The names of the menus, each with a letter of its own that opens it with Alt: "&File"."""
    texts: list[str] = []
    taken: set[str] = set()
    for name in map(tr, MENUS):
        at = next((place for place, letter in enumerate(name.lower()) if letter not in taken), 0)
        taken.add(name[at].lower())
        texts.append(f"{name[:at]}&{name[at:]}")
    return texts


def reserved() -> dict[str, str]:
    """Keys that no action can have, and what they do, in the language in force."""
    opening = {
        f"Alt+{text[text.index('&') + 1].upper()}": tr("opening the menu “{menu}”").format(menu=text.replace("&", ""))
        for text in menu_texts()
    }
    return {**{key: tr(what) for key, what in RESERVED.items()}, **opening}


def defaults() -> Keys:
    """The keys of the table of actions."""
    return {row.id: row.shortcuts for row in ACTIONS}


def kept() -> Keys:
    """The keys in force: the table's, and the user's where there are some; a bad entry costs only itself."""
    try:
        chosen = json.loads(str(state.settings().value(_KEPT, "{}")))
    except ValueError:
        chosen = {}
    keys = defaults()
    for name, own in chosen.items() if isinstance(chosen, dict) else ():
        if name in keys and isinstance(own, list) and all(isinstance(key, str) and plain(key) for key in own):
            keys[name] = tuple(own)
    return keys


def keep(keys: Keys) -> None:
    """Remember keys that differ from the table's."""
    own = {name: list(chosen) for name, chosen in keys.items() if chosen != BY_ID[name].shortcuts}
    state.settings().setValue(_KEPT, json.dumps(own))


def conflicts(keys: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The keys that more than one action wants, or that drawing needs, with the ids of those that want them."""
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for name, chosen in keys.items():
        for key in chosen:
            wanted[plain(key)].append(name)
    never = reserved()
    return {key: tuple(names) for key, names in wanted.items() if len(names) > 1 or key in never}


def plain(key: str) -> str:
    """One spelling for one key."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def apply(actions: Mapping[str, QAction], keys: Keys) -> None:
    """Give actions their keys, and tool tips that name them."""
    for name, action in actions.items():
        action.setShortcuts([QKeySequence(key) for key in keys[name]])
        action.setToolTip(tip_of(BY_ID[name], action))


def tell_keys(widget: QWidget, tip: str, *names: str) -> None:
    """Give a widget a tool tip that ends with the keys of actions; it follows when these are changed."""
    widget.setProperty(_TIP, tip)
    if widget.property(_NAMES) == list(names):
        _join(widget)
    else:
        widget.setProperty(_NAMES, list(names))
        _say_keys(widget, defaults())


def tell_again(parent: QWidget, keys: Mapping[str, tuple[str, ...]]) -> None:
    """Let all tool tips within ``parent`` name the keys in force."""
    for widget in parent.findChildren(QWidget):
        if widget.property(_NAMES):
            _say_keys(widget, keys)


def _say_keys(widget: QWidget, keys: Mapping[str, tuple[str, ...]]) -> None:
    native = QKeySequence.SequenceFormat.NativeText
    told = [QKeySequence(keys[name][0]).toString(native) for name in widget.property(_NAMES) if keys[name]]
    widget.setProperty(_KEYS, tr(" and ").join(told))
    _join(widget)


def _join(widget: QWidget) -> None:
    tip, keys = str(widget.property(_TIP)), str(widget.property(_KEYS))
    widget.setToolTip(f"{tip}  ({keys})" if tip and keys else tip or keys)


def named(action: str, actions: Mapping[str, QAction]) -> str:
    """An action by its name and, where it has one, the key in force."""
    key = actions[action].shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    name = tr("“{name}”").format(name=BY_ID[action].told)
    return f"{name} ({key})" if key else name


def tip_of(row: Action, action: QAction) -> str:
    """What the pointer is told: text, tip, key."""
    native = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    tip = ". ".join(part for part in (row.told.rstrip("…"), row.told_tip) if part)
    return f"{tip}  ({native})" if native else tip
