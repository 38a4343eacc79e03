"""Label TIFF of napari and ImageJ, and 16-bit PNG: numbers per pixel; our TIFFs have colours, lest they look black."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sslstudio.annotations.model import Annotations, Drawn, Format, FoundClass, FoundImage, Job, rgb
from sslstudio.annotations.names import Names
from sslstudio.annotations.numbering import MOST_FOUND, Numbering, told_objects
from sslstudio.annotations.palette_png import THING, classes_file, read_class_list
from sslstudio.annotations.pictures import MASKS, inside, mask_files, mask_folder, write_classes
from sslstudio.annotations.source import Source
from sslstudio.errors import UserError
from sslstudio.images import limits
from sslstudio.images.numbers import Numbers, Tile, huge_numbers
from sslstudio.images.reader import MAX_PIXELS, probe
from sslstudio.images.segments import NotByParts
from sslstudio.images.slices import all_slices, split_slice, without_suffix
from sslstudio.language import later, tr
from sslstudio.project.files import replace_file
from sslstudio.project.label_map import UNPAINTED, Labels
from sslstudio.project.masks import read_mask
from sslstudio.project.sparse_labels import TILE, SparseLabels

_MOST_COLOURS = 4  # at the end of a shape these are colours and no width
_TIFF = (".tif", ".tiff")
_SUFFIXES = (*_TIFF, ".png")  # PNGs hold up to 16 bits; Cellpose writes such labels
_LOOKED_AT = 20  # files of which the depth is looked at


def recognise(source: Source) -> bool:
    """Only TIFFs and PNGs, of which some hold more than 8 bits; or TIFFs whose values a ``classes.json`` names."""
    files = mask_files(source)
    if not files or not all(name.lower().endswith(_SUFFIXES) for name in files):
        return False
    if all(name.lower().endswith(_TIFF) for name in files) and classes_file(mask_folder(source.folder)) is not None:
        return True
    return any(_is_deep(source.folder / name) for name in files[:_LOOKED_AT])


def _is_deep(file: Path) -> bool:
    from PIL import Image

    try:
        if file.suffix.lower() in _TIFF:
            return _parts(file)[1].itemsize > 1
        with Image.open(file) as image:
            return image.mode.startswith("I")
    except Exception:  # noqa: BLE001 - whatever it is, it holds no numbers
        return False


def read(source: Source) -> Annotations:
    """Classes from ``classes.json``; else few numbers are classes, and many are single objects of one class."""
    files = [name for name in mask_files(source) if name.lower().endswith(_SUFFIXES)]
    named = classes_file(mask_folder(source.folder))
    if named is not None:
        classes = [FoundClass(one.name, one.colour) for one in read_class_list(named)]
        return _annotations(source, files, classes, objects=False)
    highest, numbering = 0, Numbering()
    for name in (one for file in files for one in _slices(source.folder, file)):
        try:
            highest = max(highest, _look(source.folder / name, numbering))
        except UserError:
            continue  # refused with its reason when it is drawn
    things = [FoundClass("background"), FoundClass(THING)]
    if highest >= MOST_FOUND:
        note = tr("The numbers go up to {highest:,}, so they were taken as single objects of one class.").format(
            highest=highest
        )
        return _annotations(source, files, things, objects=True, notes=(note,))
    if numbering.objects:
        return _annotations(source, files, things, objects=True, notes=(told_objects(),))
    classes = [FoundClass("background"), *(FoundClass(f"class {number}") for number in range(1, highest + 1))]
    return _annotations(source, files, classes, objects=False)


def _look(file: Path, numbering: Numbering) -> int:
    """The highest number that is not unpainted; small numbers are looked at as a whole."""
    highest, parts = 0, _parts(file)
    for top, left, part in parts[2]:
        here = int(part[part != UNPAINTED].max(initial=0)) if part.dtype == np.uint8 else int(part.max(initial=0))
        highest = max(highest, here)
        if (top, left, part.shape) == (0, 0, parts[0]) and highest < MOST_FOUND and part.min(initial=0) >= 0:
            numbering.add(file.as_posix(), part.astype(np.uint8))
    return highest


def _annotations(
    source: Source, files: list[str], classes: list[FoundClass], *, objects: bool, notes: tuple[str, ...] = ()
) -> Annotations:
    images = [
        FoundImage(
            without_suffix(inside(name)),
            partial(_draw, source.folder / name, len(classes), objects),
            origin=name,
            called=inside(name),
        )
        for file in files
        for name in _slices(source.folder, file)
    ]
    return Annotations(tuple(classes), tuple(images), "unpainted", (), notes)


def _slices(folder: Path, name: str) -> list[str]:
    """A mask for each slice of a stack of labels, named as slices of images are; the file itself where it is none."""
    try:
        return all_slices(name, probe(folder / name).pages)
    except UserError:
        return [name]  # refused with its reason when it is drawn


def _draw(file: Path, count: int, objects: bool, height: int, width: int) -> Drawn:
    shape, _, parts = _parts(file)
    if not limits.is_huge(*shape):
        return Drawn(_places(next(parts)[2], count, objects))
    labels = SparseLabels(shape[0], shape[1], UNPAINTED)
    for top, left, part in parts:
        labels[top : top + part.shape[0], left : left + part.shape[1]] = _places(part, count, objects)
    return Drawn(labels)


def _places(labels: np.ndarray, count: int, objects: bool) -> np.ndarray:
    """Numbers as places of classes; raises UserError for one that has none."""
    if objects:
        return (labels > 0).astype(np.uint8)
    unknown = np.unique(labels[((labels >= count) & (labels != UNPAINTED)) | (labels < 0)])
    if unknown.size:
        raise UserError(
            tr("It holds the value {unknown}; the classes are 0 to {count}.").format(
                unknown=unknown[0], count=count - 1
            )
        )
    return labels.astype(np.uint8)


def _parts(file: Path) -> tuple[tuple[int, ...], np.dtype, Iterator[Tile]]:
    """Size and type of a TIFF's numbers, and they themselves: by tiles if it is huge. Raises UserError."""
    try:
        numbers = huge_numbers(file) if file.is_file() else None  # a slice of a stack is no file
    except NotByParts as error:
        raise UserError(
            tr("{name} is too large to open at once, and {why}.").format(name=file.name, why=error),
            tr("Save it as a TIFF with tiles."),
        ) from None
    except Exception:  # noqa: BLE001 - the other reader says what is wrong with it
        numbers = None
    if numbers is None:
        labels = _of_png(file) if file.suffix.lower() == ".png" else read_labels(file)
        return labels.shape, labels.dtype, iter([(0, 0, labels)])
    return numbers.shape, numbers.dtype, _tiles(numbers, file)


