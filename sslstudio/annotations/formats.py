"""All formats in one table, and which of them a file or folder is in, told by its content."""

from __future__ import annotations

from sslstudio.annotations import coco, cvat, label_studio, label_tiff, labelme, pictures, qupath, rgb_png, voc, yolo
from sslstudio.annotations.model import Format
from sslstudio.annotations.source import Source
from sslstudio.errors import UserError
from sslstudio.language import tr

# Asked in this order: those that can be told for certain come first, plain pictures last.
_ALL: tuple[Format, ...] = (
    coco.COCO,
    coco.COCO_RLE,
    label_studio.LABEL_STUDIO,
    labelme.LABELME,
    qupath.QUPATH,
    cvat.CVAT,
    yolo.YOLO,
    voc.VOC,
    label_tiff.LABEL_TIFF,
    rgb_png.RGB,
    pictures.PALETTE,
    pictures.GREY,
)
FORMATS: dict[str, Format] = {one.id: one for one in _ALL}
PLAIN = ("palette", "grey")  # pixel values are class numbers; ``palette_png`` asks what they mean


def huge_formats() -> str:
    """The names of those in which masks of huge images can be brought in and handed out."""
    return ", ".join(tr(one.name) for one in _ALL if one.huge)


def find_format(source: Source) -> Format:
    """The format of a source; raises UserError when it is none of those that are known."""
    for one in _ALL:
        if one.recognise(source):
            return one
    if source.path.is_dir() and not source.documents:
        known = ", ".join(one.name for one in _ALL)
        raise UserError(
            tr("No masks were found in {path}.").format(path=source.path),
            tr("These are known: {known}.").format(known=known),
        )
    raise UserError(
        tr("{name} is in no format that is known.").format(name=source.path.name),
        tr("These are: {all}. Name one with --format if it was not recognised.").format(
            all=", ".join(one.name for one in _ALL)
        ),
    )
