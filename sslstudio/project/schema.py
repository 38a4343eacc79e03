"""The tables of ``project.sqlite`` as numbered migrations; the number stands in ``PRAGMA user_version``."""

from __future__ import annotations

_FIRST = """
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE class (place INTEGER PRIMARY KEY, name TEXT NOT NULL, colour TEXT NOT NULL);

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE,
    sort_key TEXT NOT NULL,
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    channels INTEGER NOT NULL DEFAULT 0,
    dtype TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    problem TEXT NOT NULL DEFAULT '',
    probed INTEGER NOT NULL DEFAULT 0,      -- 0: not looked into since it was last seen to change
    painted INTEGER NOT NULL DEFAULT 0,     -- pixels
    mask_width INTEGER NOT NULL DEFAULT 0,  -- the size for which the labels were painted; 0: never painted
    mask_height INTEGER NOT NULL DEFAULT 0,
    png_op INTEGER NOT NULL DEFAULT 0       -- the mask's PNG holds all ops up to this one
);
CREATE INDEX image_order ON image (sort_key, path);

CREATE TABLE tally (                        -- how many pixels of an image have a label
    image INTEGER NOT NULL, label INTEGER NOT NULL, pixels INTEGER NOT NULL,
    PRIMARY KEY (image, label)
) WITHOUT ROWID;

CREATE TABLE edit (                         -- a stroke: its rectangle, labels before and after (zlib)
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL,
    state INTEGER NOT NULL,                 -- 0 done, 1 undone, 2 cut off by a later stroke
    "top" INTEGER NOT NULL, "left" INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL,
    before BLOB NOT NULL, after BLOB NOT NULL
);
CREATE INDEX edit_of_image ON edit (image, state, id);

CREATE TABLE op (                           -- what happened to the labels, in order: stroke, undo, redo
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL,
    edit INTEGER NOT NULL,
    forward INTEGER NOT NULL                -- 1: "after" was put, 0: "before" was put
);
CREATE INDEX op_of_image ON op (image, id);
CREATE INDEX op_of_edit ON op (edit);
"""

_STROKES_IN_TILES = """
-- From here on a stroke's labels may be some tiles of its rectangle (huge images); older programs cannot read those.
"""


# Files of many pages were one image each, their first page. It keeps its path and so its mask; the files are looked
# into once more, which adds the other slices.
_SLICES = """
ALTER TABLE image ADD COLUMN slices INTEGER NOT NULL DEFAULT 1;  -- of the file in which the image is one
UPDATE image SET probed=0 WHERE problem='' AND size >= 0 AND (
    lower(path) LIKE '%.tif' OR lower(path) LIKE '%.tiff' OR lower(path) LIKE '%.npy'
);
"""

# DICOM files of one series were images by themselves, in the order of their names. They stay images with their masks;
# whatever may be DICOM is looked into once more, which tells its place. DICOM often has no suffix, so others are named.
_SERIES = """
ALTER TABLE image ADD COLUMN series TEXT NOT NULL DEFAULT '';  -- of DICOM, of which the file is a part
ALTER TABLE image ADD COLUMN pose TEXT NOT NULL DEFAULT '';    -- where it lies there, as images/dicom_files.py says
ALTER TABLE image ADD COLUMN number INTEGER;                   -- its number there, if it has one
ALTER TABLE image ADD COLUMN slice INTEGER NOT NULL DEFAULT 0; -- which of "slices" it is; 0: a series not put in order
UPDATE image SET probed=0 WHERE problem='' AND size >= 0 AND slices=1 AND NOT (
    lower(path) LIKE '%.jpg' OR lower(path) LIKE '%.jpeg' OR lower(path) LIKE '%.jpe' OR lower(path) LIKE '%.jfif'
    OR lower(path) LIKE '%.png' OR lower(path) LIKE '%.webp' OR lower(path) LIKE '%.bmp' OR lower(path) LIKE '%.dib'
    OR lower(path) LIKE '%.gif' OR lower(path) LIKE '%.tif' OR lower(path) LIKE '%.tiff' OR lower(path) LIKE '%.npy'
    OR lower(path) LIKE '%.npz' OR lower(path) LIKE '%.avif' OR lower(path) LIKE '%.jp2' OR lower(path) LIKE '%.j2k'
    OR lower(path) LIKE '%.p_m'
);
"""


MIGRATIONS: tuple[str, ...] = (_FIRST, _STROKES_IN_TILES, _SLICES, _SERIES)  # never change a released one; add the next
