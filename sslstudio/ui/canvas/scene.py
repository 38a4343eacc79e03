"""The picture that the canvas shows, kept ready in memory and mended only where something changed.

The image under the current view is sampled once per zoom or move; a dab then costs its own rectangle: sample the
labels, look their colours up, blend. Painting the widget is copying from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtGui import QImage, QPainter

from sslstudio.images.look import Shade, compose
from sslstudio.ui.canvas.grid import GRID_FROM_ZOOM, draw_grid
from sslstudio.ui.canvas.overlay import (
    CODES,
    codes,
    heat_table,
    lay_over,
    mark_differences,
    mark_edges,
    mark_hatch,
    mark_stripes,
)
from sslstudio.ui.canvas.pyramid import ImagePyramid, LabelPyramid, PlanePyramid
from sslstudio.ui.canvas.sampling import sample_image, sample_labels, sample_plane, sample_smoothly
from sslstudio.ui.canvas.viewport import NOTHING, Rect, Viewport

SURROUND = (0x6E, 0x6E, 0x6E)  # neutral, the same in light and dark, so that colours are judged rightly
_EDGES_FROM_ZOOM = 0.5
_HEAT_TABLE = heat_table()
_BAND = 1 << 18  # pixels coloured at a time: what fits the processor's cache


@dataclass
class Layers:
    """What is shown on one pane: labels over others, two whose differences are marked, what is proposed over all."""

    mask: LabelPyramid | None = None
    under: LabelPyramid | None = None
    compared: tuple[LabelPyramid, LabelPyramid] | None = None
    over: LabelPyramid | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing lies over the image."""
        return all(part is None for part in (self.mask, self.under, self.compared, self.over))


@dataclass
class Pane:
    """One finished picture of the view: (h, w, 4) uint8 and two QImages on the same memory.

    ``image`` is drawn on in device pixels; ``shown`` knows the screen's pixel ratio and is drawn from. ``tint`` is
    what lies over the image, (h, w) uint32, kept while only the image below it changes.
    """

    layers: Layers
    pixels: np.ndarray
    image: QImage
    shown: QImage
    tint: np.ndarray
    dirty: Rect = NOTHING
    based: bool = True  # whether it shows the image as it is now


@dataclass
class Look:
    """How labels are coloured: the table of ``overlay.colour_table`` and what depends on zoom and taste."""

    table: np.ndarray = field(default_factory=lambda: np.zeros(CODES, np.uint32))
    hatched: int = -1  # the label that gets a hatch; -1 for none
    filled: bool = True  # else outlines are all there is to see, at any zoom


