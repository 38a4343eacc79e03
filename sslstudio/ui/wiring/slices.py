"""Stacks: stepping through slices, and painting what lies between two of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject

from sslstudio.errors import UserError
from sslstudio.images.slices import all_slices, split_slice
from sslstudio.language import tr
from sslstudio.project.background import is_background
from sslstudio.project.label_map import UNPAINTED, Patch
from sslstudio.regions.between import Between
from sslstudio.ui import background
from sslstudio.ui.actions import BY_ID
from sslstudio.ui.notice import Notice
from sslstudio.ui.panels.words import many
from sslstudio.ui.shortcuts import tip_of
from sslstudio.ui.slice_bar import SliceState

if TYPE_CHECKING:
    from sslstudio.project.index import ImageRecord
    from sslstudio.project.project import Project
    from sslstudio.ui.main_window import MainWindow

_FARTHEST = 300  # slices; nobody paints one in so many and expects to get the others
_MOST_PIXELS = 100_000_000  # beyond, masks and their distances would take too much memory
_KEPT = "interpolated"  # what is kept with the project
_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


@dataclass(frozen=True)
class Gap:
    """Two painted images of a series, and the paths of those between them that nobody painted, damaged ones too."""

    before: str
    after: str
    between: tuple[str, ...]


class SlicesWiring(QObject):
    """Connects the bar of slices and the actions about stacks with the session."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window, self.session, self.bar = window, window.session, window.slices
        self._stack, self._painted = list[str](), set[int]()  # see _slices; the numbers of those that are painted
        self._known = ""  # the image to which these belong
        self._filling: background.Task | None = None
        self._left: set[str] = set()  # those of them that are as they were filled
        self.filled: dict[str, int] = {}  # what was filled last, and the edits that did it
        self._made: dict[str, int] = {}  # slices that were filled, by the edits that did it
        self.session.opened.connect(self._on_opened)
        self.session.image_chosen.connect(self._on_chosen)
        self.session.records_changed.connect(self._on_records)
        self.session.record_changed.connect(self._on_record)
        self.session.image_ready.connect(self.refresh)
        self.session.closed.connect(self._on_closed)
        self.bar.chosen.connect(self.go_to)
        self.bar.action_wanted.connect(lambda name: window.actions_[name].trigger())
        act = window.actions_
        act["image.slice_previous"].triggered.connect(lambda: self.step(-1))
        act["image.slice_next"].triggered.connect(lambda: self.step(1))
        act["image.stack_previous"].triggered.connect(lambda: self._other_file(-1))
        act["image.stack_next"].triggered.connect(lambda: self._other_file(1))
        act["paint.interpolate"].triggered.connect(lambda: self.interpolate())

    # stepping -------------------------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Go to a slice nearby; from an image that is no stack to the next one."""
        record = self.session.current()
        if record is None or record.slices < 2:
            self.window.browser.go(by)
        elif 1 <= record.slice + by <= record.slices:
            self.go_to(record.slice + by)

    def go_to(self, number: int) -> None:
        """Go to a slice of this stack; those beyond it on the way are loaded ahead."""
        record = self.session.current()
        if record is None:
            return
        on = 1 if number >= record.slice else -1
        ahead = [self._slice(at) for at in (number + on, number - on, number + 2 * on)]
        if path := self._slice(number):
            self.window.painting.go_to(path, [other for other in ahead if other])

    def _slice(self, number: int) -> str:
        """The path of a slice of this stack; empty for none."""
        stack = self._slices()
        return stack[number - 1] if 1 <= number <= len(stack) else ""

    def _other_file(self, by: int) -> None:
        """Go past all slices to another file."""
        here = {*self._slices(), self.session.image}
        self.window.browser.go(by, wanted=lambda record: record.path not in here)

    def before(self) -> str:
        """The image before this one, of which a mask may be copied: in a stack the slice before; empty for none."""
        record = self.session.current()
        if record is None or record.slices < 2:
            return self.window.browser.before()
        return self._slice(record.slice - 1)

    def _draw(self) -> None:
        record = self.session.current()
        if record is None:
            self.bar.draw(SliceState())
            return
        self._slices()
        self.refresh()

    def _slices(self) -> list[str]:
        """The paths of all slices of the stack of which the current image is one; empty for none."""
        record = self.session.current()
        if record is not None and record.path != self._known:  # asked for each slice of a long stack
            if record.path not in self._stack:
                self._stack = self._stack_of(record)
                slices = (self.session.record(path) for path in self._stack)
                self._painted = {one.slice for one in slices if one is not None and one.painted > 0}
            self._known = record.path
        return self._stack

    def _stack_of(self, record: ImageRecord) -> list[str]:
        if record.slices < 2:
            return []
        if not record.series:
            return all_slices(split_slice(record.path)[0], record.slices)
        # files of a series stand side by side in the list
        beside = [self.session.beside(record.path, at - record.slice) for at in range(1, record.slices + 1)]
        files = [one.path for at, one in enumerate(beside, start=1) if one is not None and one.slice == at]
        return files if len(files) == record.slices else []  # else the list is about to be read anew

    def _on_records(self) -> None:
        self._stack, self._known = [], ""
        self._draw()

    def _on_opened(self) -> None:
        kept = self.session.recall(_KEPT, {})
        self._made = {str(path): int(edit) for path, edit in kept.items()} if isinstance(kept, dict) else {}

    def on_step(self) -> None:
        """In another step what was filled is no matter any more."""
        if self.window.step not in ("images", "paint"):
            self.window.notice.solved("slices")

    def _on_chosen(self, path: str) -> None:
        self._draw()
        if self._left and not self._is_beside_filled(path):
            self._left.clear()
            self.window.notice.solved("slices")

    def _is_beside_filled(self, path: str) -> bool:
        """Whether an image belongs to the stack or the numbered series that was filled last."""
        filled = next(iter(self.filled), "")
        record = self.session.record(path)
        if record is not None and record.slices > 1:
            other = self.session.record(filled)
            return other is not None and other.whole == record.whole
        return path in self.filled or (_series(path) is not None and _series(path) == _series(filled))

    def _on_record(self, record: ImageRecord) -> None:
        project, path = self.session.project, record.path
        if path in self._left and project is not None and project.newest_edit(path) != self.filled[path]:
            self._left.discard(path)
            if not self._left:  # nothing is left that could be taken back
                self.window.notice.solved("slices")
        if record.path in self._slices():
            (self._painted.add if record.painted > 0 else self._painted.discard)(record.slice)
            self._draw()
        else:
            self.refresh()

    def _on_closed(self) -> None:
        self._stack, self._known = [], ""
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None
        self.bar.draw(SliceState())

    # what lies between ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Enable “Interpolate between slices” where there is something to fill, else let its tip say why not."""
        action, row = self.window.actions_["paint.interpolate"], BY_ID["paint.interpolate"]
        record, reason = self.session.current(), self._why_not()
        action.setEnabled(not reason)
        action.setToolTip(f"{tip_of(row, action)}\n{reason}".strip())
        if record is not None:
            self.bar.draw(SliceState(record.slice, record.slices, frozenset(self._painted), not reason, reason))

    def _why_not(self) -> str:
        record = self.session.current()
        if self.session.reading:
            return self.session.reading
        if record is None or self.session.labels is None:
            return tr("Open a slice first.")
        if self._filling is not None:
            return tr("It is at work.")
        if record.width * record.height > _MOST_PIXELS:
            return tr("These slices are too large to be filled.")
        if self.gaps():
            return ""
        if self._beside(record, 1) is None and self._beside(record, -1) is None:
            return tr("This image is no slice of a stack and none of a numbered series.")
        return tr("Paint one slice before and one after those that are to be filled.")

    def gaps(self) -> list[Gap]:
        """The slices around the current one that nobody has painted, with a painted one on both sides."""
        record = self.session.current()
        if record is None:
            return []
        back, first = self._reach(record, -1)
        on, last = self._reach(record, 1)
        if not self._by_hand(record):
            found = [Gap(first, last, (*reversed(back), record.path, *on))] if first and last else []
        else:
            found = [Gap(first, record.path, tuple(reversed(back)))] if first else []
            found += [Gap(record.path, last, tuple(on))] if last else []
        return [gap for gap in found if any(map(self._usable, gap.between))]

    def _reach(self, record: ImageRecord, by: int) -> tuple[list[str], str]:
        """The images of the series on one side that nobody painted, and the painted one behind them; empty for none."""
        passed: list[str] = []
        one = self._beside(record, by)
        while one is not None and len(passed) < _FARTHEST:
            if self._by_hand(one):
                return passed, one.path
            passed.append(one.path)
            one = self._beside(one, by)
        return passed, ""

    def _by_hand(self, record: ImageRecord) -> bool:
        """Whether somebody painted on an image; what was only filled before may be filled anew."""
        return record.painted > 0 and not record.problem and not self._only_filled(record.path)

    def _only_filled(self, path: str) -> bool:
        """Whether the last that was done to a slice was to fill it; undone and done again, it is so once more."""
        project = self.session.project
        if project is None or path not in self._made or self.session.strokes.waits(path):
            return False
        return project.newest_edit(path) == self._made[path]

    def _usable(self, path: str) -> bool:
        return (record := self.session.record(path)) is not None and not record.problem

    def _beside(self, record: ImageRecord, by: int) -> ImageRecord | None:
        """The next slice of the stack, or the next file of a series with one name and different numbers."""
        if record.slices > 1:
            other = self.session.record(self._slice(record.slice + by))
        else:
            other = self.session.beside(record.path, by)
            if other is not None and (other.slices > 1 or _series(other.path) != _series(record.path)):
                other = None
        if other is None or (other.problem and other.slices < 2):  # a damaged slice is passed over
            return None
        return other if (other.width, other.height) == (record.width, record.height) else None

    def interpolate(self) -> None:
        """Paint the slices between painted ones, each as one edit; nothing that somebody painted is touched."""
        self.window.canvas.searches.then(self._interpolate)

    def _interpolate(self) -> None:
        project, gaps = self.session.project, self.gaps()
        if project is None or project.reading or not gaps or not self.session.save_strokes():
            return
        names = [one.name for one in project.classes]
        ground = 0 if names and is_background(names[0]) else None

        def work(task: background.Task) -> list[Between]:
            masks = [(_labels(project, gap.before), _labels(project, gap.after)) for gap in gaps]
            return [Between(before, after, ground) for before, after in masks]

        def done(found: list[Between]) -> None:
            plan = [
                (path, between, (at + 1) / (len(gap.between) + 1))
                for gap, between in zip(gaps, found, strict=True)
                for at, path in enumerate(gap.between)
                if self._usable(path)
            ]
            self._fill(project, plan, {})

        self._run(work, done)

    def _run(self, work, done) -> None:  # type: ignore[no-untyped-def]
        words = tr("Slices are being filled")
        task = self._filling = self.session.tasks.run(work, done, self._on_failed, unfinished=words)
        task.over.connect(lambda _: self._on_called_off() if task.cancelled else None)
        self.refresh()

    def _on_called_off(self) -> None:
        self._filling = None
        self.refresh()

    def _on_failed(self, error: UserError, filled: dict[str, int] | None = None) -> None:
        self._on_called_off()
        if filled:
            self._tell(filled)
        self.window.tell(Notice(error.problem, error.advice, "warning", "unfilled"))

    def _fill(self, project: Project, plan: list[tuple[str, Between, float]], filled: dict[str, int]) -> None:
        """Work out the next slice beside the window, paint it, and go on until all are filled.

        The window itself paints them, as it does strokes, so that no stroke made meanwhile can be in the way.
        """
        session = self.session
        if session.project is not project:
            return
        if not plan:
            self._filling, self.filled, self._left = None, filled, set(filled)
            self.refresh()
            self._tell(filled)
            return
        (path, between, share), rest = plan[0], plan[1:]

        def done(labels: np.ndarray) -> None:
            try:
                self._put(project, path, labels, filled)
            except UserError as error:  # its mask cannot be read
                self._on_failed(error, filled)
            else:
                self._fill(project, rest, filled)

        free = self.window.canvas.searches.then
        self._run(lambda task: between.at(share), lambda labels: free(lambda: done(labels)))

    def _put(self, project: Project, path: str, labels: np.ndarray, filled: dict[str, int]) -> None:
        """Paint labels (H, W) where an image is unpainted; what that changes is added to ``filled``.

        The number of the edit stands there as soon as the disk has taken it, which may refuse for a while.
        """
        session = self.session
        if path == session.image:
            self.window.canvas.finish_stroke()
        mine = session.strokes.labels(project, path).labels[:, :]
        after = labels if self._only_filled(path) else np.where(mine == UNPAINTED, labels, mine)
        if np.array_equal(mine, after):
            return

        def written(edit: int) -> None:
            filled[path] = self._made[path] = edit
            session.remember(_KEPT, dict(self._made))

        filled[path] = 0
        session.add_stroke(Patch(0, 0, mine), Patch(0, 0, after), path, written)
        if path == session.image and session.labels is not None:
            session.labels.put(Patch(0, 0, after))
            session.patched.emit(Patch(0, 0, after))

    def _tell(self, filled: dict[str, int]) -> None:
        """Say what was filled; ``filled`` maps paths to the edits that did, 0 for those that the disk still refuses."""
        if not filled:
            self.window.tell(Notice(tr("Between the painted slices all is as it should be."), about="slices"))
            return
        first, last = (self._named(path) for path in (next(iter(filled)), next(reversed(filled))))
        where = first if len(filled) == 1 else tr("{first} to {last}").format(first=first, last=last)
        self.window.tell(
            Notice(
                tr("Filled {slices}: {where}.").format(slices=many(len(filled), "slice"), where=where),
                tr("Look through them and mend what is wrong; undo works on each."),
                "info",
                "slices",
                tr("Take all back"),
                lambda: self._take_back(filled),
            )
        )

    def _named(self, path: str) -> str:
        record = self.session.record(path)
        return str(record.slice) if record is not None and record.slices > 1 else PurePosixPath(path).name

    def _take_back(self, filled: dict[str, int]) -> None:
        """Undo the filling of each slice, save where something was painted since."""
        self.window.canvas.searches.then(lambda: self._take_back_now(filled))

    def _take_back_now(self, filled: dict[str, int]) -> None:
        project, session = self.session.project, self.session
        if project is None or not session.save_strokes():
            self._tell(filled)  # the offer stands until the disk has all of it
            return
        self.window.notice.solved("slices")
        newest = {path: project.newest_edit(path) for path in filled}
        changed = [path for path, edit in filled.items() if newest[path] > edit]
        try:
            for path in [
                path for path, edit in filled.items() if newest[path] == edit
            ]:  # others were undone one by one
                if path == session.image and session.labels is not None:
                    self.window.painting.step(session.undo)
                else:
                    project.undo(path)
                    session.after_edit(path)
        except UserError as error:
            self._on_failed(error, filled)
            return
        if changed:
            where = ", ".join(map(self._named, changed[:5]))
            text = tr("Not taken back, since something was painted there afterwards: {slices} ({where}).").format(
                slices=many(len(changed), "slice"), where=where
            )
            self.window.tell(Notice(text, about="slices"))


def _labels(project: Project, path: str) -> np.ndarray:
    """The mask of an image as one array (H, W), however it is kept."""
    labels: np.ndarray = project.label_map(path).labels[:, :]
    return labels


def _series(path: str) -> str | None:
    """What the names of a series of files have in common: all but the last number; None without a number."""
    plain = PurePosixPath(path)
    stem = plain.stem if any(letter.isalpha() for letter in plain.suffix) else plain.name
    found, times = _LAST_NUMBER.subn("\0", stem)
    return f"{plain.parent}/{found}" if times else None
