"""Label TIFF of napari and ImageJ: whole numbers per pixel; written with colours, so that it never looks black."""

from __future__ import annotations

import io
import math
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from sslstudio.annotations.model import Annotations, Drawn, Format, FoundClass, FoundImage, Job, rgb
from sslstudio.annotations.names import Names
from sslstudio.annotations.palette_png import MOST_FOUND, classes_file, read_class_list
from sslstudio.annotations.pictures import MASKS, mask_files, mask_folder, write_classes
from sslstudio.annotations.source import Source
from sslstudio.errors import UserError
from sslstudio.images.reader import probe
from sslstudio.images.slices import all_slices, split_slice
from sslstudio.language import later, tr
from sslstudio.project.files import replace_file
from sslstudio.project.masks import UNPAINTED

_MOST_COLOURS = 4  # at the end of a shape these are colours and no width
_SUFFIXES = (".tif", ".tiff")


def recognise(source: Source) -> bool:
    """Only TIFFs, of which the first holds more than 8 bits, or whose values a ``classes.json`` names."""
    files = mask_files(source)
    if not files or not all(name.lower().endswith(_SUFFIXES) for name in files):
        return False
    if classes_file(mask_folder(source.folder)) is not None:
        return True
    try:
        return read_labels(source.folder / files[0]).dtype.itemsize > 1
    except UserError:
        return False


def read(source: Source) -> Annotations:
    """Classes from ``classes.json``; else few numbers are classes, and many are single objects of one class."""
    files = [name for name in mask_files(source) if name.lower().endswith(_SUFFIXES)]
    named = classes_file(mask_folder(source.folder))
    if named is not None:
        classes = [FoundClass(one.name, one.colour) for one in read_class_list(named)]
        return _annotations(source, files, classes, objects=False)
    highest = 0
    for name in (one for file in files for one in _slices(source.folder, file)):
        try:
            highest = max(highest, _highest(read_labels(source.folder / name)))
        except UserError:
            continue  # refused with its reason when it is drawn
    if highest >= MOST_FOUND:
        classes = [FoundClass("background"), FoundClass("object")]
        note = tr("The numbers go up to {highest:,}, so they were taken as single objects of one class.").format(
            highest=highest
        )
        return _annotations(source, files, classes, objects=True, notes=(note,))
    classes = [FoundClass("background"), *(FoundClass(f"class {number}") for number in range(1, highest + 1))]
    return _annotations(source, files, classes, objects=False)


def _highest(labels: np.ndarray) -> int:
    return int(labels[labels != UNPAINTED].max(initial=0)) if labels.dtype == np.uint8 else int(labels.max(initial=0))


def _annotations(
    source: Source, files: list[str], classes: list[FoundClass], *, objects: bool, notes: tuple[str, ...] = ()
) -> Annotations:
    images = [
        FoundImage(
            name.removeprefix(f"{MASKS}/"), partial(_draw, source.folder / name, len(classes), objects), None, name
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
    labels = read_labels(file)
    if objects:
        return Drawn((labels > 0).astype(np.uint8))
    unknown = np.unique(labels[((labels >= count) & (labels != UNPAINTED)) | (labels < 0)])
    if unknown.size:
        raise UserError(
            tr("It holds the value {unknown}; the classes are 0 to {count}.").format(
                unknown=unknown[0], count=count - 1
            )
        )
    return Drawn(labels.astype(np.uint8))


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
    names = Names()
    for picture in job.pictures():
        name = names.of(picture.path, ".tif")
        replace_file(
            out / MASKS / name, _tiff(picture.labels, colours), tr("The mask {name}").format(name=name), settle=False
        )
    write_classes(job.classes, out)
    return [out / MASKS]


def _tiff(labels: np.ndarray, colours: np.ndarray) -> bytes:
    import tifffile

    data = io.BytesIO()
    tifffile.imwrite(data, labels, photometric="palette", colormap=colours, metadata=None)
    return data.getvalue()


LABEL_TIFF = Format("tiff", later("Label TIFF (napari, ImageJ)"), recognise, read, write, pictures=True)