class Scene:
    """Draws layers into panes of equal size, all seen through one viewport."""

    def __init__(self) -> None:
        self.view = Viewport()
        self.image: ImagePyramid | None = None
        self.planes: PlanePyramid | None = None  # the image as its file holds it
        self.shades: tuple[Shade, ...] | None = None  # how ``planes`` are shown; None: ``image`` is shown as it is
        self.smooth = False
        self.grid = False  # whether lines part enlarged pixels
        self.heat: np.ndarray | None = None  # (h, w) uint8, or (h, w, 3) uint8 colours
        self.look = Look()
        self.panes: list[Pane] = []
        self._size = (1, 1)
        self._base: np.ndarray | None = None  # the image, and the heat on it, without labels
        self._seen: dict[int, np.ndarray] = {}  # channels of the view, while only their shades change
        self._arrived: list[Rect] = []  # device pixels below which a huge image is known better now

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image in pixels; (0, 0) without one."""
        return (self.image.width, self.image.height) if self.image else (0, 0)

    def arrange(self, layers: list[Layers], width: int, height: int) -> None:
        """Have one pane of ``width`` x ``height`` device pixels for each of ``layers``."""
        width, height = max(1, width), max(1, height)
        if (width, height) != self._size or len(layers) != len(self.panes):
            self.panes = [_new_pane(item, width, height) for item in layers]
            if (width, height) != self._size:
                self.stale_image()
            self._size = (width, height)
        for pane, item in zip(self.panes, layers, strict=True):
            pane.layers = item
        self.stale_labels()

    def stale_image(self) -> None:
        """The image, the heat or the view changed: everything is drawn anew."""
        self._seen.clear()
        self.stale_shades()
        self.stale_labels()

    def stale_shades(self) -> None:
        """The image is shown otherwise; its samples, and what lies over it, are still right."""
        self._base = None
        for pane in self.panes:
            pane.based = False

    def stale_labels(self) -> None:
        """Colours or whole label maps changed: the image below is still right."""
        for pane in self.panes:
            pane.dirty = Rect(0, 0, *self._size)

    def changed(self, rect: Rect) -> Rect:
        """A rectangle of the mask changed; the device pixels of a pane that will be mended."""
        device = self.view.device_rect(rect).within(Rect(0, 0, *self._size))
        for pane in self.panes:
            pane.dirty = pane.dirty.joined(device)
        return device

    def image_changed(self, rect: Rect) -> Rect:
        """A rectangle of a huge image is known better; the device pixels of a pane that will be mended."""
        device = self.view.device_rect(rect).within(self.visible())
        if self._base is None or device.empty:
            return device
        if self.heat is not None:
            self.stale_image()
            return device
        self._arrived.append(device)
        for pane in self.panes:
            pane.dirty = pane.dirty.joined(device)
        return device

    def refresh(self) -> None:
        """Bring all panes up to date; only what changed since the last time is drawn."""
        if self._base is None:
            self._base = self._draw_base()
        elif self._arrived:
            self._mend_base()
        self._arrived.clear()
        for pane in self.panes:
            if not pane.dirty.empty:
                self._retint(pane, pane.dirty)
            if not (pane.dirty.empty and pane.based):
                self._lay(pane, pane.dirty if pane.based else Rect(0, 0, *self._size))
            pane.dirty, pane.based = NOTHING, True

    def visible(self) -> Rect:
        """The device pixels of a pane that show the image."""
        return self.view.visible(self.size, self._size)

    def _draw_base(self) -> np.ndarray:
        width, height = self._size
        base = np.empty((height, width, 4), np.uint8)
        base[...] = (*SURROUND, 255)
        rect = self.visible()
        if self.image is not None and not rect.empty:
            base[rect.top : rect.bottom, rect.left : rect.right] = self._pictured(self.image, rect)
            if self.heat is not None:
                self._draw_heat(base, rect)
        return base

    def _mend_base(self) -> None:
        """Draw the image anew where more is known of it."""
        for rect in self._arrived:
            self._seen.clear()
            if self.image is not None and self._base is not None:
                self._base[rect.top : rect.bottom, rect.left : rect.right] = self._pictured(self.image, rect)
        self._seen.clear()

    def _pictured(self, image: ImagePyramid, rect: Rect) -> np.ndarray:
        """The image under a device rectangle, (h, w, 4) uint8, blue first, with the grid where it is wanted."""
        pixels = self._sampled_image(image, rect)
        if self.grid and not self.smooth and self.view.zoom >= GRID_FROM_ZOOM:
            draw_grid(pixels, self.view, rect)
        return pixels

    def _sampled_image(self, image: ImagePyramid, rect: Rect) -> np.ndarray:
        if self.shades is None or self.planes is None:
            return sample_image(image, self.view, rect, smooth=self.smooth)
        if not self.shades:
            return np.full((rect.height, rect.width, 4), (0, 0, 0, 255), np.uint8)
        for shade in self.shades:
            if shade.channel not in self._seen:
                plane = sample_plane(self.planes, shade.channel, self.view, rect, smooth=self.smooth)
                self._seen[shade.channel] = plane
        return compose([self._seen[shade.channel] for shade in self.shades], self.shades)

    def _draw_heat(self, base: np.ndarray, rect: Rect) -> None:
        assert self.heat is not None
        if self.heat.ndim == 3:
            self._draw_colours(base, rect)
            return
        image = QImage(base.data, *self._size, base.strides[0], QImage.Format.Format_RGB32)
        painter = QPainter(image)
        for band in _bands(rect):
            heat = sample_smoothly(self.heat, self.size, self.view, band)
            painter.drawImage(band.left, band.top, _tint_image(_HEAT_TABLE.take(heat)))
        painter.end()

    def _draw_colours(self, base: np.ndarray, rect: Rect) -> None:
        """Lay (h, w, 3) colours over the image, so that its outlines stay visible."""
        assert self.heat is not None
        for band in _bands(rect):
            part = base[band.top : band.bottom, band.left : band.right, :3]
            tint = sample_smoothly(self.heat, self.size, self.view, band)[..., ::-1]  # RGB over BGR
            part[...] = (part * np.float32(0.3) + tint * np.float32(0.7)).astype(np.uint8)

    def _retint(self, pane: Pane, rect: Rect) -> None:
        """Work out anew what lies over the image in a rectangle."""
        seen = rect.within(self.visible())
        if seen.empty or pane.layers.empty:
            return
        for band in _bands(seen):
            pane.tint[band.top : band.bottom, band.left : band.right] = self._tint(pane.layers, band)

    def _lay(self, pane: Pane, rect: Rect) -> None:
        """Copy the image into a rectangle of a pane, and what lies over it onto it."""
        assert self._base is not None
        rows, columns = slice(rect.top, rect.bottom), slice(rect.left, rect.right)
        pane.pixels[rows, columns] = self._base[rows, columns]
        seen = rect.within(self.visible())
        if seen.empty or pane.layers.empty:
            return
        painter = QPainter(pane.image)
        tint = pane.tint[seen.top : seen.bottom, seen.left : seen.right]
        painter.drawImage(seen.left, seen.top, _tint_image(tint))
        painter.end()

    def _tint(self, layers: Layers, rect: Rect) -> np.ndarray:
        around = Rect(rect.left - 1, rect.top - 1, rect.right + 1, rect.bottom + 1).within(self.visible())
        code = codes(self._sampled(layers.mask, around), self._sampled(layers.under, around))
        if code is None:
            code = np.full((around.height, around.width), 255, np.uint16)
        if layers.over is not None:
            lay_over(code, sample_labels(layers.over, self.size, self.view, around))
        if layers.compared is not None:
            one, other = (sample_labels(part, self.size, self.view, around) for part in layers.compared)
            mark_differences(code, one, other)
        if self.view.zoom >= _EDGES_FROM_ZOOM or not self.look.filled:
            mark_edges(code)
        code = code[rect.top - around.top :, rect.left - around.left :][: rect.height, : rect.width]
        left, top = rect.left - round(self.view.x), rect.top - round(self.view.y)
        if self.look.hatched >= 0:
            mark_hatch(code, left, top, self.look.hatched)
        if layers.compared is not None:
            mark_stripes(code, left, top)
        return self.look.table.take(code, mode="clip")

    def _sampled(self, labels: LabelPyramid | None, rect: Rect) -> np.ndarray | None:
        return None if labels is None else sample_labels(labels, self.size, self.view, rect)


def _bands(rect: Rect) -> Iterator[Rect]:
    rows = max(16, _BAND // rect.width)
    for top in range(rect.top, rect.bottom, rows):
        yield Rect(rect.left, top, rect.right, min(top + rows, rect.bottom))


def _tint_image(colours: np.ndarray) -> QImage:
    """A QImage on (h, w) premultiplied 0xAARRGGBB, perhaps a part of more, which it keeps alive but does not copy."""
    height, width = colours.shape
    flat = np.lib.stride_tricks.as_strided(colours, (colours.strides[0] // 4 * (height - 1) + width,), (4,))
    return QImage(flat.data, width, height, colours.strides[0], QImage.Format.Format_ARGB32_Premultiplied)


def _new_pane(layers: Layers, width: int, height: int) -> Pane:
    pixels = np.zeros((height, width, 4), np.uint8)
    image, shown = (QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32) for _ in range(2))
    return Pane(layers, pixels, image, shown, np.zeros((height, width), np.uint32))
