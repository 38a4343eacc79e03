"""A huge image: its sizes, from the file or made once, read by tiles; a coarse picture of all of it is always there."""

from __future__ import annotations

import functools
import itertools
import logging
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from sslstudio.images.errors import UnreadableImage, explained, refuse
from sslstudio.images.levels import levels_of
from sslstudio.images.reduced import Halvings, finite, folder_for, halved, resized, size_of
from sslstudio.images.segments import Forgiving, Level, NotByParts
from sslstudio.images.slices import file_of
from sslstudio.images.tile_cache import SHARED, TileCache
from sslstudio.language import later, tr

_log = logging.getLogger(__name__)
OVERVIEW = 1024  # pixels: the longer side of the coarsest size, at most
_SKETCHED = 80  # tiles that the first picture of all is made from
_SAMPLES = 250_000  # pixels that contrast and histogram are worked out from
_GAP = 2  # halvings that are worked out from the next finer size when they are looked at
_numbers = itertools.count()
_one_at_a_time = threading.Lock()  # several would keep each other from the disk

Part = tuple[int, int, int, int]  # top, bottom, left, right, in pixels of the image


class HugeImage:
    """Sizes 0 (the image) to ``coarsest``, each half of the one before; tiles come from a cache that all share.

    ``overview`` (h, w, C) is the coarsest size, at first perhaps a sketch of it. ``sample`` (n, C) are some pixels of
    the image as they are. ``on_arrival`` is called in another thread when tiles or rows of some part have arrived.
    """

    def __init__(self, path: Path, levels: dict[int, Level], cache: TileCache = SHARED) -> None:
        self.path, self.cache = Path(path), cache
        self._levels = levels
        self._number = next(_numbers)
        base = levels[0]
        self.height, self.width, self.channels, self.dtype = base.height, base.width, base.channels, base.dtype
        self.coarsest = _coarsest(self.height, self.width)
        self.on_arrival: Callable[[Part], None] | None = None
        self._stopped = self._making = False
        self.halvings: Halvings | None = None
        self.overview = np.zeros((*size_of((self.height, self.width), self.coarsest), self.channels), self.dtype)
        self.sample = np.zeros((1, self.channels), self.dtype)
        self._common = self.sample[0]  # stands in for what cannot be decoded

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    @property
    def whole(self) -> bool:
        """Whether all sizes can be read, and the overview is more than a sketch."""
        return self.halvings is None or self.halvings.done

    # reading ------------------------------------------------------------------------------------------------

    def read(self, number: int, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """A part of one size, (h, w, C), waiting for the disk; coarse where that size has not been made yet.

        Raises UnreadableImage.
        """
        with explained(file_of(self.path)):
            return self._put_together(number, (top, bottom, left, right), self._now)

    def look(self, number: int, top: int, bottom: int, left: int, right: int) -> np.ndarray:
        """What is here of a part of one size, (h, w, C), coarse where it must be; the rest is asked for."""
        return self._put_together(number, (top, bottom, left, right), self._here)

    def at_hand(self, x: int, y: int) -> np.ndarray | None:
        """The pixel (C,) if its tile is in memory; it is asked for otherwise."""
        height, width = self._levels[0].tile
        tile = self._here(0, y // height, x // width)
        return None if tile is None or not tile.size else tile[y % height, x % width]

    def size(self, number: int) -> tuple[int, int]:
        """Height and width of one size."""
        return size_of((self.height, self.width), number)

    def stop(self) -> None:
        """Make no more halvings."""
        self._stopped = True

    def forget(self) -> None:
        """Let its tiles go."""
        self.cache.forget(lambda key: isinstance(key, tuple) and key[0] == self._number)

    def _put_together(
        self, number: int, part: Part, tile_of: Callable[[int, int, int], np.ndarray | None]
    ) -> np.ndarray:
        top, bottom, left, right = part
        out = np.empty((max(0, bottom - top), max(0, right - left), self.channels), self.dtype)
        if not out.size:
            return out
        if number >= self.coarsest:
            return self._of_overview(number, part)
        height, width = self._tile(number)
        for row in range(top // height, -(-bottom // height)):
            for column in range(left // width, -(-right // width)):
                here = (
                    max(top, row * height), min(bottom, (row + 1) * height),
                    max(left, column * width), min(right, (column + 1) * width),
                )  # fmt: skip
                tile = tile_of(number, row, column)
                to = out[here[0] - top : here[1] - top, here[2] - left : here[3] - left]
                if tile is None or not tile.size:
                    to[...] = self._coarse(number, here)
                    continue
                y, x = row * height, column * width
                got = tile[here[0] - y : here[1] - y, here[2] - x : here[3] - x]
                to[: got.shape[0], : got.shape[1]] = got
                if got.shape[:2] != to.shape[:2]:  # a file's own size may lack a row that was rounded off
                    to[got.shape[0] :] = to[max(0, got.shape[0] - 1)]
                    to[:, got.shape[1] :] = to[:, max(0, got.shape[1] - 1)][:, None]
        return out

    def _tile(self, number: int) -> tuple[int, int]:
        """Height and width of the tiles of one size."""
        level = self._level(number)
        return level.tile if level is not None else (512, 512)

    def _level(self, number: int) -> Level | None:
        level = self._levels.get(number)
        if level is None and self.halvings is not None:
            level = self.halvings.levels.get(number)
        return level

    def ready(self, number: int) -> bool:
        """Whether one size can be read all over."""
        level = self._level(number)
        rows = -(-self.size(number)[0] // self._tile(number)[0])
        return self._ready(number, rows - 1, 0) if level is not None else self._ready(number, 0, 0)

    def _ready(self, number: int, row: int, column: int) -> bool:
        level = self._level(number)
        if level is not None:
            return level.ready(row, column)
        return any(finer in self._levels for finer in range(number - _GAP, number))

    def _now(self, number: int, row: int, column: int) -> np.ndarray | None:
        if not self._ready(number, row, column):
            return None
        return self._kept(number, row, column)

    def _here(self, number: int, row: int, column: int) -> np.ndarray | None:
        key = (self._number, number, row, column)
        tile = self.cache.get(key)
        if tile is None and self._ready(number, row, column):
            height, width = self._tile(number)
            scale = 2**number
            part = (
                row * height * scale,
                (row + 1) * height * scale,
                column * width * scale,
                (column + 1) * width * scale,
            )
            self.cache.want(key, lambda: self._read(number, row, column), lambda: self._tell(part))
        return tile

    def _read(self, number: int, row: int, column: int) -> np.ndarray:
        level = self._level(number)
        if level is not None:
            return finite(level.read(row, column))
        height, width = self._tile(number)
        finer_height, finer_width = self.size(number - 1)
        top, left = 2 * row * height, 2 * column * width
        bottom, right = min(top + 2 * height, finer_height), min(left + 2 * width, finer_width)
        return halved(self._put_together(number - 1, (top, bottom, left, right), self._now))

    # coarse pictures ----------------------------------------------------------------------------------------

    def _coarse(self, number: int, part: Part) -> np.ndarray:
        """A part of one size from the nearest coarser one that is in memory."""
        top, bottom, left, right = part
        for coarser in range(number + 1, self.coarsest):
            scale = 2 ** (coarser - number)
            height, width = self.size(coarser)
            box = (
                top // scale, min(height, -(-bottom // scale) + 1),
                left // scale, min(width, -(-right // scale) + 1),
            )  # fmt: skip
            if self._in_memory(coarser, box):
                pixels = self._put_together(coarser, box, lambda *at: self.cache.get((self._number, *at)))
                return _enlarged(
                    pixels, scale, (top - box[0] * scale, left - box[2] * scale), (bottom - top, right - left)
                )
        return self._of_overview(number, part)

    def _in_memory(self, number: int, part: Part) -> bool:
        height, width = self._tile(number)
        rows = range(part[0] // height, -(-part[1] // height))
        columns = range(part[2] // width, -(-part[3] // width))
        tiles = (self.cache.get((self._number, number, row, column)) for row in rows for column in columns)
        return all(tile is not None and tile.size for tile in tiles)

    def _of_overview(self, number: int, part: Part) -> np.ndarray:
        top, bottom, left, right = part
        if number >= self.coarsest:
            small = self.overview
            for _ in range(number - self.coarsest):
                small = halved(small)
            return small[top:bottom, left:right]
        scale = 2 ** (self.coarsest - number)
        y, x = top // scale, left // scale
        pixels = self.overview[y : -(-bottom // scale) + 1, x : -(-right // scale) + 1]
        return _enlarged(pixels, scale, (top - y * scale, left - x * scale), (bottom - top, right - left))

    def begin(self, cache: Path | None = None, key: str = "") -> None:
        """Work out the first picture of all, and find or prepare the sizes that the file lacks.

        Tiles that cannot be decoded are left out; raises UnreadableImage where none can, or the disk refuses.
        """
        with explained(file_of(self.path)):
            self._begin(cache, key)

    def _begin(self, cache: Path | None, key: str) -> None:
        self._take_sample()
        missing = [n for n in range(1, self.coarsest + 1) if not self._ready(n, 0, 0)]
        if not missing:
            self._take_overview()
            return
        status = file_of(self.path).stat()
        folder = folder_for(cache or Path(), key or self.path.as_posix(), status.st_mtime_ns, status.st_size)
        finest = max(n for n in self._levels if n < missing[0])
        numbers = range(min(finest + _GAP, self.coarsest), self.coarsest + 1)
        self.halvings = Halvings(folder, self.shape, self.dtype, numbers)
        self._making = cache is None  # then there is no place for them
        if cache is not None and self.halvings.open():
            self._take_overview()
        else:
            self.overview = self._sketch(finest)

    def sample_only(self) -> None:
        """Find out what its values are like, without a picture of all of it; raises UnreadableImage as ``begin``."""
        with explained(file_of(self.path)):
            self._take_sample()

    def make_halvings(self) -> None:
        """Make the sizes that the file lacks, in a thread of their own, one image at a time; ``stop`` ends it."""
        if self.whole or self._making:
            return
        self._making = True
        thread = threading.Thread(target=_make, args=(weakref.ref(self),), name="halvings", daemon=True)
        thread.start()

    def _took(self, number: int, top: int, bottom: int) -> None:
        """Rows of a halving can be read from now on."""
        if number == self.coarsest and self.halvings is not None:
            level = self.halvings.levels[number]
            self.overview[top:bottom] = level.rows_of(top, bottom, 0, level.width)
        if number == self.coarsest or (self.halvings and number == self.halvings.numbers.start):
            self._tell((top * 2**number, bottom * 2**number, 0, self.width))

    def _tell(self, part: Part) -> None:
        heard = self.on_arrival  # the window forgets an image at any time
        if heard is not None:
            heard(part)

    def _take_overview(self) -> None:
        """The coarsest size as it is, or from the one before."""
        level = self._level(self.coarsest)
        height, width = self.size(self.coarsest)
        number = self.coarsest if level is not None else max(self._levels)
        pixels = _all_of(Forgiving(self._level(number), self._common))  # type: ignore[arg-type]
        self.overview = _fitted(pixels, height, width)

    def _sketch(self, number: int) -> np.ndarray:
        """What some tiles of one size, evenly spread, tell of the whole picture."""
        level = self._levels[number]
        tiles = Forgiving(level, self._common, functools.partial(self._kept, number))
        rows, columns = _spread(level)
        high, wide = self.overview.shape[:2]
        across = wide if len(columns) == -(-level.width // level.tile[1]) else len(columns)
        lines = []
        for row in rows:
            line = [tiles.read(row, column) for column in columns]
            if across == wide:
                line = [np.concatenate(line, axis=1)]
                lines.append(_fitted(line[0], 1, wide))
            else:
                lines.append(np.concatenate([_fitted(tile, 1, 1) for tile in line], axis=1))
        return _stretched(np.concatenate(lines), high, wide)

    def _kept(self, number: int, row: int, column: int) -> np.ndarray:
        return self.cache.read((self._number, number, row, column), lambda: self._read(number, row, column))

    def _take_sample(self) -> None:
        """Some pixels as the file holds them, from tiles that are evenly spread, and the value in their midst."""
        level, parts, failure = self._levels[0], [], None
        rows, columns = _spread(level)
        chosen = [(row, column) for row in rows for column in columns][:: max(1, len(rows) * len(columns) // 24)]
        each = max(1, _SAMPLES // len(chosen))
        for row, column in chosen:
            try:
                raw = level.read(row, column)
            except (OSError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - decoders raise what they like; other tiles may be whole
                failure = error
                continue
            self.cache.read((self._number, 0, row, column), functools.partial(finite, raw))
            pixels = raw.reshape(-1, self.channels)
            known = pixels[np.isfinite(pixels).all(axis=1)] if raw.dtype.kind == "f" else pixels
            parts.append(known[:: max(1, len(known) // each)])
        if failure is not None and not parts:
            raise failure
        found = np.concatenate(parts)
        self.sample = found if len(found) else np.zeros((1, self.channels), self.dtype)
        self._common = np.median(self.sample, axis=0).astype(self.dtype)


def _make(reference: weakref.ref[HugeImage]) -> None:
    """Make halvings as long as somebody holds the image."""
    image = reference()
    if image is None or image.halvings is None:
        return
    halvings, finest = image.halvings, max(n for n in image._levels if n < image.halvings.numbers.start)
    source, steps = Forgiving(image._levels[finest], image._common), halvings.numbers.start - finest
    path = image.path
    del image

    def stopped() -> bool:
        held = reference()
        return held is None or held._stopped

    def arrived(number: int, top: int, bottom: int) -> None:
        held = reference()
        if held is not None:
            held._took(number, top, bottom)

    try:
        with _one_at_a_time:
            made = halvings.make(source, steps, stopped, arrived)
        if made:
            held = reference()
            if held is not None:
                held._tell((0, held.height, 0, held.width))
    except Exception as error:  # noqa: BLE001 - the image stays coarse from afar, and can be painted
        _log.warning("the halvings of %s could not be made: %s", path.name, error)


# opening ------------------------------------------------------------------------------------------------


def open_huge(path: Path) -> HugeImage | None:
    """The image where it is huge and can be read by parts, None where it is not huge.

    Raises UnreadableImage where it is huge and can only be read as a whole.
    """
    path = Path(path)
    try:
        levels = levels_of(path)
        return None if levels is None else HugeImage(path, levels)
    except NotByParts as error:
        raise _refusal(path, str(error)) from None
    except UnreadableImage:
        raise
    except OSError as error:
        raise refuse(
            path, tr("could not be opened ({strerror})").format(strerror=error.strerror or error), tr("Check the disk.")
        ) from None
    except Exception as error:
        raise refuse(path, tr("cannot be read by parts ({error})").format(error=error), tr(_ADVICE)) from error


_ADVICE = later("Save it as a TIFF with tiles, best with a pyramid (for example with QuPath, Fiji or libvips).")


def _refusal(path: Path, why: str) -> UnreadableImage:
    return refuse(path, tr("is too large to open at once, and {why}").format(why=why), tr(_ADVICE))


def why_not_by_parts(path: Path, otherwise: UnreadableImage) -> UnreadableImage | None:
    """Why a huge file cannot be read by parts, ``otherwise`` for kinds of which none can; None where it can."""
    try:
        return otherwise if levels_of(Path(path)) is None else None
    except NotByParts as error:
        return _refusal(Path(path), str(error))
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the other sentence is true as well
        return otherwise


def can_be_read_by_parts(path: Path) -> bool:
    """Whether the file is a huge one whose tiles or rows can be read one by one; the header is looked at only."""
    try:
        return levels_of(Path(path)) is not None
    except Exception:  # noqa: BLE001 - whatever is wrong, the usual reader says it
        return False


# shapes -------------------------------------------------------------------------------------------------


def _coarsest(height: int, width: int) -> int:
    number = 1
    while max(size_of((height, width), number)) > OVERVIEW:
        number += 1
    return number


def _spread(level: Level) -> tuple[list[int], list[int]]:
    """Rows and columns of some tiles, evenly spread, about ``_SKETCHED`` of them."""
    down, across = -(-level.height // level.tile[0]), -(-level.width // level.tile[1])
    step = max(1, round((down * across / _SKETCHED) ** 0.5)) if across > 1 else 1
    rows_step = max(step, -(-down // (_SKETCHED if across > 1 else _SKETCHED // 6)))
    return list(range(rows_step // 2, down, rows_step)) or [0], list(range(step // 2, across, step)) or [0]


def _all_of(level: Forgiving) -> np.ndarray:
    height, width = level.tile
    rows = [
        np.concatenate([finite(level.read(row, column)) for column in range(-(-level.width // width))], axis=1)
        for row in range(-(-level.height // height))
    ]
    return np.concatenate(rows)


def _fitted(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """(h, w, C) averaged over areas."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return resized(pixels, height, width, cv2.INTER_AREA)


def _stretched(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    return resized(pixels, height, width, cv2.INTER_LINEAR)


def _enlarged(pixels: np.ndarray, scale: int, start: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """A part of ``size`` (h, w) from ``start`` on of pixels that each cover ``scale`` x ``scale``, blended."""
    matrix = np.array([[1 / scale, 0, (start[1] + 0.5) / scale - 0.5], [0, 1 / scale, (start[0] + 0.5) / scale - 0.5]])
    out = np.empty((*size, pixels.shape[2]), pixels.dtype)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for at in range(0, pixels.shape[2], 4):
        part = np.ascontiguousarray(pixels[..., at : at + 4])
        moved = cv2.warpAffine(part, matrix, size[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
        out[..., at : at + 4] = moved if moved.ndim == 3 else moved[..., None]
    return out
