"""The order of files that make up a stack: where each is listed, and which slice of how many it is."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sslstudio.images.reader import ImageInfo
from sslstudio.images.scan import natural_key
from sslstudio.images.series import Member, stacks
from sslstudio.project.database import Database

UNPLACED = "series <> '' AND slice = 0"  # rows whose series has to be put in order (once more)
Said = tuple[str, str, int | None]  # what a row holds of its Place: series, pose, number
NOTHING_SAID: Said = ("", "", None)
_BELOW = "\x01\x01"  # sorts after the key of a file's name and before that of any other


def said_of(info: ImageInfo) -> Said:
    """What the table holds of an image's place in its series."""
    place = info.place
    return NOTHING_SAID if place is None else (place.series, " ".join(map(repr, place.pose)), place.number)


def unplace(database: Database, series: Iterable[str]) -> None:
    """Have these series put in order next time: one of their files changed or is gone."""
    names = sorted({one for one in series if one})
    if names:
        database.write("UPDATE image SET slice=0 WHERE series IN (SELECT value FROM json_each(?))", json.dumps(names))


def put_in_order(database: Database) -> None:
    """Give the files of each series with an unplaced one their places; what is in order is left alone."""
    # one of which a file changed waits until that was looked into
    waiting = "SELECT series FROM image WHERE series <> '' AND probed = 0"
    wanted = f"SELECT series FROM image WHERE {UNPLACED} AND series NOT IN ({waiting})"
    if database.row(f"{wanted} LIMIT 1") is None:
        return  # so that nothing is written
    with database.transaction():
        rows = database.rows(f"SELECT series, path, width, height, pose, number FROM image WHERE series IN ({wanted})")
        series: dict[str, list[Member]] = {}
        for name, *said in rows:
            series.setdefault(name, []).append(_member(*said))
        for members in series.values():
            database.write_many(
                "UPDATE image SET sort_key=?, slice=?, slices=? WHERE path=?",
                [
                    (key, at, len(stack), path)
                    for stack in stacks(members)
                    for at, (key, path) in enumerate(zip(_keys(stack), stack, strict=True), start=1)
                ],
            )


def _keys(stack: list[str]) -> list[str]:
    """Sort keys for a stack's files: together, where the first of them by name would stand."""
    names = [natural_key(path) for path in stack]
    return names if len(names) == 1 else [f"{min(names)}{_BELOW}{at:06d}" for at in range(len(names))]


def _member(path: str, width: int, height: int, pose: object, number: object) -> Member:
    """A row's file; a repaired project may hold anything where its place should be."""
    try:
        known = tuple(map(float, str(pose).split()))
    except ValueError:
        known = ()
    return Member(path, (width, height), known if len(known) == 9 else (), number if isinstance(number, int) else None)
