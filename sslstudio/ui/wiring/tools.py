"""How tools work: their options, what they may change, locked and hidden classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject

from sslstudio.errors import UserError
from sslstudio.images.limits import BOUND
from sslstudio.language import tr
from sslstudio.project.background import is_background
from sslstudio.project.label_map import UNPAINTED, Labels
from sslstudio.project.sparse_labels import TILE, SparseLabels
from sslstudio.regions import shaping
from sslstudio.regions.rect import Rect, whole
from sslstudio.regions.shaping import Change
from sslstudio.ui.canvas.search import MaskSearch, Search
from sslstudio.ui.image_model import title
from sslstudio.ui.notice import Notice
from sslstudio.ui.tool_options import EVERYTHING, ToolOptions, options_from_json

if TYPE_CHECKING:
    from sslstudio.ui.main_window import MainWindow

# switches of the same kind as an option
_ACTIONS = {
    "paint.square": "square",
    "paint.sieved": "sieved",
    "paint.pressure": "pressure",
    "paint.contiguous": "contiguous",
}
_AT_ONCE = 4_000_000  # pixels that are changed without anybody noticing a delay; more are changed beside the window
Shaping = Callable[[Any, int, ToolOptions, Rect], Iterator[Change]]


SHAPINGS: dict[str, Shaping] = {
    "grow": lambda labels, label, options, within: shaping.grown(labels, label, options.amount, within),
    "shrink": lambda labels, label, options, within: shaping.shrunk(labels, label, options.amount, within),
    "smooth": lambda labels, label, options, within: shaping.smoothed(labels, label, options.amount, within),
    "specks": lambda labels, label, options, within: shaping.without_specks(labels, label, options.speck, within),
}


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
        self.canvas.tool_changed.connect(self._show)
        self.canvas.searches.taken.connect(self._on_taken)
        self.canvas.searches.bounded.connect(self._on_bounded)
        self._wire_actions()
        self._wire_panel()

    def _wire_actions(self) -> None:
        act = self.window.actions_
        for name, option in _ACTIONS.items():
            act[name].triggered.connect(lambda on, option=option: self.change(**{option: on}))
        act["paint.only"].triggered.connect(self.next_only)
        for name, change in SHAPINGS.items():
            act[f"paint.{name}"].triggered.connect(lambda _=False, change=change: self.shape(change))
        act["paint.holes"].triggered.connect(lambda: self.shape(self._holes))
        act["paint.copy"].triggered.connect(lambda: self.copy_previous())
        act["paint.lock"].triggered.connect(lambda on: self.lock(self.canvas.current_class, on))
        act["paint.hide"].triggered.connect(lambda on: self.hide(self.canvas.current_class, on))

    def _wire_panel(self) -> None:
        panel = self.window.panels["paint"]
        panel.option_chosen.connect(lambda option, value: self.change(**{option: value}))
        panel.action_wanted.connect(lambda name: self.window.actions_[name].trigger())
        panel.class_lock_wanted.connect(self.lock)
        panel.class_hide_wanted.connect(self.hide)

    # wishes ---------------------------------------------------------------------------------------------

    def change(self, **values: object) -> None:
        """Change some of the options; the darkest and the brightest push each other."""
        options = replace(self.canvas.options, **values)  # type: ignore[arg-type]
        if "low" in values:
            options = replace(options, high=max(options.low, options.high))
        elif "high" in values:
            options = replace(options, low=min(options.low, options.high))
        self.canvas.set_options(options)

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

    def shape(self, change: Shaping) -> None:
        """Change where the current class lies: in the selection, or in the whole image. One edit."""
        label = self.canvas.current_class
        self.canvas.searches.then(lambda: self._shape(change, label))

    def _shape(self, change: Shaping, label: int) -> None:
        labels = self.canvas.pen.labels
        if labels is None:
            return
        options, area = self.canvas.options, self.canvas.pen.selection
        within = whole(labels.shape) if area.empty else area
        if self.canvas.pen.huge and within.width * within.height > BOUND * BOUND:
            within = self.canvas.sight().seen if area.empty else area
            if within.width * within.height > BOUND * BOUND:
                self._on_bounded()
                return

        if within.width * within.height <= _AT_ONCE:
            self._on_shaped(self.canvas.act(list(change(labels, label, options, within))), label)
            return
        find = _on_a_copy(change, labels, label, options, within)
        stroke = self.canvas.pen.stroke(label=label)
        self.canvas.searches.start(MaskSearch(find, stroke, tr("Changing the mask …")))

    def _on_bounded(self) -> None:
        """A tool would look through more of a huge image than memory and patience allow."""
        self._tell(
            tr("This image is so large that tools look through {bound:,} × {bound:,} pixels of it at most.").format(
                bound=BOUND
            ),
            tr("Click again further on, zoom in, or select a smaller part."),
        )

    def _on_shaped(self, changed: bool, label: int) -> None:
        name = self._names[label] if label < len(self._names) else ""
        bound = self.canvas.options.changeable() is not None
        advice = tr("Locks, hidden classes or “A stroke changes” may forbid it.") if bound else ""
        self._tell("" if changed else tr("There is nothing of “{name}” here to change.").format(name=name), advice)

    def _on_taken(self, search: Search, changed: bool) -> None:
        """What was looked for beside the window is on the mask, if there was anything."""
        if isinstance(search, MaskSearch):
            self._on_shaped(changed, search.stroke.value)
        elif not changed and search.outline:
            advice = tr("Leave some of the surroundings within the box, or use the lasso.")
            self._tell(tr("Nothing stands out in this box."), advice)
        else:
            self._tell("")

    def _holes(self, labels: np.ndarray, label: int, options: ToolOptions, within: Rect) -> Iterator[Change]:
        """Holes are unpainted, or background: what is painted in them otherwise has been put there."""
        fillable = np.zeros(256, bool)
        fillable[UNPAINTED] = True
        fillable[0] = bool(self._names) and is_background(self._names[0])
        return shaping.holes_filled(labels, label, fillable, within)

    def copy_previous(self) -> None:
        """Paint what is painted on the slice or image before this one, where it may change; one edit."""
        session, path = self.session, self.window.stacks.before()
        if session.project is None or session.labels is None:
            return
        if not path:
            record = session.current()
            sliced = record is not None and record.slices > 1
            self._tell(
                tr("This is the first slice of the stack.") if sliced else tr("This is the first image of the list."),
                tr("Choose another, then copy from the one before it."),
            )
            return
        before = session.record(path)
        self.canvas.searches.then(lambda: self._copy(path, title(before) if before is not None else path))

    def _copy(self, path: str, named: str) -> None:
        session = self.session
        if session.project is None or session.labels is None:
            return
        try:
            other = session.strokes.labels(session.project, path).labels
        except UserError as error:
            self._tell(error.problem, error.advice)
            return
        mine = session.labels.labels
        if type(other) is not type(mine):
            self._tell(tr("The masks of {named} and of this image are of different sizes.").format(named=named))
            return
        if other.shape != mine.shape:
            sizes = tr("{shape} × {shape_2}, this one {shape_3} × {shape_4} pixels").format(
                shape=other.shape[1], shape_2=other.shape[0], shape_3=mine.shape[1], shape_4=mine.shape[0]
            )
            self._tell(
                tr("{named} has {sizes}.").format(named=named, sizes=sizes),
                tr("Masks can be copied between images of one size."),
            )
            return
        changed = self.canvas.act(_laid_over(mine, other))
        self._tell(
            "" if changed else tr("Nothing is painted on {named} that this image does not have.").format(named=named)
        )

    def _tell(self, problem: str, advice: str = "") -> None:
        if problem:
            self.window.tell(Notice(problem, advice, "info", "tools"))
        else:
            self.window.notice.solved("tools")

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


def _on_a_copy(
    change: Shaping, labels: Labels, label: int, options: ToolOptions, within: Rect
) -> Callable[[], list[Change]]:
    """Finds a change of the labels as they are now, with as much around as can matter; one may paint on meanwhile."""
    seen = within.grown(max(4 * options.amount + 2, options.speck)).within(whole(labels.shape))
    copy, inner = seen.of(labels).copy(), within.moved(-seen.left, -seen.top)  # type: ignore[type-var]
    return lambda: [(rect.moved(seen.left, seen.top), new) for rect, new in change(copy, label, options, inner)]


def _laid_over(mine: Labels, other: Labels) -> Iterator[Change]:
    """What is painted in ``other``, over ``mine``; of huge masks only the tiles in which there is anything."""
    if isinstance(other, np.ndarray):
        yield whole(mine.shape), np.where(other == UNPAINTED, mine[:, :], other)
        return
    assert isinstance(other, SparseLabels)
    for place in other.places():
        if other.plain(place) != UNPAINTED:
            part, top, left = other.tile(place), place[0] * TILE, place[1] * TILE
            rect = Rect(left, top, left + part.shape[1], top + part.shape[0])
            yield rect, np.where(part == UNPAINTED, rect.of(mine), part)
