"""The commands about masks: taking them over, handing them out, measuring them."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sslstudio.commands import Output, project_path, read_project
from sslstudio.errors import UserError

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
    lines = [f"{len(report.matched)} masks taken over ({kind}); classes: {', '.join(classes)}.", *_told(report)]
    if not report.matched:
        advice = "Mend or replace those masks." if report.refused else "Masks must be named like the images."
        raise UserError("\n".join(["No mask was taken over.", *lines[1:]]), advice)
    return Output("\n".join(lines), {**_values(report), "classes": classes, "format": kind})


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
    lines = [f"{kind}: {len(seen.report.matched)} images would get a mask; nothing was changed."]
    lines += [f"  {_row(row)}" for row in seen.classes]
    lines += [f"  what no shape covers would be {seen.uncovered}"] if kind not in ("palette", "grey") else []
    lines += [f"  {seen.painted} images have a mask already, which would be replaced"] if seen.painted else []
    return Output("\n".join([*lines, *_told(seen.report)]), _previewed_values(seen))


def _row(row: Any) -> str:
    becomes = f"“{row.becomes}”{' (new)' if row.new else ''}" if row.becomes else "unpainted"
    return f"class “{row.name}” becomes {becomes}: {row.images} images, {row.pixels:,} pixels"


def _previewed_values(seen: Preview) -> dict[str, Any]:
    classes = [asdict(row) for row in seen.classes]
    about = {"format": seen.format, "classes": classes, "uncovered": seen.uncovered, "replaced": seen.painted}
    return {**_values(seen.report), **about, "preview": True}


def _told(report: ImportReport) -> list[str]:
    lines = [f"  no image is named like {name}" for name in report.unmatched]
    lines += [f"  refused {file}: {reason}" for file, reason in report.refused]
    return lines + [f"Note: {note}" for note in report.notes]


def _values(report: ImportReport) -> dict[str, Any]:
    refused = [{"file": file, "reason": reason} for file, reason in report.refused]
    lists = {"matched": list(report.matched), "unmatched": list(report.unmatched), "notes": list(report.notes)}
    return {**lists, "refused": refused}


def _numbers(pairs: list[str]) -> dict[int, int]:
    """Pixel values to classes from words such as “255=1”."""
    found = {}
    for pair in pairs:
        value, _, label = pair.partition("=")
        if not (value.strip().isdecimal() and label.strip().isdecimal()):
            raise UserError(f"“{pair}” maps no pixel value to a class.", "For example: --map 255=1.")
        found[int(value)] = int(label)
    return found


def _names(pairs: list[str]) -> dict[str, str]:
    """Classes of the file to classes of the project from words such as “nuclei=cell”."""
    found = {}
    for pair in pairs:
        name, equals, meant = pair.partition("=")
        if not equals or not name.strip() or not meant.strip():
            advice = "For example: --map nuclei=cell, or --map nuclei=unpainted."
            raise UserError(f"“{pair}” maps no class to a class.", advice)
        found[name.strip()] = meant.strip()
    return found


def export_masks(words: Namespace) -> Output:
    """Write the painted masks, or a model's predictions, in a format of another tool."""
    from sslstudio.annotations.handing_out import export_masks as hand_out

    pictures = [part for part in ("coloured", "overlay") if getattr(words, part)] or None
    with read_project(words.project) as project:
        report = hand_out(project, words.format, words.out, model=words.model, companions=pictures)
    lines = [f"{len(report.images)} masks written to {words.out}, {report.pictures} pictures beside them."]
    lines += [f"  left out {file}: {reason}" for file, reason in report.refused]
    lines += [f"Note: {note}" for note in report.notes]
    refused = [{"file": file, "reason": reason} for file, reason in report.refused]
    values = {"images": list(report.images), "files": [str(file) for file in report.files], "refused": refused}
    more = {"pictures": report.pictures, "notes": list(report.notes), "out": str(words.out.absolute())}
    return Output("\n".join(lines), {**values, **more})


def measure(words: Namespace) -> Output:
    """Write areas and counts per image and per region as CSV, in pixels and where known in micrometres."""
    from sslstudio.annotations.measuring import measure as write_tables

    with read_project(words.project) as project:
        done = write_tables(project, words.out, words.model)
    lines = [f"{done.images} images, {done.regions} regions: {done.images_file} and {done.regions_file}."]
    lines += [f"{done.with_size} of the images know the size of their pixels."]
    lines += [f"  left out {file}: {reason}" for file, reason in done.refused]
    refused = [{"file": file, "reason": reason} for file, reason in done.refused]
    values = asdict(done) | {"images_file": str(done.images_file), "regions_file": str(done.regions_file)}
    return Output("\n".join(lines), {**values, "refused": refused})
