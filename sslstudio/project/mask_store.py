"""The mask files of a project beside its edit log: reading both as one, writing, and mending what was lost.

A mask remembers the last op that it holds (with the project and the image, so that a copied file is not believed).
Therefore a database that is older than its masks, after a backup stepped in or a journal was lost, is noticed, and
no stroke that a mask holds already is put on it again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.project.database import Database
from sslstudio.project.edit_log import DONE, UNDONE, EditLog, tally
from sslstudio.project.files import disk_refused, sync_folder
from sslstudio.project.index import ImageRecord
from sslstudio.project.label_map import UNPAINTED, LabelMap, Labels, as_labels
from sslstudio.project.masks import DamagedMask, read_note, read_noted, write_mask

_log = logging.getLogger(__name__)
_SAVED_TOGETHER = 32  # masks per wait for the disk
_IDENTITY = "_identity"  # the key of a setting


class MaskStore:
    """The labels of all images, from files and strokes; ``notices`` gets a sentence for all that is mended."""

    def __init__(
        self,
        path: Path,
        database: Database,
        edits: EditLog,
        image: Callable[[str], ImageRecord],
        notices: list[str],
        *,
        mend: bool,
    ) -> None:
        self._path = path
        self._db = database
        self._edits = edits
        self._image = image
        self._notices = notices
        self._mend = mend  # whether we are the one who may write
        self._saving = threading.RLock()
        self._known_identity = ""
        self._repairing = False

    def file(self, path: str) -> Path:
        """Where the mask of an image lies once it is saved."""
        return self._path / "masks" / f"{path}.png"

    # writing --------------------------------------------------------------------------------------------

    def save(self, colours: Sequence[str]) -> None:
        """Write the PNG of every image painted since its PNG was written; the first failure is raised at the end."""
        # Two programs saving the same mask could leave the older one on top, so they take turns.
        with self._saving:
            waiting = self._edits.waiting()
            if not waiting:
                return
            with _turn(self._path / "masks.lock", self._path.name):
                failures: list[UserError] = []
                for first in range(0, len(waiting), _SAVED_TOGETHER):
                    failures += self._save_some(waiting[first : first + _SAVED_TOGETHER], colours)
            if failures:
                raise failures[0]

    def _save_some(self, waiting: list[tuple[int, str]], colours: Sequence[str]) -> list[UserError]:
        """Write some masks, wait for the disk once, and only then record that they hold their strokes."""
        written, failures = {}, []
        for number, path in waiting:
            try:
                written[number] = self._write(path, colours)
            except UserError as error:
                failures.append(error)
        for folder in {self.file(path).parent for number, path in waiting if number in written}:
            sync_folder(folder)
        with self._db.transaction():
            for number, op in written.items():
                self._edits.saved(number, op)
        return failures

    def _write(self, path: str, colours: Sequence[str]) -> int:
        """Write an image's mask; the last op that it holds."""
        record = self._image(path)
        labels, op = self.labels(record, self._edits.shape(record.id))
        note = json.dumps([self._identity(), record.id, op])
        write_mask(self.file(path), labels.labels, colours, settle=False, note=note)
        return op

    def _identity(self) -> str:
        """What tells this project's masks from those of others."""
        if not self._known_identity:
            row = self._db.row("SELECT value FROM setting WHERE key=?", _IDENTITY)
            self._known_identity = json.loads(row[0]) if row else self._new_identity()
        return self._known_identity

    def _new_identity(self) -> str:
        made = uuid.uuid4().hex
        self._db.write("INSERT OR REPLACE INTO setting VALUES (?,?)", _IDENTITY, json.dumps(made))
        return made

    def discard(self, record: ImageRecord) -> None:
        """Move an image's mask to ``backups/masks`` and forget its strokes."""
        with self._saving:
            self._set_aside(record.path)
            self._edits.forget(record.id)

    def _set_aside(self, path: str) -> None:
        file, kept = self.file(path), self._path / "backups" / "masks" / f"{path}.png"
        if file.exists():
            try:
                kept.parent.mkdir(parents=True, exist_ok=True)
                file.replace(kept)
            except OSError as error:
                raise disk_refused(tr("The mask of {path}").format(path=path), error) from None

    # reading --------------------------------------------------------------------------------------------

    def labels(self, record: ImageRecord, shape: tuple[int, int]) -> tuple[LabelMap, int]:
        """The labels (H, W) of now and the last op that they hold (0: none since the PNG).

        Files are read without keeping others from painting. If a save comes in between, the strokes that it
        wrote are no longer among the pending ones, so we begin again.
        """
        while True:
            known = self._edits.png_op(record.id)
            labels, held = self._saved(record, shape, had_png=known > 0)
            if held > self._edits.last_op() and self._mend:
                self._take_newer_file(record, labels.labels, held)
                continue
            now, pending = self._edits.pending(record.id)
            if now == known:
                self._edits.put([patch for patch in pending if patch[0] > held], labels)
                return labels, pending[-1][0] if pending else 0

    def _saved(self, record: ImageRecord, shape: tuple[int, int], *, had_png: bool) -> tuple[LabelMap, int]:
        """What the PNG holds, and up to which op (0: not known); from the strokes where it was lost or damaged."""
        file = self.file(record.path)
        if not file.exists() and not had_png:
            return LabelMap.empty(*shape), 0
        try:
            saved, note = read_noted(file)
        except DamagedMask as error:
            if not self._edits.has(record.id, DONE) and not self._edits.has(record.id, UNDONE):
                raise
            return self._from_strokes(record, shape, error.problem), 0
        if saved.shape != shape:
            raise UserError(
                tr(
                    "The mask of {path} has {shape} × {shape_2} pixels, but the image has {shape_3} × {shape_4}."
                ).format(
                    path=record.path, shape=saved.shape[1], shape_2=saved.shape[0], shape_3=shape[1], shape_4=shape[0]
                ),
                tr("Put the right file at {file}, or remove it to paint anew.").format(file=file),
            )
        return LabelMap(as_labels(saved)), self._held(note, record.id)

    def _held(self, note: str, image: int) -> int:
        """The op that a mask's note tells; 0 where it has none, or that of another project or image."""
        if not note:
            return 0
        try:
            identity, number, op = json.loads(note)
        except ValueError:
            return 0
        return op if (identity, number) == (self._identity(), image) and isinstance(op, int) else 0

    # mending --------------------------------------------------------------------------------------------

    def _from_strokes(self, record: ImageRecord, shape: tuple[int, int], problem: str) -> LabelMap:
        """The labels put together from all strokes that are kept, with a sentence about it."""
        labels = LabelMap.empty(*shape)
        self._edits.rebuild(record.id, labels)
        counts = tally(labels.labels)[:UNPAINTED]
        found = {int(label): int(counts[label]) for label in np.flatnonzero(counts)}
        if found == self._edits.counted(record.id):
            self._tell(
                tr("{problem} The mask of {path} was made anew from its strokes; nothing is lost.").format(
                    problem=problem, path=record.path
                )
            )
            return labels
        part = sum(found.values()) / max(1, sum(self._edits.counted(record.id).values()))
        if self._mend:
            with contextlib.suppress(UserError):
                self._set_aside(record.path)
        self._tell(
            tr(
                "{problem} The mask of {path} was made anew from the strokes that are kept, about "
                "{part:.0%} of what was painted; what is left of the old file is in backups/masks."
            ).format(problem=problem, path=record.path, part=min(part, 1))
        )
        return labels

    def _tell(self, sentence: str) -> None:
        _log.warning("%s", sentence)
        if sentence not in self._notices:
            self._notices.append(sentence)

    def _take_newer_file(self, record: ImageRecord, labels: Labels, held: int) -> None:
        """The file holds strokes of which the database knows nothing: its newest part was lost; the file counts."""
        with self._db.transaction():
            self._edits.recount(record.id, labels)
            self._edits.go_on_after(held)
        if self._repairing:
            return  # the repair has a sentence of its own
        self._tell(
            tr(
                "The project's database had lost its newest part. {path} was kept as its mask was last "
                "saved; its strokes from before can no longer be undone."
            ).format(path=record.path)
        )

    def check_newer(self, records: Sequence[ImageRecord], since: float) -> None:
        """Look whether masks written since then (seconds since 1970) hold more than the database knows of."""
        last = self._edits.last_op()
        for record in records:
            file = self.file(record.path)
            with contextlib.suppress(OSError, UserError):
                if record.width and file.stat().st_mtime >= since - 1 and self._held(read_note(file), record.id) > last:
                    self.labels(record, (record.height, record.width))

    def folder_is_gone(self, records: Sequence[ImageRecord], colours: Sequence[str]) -> None:
        """Make the masks anew of which all strokes are kept, and tell which are lost."""
        made, lost = 0, []
        for record in records:
            shape = self._edits.shape(record.id)
            try:
                write_mask(self.file(record.path), self.labels(record, shape)[0].labels, colours)
                made += 1
            except UserError:
                lost.append(record.path)
        (self._path / "masks").mkdir(exist_ok=True)
        if made or lost:
            gone = (
                tr(" The masks of {lost} others are lost, for example {lost_2}.").format(lost=len(lost), lost_2=lost[0])
                if lost
                else ""
            )
            self._notices.insert(
                0,
                tr(
                    "The folder “masks” of the project was gone. {made} masks were made anew from their strokes.{gone}"
                ).format(made=made, gone=gone),
            )

    def after_repair(self, records: Sequence[ImageRecord], about: dict[str, Any], colours: Sequence[str]) -> list[str]:
        """Bring counts and strokes in line with the masks after a repair; what to tell, the main thing first."""
        if about["whole"]:
            return [tr("The project's database was damaged and was repaired; everything in it was saved.")]
        told, kept, self._repairing = [], 0, True
        for record in records:
            if not self.file(record.path).exists() and not self._edits.has(record.id, DONE):
                continue
            try:
                shape = (record.height, record.width) if record.width else self._edits.shape(record.id)
                labels = self._labels_of_any_size(record, shape)
                write_mask(self.file(record.path), labels, colours)
            except UserError as error:
                told.append(error.problem)
                continue
            self._edits.recount(record.id, labels)
            kept += 1
        self._repairing = False
        self._known_identity = self._new_identity()  # strokes are counted anew, so no older mask may be believed
        filled = tr("the last backup filled the holes") if about["backup"] else tr("there was no backup")
        return [
            tr(
                "The project's database was damaged and was repaired; {filled}. {kept} masks were saved "
                "as they are on disk, with all strokes that could be read; strokes from before can no "
                "longer be undone."
            ).format(filled=filled, kept=kept),
            *told,
        ]

    def _labels_of_any_size(self, record: ImageRecord, shape: tuple[int, int]) -> Labels:
        """The labels; where nobody knows the image's size any more, as the file has them."""
        if shape[0]:
            return self.labels(record, shape)[0].labels
        return read_noted(self.file(record.path))[0]


@contextlib.contextmanager
def _turn(file: Path, name: str) -> Iterator[None]:
    """Hold a lock for the time of a save."""
    lock = FileLock(file, timeout=60, thread_local=False)
    try:
        lock.acquire()
    except OSError as error:  # Timeout is one too
        raise disk_refused(tr("The masks of {name}").format(name=name), error) from None
    try:
        yield
    finally:
        lock.release()
