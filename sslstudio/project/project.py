"""A project: one folder that its user owns, and everything that may be done with it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sslstudio.errors import UserError
from sslstudio.images.reader import EXTENSIONS
from sslstudio.images.scan import scan
from sslstudio.language import tr
from sslstudio.project import places
from sslstudio.project.backups import Rolling
from sslstudio.project.classes import LabelClass, check_classes, default_colour, moved_up, named_classes
from sslstudio.project.database import DamagedDatabase, Database
from sslstudio.project.edit_log import DONE, UNDONE, EditLog
from sslstudio.project.files import disk_refused
from sslstudio.project.index import (
    ImageRecord,
    Index,
    Progress,
    RefreshReport,
    image_info,
    predicted_paths,
)
from sslstudio.project.label_map import LabelMap, Labels, Patch, as_labels, whole_patch
from sslstudio.project.lock import ProjectLock
from sslstudio.project.mask_store import MaskStore
from sslstudio.project.places import ImagesMoved, default_project_path
from sslstudio.project.repair import REPAIRED, open_database, salvage

__all__ = ["ImageRecord", "ImagesMoved", "Project", "RefreshReport", "default_project_path"]

_REMOVED = "removed classes"  # the key of a setting


class Project:
    """An open project; may be used from several threads. Make one with ``create`` or ``open``.

    ``notices`` are sentences that the user should read once: a backup that had to step in, for example.
    ``reading`` says why nothing may be changed; empty where it may.
    """

    def __init__(self, path: Path, database: Database, lock: ProjectLock | None, images_root: Path) -> None:
        self.path = path
        self.images_root = images_root
        self.notices: list[str] = []
        self.reading = ""
        self._shadow: tempfile.TemporaryDirectory[str] | None = None
        self._db = database
        self._lock = lock
        self._index = Index(database)
        self._edits = EditLog(database)
        self._masks = MaskStore(path, database, self._edits, self.image, self.notices, mend=lock is not None)
        self._backups = Rolling(database)
        self._predicted = predicted_paths(path / "predictions")

    # life -----------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path, images: Path, classes: Sequence[str] = ()) -> Project:
        """Make ``<name>.sslproj`` for the images below a folder and open it; the images are left untouched.

        Raises UserError when there is a project already, no image is found, or the disk refuses.
        """
        path, images = places.with_suffix(path), Path(images).expanduser().absolute()
        if places.is_project(path):
            raise UserError(
                tr("There is already a project at {path}.").format(path=path), tr("Open it, or choose another name.")
            )
        labels = named_classes(classes)
        check_classes(labels)
        found = list(scan(images))
        if not found:
            raise UserError(
                tr("No images were found in {images}.").format(images=images),
                tr("Choose a folder with images; these kinds are read: {extensions}.").format(
                    extensions=", ".join(sorted(EXTENSIONS))
                ),
            )
        existed = path.exists()
        try:
            return cls._make(path, images, labels, found)
        except BaseException as error:
            if not existed:
                shutil.rmtree(path, ignore_errors=True)
            if isinstance(error, OSError):
                raise disk_refused(tr("The project {name}").format(name=path.name), error) from None
            raise

    @classmethod
    def _make(cls, path: Path, images: Path, classes: tuple[LabelClass, ...], found: list) -> Project:
        for part in ("masks", "predictions", "cache", "runs", "models"):
            (path / part).mkdir(parents=True, exist_ok=True)
        lock = ProjectLock(path)
        lock.take()
        try:
            database = Database(path, create=True)
            project = cls(path, database, lock, images)
            try:
                with database.transaction():
                    places.store_images(database, path, images)
                    project.set_classes(classes)
                    project._index.add(found)
                project._backups.roll()
            except BaseException:
                database.close()
                raise
        except BaseException:
            lock.release()
            raise
        return project

    @classmethod
    def open(cls, path: Path, *, write: bool = True) -> Project:
        """Open a project; ``write=False`` works beside a window that has it open and takes no lock.

        Raises UserError: no project there, open elsewhere (naming the holder), read-only, made by a newer
        program, damaged without a backup; ImagesMoved when the image folder is gone.
        """
        path = places.existing(path)
        lock = ProjectLock(path) if write else None
        if lock:
            lock.take()
        try:
            database = open_database(path, write)
            try:
                project = cls(path, database, lock, places.find_images(database, path))
                if lock:
                    project._bring_in_line(lock.left)
            except BaseException:
                database.close()
                raise
        except BaseException:
            if lock:
                lock.release()
            raise
        return project

    @classmethod
    def look(cls, path: Path, why: UserError) -> Project:
        """Open for reading what could not be opened for writing; ``why`` is what kept it from that.

        A damaged project stays as it is: what can be read of it is put together in a place of its own, and
        ``notices`` say what that is. Raises UserError where nothing can be read.
        """
        path = places.existing(path)
        try:
            project, told = cls.open(path, write=False), tr("everything that was saved is here")
        except DamagedDatabase:
            project, told = cls._salvaged(path)
        project.reading = why.problem
        project.notices.insert(
            0,
            tr("{problem} It is open for reading: {told}; nothing can be changed.").format(
                problem=why.problem, told=told
            ),
        )
        return project

    @classmethod
    def _salvaged(cls, path: Path) -> tuple[Project, str]:
        """A damaged project as far as it can be read, and what that is, in words."""
        shadow = tempfile.TemporaryDirectory(prefix="sslstudio-")
        place = Path(shadow.name) / path.name
        place.mkdir()
        try:
            database = salvage(path, place)
            try:
                project = cls(path, database, None, places.find_images(database, path))
                about = project.setting(REPAIRED)
                if not about["whole"]:
                    project._index.refresh(list(scan(project.images_root)), project.images_root)
            except BaseException:
                database.close()
                raise
        except BaseException:
            shadow.cleanup()
            raise
        project._shadow = shadow
        if about["whole"]:
            return project, tr("everything in its damaged database could be read")
        filled = tr("the last backup filled the holes") if about["backup"] else tr("there was no backup")
        return project, (
            tr("{strokes} strokes could be read of its damaged database ({filled}), and all masks on the disk").format(
                strokes=about["strokes"], filled=filled
            )
        )

    @classmethod
    def relocate(cls, path: Path, new_images: Path) -> Project:
        """Tell a project where its images are now, and open it; raises UserError when none of them is there."""
        path, images = places.existing(path), Path(new_images).expanduser().absolute()
        lock = ProjectLock(path)
        lock.take()
        try:
            database = open_database(path, True)
            with contextlib.closing(database):
                here = {found.path for found in scan(images)}
                known = [row[0] for row in database.rows("SELECT path FROM image")]
                if known and not any(one in here for one in known):
                    raise UserError(
                        tr("None of the project's {known} images is in {images} (for example {known_2}).").format(
                            known=len(known), images=images, known_2=known[0]
                        ),
                        tr("Choose the folder that holds them with the same names."),
                    )
                places.store_images(database, path, images)
        finally:
            lock.release()
        return cls.open(path)

    def close(self) -> None:
        """Write pending masks, keep a backup, let others open the project; harmless twice."""
        try:
            if self._lock:
                self.save_masks()
                if self._db.changed:
                    self._backups.roll()
        finally:
            self._db.close()
            if self._shadow:
                self._shadow.cleanup()
            if self._lock:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> Project:
        """The project itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the project."""
        self.close()

    @property
    def name(self) -> str:
        """The project's name: its folder without ``.sslproj``."""
        return self.path.name.removesuffix(places.SUFFIX)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """All edits inside succeed or none; one wait for the disk instead of many."""
        with self._db.transaction():
            yield

    # images ---------------------------------------------------------------------------------------------

    def refresh(self) -> RefreshReport:
        """Scan the image folder again; a painted image that is gone or changed its size becomes a problem."""
        self._predicted = predicted_paths(self.path / "predictions")
        return self._index.refresh(list(scan(self.images_root)), self.images_root)

    def check_files(self, progress: Progress | None = None, *, only_urgent: bool = False) -> list[ImageRecord]:
        """Look into the headers of files not yet looked into; those with a problem. ``progress(done, total)``."""
        if self._db.writable:
            self._index.check(self.images_root, progress, only_urgent=only_urgent)
        return self.problems()

    def unchecked(self) -> int:
        """How many images ``check_files`` would look into."""
        return self._index.unchecked() if self._db.writable else 0

    def look_closely(self, paths: Sequence[str]) -> int:
        """Decode these images whole and note what their headers did not show; how many cannot be used."""
        return self._index.decode(self.images_root, paths) if self._db.writable else 0

    def images(self) -> list[ImageRecord]:
        """All images in natural order."""
        return self._index.records(self._predicted)

    def problems(self) -> list[ImageRecord]:
        """The images that cannot be used, each with its reason."""
        return self._index.records(self._predicted, "WHERE problem <> ''")

    def painted(self) -> list[ImageRecord]:
        """The images on which anything is painted."""
        return self._index.records(self._predicted, "WHERE painted > 0")

    def image(self, path: str) -> ImageRecord:
        """One image by its relative path; raises UserError for an unknown one."""
        found = self._index.records(self._predicted, "WHERE path=?", path)
        if not found:
            raise UserError(
                tr("There is no image “{path}” in {name}.").format(path=path, name=self.name),
                tr("Refresh the project, or check the name."),
            )
        return found[0]

    def image_file(self, path: str) -> Path:
        """Where the image lies."""
        return self.images_root / path

    def mask_file(self, path: str) -> Path:
        """Where the image's mask lies once it is saved."""
        return self.path / "masks" / f"{path}.png"

    def prediction_file(self, model: str, path: str) -> Path:
        """Where a model's prediction for the image lies."""
        return self.path / "predictions" / model / f"{path}.png"

    def note_predictions(self) -> None:
        """Look again which images have predictions: after a run has left some."""
        self._predicted = predicted_paths(self.path / "predictions")

    # classes and settings -------------------------------------------------------------------------------

    @property
    def classes(self) -> tuple[LabelClass, ...]:
        """The classes; a class's pixel value is its place."""
        return tuple(LabelClass(*row) for row in self._db.rows("SELECT name, colour FROM class ORDER BY place"))

    def set_classes(self, classes: Sequence[LabelClass]) -> None:
        """Replace names and colours; a class that is painted somewhere cannot be dropped from the end."""
        self._need_lock()
        check_classes(classes)
        with self._db.transaction():
            old = self.classes
            lost = [label for label in self._edits.class_pixels(usable_only=False) if label >= len(classes)]
            if lost and min(lost) < len(old):
                raise UserError(
                    tr("Class “{name}” is painted in some masks.").format(name=old[min(lost)].name),
                    tr("Erase it there first."),
                )
            self._db.write("DELETE FROM class")
            self._db.write_many(
                "INSERT INTO class (place, name, colour) VALUES (?,?,?)",
                [(place, c.name, c.colour) for place, c in enumerate(classes)],
            )

    def remove_class(self, at: int, models: Sequence[str] = ()) -> None:
        """Take a class away: what it painted becomes unpainted, and those after it move up; all of it or nothing.

        ``models`` speak of the classes as they were; ``places_of`` translates. Raises UserError, for example when
        a mask cannot be read.
        """
        self._need_lock()
        table, classes = moved_up(at), self.classes
        with self._db.transaction():
            for number in self._edits.painted_with(at):
                (record,) = self._index.records(self._predicted, "WHERE id=?", number)
                self._edits.relabel(number, self._masks.labels(record, self._edits.shape(number))[0].labels, table)
            self.set_classes((*classes[:at], *classes[at + 1 :]))
            self.set_setting(_REMOVED, [*self.setting(_REMOVED, []), {"place": at, "models": list(models)}])

    def places_of(self, model: str) -> np.ndarray:
        """What each label of a model's prediction is now, (256,) uint8: classes may have gone since it was made."""
        table = np.arange(256, dtype=np.uint8)
        for gone in self.setting(_REMOVED, []):
            if model in gone["models"]:
                table = moved_up(gone["place"])[table]
        return table

    def class_images(self, at: int) -> int:
        """In how many images something is painted with a class."""
        return self._edits.images_with(at)

    def class_pixels(self) -> dict[str, int]:
        """Painted pixels of every class over all usable images; 0 for a class that nobody painted."""
        counts = self._edits.class_pixels()
        return {one.name: counts.get(label, 0) for label, one in enumerate(self.classes)}

    def painted_classes(self, path: str) -> frozenset[int]:
        """The pixel values of the classes that occur in one image's mask."""
        return self._edits.labels_of(self.image(path).id)

    def setting(self, key: str, default: Any = None) -> Any:
        """A small value kept with the project."""
        row = self._db.row("SELECT value FROM setting WHERE key=?", key)
        return json.loads(row[0]) if row else default

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a small JSON value with the project; it is not waited for until the disk has it."""
        self._db.write_soon("INSERT OR REPLACE INTO setting VALUES (?,?)", key, json.dumps(value))

    # labels ---------------------------------------------------------------------------------------------

    def label_map(self, path: str) -> LabelMap:
        """The labels of an image as they are now, in memory of the caller; raises UserError.

        What the mask's PNG holds, and what was painted since.
        """
        record, shape = self._painted_image(path)
        return self._masks.labels(record, shape)[0]

    def add_edit(self, path: str, before: Patch, after: Patch) -> None:
        """Keep a stroke: the same rectangle before and after. It is safe on disk when this returns."""
        self._need_lock()
        record, shape = self._painted_image(path)
        if before.labels.shape != after.labels.shape or (before.top, before.left) != (after.top, after.left):
            raise ValueError("before and after must be the same rectangle")
        bottom, right = after.top + after.labels.shape[0], after.left + after.labels.shape[1]
        if min(after.top, after.left) < 0 or bottom > shape[0] or right > shape[1]:
            raise ValueError(f"the rectangle up to ({bottom}, {right}) leaves the image of {shape}")
        self._edits.add(record.id, shape, before, after)

    def check_mask(self, path: str, labels: Labels) -> None:
        """Raise UserError when (H, W) ``labels`` cannot be this image's mask: wrong size, unusable image."""
        shape = self._painted_image(path)[1]
        if labels.shape != shape:
            raise UserError(
                tr("The mask has {shape} × {shape_2} pixels, but {path} has {shape_3} × {shape_4}.").format(
                    shape=labels.shape[1], shape_2=labels.shape[0], path=path, shape_3=shape[1], shape_4=shape[0]
                ),
                tr("A mask must have exactly the size of its image."),
            )

    def set_mask(self, path: str, labels: Labels) -> None:
        """Replace the whole mask by (H, W) uint8 labels; can be undone. Raises UserError for a wrong size."""
        self._need_lock()
        self.check_mask(path, labels)
        record, shape = self._painted_image(path)
        with self._db.transaction():
            before = as_labels(self._masks.labels(record, shape)[0].labels)
            after = as_labels(labels.astype(np.uint8, copy=False) if isinstance(labels, np.ndarray) else labels)
            if type(before) is not type(after):
                raise ValueError("labels by tiles belong to huge images only")
            self._edits.add(record.id, shape, whole_patch(before), whole_patch(after))

    def discard_mask(self, path: str) -> None:
        """Begin this image anew: its mask moves to ``backups/masks`` and its strokes are forgotten."""
        self._need_lock()
        record = self.image(path)
        self._masks.discard(record)
        self._index.check_one(self.images_root, record.id)

    def undo(self, path: str) -> Patch | None:
        """Take back the image's newest stroke; the patch to put on its labels, or None."""
        self._need_lock()
        return self._edits.undo(self._painted_image(path)[0].id)

    def redo(self, path: str) -> Patch | None:
        """Bring back the stroke taken back last; the patch to put on its labels, or None."""
        self._need_lock()
        return self._edits.redo(self._painted_image(path)[0].id)

    def newest_edit(self, path: str) -> int:
        """The number of the edit that undo would take back; 0 for none."""
        return self._edits.newest(self.image(path).id)

    def can_undo(self, path: str) -> bool:
        """Whether there is a stroke to take back."""
        return self._edits.has(self.image(path).id, DONE)

    def can_redo(self, path: str) -> bool:
        """Whether there is a stroke to bring back."""
        return self._edits.has(self.image(path).id, UNDONE)

    def save_masks(self) -> None:
        """Write the PNG of every image painted since its PNG was written; may run beside painting.

        One that fails does not keep the others from being written; the first failure is raised at the end.
        """
        self._masks.save([one.colour for one in self.classes])
        if self._lock:
            self._backups.when_due()

    def _painted_image(self, path: str) -> tuple[ImageRecord, tuple[int, int]]:
        """The record and (H, W) of an image that can be painted; looks into the file if nobody has yet."""
        record = self.image(path)
        if not record.width and not record.problem:
            self._index.check_one(self.images_root, record.id)
            record = self.image(path)
        info = image_info(record)
        return record, (info.height, info.width)

    def _bring_in_line(self, crashed: float) -> None:
        """Make masks and database agree after a repair, a lost journal or a lost folder; ``notices`` say what was."""
        if about := self.setting(REPAIRED):
            if not about["whole"]:
                self._index.refresh(list(scan(self.images_root)), self.images_root)
            self.notices[:0] = self._masks.after_repair(self.images(), about, [one.colour for one in self.classes])
            self._name_painted()
            self._db.write("DELETE FROM setting WHERE key=?", REPAIRED)
        if self._db.torn:
            self.notices.append(
                tr(
                    "The project's journal (project.sqlite-wal) was damaged: what was painted just before "
                    "the project was last left may be missing. All up to the damage was saved, and so were "
                    "the masks on disk."
                )
            )
        colours = [one.colour for one in self.classes]
        if not (self.path / "masks").is_dir():
            self._masks.folder_is_gone(self.painted(), colours)
        if crashed:
            self._masks.check_newer(self.images(), crashed)

    def _name_painted(self) -> None:
        """Name classes that are painted but whose names are lost."""
        classes = self.classes
        highest = max(self._edits.class_pixels(usable_only=False), default=-1)
        made = [LabelClass(f"class {n}", default_colour(n)) for n in range(len(classes), highest + 1)]
        if made:
            self.set_classes((*classes, *made))
            self.notices.append(tr("The names of some classes are lost; they are called “class 1” and so on now."))

    def _need_lock(self) -> None:
        if self._lock is None:
            raise UserError(
                tr("{name} was opened for reading only.").format(name=self.name),
                tr("Open it for writing to change masks."),
            )
