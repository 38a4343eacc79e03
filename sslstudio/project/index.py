"""The list of a project's images: what was found, what its header says, what is wrong with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sslstudio.errors import UserError
from sslstudio.images.reader import ImageInfo, UnreadableImage, probe, read_rgb8, too_large
from sslstudio.images.scan import Found, natural_key
from sslstudio.images.slices import MARK, all_slices, is_slice, split_slice, whole_of
from sslstudio.language import tr
from sslstudio.project.database import Database
from sslstudio.project.series import NOTHING_SAID, UNPLACED, Said, put_in_order, said_of, unplace

Progress = Callable[[int, int], None]
_COLUMNS = (  # in the order of ImageRecord's fields
    "id, path, width, height, channels, dtype, size, mtime_ns, problem, "
    "CASE painted WHEN 0 THEN 0.0 ELSE painted * 1.0 / (mask_width * mask_height) END, "
)
_ORDER = "ORDER BY sort_key, path"
_LOOKED = (
    "UPDATE image SET width=?, height=?, channels=?, dtype=?, slices=?, problem=?, probed=1, slice=0, "
    "series=?, pose=?, number=?, sort_key=? WHERE id=?"
)
_PROBE_BATCH = 256
_Looked = tuple[int, int, int, str, int, str, Said]  # width, height, channels, dtype, slices, problem, place


class ImageRecord(NamedTuple):
    """An image: ``path`` relative to the images root; sizes are 0 until it was looked into.

    ``painted`` is the share of its pixels, 0 to 1; ``problem`` is empty for an image that can be used. Of a stack
    each slice is an image: this one is ``slice`` (from 1) of ``slices``, of one file or of a DICOM ``series`` of files.
    A tuple and no frozen class: a hundred thousand of them take half the memory and a third of the time.
    """

    id: int
    path: str
    width: int
    height: int
    channels: int
    dtype: str
    size: int
    mtime_ns: int
    problem: str
    painted: float
    predicted: bool
    slice: int = 1
    slices: int = 1
    series: str = ""

    @property
    def whole(self) -> str:
        """The whole of which it is a part, as ``whole_of`` says."""
        return whole_of(self.path, self.series)


@dataclass(frozen=True)
class RefreshReport:
    """How many images are new, changed on disk, gone, and how many have a problem now."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    problems: int = 0

    def __bool__(self) -> bool:
        """Whether anything differs from last time."""
        return bool(self.new or self.changed or self.gone)


