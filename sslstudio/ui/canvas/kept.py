"""What a stroke changes, kept tile by tile before it changes: to take the stroke back, and to tell what it did."""

from __future__ import annotations

import numpy as np

from sslstudio.images.limits import BOUND
from sslstudio.project.label_map import Labels, Patch, patch_of
from sslstudio.project.sparse_labels import TILE, Cell, Pieces, Place, SparseLabels
from sslstudio.regions.rect import Rect

_TILE = 256
Patches = tuple[Patch, Patch]


class Kept:
    """Of labels in one array: copies of the tiles that were touched."""

    def __init__(self, labels: np.ndarray) -> None:
        self._labels = labels
        self._tiles: dict[tuple[int, int], np.ndarray] = {}

    def keep(self, rect: Rect) -> None:
        """A rectangle is about to change."""
        for row in range(rect.top // _TILE * _TILE, rect.bottom, _TILE):
            for column in range(rect.left // _TILE * _TILE, rect.right, _TILE):
                if (row, column) not in self._tiles:
                    self._tiles[row, column] = self._labels[row : row + _TILE, column : column + _TILE].copy()

    def patches(self, box: Rect) -> Patches:
        """Before and after of a rectangle that holds all that changed."""
        after = box.of(self._labels).copy()
        before = after.copy()
        for (row, column), tile in self._tiles.items():
            _put(before, box, tile, row, column)
        return Patch(box.top, box.left, before), Patch(box.top, box.left, after)

    def restore(self) -> None:
        """Put everything back."""
        for (row, column), tile in self._tiles.items():
            self._labels[row : row + tile.shape[0], column : column + tile.shape[1]] = tile
        self._tiles.clear()


class KeptCells:
    """Of huge labels: their own tiles, packed, so that a stroke over all of them costs little."""

    def __init__(self, labels: SparseLabels) -> None:
        self._labels = labels
        self._cells: dict[Place, Cell] = {}

    def keep(self, rect: Rect) -> None:
        """A rectangle is about to change."""
        for row in range(rect.top // TILE, -(-rect.bottom // TILE)):
            for column in range(rect.left // TILE, -(-rect.right // TILE)):
                if (row, column) not in self._cells:
                    self._cells[row, column] = self._labels.cell((row, column))

    def patches(self, box: Rect) -> Patches:
        """Before and after: of the rectangle where it is small, else of the touched tiles."""
        pieces = Pieces(self._labels.shape, self._cells)
        if box.width * box.height > BOUND * BOUND // 4:
            after = Pieces(self._labels.shape, {place: self._labels.cell(place) for place in self._cells})
            return patch_of(pieces), patch_of(after)
        now = box.of(self._labels)  # type: ignore[type-var]
        before = now.copy()
        for (row, column), tile in pieces.arrays():
            _put(before, box, tile, row * TILE, column * TILE)
        return Patch(box.top, box.left, before), Patch(box.top, box.left, now)

    def restore(self) -> None:
        """Put everything back."""
        for place, cell in self._cells.items():
            self._labels.set_cell(place, cell)
        self._cells.clear()


def kept_of(labels: Labels) -> Kept | KeptCells:
    """What keeps the labels that a stroke is about to change."""
    return KeptCells(labels) if isinstance(labels, SparseLabels) else Kept(labels)


def _put(part: np.ndarray, box: Rect, tile: np.ndarray, row: int, column: int) -> None:
    """Put as much of a tile as lies in the box on ``part``, which is the box."""
    cut = Rect(column, row, column + tile.shape[1], row + tile.shape[0]).within(box)
    if not cut.empty:
        part[cut.top - box.top : cut.bottom - box.top, cut.left - box.left : cut.right - box.left] = tile[
            cut.top - row : cut.bottom - row, cut.left - column : cut.right - column
        ]
