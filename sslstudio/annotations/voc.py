"""Pascal VOC: palette PNGs in ``SegmentationClass`` with VOC's own colours, names in ``labelmap.txt``."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from sslstudio.annotations.model import Annotations, Drawn, Format, FoundClass, FoundImage, Job, is_background
from sslstudio.annotations.names import Names
from sslstudio.annotations.rgb_png import labelmap, places_of, read_colours
from sslstudio.annotations.source import Source
from sslstudio.errors import UserError
from sslstudio.images.slices import without_suffix
from sslstudio.language import later, tr
from sslstudio.project.files import replace_file
from sslstudio.project.masks import UNPAINTED, read_mask

FOLDER = "SegmentationClass"
_VOID = (224, 224, 192)  # the border of things in VOC: nothing is said about it
_NAMES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


def recognise(source: Source) -> bool:
    """A folder named SegmentationClass, or one that holds it."""
    return bool(_files(source))


def _files(source: Source) -> list[str]:
    if source.path.is_dir() and source.path.name == FOLDER:
        return list(source.named(".png"))
    return [name for name in source.named(".png") if FOLDER in PurePosixPath(name).parts]


def read(source: Source) -> Annotations:
    """Masks by their colours where a labelmap.txt says which, else by VOC's numbers."""
    tables = [place / "labelmap.txt" for place in (source.folder, source.folder.parent)]
    table = next((file for file in tables if file.is_file()), None)
    classes = labelmap(table) if table else [FoundClass(name, colour_of(at)) for at, name in enumerate(_NAMES)]
    images = []
    for name in _files(source):
        parts = PurePosixPath(name).parts
        inside = PurePosixPath(*parts[parts.index(FOLDER) + 1 :]).as_posix() if FOLDER in parts else name
        make = partial(_draw, source.folder / name, tuple(one.colour for one in classes), table is not None)
        images.append(FoundImage(without_suffix(inside), make, origin=name, called=name))
    return Annotations(tuple(classes), tuple(images), "unpainted")


def _draw(file: Path, colours: tuple[str, ...], by_colour: bool, height: int, width: int) -> Drawn:
    if by_colour:
        return Drawn(_without_void(file, colours))
    labels = read_mask(file)
    unknown = np.unique(labels[(labels >= len(colours)) & (labels < UNPAINTED)])
    if unknown.size:
        raise UserError(
            tr("It holds the value {unknown}, and there is no labelmap.txt to say what it means.").format(
                unknown=unknown[0]
            )
        )
    return Drawn(labels)


def _without_void(file: Path, colours: tuple[str, ...]) -> np.ndarray:
    return places_of(read_colours(file), colours)


def colour_of(index: int) -> str:
    """VOC's colour of a class: the bits of its number, dealt to red, green and blue from the top."""
    channels = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            channels[channel] |= ((index >> (3 * bit + channel)) & 1) << (7 - bit)
    return "#" + "".join(f"{value:02x}" for value in channels)


def write(job: Job, out: Path) -> list[Path]:
    """The folders of VOC: masks, ``labelmap.txt`` and the list of images."""
    first = 0 if job.classes and is_background(job.classes[0].name) else 1  # number 0 is always the background
    rows = ([] if first == 0 else ["background"]) + [one.name for one in job.classes]
    table = np.arange(256) + first
    table[UNPAINTED] = UNPAINTED
    palette = [value for index in range(255) for value in bytes.fromhex(colour_of(index)[1:])] + list(_VOID)
    names, stems = Names(job.paths), []
    for picture in job.pictures():
        name = names.of(picture.path, ".png")
        stems.append(PurePosixPath(name).with_suffix("").as_posix())
        labels = np.minimum(table[picture.array], UNPAINTED).astype(np.uint8)
        replace_file(out / FOLDER / name, _png(labels, palette), tr("The mask {name}").format(name=name), settle=False)
    lines = ["# label:color_rgb:parts:actions"]
    lines += [f"{name}:{','.join(map(str, bytes.fromhex(colour_of(at)[1:])))}::" for at, name in enumerate(rows)]
    replace_file(out / "labelmap.txt", ("\n".join(lines) + "\n").encode(), tr("The file labelmap.txt"))
    listed = "".join(f"{stem}\n" for stem in stems).encode()
    replace_file(out / "ImageSets" / "Segmentation" / "default.txt", listed, tr("The list of images"))
    return [out]


def _png(labels: np.ndarray, palette: list[int]) -> bytes:
    from PIL import Image

    image, data = Image.fromarray(labels), io.BytesIO()
    image.putpalette(palette)
    image.save(data, "PNG", compress_level=3)
    return data.getvalue()


VOC = Format("voc", later("Pascal VOC"), recognise, read, write, pictures=True)
