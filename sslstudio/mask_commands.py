"""The commands about masks: taking them over, handing them out, measuring them."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sslstudio.commands import Output, project_path, read_project
from sslstudio.errors import UserError
from sslstudio.language import tr, tr_many

if TYPE_CHECKING:
    from pathlib import Path

    from sslstudio.annotations.bringing_in import Preview
    from sslstudio.annotations.palette_png import ImportReport
    from sslstudio.project.project import Project


def import_masks(words: Namespace) -> Output:
    """Take over masks of any known format; they are matched to the images by their names."""
    from sslstudio.project.project import Project

    if words.preview:
        with read_project(words.project) as project:
            return _previewed(project, words)
    with Project.open(project_path(words.project)) as project:
        kind, report = _take_over(project, words)
        classes = [entry.name for entry in project.classes]
    told = _told(report)
    if not report.matched:
        raise UserError("\n".join([tr("No mask was taken over."), *told]), _advice(report))
    count = len(report.matched)
    first = tr_many("{count} mask taken over ({kind}).", "{count} masks taken over ({kind}).", count)
    lines = [first.format(count=count, kind=kind), tr("Classes: {classes}.").format(classes=", ".join(classes))]
    if report.replaced:
        lines.append(
            tr_many(
                "{count} of them replaced a mask; that can be undone in the window.",
                "{count} of them replaced masks; that can be undone in the window.",
                report.replaced,
            ).format(count=report.replaced)
        )
    return Output("\n".join([*lines, *told]), {**_values(report), "classes": classes, "format": kind})


def _advice(report: ImportReport) -> str:
    if report.refused:
        return tr("Mend or replace those masks.")
    if report.left:
        return tr(
            "What is not annotated is no background; --uncovered background makes it so where there is no shape at all."
        )
    return tr("Masks must be named like the images.")


def _take_over(project: Project, words: Namespace) -> tuple[str, ImportReport]:
    """Pictures whose values are class numbers go by value; everything else by name."""
    from sslstudio.annotations.bringing_in import bring_in, by_value
    from sslstudio.annotations.palette_png import import_masks as take_over
    from sslstudio.annotations.pictures import mask_folder

    kind = _kind(words.source, words.format)
    if by_value(project, words.source, kind) or (words.map and kind in ("palette", "grey")):
        return kind, take_over(project, mask_folder(words.source), _numbers(words.map))
    return kind, bring_in(project, words.source, kind, _names(words.map), words.uncovered)


def _kind(source: Path, given: str) -> str:
    from sslstudio.annotations.formats import find_format
    from sslstudio.annotations.source import Source

    return given or find_format(Source.at(source)).id


def _previewed(project: Project, words: Namespace) -> Output:
    from sslstudio.annotations.bringing_in import preview

    kind = _kind(words.source, words.format)
    names = {} if kind in ("palette", "grey") else _names(words.map)
    seen = preview(project, words.source, kind, names, words.uncovered)
    count = len(seen.report.matched)
    first = tr_many(
        "{kind}: {count} image would get a mask; nothing was changed.",
        "{kind}: {count} images would get a mask; nothing was changed.",
        count,
    )
    lines = [first.format(kind=kind, count=count), *(f"  {_row(row)}" for row in seen.classes)]
    if kind not in ("palette", "grey"):
        lines.append(f"  {_beside(seen)}")
    if seen.painted:
        more = tr_many(
            "{count} image has a mask already, which would be replaced; that can be undone.",
            "{count} images have a mask already, which would be replaced; that can be undone.",
            seen.painted,
        )
        lines.append(f"  {more.format(count=seen.painted)}")
    return Output("\n".join([*lines, *_told(seen.report)]), _previewed_values(seen))


def _beside(seen: Preview) -> str:
    if seen.uncovered == "background":
        return tr("What no shape covers would be background.")
    return tr("What no shape covers would be unpainted.")


def _row(row: Any) -> str:
    if not row.becomes:
        text = tr("Class “{name}” would be left unpainted; images: {images}, pixels: {pixels:,}")
    elif row.new:
        text = tr("Class “{name}” becomes the new class “{becomes}”; images: {images}, pixels: {pixels:,}")
    else:
        text = tr("Class “{name}” becomes “{becomes}”; images: {images}, pixels: {pixels:,}")
    return text.format(name=row.name, becomes=row.becomes, images=row.images, pixels=row.pixels)


def _previewed_values(seen: Preview) -> dict[str, Any]:
    classes = [asdict(row) for row in seen.classes]
    about = {"format": seen.format, "classes": classes, "uncovered": seen.uncovered, "replaced": seen.painted}
    return {**_values(seen.report), **about, "preview": True}


def _told(report: ImportReport) -> list[str]:
    lines = [tr("No image is named like {name}.").format(name=name) for name in report.unmatched]
    lines += [tr("Refused: {file}. {reason}").format(file=file, reason=reason) for file, reason in report.refused]
    lines += [tr("Left alone: {file}. {reason}").format(file=file, reason=reason) for file, reason in report.left]
    return [f"  {line}" for line in lines] + [tr("Note: {note}").format(note=note) for note in report.notes]


def _values(report: ImportReport) -> dict[str, Any]:
    refused = [{"file": file, "reason": reason} for file, reason in report.refused]
    lists = {"matched": list(report.matched), "unmatched": list(report.unmatched), "notes": list(report.notes)}
    left = [{"file": file, "reason": reason} for file, reason in report.left]
    return {**lists, "refused": refused, "left": left, "replaced": report.replaced}


def _numbers(pairs: list[str]) -> dict[int, int]:
    """Pixel values to classes from words such as “255=1”."""
    found = {}
    for pair in pairs:
        value, _, label = pair.partition("=")
        if not (value.strip().isdecimal() and label.strip().isdecimal()):
            raise UserError(
                tr("“{pair}” maps no pixel value to a class.").format(pair=pair), tr("For example: --map 255=1.")
            )
        found[int(value)] = int(label)
    return found


def _names(pairs: list[str]) -> dict[str, str]:
    """Classes of the file to classes of the project from words such as “nuclei=cell”."""
    found = {}
    for pair in pairs:
        name, equals, meant = pair.partition("=")
        if not equals or not name.strip() or not meant.strip():
            advice = tr("For example: --map nuclei=cell, or --map nuclei=unpainted.")
            raise UserError(tr("“{pair}” maps no class to a class.").format(pair=pair), advice)
        found[name.strip()] = meant.strip()
    return found


def export_masks(words: Namespace) -> Output:
    """Write the painted masks, or a model's predictions, in a format of another tool."""
    from sslstudio.annotations.handing_out import export_masks as hand_out

    pictures = [part for part in ("coloured", "overlay") if getattr(words, part)] or None
    with read_project(words.project) as project:
        report = hand_out(project, words.format, words.out, model=words.model, companions=pictures)
    lines = [
        tr("Masks written to {out}: {count}. Pictures beside them: {pictures}.").format(
            out=words.out, count=len(report.images), pictures=report.pictures
        )
    ]
    lines += [tr("Left out: {file}. {reason}").format(file=file, reason=why) for file, why in report.refused]
    lines += [tr("Note: {note}").format(note=note) for note in report.notes]
    refused = [{"file": file, "reason": reason} for file, reason in report.refused]
    values = {"images": list(report.images), "files": [str(file) for file in report.files], "refused": refused}
    more = {"pictures": report.pictures, "notes": list(report.notes), "out": str(words.out.absolute())}
    return Output("\n".join(lines), {**values, **more})


def measure(words: Namespace) -> Output:
    """Write areas and counts per image and per region as CSV, in pixels and where known in micrometres."""
    from sslstudio.annotations.measuring import measure as write_tables

    with read_project(words.project) as project:
        done = write_tables(project, words.out, words.model)
    lines = [
        tr("Images: {images}, regions: {regions}. Written: {file} and {file_2}.").format(
            images=done.images, regions=done.regions, file=done.images_file, file_2=done.regions_file
        ),
        tr("Images that know the size of their pixels: {count}.").format(count=done.with_size),
    ]
    lines += [tr("Left out: {file}. {reason}").format(file=file, reason=why) for file, why in done.refused]
    refused = [{"file": file, "reason": reason} for file, reason in done.refused]
    values = asdict(done) | {"images_file": str(done.images_file), "regions_file": str(done.regions_file)}
    return Output("\n".join(lines), {**values, "refused": refused})
