"""RGB PNG: a colour per class, and a table that says which: classes.json, a CSV, or CVAT's labelmap.txt."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from sslstudio.annotations.model import Annotations, Drawn, Format, FoundClass, FoundImage, Job, hex_colour, rgb
from sslstudio.annotations.names import Names
from sslstudio.annotations.palette_png import classes_file, read_class_list
from sslstudio.annotations.pictures import MASKS, inside, mask_files, mask_folder, write_classes
from sslstudio.annotations.source import Source, read_text
from sslstudio.errors import UserError
from sslstudio.images.slices import without_suffix
from sslstudio.language import later, tr
from sslstudio.project.classes import LabelClass
from sslstudio.project.files import replace_file
from sslstudio.project.masks import UNPAINTED

_SHOWN = 3
_VOID = ("#000000", "#e0e0c0", "#ffffff")  # unpainted: the first of these that no class has


def recognise(source: Source) -> bool:
    """Pictures of which the first is one in full colour."""
    files = mask_files(source)
    return bool(files) and _is_colour(source.folder / files[0])


def _is_colour(file: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(file) as image:
            return image.mode in ("RGB", "RGBA")
    except Exception:  # noqa: BLE001  (whatever it is, it is not a colour picture)
        return False


def read(source: Source) -> Annotations:
    """Pictures and their table; raises UserError where there is no table, or two classes share a colour."""
    table = colour_table(source)
    if not table:
        raise UserError(
            tr("These masks are colour pictures, and nothing says which colour is which class."),
            tr("Put a colours.csv beside them with the lines: name,red,green,blue."),
        )
    colours = [one.colour for one in table]
    if double := [one for number, one in enumerate(table) if one.colour in colours[:number]]:
        raise UserError(
            tr("Two classes have the colour {colour}, so they cannot be told apart.").format(colour=double[0].colour),
            tr("Mend it."),
        )
    files = mask_files(source)
    images = [
        FoundImage(
            without_suffix(inside(name)),
            partial(_draw, source.folder / name, tuple(colours)),
            origin=name,
            called=inside(name),
        )
        for name in files
    ]
    return Annotations(tuple(table), tuple(images), "unpainted")


def colour_table(source: Source) -> list[FoundClass]:
    """Names and colours from the first table in or above the folder; empty where there is none."""
    folder = mask_folder(source.folder)
    for place in (folder, folder.parent):
        if (place / "labelmap.txt").is_file():
            return labelmap(place / "labelmap.txt")
        for file in sorted(place.glob("*.csv")):
            if rows := _csv_rows(file):
                return rows
    named = classes_file(folder)
    return [FoundClass(one.name, one.colour.lower()) for one in read_class_list(named)] if named else []


def labelmap(file: Path) -> list[FoundClass]:
    """The rows ``name:red,green,blue:parts:actions`` of a labelmap.txt."""
    found = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        colour = hex_colour(rest.split(":")[0].split(","))
        if not colour:
            raise UserError(
                tr("Line {number} of {name} names no colour.").format(number=number, name=file.name),
                tr("It should read name:red,green,blue::"),
            )
        found.append(FoundClass(name.strip(), colour))
    return found


def _csv_rows(file: Path) -> list[FoundClass]:
    """Lines of a name and three numbers, in either order; a head line is passed over."""
    found, text = [], _table_text(file)
    delimiter = max((",", ";", "\t"), key=text.count)  # where the comma is decimal, Excel puts semicolons
    for row in csv.reader(io.StringIO(text), delimiter=delimiter):
        words = [word.strip() for word in row]
        numbers = [int(word) for word in words if word.isdecimal() and int(word) < 256]
        names = [word for word in words if word and not word.isdecimal()]
        if len(numbers) >= 3 and names:
            hexes = hex_colour(numbers[-3:])
            found.append(FoundClass(names[0], hexes))
    return found


def _table_text(file: Path) -> str:
    """The text of a table, which Excel still writes in the old letters of Windows unless it is asked not to."""
    try:
        return read_text(file)
    except UserError:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return file.read_text("cp1252")
        raise


def _draw(file: Path, colours: Sequence[str], height: int, width: int) -> Drawn:
    pixels = read_colours(file)
    return Drawn(places_of(pixels, colours))


def read_colours(file: Path) -> np.ndarray:
    """(H, W, 3) uint8 of a PNG; raises UserError in words."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            return np.array(image.convert("RGB"))
    except Exception as error:
        raise UserError(tr("{name} cannot be read as an image; it may be damaged.").format(name=file.name)) from error


def places_of(pixels: np.ndarray, colours: Sequence[str]) -> np.ndarray:
    """(H, W) uint8 places of the colours; a void colour that no class has is unpainted; raises UserError."""
    codes = (pixels[..., 0].astype(np.uint32) << 16) | (pixels[..., 1].astype(np.uint32) << 8) | pixels[..., 2]
    found, back = np.unique(codes, return_inverse=True)
    known = {int(one[1:], 16): place for place, one in enumerate(colours)}
    void = [int(one[1:], 16) for one in _VOID if one not in colours]
    unknown = [int(one) for one in found if int(one) not in known and int(one) not in void]
    if unknown:
        shown = ", ".join(f"#{one:06x}" for one in unknown[:_SHOWN]) + (" …" if len(unknown) > _SHOWN else "")
        raise UserError(
            tr("It holds colours that are in no row of the table: {shown}.").format(shown=shown),
            tr("Add them to the table."),
        )
    table = np.array([known.get(int(one), UNPAINTED) for one in found], np.uint8)
    return table[back].reshape(codes.shape)


def write(job: Job, out: Path) -> list[Path]:
    """``masks/<image>.png`` in the classes' colours, ``colours.csv`` and ``classes.json``."""
    classes = apart(job.classes)
    colours = [one.colour for one in classes]
    void = next(one for one in (*_VOID, "#010101") if one not in colours)
    table = np.full((256, 3), rgb(void), np.uint8)
    table[: len(classes)] = [rgb(one) for one in colours]
    names = Names(job.paths)
    for picture in job.pictures():
        file = out / MASKS / names.of(picture.path, ".png")
        replace_file(file, png_bytes(table[picture.array]), tr("The mask {name}").format(name=file.name), settle=False)
    write_classes(classes, out, void)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", "red", "green", "blue"])
    writer.writerows([one.name, *rgb(one.colour)] for one in classes)
    replace_file(out / "colours.csv", text.getvalue().encode(), tr("The file colours.csv"))
    return [out / MASKS]


def apart(classes: Sequence[LabelClass]) -> list[LabelClass]:
    """The classes with colours of which no two are the same."""
    taken: set[str] = set()
    found = []
    for one in classes:
        colour = one.colour.lower()
        while colour in taken:
            colour = f"#{(int(colour[1:], 16) + 0x1F3D5B) & 0xFFFFFF:06x}"
        taken.add(colour)
        found.append(LabelClass(one.name, colour))
    return found


def png_bytes(pixels: np.ndarray) -> bytes:
    """A PNG of (H, W, 3) uint8."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(data, "PNG", compress_level=3)
    return data.getvalue()


RGB = Format("rgb", later("RGB PNG with a colour table"), recognise, read, write, pictures=True)
