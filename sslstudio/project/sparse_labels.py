"""Labels of a huge image by tiles: one that holds a single label costs nothing, others are packed while not in use."""

from __future__ import annotations

import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np

from sslstudio.project.packing import pack, unpack

TILE = 512
_SIZE, _CELL, _SUM = struct.Struct("<IIQ"), struct.Struct("<IIi"), struct.Struct("<I")
_MOST_TOUCHED = 20_000  # rectangles; then everything counts as written
_OPEN_TILES = 640  # kept as they are, 160 MB; the others are packed
Cell = int | bytes  # a tile: the one label that it holds, or its labels packed
Place = tuple[int, int]  # row and column of a tile


class SparseLabels:
    """Looks like an (H, W) uint8 array: slices of rows and columns are read as copies, and written in place.

    May be read and written from several threads.
    """

    dtype = np.dtype(np.uint8)
    ndim = 2

    def __init__(self, height: int, width: int, fill: int) -> None:
        self.shape = (height, width)
        self._plain = np.full((-(-height // TILE), -(-width // TILE)), fill, np.int16)  # -1: more than one label
        self._open: OrderedDict[Place, np.ndarray] = OrderedDict()
        self._packed: dict[Place, bytes] = {}
        self._lock = threading.RLock()
        self._touched: list[tuple[int, int, int, int]] = []
        self.coarser: list[SparseLabels] = []  # halvings, kept by whoever shows the labels

    @property
    def size(self) -> int:
        """Pixels."""
        return self.shape[0] * self.shape[1]

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        with self._lock:
            return sum(tile.nbytes for tile in self._open.values()) + sum(map(len, self._packed.values()))

    def __getitem__(self, key: Any) -> Any:
        """A label for two numbers; a copy (h, w) uint8 for two slices without steps, the second may be left out."""
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        if not isinstance(rows, slice):
            return self._label(int(rows), int(columns))
        return self._read(*_span(rows, self.shape[0]), *_span(columns, self.shape[1]))

    def __setitem__(self, key: tuple[slice, slice], labels: np.ndarray | int) -> None:
        """Write one label, or (h, w) of them, at two slices."""
        top, bottom = _span(key[0], self.shape[0])
        left, right = _span(key[1], self.shape[1])
        with self._lock:
            for place, rows, columns in _cells(top, bottom, left, right):
                here = labels
                if isinstance(labels, np.ndarray) and labels.ndim:
                    here = labels[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
                self._write(place, rows, columns, here)
            self._touch(top, bottom, left, right)
            self._shed()

    def take_touched(self) -> list[tuple[int, int, int, int]]:
        """What was written since the last time: top, bottom, left and right of rectangles."""
        with self._lock:
            touched, self._touched = self._touched, []
        return touched

    def _touch(self, *part: int) -> None:
        self._touched.append(part)  # type: ignore[arg-type]
        if len(self._touched) > _MOST_TOUCHED:
            self._touched = [(0, self.shape[0], 0, self.shape[1])]

    # tiles --------------------------------------------------------------------------------------------------

    def places(self, row: int = 0, column: int = 0, count: int = 1 << 30) -> Iterator[Place]:
        """Where tiles are, row by row; of a square of ``count`` tiles each way if told."""
        rows, columns = self._plain.shape
        for at in range(row, min(rows, row + count)):
            for across in range(column, min(columns, column + count)):
                yield at, across

    def cell(self, place: Place) -> Cell:
        """A tile as it can be kept and compared: the same labels give the same cell."""
        with self._lock:
            plain = int(self._plain[place])
            if plain >= 0:
                return plain
            tile = self._open.get(place)
            return self._packed[place] if tile is None else _cell_of(tile)

    def set_cell(self, place: Place, cell: Cell) -> None:
        """Give a tile what ``cell`` told."""
        with self._lock:
            self._store(place, cell)
            top, left = place[0] * TILE, place[1] * TILE
            self._touch(top, min(top + TILE, self.shape[0]), left, min(left + TILE, self.shape[1]))

    def rows(self, row: int) -> np.ndarray:
        """The labels of one row of tiles, (h, W) uint8; looking through all of them so leaves them packed."""
        out = np.empty((tile_shape(self.shape, (row, 0))[0], self.shape[1]), np.uint8)
        for column in range(self._plain.shape[1]):
            shape = tile_shape(self.shape, (row, column))
            out[:, column * TILE : column * TILE + shape[1]] = _labels_of(self.cell((row, column)), shape)
        return out

    def set_rows(self, row: int, labels: np.ndarray) -> None:
        """Give the tiles of one row their labels, (h, W) uint8; they are packed at once."""
        for place in self.places(row, 0):
            if place[0] != row:
                return
            self.set_cell(place, _cell_of(labels[:, place[1] * TILE : (place[1] + 1) * TILE]))

    def plain(self, place: Place) -> int:
        """The only label of a tile, or -1; a tile that was painted over piece by piece may count as mixed."""
        return int(self._plain[place])

    def tile(self, place: Place) -> np.ndarray:
        """A copy of a tile, (h, w) uint8."""
        height, width = tile_shape(self.shape, place)
        top, left = place[0] * TILE, place[1] * TILE
        return self._read(top, top + height, left, left + width)

    def mapped(self, table: np.ndarray) -> SparseLabels:
        """Other labels in which each has become ``table[label]``, (256,) uint8."""
        result = SparseLabels(*self.shape, 0)
        for place in self.places():
            result.set_cell(place, mapped_cell(self.cell(place), tile_shape(self.shape, place), table))
        return result

    def counts(self) -> np.ndarray:
        """How many pixels have each label, (256,) int64."""
        total = np.zeros(256, np.int64)
        for place in self.places():
            total += cell_counts(self.cell(place), tile_shape(self.shape, place))
        return total

    # inside -------------------------------------------------------------------------------------------------

    def _label(self, row: int, column: int) -> int:
        place = row // TILE, column // TILE
        with self._lock:
            plain = int(self._plain[place])
            return plain if plain >= 0 else int(self._tile(place)[row % TILE, column % TILE])

    def _read(self, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        out = np.empty((bottom - top, right - left), np.uint8)
        with self._lock:
            for place, rows, columns in _cells(top, bottom, left, right):
                plain = int(self._plain[place])
                to = out[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
                to[...] = plain if plain >= 0 else self._tile(place)[_inner(place, rows, columns)]
            self._shed()
        return out

    def _store(self, place: Place, cell: Cell) -> None:
        self._open.pop(place, None)
        self._packed.pop(place, None)
        self._plain[place] = cell if isinstance(cell, int) else -1
        if not isinstance(cell, int):
            self._packed[place] = cell

    def _write(self, place: Place, rows: slice, columns: slice, labels: Any) -> None:
        shape = tile_shape(self.shape, place)
        one = _only_label(labels)
        if one >= 0 and (rows.stop - rows.start, columns.stop - columns.start) == shape:
            self._store(place, one)
            return
        plain = int(self._plain[place])
        if plain >= 0:
            if one == plain:
                return
            self._open[place] = np.full(shape, plain, np.uint8)
            self._plain[place] = -1
        self._tile(place)[_inner(place, rows, columns)] = labels

    def _tile(self, place: Place) -> np.ndarray:
        """A mixed tile, ready to be read or written."""
        tile = self._open.get(place)
        if tile is None:
            tile = self._open[place] = unpack(self._packed.pop(place), tile_shape(self.shape, place))
        self._open.move_to_end(place)
        return tile

    def _shed(self) -> None:
        """Pack what was not in use for the longest time."""
        while len(self._open) > _OPEN_TILES:
            place, tile = self._open.popitem(last=False)
            self._store(place, _cell_of(tile))


class Pieces:
    """Some tiles of the labels of an image of (H, W) = ``image``; what lies in no tile is left as it is.

    ``shape`` is that of the rectangle around them all.
    """

    def __init__(self, image: tuple[int, int], cells: dict[Place, Cell]) -> None:
        self.image, self.cells = image, cells
        rows, columns = ([place[axis] for place in cells] for axis in (0, 1))
        self.top, self.left = min(rows) * TILE, min(columns) * TILE
        bottom, right = (max(rows) + 1) * TILE, (max(columns) + 1) * TILE
        self.shape = (min(bottom, image[0]) - self.top, min(right, image[1]) - self.left)

    def put_on(self, labels: np.ndarray | SparseLabels) -> None:
        """Write the tiles on labels (H, W)."""
        if labels.shape != self.image:
            raise ValueError(f"pieces of {self.image} do not fit labels of {labels.shape}")
        for place, cell in self.cells.items():
            if isinstance(labels, SparseLabels):
                labels.set_cell(place, cell)
            else:
                top, left = place[0] * TILE, place[1] * TILE
                labels[top : top + TILE, left : left + TILE] = _labels_of(cell, tile_shape(self.image, place))

    def arrays(self) -> Iterator[tuple[Place, np.ndarray]]:
        """The tiles, each (h, w) uint8."""
        for place, cell in self.cells.items():
            shape = tile_shape(self.image, place)
            yield place, np.full(shape, cell, np.uint8) if isinstance(cell, int) else unpack(cell, shape)

    def counts(self) -> np.ndarray:
        """How many pixels have each label, (256,) int64."""
        total = np.zeros(256, np.int64)
        for place, cell in self.cells.items():
            total += cell_counts(cell, tile_shape(self.image, place))
        return total

    def mapped(self, table: np.ndarray) -> Pieces:
        """The same with each label become ``table[label]``, (256,) uint8."""
        cells = {at: mapped_cell(cell, tile_shape(self.image, at), table) for at, cell in self.cells.items()}
        return Pieces(self.image, cells)

    def to_bytes(self) -> bytes:
        """Tiles one after another; the length -1 stands before the only label of a tile. A check sum ends it."""
        parts = [_SIZE.pack(*self.image, len(self.cells))]
        for place, cell in self.cells.items():
            if isinstance(cell, int):
                parts += [_CELL.pack(*place, -1), bytes([cell])]
            else:
                parts += [_CELL.pack(*place, len(cell)), cell]
        data = b"".join(parts)
        return data + _SUM.pack(zlib.crc32(data))

    @classmethod
    def from_bytes(cls, data: bytes) -> Pieces:
        """What ``to_bytes`` gave; raises ValueError for anything else."""
        if len(data) < _SIZE.size + _SUM.size or zlib.crc32(data[: -_SUM.size]) != _SUM.unpack(data[-_SUM.size :])[0]:
            raise ValueError("these are no tiles of labels")
        height, width, count = _SIZE.unpack_from(data)
        at, cells = _SIZE.size, dict[Place, Cell]()
        for _ in range(count):
            row, column, length = _CELL.unpack_from(data, at)
            at += _CELL.size
            cells[row, column] = data[at] if length < 0 else data[at : at + length]
            at += 1 if length < 0 else length
        return cls((height, width), cells)


def differing(before: Pieces, after: Pieces) -> tuple[Pieces, Pieces] | None:
    """Both without the tiles in which they agree, or None where they agree in all; of the same places."""
    places = [place for place, cell in before.cells.items() if cell != after.cells[place]]
    if not places:
        return None
    kept = [Pieces(one.image, {place: one.cells[place] for place in places}) for one in (before, after)]
    return kept[0], kept[1]


def on_others(labels: SparseLabels, before: Pieces, after: Pieces) -> tuple[Pieces, Pieces]:
    """What changed from ``before`` to ``after``, of the same places, as a change of other labels of that image."""
    was = {place: labels.cell(place) for place in before.cells}
    tiles = zip(before.arrays(), after.arrays(), strict=True)
    becomes = {place: _cell_of(np.where(old != new, new, labels.tile(place))) for (place, old), (_, new) in tiles}
    return Pieces(labels.shape, was), Pieces(labels.shape, becomes)


def pieces_of(labels: SparseLabels) -> Pieces:
    """All of some labels."""
    return Pieces(labels.shape, {place: labels.cell(place) for place in labels.places()})


def sparse_of(labels: np.ndarray) -> SparseLabels:
    """The same labels (H, W) uint8, by tiles."""
    result = SparseLabels(labels.shape[0], labels.shape[1], 0)
    for place in result.places():
        result.set_cell(place, _cell_of(labels[_area(place)]))
    return result


def tile_shape(image: tuple[int, int], place: Place) -> tuple[int, int]:
    """Height and width of a tile; less at the image's edges."""
    return min(TILE, image[0] - place[0] * TILE), min(TILE, image[1] - place[1] * TILE)


def cell_counts(cell: Cell, shape: tuple[int, int]) -> np.ndarray:
    """How many pixels of a tile have each label, (256,) int64."""
    if isinstance(cell, int):
        counts = np.zeros(256, np.int64)
        counts[cell] = shape[0] * shape[1]
        return counts
    return np.bincount(unpack(cell, shape).reshape(-1), minlength=256)


def mapped_cell(cell: Cell, shape: tuple[int, int], table: np.ndarray) -> Cell:
    """The cell in which each label has become ``table[label]``."""
    return int(table[cell]) if isinstance(cell, int) else _cell_of(table[unpack(cell, shape)])


def _labels_of(cell: Cell, shape: tuple[int, int]) -> np.ndarray | int:
    return cell if isinstance(cell, int) else unpack(cell, shape)


def _cell_of(tile: np.ndarray) -> Cell:
    one = _only_label(tile)
    return one if one >= 0 else pack(tile)


def _only_label(labels: Any) -> int:
    """The label that all have, or -1."""
    if not isinstance(labels, np.ndarray) or not labels.ndim:
        return int(labels)
    first = labels[0, 0]
    return int(first) if labels[-1, -1] == first and (labels == first).all() else -1


def _cells(top: int, bottom: int, left: int, right: int) -> Iterator[tuple[Place, slice, slice]]:
    """The tiles that a rectangle touches, each with its rows and columns in the rectangle, counted in the image."""
    for row in range(top // TILE, -(-bottom // TILE) if bottom > top else 0):
        rows = slice(max(top, row * TILE), min(bottom, (row + 1) * TILE))
        for column in range(left // TILE, -(-right // TILE) if right > left else 0):
            yield (row, column), rows, slice(max(left, column * TILE), min(right, (column + 1) * TILE))


def _inner(place: Place, rows: slice, columns: slice) -> tuple[slice, slice]:
    top, left = place[0] * TILE, place[1] * TILE
    return slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)


def _area(place: Place) -> tuple[slice, slice]:
    return slice(place[0] * TILE, (place[0] + 1) * TILE), slice(place[1] * TILE, (place[1] + 1) * TILE)


def _span(part: slice, length: int) -> tuple[int, int]:
    start, stop, step = part.indices(length)
    if step != 1:
        raise ValueError("labels by tiles are read without leaving pixels out")
    return start, max(start, stop)
