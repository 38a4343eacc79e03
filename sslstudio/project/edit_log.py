"""Strokes as rows: undo that survives restarts, and labels that survive a kill.

Every stroke, undo and redo adds an *op*: "this patch was put on the labels". A mask's PNG holds the labels
after some op; ``png_op`` says which it was at least. Putting all ops after ``png_op`` on the PNG gives the
labels of now, even when the PNG is newer than ``png_op`` says (killed between replacing the file and recording
it): a pixel ends with the last patch that covers it, and a pixel that no later op covers is right already.
"""

from __future__ import annotations

import sqlite3
import zlib

import numpy as np

from sslstudio.project.database import Database
from sslstudio.project.label_map import UNPAINTED, LabelMap, Labels, Patch, trim, whole_patch
from sslstudio.project.sparse_labels import Pieces, SparseLabels

DONE, UNDONE, CUT = 0, 1, 2
UNDO_DEPTH = 1000  # strokes per image that can be taken back
_PART = 1 << 16  # pixels
_PIECES = b"tiles\n"  # begins a stroke of which tiles are kept; zlib's streams begin with "x"
_PATCH = '"top", "left", height, width'


class DamagedStroke(sqlite3.DatabaseError):
    """A stroke in the database is not what was written."""


class EditLog:
    """The log of all images of a project; ``image`` is always the image's id."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, image: int, shape: tuple[int, int], before: Patch, after: Patch) -> None:
        """Record a stroke on labels of (H, W) = ``shape``; what was undone can no longer be redone."""
        trimmed = trim(before, after)
        if trimmed is None:
            return
        before, after = trimmed
        with self._db.transaction():
            self._db.write("UPDATE edit SET state=? WHERE image=? AND state=?", CUT, image, UNDONE)
            edit = self._insert(image, DONE, before, after)
            self._put(image, edit, before, after, forward=True)
            self._db.write("UPDATE image SET mask_height=?, mask_width=? WHERE id=?", *shape, image)

    def _insert(self, image: int, state: int, before: Patch, after: Patch) -> int:
        height, width = after.labels.shape
        return self._db.write(
            f"INSERT INTO edit (image, state, {_PATCH}, before, after) VALUES (?,?,?,?,?,?,?,?)",
            # NumPy's integers would be stored as blobs
            *(image, state, int(after.top), int(after.left), height, width, _pack(before), _pack(after)),
        )

    def undo(self, image: int) -> Patch | None:
        """Take back the newest stroke; the patch to put on the labels, or None."""
        with self._db.transaction():
            return self._step(image, "ORDER BY id DESC", DONE, UNDONE)

    def redo(self, image: int) -> Patch | None:
        """Bring back the stroke that was taken back last; the patch to put on the labels, or None."""
        with self._db.transaction():
            return self._step(image, "ORDER BY id", UNDONE, DONE)

    def has(self, image: int, state: int) -> bool:
        """Whether there is a stroke in this state: DONE can be undone, UNDONE redone."""
        return self._db.row("SELECT 1 FROM edit WHERE image=? AND state=? LIMIT 1", image, state) is not None

    def newest(self, image: int) -> int:
        """The number of the stroke that would be taken back next; 0 for none."""
        row = self._db.row("SELECT max(id) FROM edit WHERE image=? AND state=?", image, DONE)
        return (row[0] if row else 0) or 0

    def _step(self, image: int, order: str, old: int, new: int) -> Patch | None:
        row = self._db.row(
            f"SELECT id, {_PATCH}, before, after FROM edit WHERE image=? AND state=? {order} LIMIT 1", image, old
        )
        if row is None:
            return None
        edit, top, left, height, width, before, after = row
        was, becomes = (after, before) if new == UNDONE else (before, after)
        was, becomes = _unpack(top, left, height, width, was), _unpack(top, left, height, width, becomes)
        self._db.write("UPDATE edit SET state=? WHERE id=?", new, edit)
        self._put(image, edit, was, becomes, forward=new == DONE)
        return becomes

    def _put(self, image: int, edit: int, was: Patch, becomes: Patch, *, forward: bool) -> None:
        """Note that a patch was put on the labels, and keep the tally of labels."""
        self._db.write("INSERT INTO op (image, edit, forward) VALUES (?,?,?)", image, edit, int(forward))
        gain = tally(becomes.labels) - tally(was.labels)
        self._db.write_many(
            "INSERT INTO tally VALUES (?,?,?) "
            "ON CONFLICT (image, label) DO UPDATE SET pixels = pixels + excluded.pixels",
            [(image, int(label), int(gain[label])) for label in np.flatnonzero(gain)],
        )
        self._db.write("UPDATE image SET painted = painted - ? WHERE id=?", int(gain[UNPAINTED]), image)

    # labels ---------------------------------------------------------------------------------------------

    def png_op(self, image: int) -> int:
        """The op up to which the image's PNG is known to hold everything; 0 for no PNG."""
        row = self._db.row("SELECT png_op FROM image WHERE id=?", image)
        return row[0] if row else 0

    def last_op(self) -> int:
        """The number of the last op of any image; the next is higher, whatever is forgotten meanwhile."""
        row = self._db.row("SELECT seq FROM sqlite_sequence WHERE name='op'")
        return row[0] if row else 0

    def go_on_after(self, op: int) -> None:
        """Count on from ``op`` at least."""
        with self._db.transaction():
            last = max(op, self.last_op())
            self._db.write("DELETE FROM sqlite_sequence WHERE name='op'")
            self._db.write("INSERT INTO sqlite_sequence (name, seq) VALUES ('op', ?)", last)

    def counted(self, image: int) -> dict[int, int]:
        """How many pixels of an image have each label, as far as painted; what its mask should hold."""
        rows = self._db.rows(f"SELECT label, pixels FROM tally WHERE image=? AND label<{UNPAINTED} AND pixels>0", image)
        return dict(rows)

    def pending(self, image: int) -> tuple[int, list[tuple]]:
        """``png_op``, and the ops since then for ``put``; both of one moment."""
        rows = self._db.rows(
            "SELECT i.png_op, o.id, e.top, e.left, e.height, e.width, "
            "CASE WHEN o.forward THEN e.after ELSE e.before END "
            "FROM image i LEFT JOIN op o ON o.image=i.id LEFT JOIN edit e ON e.id=o.edit WHERE i.id=? ORDER BY o.id",
            image,
        )
        return (rows[0][0] if rows else 0), [row[1:] for row in rows if row[1] is not None]

    def shape(self, image: int) -> tuple[int, int]:
        """(H, W) for which an image was painted; zeros for never."""
        row = self._db.row("SELECT mask_height, mask_width FROM image WHERE id=?", image)
        return row or (0, 0)  # type: ignore[return-value]

    def rebuild(self, image: int, labels: LabelMap) -> None:
        """Put all strokes that are not undone on empty ``labels``: for a mask whose PNG was lost."""
        sql = f"SELECT id, {_PATCH}, after FROM edit WHERE image=? AND state=? ORDER BY id"
        self.put(self._db.rows(sql, image, DONE), labels)

    def put(self, rows: list[tuple], labels: LabelMap) -> None:
        """Put packed patches (id, top, left, height, width, labels) on ``labels``, in order."""
        with self._db.explained():
            for _, *patch in rows:
                labels.put(_unpack(*patch))

    def waiting(self) -> list[tuple[int, str]]:
        """Id and path of the images whose labels are newer than their PNG."""
        return self._db.rows("SELECT id, path FROM image WHERE id IN (SELECT DISTINCT image FROM op)")

    def saved(self, image: int, op: int) -> None:
        """Record that the PNG holds everything up to ``op``, and forget what nobody needs any more."""
        with self._db.transaction():
            self._db.write("UPDATE image SET png_op=max(png_op, ?) WHERE id=?", op, image)
            self._db.write("DELETE FROM op WHERE image=? AND id<=?", image, op)
            self._db.write(
                "DELETE FROM edit WHERE image=? AND NOT EXISTS (SELECT 1 FROM op WHERE op.edit=edit.id) AND "
                "(state=? OR id <= (SELECT id FROM edit WHERE image=? ORDER BY id DESC LIMIT 1 OFFSET ?))",
                *(image, CUT, image, UNDO_DEPTH),
            )

    def forget(self, image: int) -> None:
        """Forget everything painted on an image, as if nobody ever had."""
        with self._db.transaction():
            for table in ("op", "edit", "tally"):
                self._db.write(f"DELETE FROM {table} WHERE image=?", image)
            self._db.write("UPDATE image SET painted=0, mask_width=0, mask_height=0, png_op=0 WHERE id=?", image)

    def relabel(self, image: int, labels: Labels, table: np.ndarray) -> None:
        """Let every label, in the (H, W) ``labels`` of now and in all strokes, become ``table[label]``.

        The new labels are one more patch that was put, so that masks on disk follow as after any stroke; it is no
        stroke, so it cannot be undone: undo leads through the strokes as they are after the change.
        """
        with self._db.transaction():
            rows = self._db.rows("SELECT id, before, after FROM edit WHERE image=?", image)
            changed = ((_mapped(before, table), _mapped(after, table), edit) for edit, before, after in rows)
            self._db.write_many("UPDATE edit SET before=?, after=? WHERE id=?", changed)
            becomes = labels.mapped(table) if isinstance(labels, SparseLabels) else table[labels]
            trimmed = trim(whole_patch(labels), whole_patch(becomes))
            if trimmed is None:
                return
            before, after = trimmed
            edit = self._insert(image, CUT, before, after)
            self._put(image, edit, before, after, forward=True)

    def painted_with(self, lowest: int) -> list[int]:
        """The images that have strokes, or labels from ``lowest`` on."""
        rows = self._db.rows(
            f"SELECT image FROM edit UNION SELECT image FROM tally WHERE label>=? AND label<{UNPAINTED} AND pixels>0",
            lowest,
        )
        return [image for (image,) in rows]

    def recount(self, image: int, labels: Labels) -> None:
        """Set the tally from the labels, and forget the strokes: after a backup stepped in."""
        counts = tally(labels)
        with self._db.transaction():
            self.forget(image)
            self._db.write_many(
                "INSERT INTO tally VALUES (?,?,?)",
                [(image, int(label), int(counts[label])) for label in np.flatnonzero(counts)],
            )
            self._db.write(
                "UPDATE image SET painted=?, mask_height=?, mask_width=? WHERE id=?",
                *(int(labels.size - counts[UNPAINTED]), *labels.shape, image),
            )

    def class_pixels(self, usable_only: bool = True) -> dict[int, int]:
        """Painted pixels of each label over all images (those without a problem)."""
        where = "AND i.problem=''" if usable_only else ""
        rows = self._db.rows(  # CROSS: from the few that are painted to their images, not through all images
            "SELECT t.label, sum(t.pixels) FROM tally t CROSS JOIN image i ON i.id=t.image "
            f"WHERE t.label < {UNPAINTED} {where} GROUP BY t.label HAVING sum(t.pixels) > 0"
        )
        return dict(rows)

    def images_with(self, label: int) -> int:
        """In how many images a label occurs."""
        row = self._db.row("SELECT count(*) FROM tally WHERE label=? AND pixels>0", label)
        return row[0] if row else 0

    def labels_of(self, image: int) -> frozenset[int]:
        """The labels that occur in one image."""
        rows = self._db.rows(f"SELECT label FROM tally WHERE image=? AND pixels>0 AND label<{UNPAINTED}", image)
        return frozenset(label for (label,) in rows)