class Index:
    """The table of images; holds nothing in memory."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, found: Iterable[Found]) -> int:
        """Add newly found files; the number added."""
        rows = [_new_row(one) for one in found]
        self._db.write_many(
            "INSERT OR IGNORE INTO image (path, sort_key, size, mtime_ns, problem, probed) VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
        return len(rows)

    def records(self, predicted: set[str], where: str = "", *values: object) -> list[ImageRecord]:
        """Images in natural order."""
        sql = f"SELECT {_COLUMNS} slices, slice, series FROM image {where} {_ORDER}"
        return self._db.rows_as(partial(_record, predicted=predicted), sql, *values)

    def unchecked(self) -> int:
        """How many images changed and were not looked into since, or have no place in their series yet."""
        row = self._db.row(f"SELECT count(*) FROM image WHERE probed=0 OR ({UNPLACED})")
        return row[0] if row else 0

    def refresh(self, found: Sequence[Found], root: Path) -> RefreshReport:
        """Bring the table up to date with what the folder holds now."""
        known = {row[0]: row[1:] for row in self._db.rows("SELECT path, size, mtime_ns, problem FROM image")}
        new, changed = [], []
        for one in found:
            before = known.pop(_stored(one.path), None)
            if before is None:
                new.append(one)
            elif before[:2] != (one.size, one.mtime_ns):
                changed.append((one.size, one.mtime_ns, one.path))
        here = {_stored(one.path) for one in found}
        missing = {path: before for path, before in known.items() if split_slice(path)[0] not in here}
        with self._db.transaction():
            self.add(new)
            # without a size, so that nobody paints at the one that the file had before
            self._db.write_many(
                "UPDATE image SET size=?, mtime_ns=?, probed=0, width=0, height=0 WHERE path=?", changed
            )
            gone = self._drop_gone(missing)
            self.check(root, only_urgent=True)
        problems = self._db.row("SELECT count(*) FROM image WHERE problem <> ''")
        return RefreshReport(len(new), len(changed), gone, problems[0] if problems else 0)

    def _drop_gone(self, missing: dict[str, tuple]) -> int:
        """Forget images that are gone; one that was painted stays, with a problem and its mask."""
        paths = [(path,) for path in missing]
        of_series = self._db.rows("SELECT path, series FROM image WHERE series <> ''") if paths else []
        unplace(self._db, {series for path, series in of_series if path in missing})
        self._db.write_many("DELETE FROM image WHERE path=? AND mask_width=0", paths)
        kept = self._db.rows("SELECT path FROM image WHERE size >= 0 AND mask_width > 0")
        gone_rows = [
            (tr("{name} is not in the image folder any more; its mask is kept.").format(name=Path(path).name), path)
            for (path,) in kept
            if path in missing
        ]
        # size -1 is no file's size: when the image comes back, it counts as changed and is looked into again
        self._db.write_many("UPDATE image SET problem=?, size=-1, probed=1 WHERE path=?", gone_rows)
        return sum(1 for before in missing.values() if before[0] >= 0)

    def check(self, root: Path, progress: Progress | None = None, *, only_urgent: bool = False) -> None:
        """Look into the headers of images not yet looked into, and record sizes and problems.

        ``only_urgent``: only of those that are painted, and of stacks, whose slices have rows of their own.
        """
        where = "probed=0 AND (mask_width > 0 OR (slices > 1 AND series = ''))" if only_urgent else "probed=0"
        waiting = self._db.rows(f"SELECT id, path, mask_width, mask_height FROM image WHERE {where} {_ORDER}")
        done = 0
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            for first in range(0, len(waiting), _PROBE_BATCH):
                rows = waiting[first : first + _PROBE_BATCH]
                answers = pool.map(lambda row: _looked_into(root, row), rows)
                self._note(rows, list(answers))
                done += len(rows)
                if progress:
                    progress(done, len(waiting))
        put_in_order(self._db)

    def decode(self, root: Path, paths: Iterable[str]) -> int:
        """Decode images in which no problem is known, and record those that cannot be; how many there are."""
        from sslstudio.images.huge import can_be_read_by_parts

        found = []
        for path in dict.fromkeys(paths):
            if self._db.row("SELECT 1 FROM image WHERE path=? AND problem=''", path) is None:
                continue
            try:
                if can_be_read_by_parts(root / path):
                    continue
                read_rgb8(root / path)
            except UnreadableImage as error:
                found.append((error.problem, path))
        if found:
            self._db.write_many("UPDATE image SET problem=?, probed=1 WHERE path=?", found)
        return len(found)

    def check_one(self, root: Path, number: int) -> None:
        """Look into one image's header now."""
        row = self._db.rows("SELECT id, path, mask_width, mask_height FROM image WHERE id=?", number)[0]
        self._note([row], [_looked_into(root, row)])
        put_in_order(self._db)

    # slices ---------------------------------------------------------------------------------------------

    def _note(self, rows: Sequence[tuple[int, str, int, int]], answers: Sequence[_Looked]) -> None:
        """Record what was seen in files; those that turn out to be stacks get a row for each further slice."""
        with self._db.transaction():
            # of a series each file is one slice
            known = "SELECT CASE series WHEN '' THEN slices ELSE 1 END, problem, series FROM image WHERE id=?"
            before = [self._db.row(known, number) or (1, "", "") for number, *_ in rows]
            # a stack that cannot be read stays one, so that its slices go when it turns out to be a single image
            answers = [
                one if one[0] else (*one[:4], had, *one[5:]) for one, (had, *_) in zip(answers, before, strict=True)
            ]
            seen = list(zip(rows, answers, before, strict=True))
            self._db.write_many(
                _LOOKED,
                [(*found, *place, natural_key(path), number) for (number, path, *_), (*found, place), _ in seen],
            )
            unplace(self._db, {series for _, (*_, place), (*_, series) in seen if series != place[0]})
            for (number, path, *_), answer, (had, problem, _) in seen:
                if not is_slice(path) and (answer[4] > 1 or had > 1 or problem):
                    self._bring_in_line(number, path, answer)

    def _bring_in_line(self, number: int, file: str, looked: _Looked) -> None:
        """Make the rows of a stack's further slices what its file says; painted ones that are gone are kept."""
        width, height, channels, dtype, slices, problem, _ = looked
        between = (f"{file}{MARK}", f"{file}{chr(ord(MARK) + 1)}")  # all paths that begin with the file's and the mark
        named = self._db.rows("SELECT path FROM image WHERE path > ? AND path < ?", *between)
        known = {path for (path,) in named if split_slice(path)[0] == file}
        if not width:  # it cannot be read any more: then neither can its slices
            self._db.write_many("UPDATE image SET problem=? WHERE path=?", [(problem, path) for path in known])
            return
        wanted = dict.fromkeys(all_slices(file, slices)[1:])
        size, mtime_ns, *mask = self._db.rows(
            "SELECT size, mtime_ns, mask_width, mask_height FROM image WHERE id=?", number
        )[0]
        own = any(mask) and mask != [width, height]  # the first slice's problem is its mask, not the file
        shared = "" if own else problem
        self._db.write_many(
            "INSERT INTO image "
            "(path, sort_key, size, mtime_ns, width, height, channels, dtype, slices, problem, probed) "
            "VALUES (?,?,?,?,?,?,?,?,?,?,1) ON CONFLICT (path) DO UPDATE SET size=excluded.size, "
            "problem=excluded.problem, mtime_ns=excluded.mtime_ns, width=excluded.width, height=excluded.height, "
            "channels=excluded.channels, dtype=excluded.dtype, slices=excluded.slices, probed=1",
            [
                (path, natural_key(path), size, mtime_ns, width, height, channels, dtype, slices, shared)
                for path in wanted
            ],
        )
        misfits = self._db.rows(
            "SELECT path, mask_width, mask_height FROM image WHERE path > ? AND path < ? AND mask_width > 0 "
            "AND (mask_width <> ? OR mask_height <> ?)",
            *(*between, width, height),
        )
        self._db.write_many(
            "UPDATE image SET problem=? WHERE path=?",
            [(size_problem(path, width, height, *mask), path) for path, *mask in misfits if path in wanted],
        )
        self._drop_gone(dict.fromkeys(known - wanted.keys(), (0,)))


