"""Which image of the project a name in somebody else's file means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from sslstudio.images.slices import without_suffix

_ENDINGS = ("_mask", "_masks", "_label", "_labels", "_seg", "_gt", "-mask", "-label", ".mask", ".label")
_UPLOADED = re.compile(r"^[0-9a-f]{6,8}(-|__)(?=.)")  # what Label Studio puts before an uploaded file's name


class Matcher:
    """Finds images by path, by the end of a path, by name, by name without suffix; says when several fit."""

    def __init__(self, images: Iterable[str]) -> None:
        self._exact: dict[str, list[str]] = defaultdict(list)
        self._names: dict[str, list[str]] = defaultdict(list)
        self._stems: dict[str, list[str]] = defaultdict(list)
        for image in images:
            path = PurePosixPath(image)
            self._exact[image].append(image)
            bare = without_suffix(image)
            self._exact[bare].append(image)
            self._names[path.name].append(image)
            self._stems[PurePosixPath(bare).name].append(image)

    def candidates(self, name: str) -> list[str]:
        """The images that ``name`` can mean, best kind of match only."""
        for text in _readings(name):
            parts = PurePosixPath(text).parts
            tails = [PurePosixPath(*parts[start:]) for start in range(len(parts))]
            for tail in tails[:-1]:  # longest first: a whole path says more than a name
                found = self._exact.get(tail.as_posix()) or self._exact.get(_bare(tail.as_posix()))
                if found:
                    return found
            if found := self._last(text):
                return found
        return []

    def _last(self, text: str) -> list[str]:
        path = PurePosixPath(text)
        if len(path.parts) == 1 and (found := self._exact.get(text) or self._exact.get(_bare(text))):
            return found
        for name in (path.name, _UPLOADED.sub("", path.name)):
            bare = _bare(name)
            ends = [end for end in _ENDINGS if bare.lower().endswith(end) and len(bare) > len(end)]
            keys = [bare, *(bare[: -len(end)] for end in ends)]
            found = self._names.get(name) or next((self._stems[key] for key in keys if key in self._stems), None)
            if found is None and "." in bare:  # image.tif.geojson
                found = self._stems.get(_bare(bare))
            if found:
                return found
        return []


def _bare(path: str) -> str:
    return without_suffix(path) if PurePosixPath(path).name else path


def _readings(name: str) -> list[str]:
    """A path as it may be meant: as it stands, without drive and backslashes, out of an address."""
    plain = name.replace("\\", "/").strip()
    found = [plain.lstrip("/").removeprefix("./")]
    if "://" in plain or "?" in plain or "%" in plain:
        parts = urlsplit(plain)
        inside = [value for values in parse_qs(parts.query).values() for value in values if "." in value]
        found += [unquote(text).lstrip("/") for text in (*inside, parts.path)]
    return [text for text in found if text]