def tally(labels: Labels | Pieces) -> np.ndarray:
    """How many pixels of (h, w) uint8 ``labels`` have each label, (256,) int64.

    In parts that fit into the processor's cache: NumPy makes 64-bit numbers of all it counts, and with those of a
    whole large image this takes ten times as long.
    """
    if isinstance(labels, SparseLabels | Pieces):
        return labels.counts()
    flat, counts = labels.ravel(), np.zeros(256, np.int64)
    for start in range(0, flat.size, _PART):
        counts += np.bincount(flat[start : start + _PART], minlength=256)
    return counts


def _pack(patch: Patch) -> bytes:
    if isinstance(patch.labels, Pieces):
        return _PIECES + patch.labels.to_bytes()
    return _compress(np.ascontiguousarray(patch.labels))


def _mapped(packed: bytes, table: np.ndarray) -> bytes:
    if _is_pieces(packed):
        return _PIECES + _pieces(packed).mapped(table).to_bytes()
    return _compress(table[np.frombuffer(_expand(packed), np.uint8)])


def _expand(packed: bytes) -> bytes:
    try:
        return zlib.decompress(packed)
    except (zlib.error, TypeError) as error:
        raise DamagedStroke("a stroke is malformed") from error


def _compress(labels: np.ndarray) -> bytes:
    """As a zlib stream; masks are runs of one value, so only these are looked for: faster and half the size."""
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    return packer.compress(labels.tobytes()) + packer.flush()


def _unpack(top: int, left: int, height: int, width: int, packed: bytes) -> Patch:
    if _is_pieces(packed):
        return Patch(top, left, _pieces(packed))
    return Patch(top, left, np.frombuffer(_expand(packed), np.uint8).reshape(height, width))


def is_whole(packed: bytes, height: int, width: int) -> bool:
    """Whether one side of a stroke, of a rectangle of this size, can be unpacked; check sums tell."""
    try:
        if _is_pieces(packed):
            return _pieces(packed).shape == (height, width)
        return len(_expand(packed)) == height * width
    except DamagedStroke:
        return False


def _is_pieces(packed: bytes) -> bool:
    return isinstance(packed, bytes) and packed[: len(_PIECES)] == _PIECES


def _pieces(packed: bytes) -> Pieces:
    try:
        return Pieces.from_bytes(packed[len(_PIECES) :])
    except ValueError as error:
        raise DamagedStroke("a stroke is malformed") from error