def _stored(path: str) -> str:
    """The path as the table holds it: names that are not text get visible escapes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _new_row(found: Found) -> tuple[str, str, int, int, str, int]:
    path = _stored(found.path)
    odd = path != found.path
    problem = tr("Its name holds bytes that are no characters; rename the file to use it.") if odd else ""
    return path, natural_key(path), found.size, found.mtime_ns, problem, int(odd)


def _looked_into(root: Path, row: tuple[int, str, int, int]) -> _Looked:
    """The values to record for one image."""
    _, path, mask_width, mask_height = row
    try:
        info = probe(root / path)
    except UnreadableImage as error:
        return 0, 0, 0, "", 1, error.problem, NOTHING_SAID
    refusal = too_large(root / path, info)
    if refusal is not None:
        from sslstudio.images.huge import why_not_by_parts  # decoders are loaded where pixels are needed

        refusal = why_not_by_parts(root / path, refusal)
    problem = refusal.problem if refusal else ""
    if mask_width and (mask_width, mask_height) != (info.width, info.height):
        problem = size_problem(path, info.width, info.height, mask_width, mask_height)
    return info.width, info.height, info.channels, info.dtype, info.pages, problem, said_of(info)


def size_problem(path: str, width: int, height: int, mask_width: int, mask_height: int) -> str:
    """The sentence for an image that changed its size after it was painted."""
    return tr(
        "{name} is now {width} × {height} pixels, but its mask was painted for {mask_width} × "
        "{mask_height}; the mask is kept."
    ).format(name=Path(path).name, width=width, height=height, mask_width=mask_width, mask_height=mask_height)


def _record(row: Sequence, predicted: set[str]) -> ImageRecord:
    """A row of ``_COLUMNS``, ``slices``, ``slice`` and ``series`` as a record; what is the same for many is shared."""
    slices, number, series = row[10:]
    slices = 1 if series and not number else slices  # not in order yet
    number = number or (split_slice(row[1])[1] if slices > 1 else 1)
    return ImageRecord._make(
        (*row[:5], sys.intern(row[5]), *row[6:10], row[1] in predicted, number, slices, sys.intern(series))
    )


def predicted_paths(predictions: Path) -> set[str]:
    """Relative paths of the images for which any model has left a prediction."""
    return {path for model in _folders(predictions) for path in _pngs(model, "")}


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_dir()]
    except OSError:
        return []


def _pngs(folder: str, prefix: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as listing:
            entries = list(listing)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir():
            yield from _pngs(entry.path, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".png") and not entry.name.startswith("."):
            yield prefix + entry.name[: -len(".png")]


def image_info(record: ImageRecord) -> ImageInfo:
    """Size and type of a usable image; raises UserError with its problem otherwise."""
    if record.problem:
        raise UserError(record.problem, tr("Choose another image, or put the file right and refresh the project."))
    return ImageInfo(record.width, record.height, record.channels, record.dtype)