def _of_png(file: Path) -> np.ndarray:
    """(H, W) numbers of up to 16 bits; raises UserError."""
    from PIL import Image

    try:
        with Image.open(file, formats=("PNG",)) as image:
            if image.mode.startswith("I") and image.width * image.height <= MAX_PIXELS:
                return np.array(image)
    except Exception as error:
        raise UserError(tr("{name} cannot be read as an image; it may be damaged.").format(name=file.name)) from error
    return read_mask(file)


def _tiles(numbers: Numbers, file: Path) -> Iterator[Tile]:
    try:
        for top, left, part in numbers.tiles():
            yield top, left, _whole_numbers(part, file)
    except UserError:
        raise
    except Exception as error:
        raise UserError(tr("{name} cannot be read as a TIFF; it may be damaged.").format(name=file.name)) from error


def read_labels(file: Path) -> np.ndarray:
    """(H, W) whole numbers of a TIFF, or of a slice of it; raises UserError for colours, fractions, damage.

    Also for several channels per slice, of which nobody can tell which one holds the labels.
    """
    path, number = split_slice(str(file))
    try:
        pixels, slices = _whole(Path(path), Path(path).stat().st_mtime_ns)
    except UserError:
        raise
    except Exception as error:
        raise UserError(tr("{name} cannot be read as a TIFF; it may be damaged.").format(name=file.name)) from error
    shape = " × ".join(map(str, pixels.shape))
    if pixels.ndim > 2 and pixels.shape[-1] > _MOST_COLOURS:
        if math.prod(pixels.shape[:-2]) != slices or number > slices:
            raise UserError(
                tr("{name} holds several channels ({shape}); labels have one number per pixel.").format(
                    name=file.name, shape=shape
                )
            )
        pixels = pixels.reshape(-1, *pixels.shape[-2:])[number - 1]
    if pixels.ndim != 2:
        raise UserError(
            tr("{name} is a colour picture ({shape}); labels have one number per pixel.").format(
                name=file.name, shape=shape
            )
        )
    return _whole_numbers(pixels, file)


def _whole_numbers(pixels: np.ndarray, file: Path) -> np.ndarray:
    """The same as whole numbers; raises UserError for others."""
    if pixels.dtype.kind == "f":
        if not (np.isfinite(pixels).all() and (pixels == np.rint(pixels)).all()):
            raise UserError(tr("{name} holds fractions; labels are whole numbers.").format(name=file.name))
        pixels = pixels.astype(np.int64)
    if pixels.dtype.kind not in "uib":
        raise UserError(
            tr("{name} holds {dtype} values; labels are whole numbers.").format(name=file.name, dtype=pixels.dtype)
        )
    return pixels.astype(np.uint8) if pixels.dtype.kind == "b" else pixels


@lru_cache(1)  # the slices of a stack are asked for one after the other
def _whole(file: Path, _changed: int) -> tuple[np.ndarray, int]:
    """All numbers of a TIFF, without axes of length 1, and how many slices an image of its kind has."""
    import tifffile

    return np.squeeze(tifffile.imread(file, _multifile=False)), probe(file).pages


def write(job: Job, out: Path) -> list[Path]:
    """``masks/<image>.tif``, 8 bits: value = class, 255 = unpainted, with a colour table; and ``classes.json``."""
    colours = np.zeros((3, 256), np.uint16)
    for place, one in enumerate(job.classes):
        colours[:, place] = np.array(rgb(one.colour), np.uint16) * 257
    names = Names(job.paths)
    for picture in job.pictures():
        name = names.of(picture.path, ".tif")
        data = partial(_write_tiff, picture.labels, colours)
        replace_file(out / MASKS / name, data, tr("The mask {name}").format(name=name), settle=False)
    write_classes(job.classes, out)
    return [out / MASKS]


def _write_tiff(labels: Labels, colours: np.ndarray, file: BinaryIO) -> None:
    import tifffile

    if isinstance(labels, np.ndarray):
        tifffile.imwrite(file, labels, photometric="palette", colormap=colours, metadata=None)
        return
    tiles = (_full(labels.tile(place)) for place in labels.places())
    about: Any = {"shape": labels.shape, "dtype": np.uint8, "tile": (TILE, TILE), "compression": "zlib"}
    tifffile.imwrite(file, tiles, photometric="palette", colormap=colours, metadata=None, **about)


def _full(tile: np.ndarray) -> np.ndarray:
    """A tile as files have them, in full size at the image's edges too."""
    return np.pad(tile, ((0, TILE - tile.shape[0]), (0, TILE - tile.shape[1])), constant_values=UNPAINTED)


LABEL_TIFF = Format("tiff", later("Label TIFF (napari, ImageJ)"), recognise, read, write, pictures=True, huge=True)
