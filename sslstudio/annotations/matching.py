"""Which image of the project a name in somebody else's file means; never more than one, and each only once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from sslstudio.errors import UserError
from sslstudio.images.reader import EXTENSIONS
from sslstudio.images.slices import split_slice, without_suffix
from sslstudio.language import tr

# What tools and people put behind or before an image's name to name its mask, in small letters. Of Cellpose,
# Cityscapes, ISIC; English and German.
_ENDINGS = (
    *("mask", "masks", "label", "labels", "seg", "gt", "segmentation", "annotation", "annotations", "maske", "masken"),
    *("cp_masks", "gtfine_labelids", "gtfine_labeltrainids", "gtfine_instanceids", "gtfine_color", "groundtruth"),
)
_BEHIND = re.compile(rf"^(?P<rest>.+?)[_.-](?:{'|'.join(sorted(_ENDINGS, key=len, reverse=True))})$")
_BEFORE = re.compile(r"^(?:mask|masks|label|labels|seg|gt|maske|segmentation)[_.-](?P<rest>.+)$")
_UPLOADED = re.compile(r"^[0-9a-f]{6,8}(?:-|__)(?P<rest>.+)$")  # what Label Studio puts before an uploaded file's name
# What is behind the name of an image, but not of its mask: the channel of nnU-Net, the camera of Cityscapes.
_IMAGES_OWN = re.compile(r"^(?P<rest>.+)(?:_\d{4}|_leftimg8bit|\.ome)$")
_SUFFIXES = EXTENSIONS | {".gif", ".json", ".geojson", ".xml", ".txt"}
_Key = tuple[str | None, str]


class Matcher:
    """Finds images by path, by the end of a path, by name, by name without what marks a mask."""

    def __init__(self, images: Iterable[str]) -> None:
        self._levels: tuple[dict[_Key, list[str]], ...] = (defaultdict(list), defaultdict(list), defaultdict(list))
        self._taken: dict[str, str] = {}
        for image in images:
            folder, name, bare = _parted(image)
            self._add(0, folder, {name, bare}, image)
            self._add(1, folder.casefold(), {name.casefold(), bare.casefold()}, image)
            self._add(2, folder.casefold(), set(_peeled(bare.casefold(), _IMAGES_OWN)), image)

    def _add(self, level: int, folder: str, names: Iterable[str], image: str) -> None:
        for name in names:
            self._levels[level][folder, name].append(image)
            self._levels[level][None, name].append(image)

    def only(self, names: Sequence[str], called: str) -> str:
        """The one image meant by the first of ``names`` that means one; empty for none.

        Raises UserError, with both names, where two images could be meant, or where two masks mean one image.
        """
        every = [self.candidates(name) for name in names]
        one = next((found[0] for found in every if len(found) == 1), "")
        several = next((found for found in every if len(found) > 1), None)
        if not one and several is not None:
            raise UserError(
                tr("It could belong to {candidates} or {candidates_2}.").format(
                    candidates=several[0], candidates_2=several[1]
                )
            )
        if self._taken.get(one, called) != called:
            raise UserError(
                tr("{candidates} already has the mask {taken}.").format(candidates=one, taken=self._taken[one])
            )
        return one

    def take(self, image: str, called: str) -> None:
        """Remember that an image has got a mask."""
        self._taken[image] = called

    def candidates(self, name: str) -> list[str]:
        """The images that ``name`` can mean, best kind of match only."""
        for text in _readings(name):
            folder, last, bare = _parted(text)
            parts = PurePosixPath(folder).parts
            # Longest first: a whole path says more than a name. A name alone is first looked for at the top.
            folders = ["/".join(parts[start:]) for start in range(len(parts))] or [""]
            for place in (*folders, None):
                if found := self._at(place, last, bare):
                    return found
        return []

    def _at(self, folder: str | None, name: str, bare: str) -> list[str]:
        """The images in a folder, or anywhere, by the closest spelling."""
        small = None if folder is None else folder.casefold()
        exact, folded, reduced = self._levels
        for key in (name, bare):
            if found := exact.get((folder, key)):
                return found
        variants = [*_variants(name.casefold()), *_variants(bare.casefold())]
        for level in (folded, reduced):
            for key in variants:
                if found := level.get((small, key)):
                    return found
        twice = _parted(bare)[2].casefold()  # image.tif.geojson
        return folded.get((small, twice), []) if twice != bare.casefold() else []


def _variants(name: str) -> list[str]:
    """A mask's name in small letters, and without what marks it as a mask, the least taken away first."""
    found = [name]
    for one in found:  # grows while it is walked through
        found += [rest for rest in _peeled(one, _BEHIND, _BEFORE, _UPLOADED) if rest not in found]
    return found


def _peeled(name: str, *patterns: re.Pattern[str]) -> Iterator[str]:
    """What remains of a name without what each of some patterns takes away."""
    for pattern in patterns:
        if match := pattern.match(name):
            yield match["rest"]


def _parted(path: str) -> tuple[str, str, str]:
    """Folder (empty for none), name, and name without its suffix."""
    pure = PurePosixPath(path)
    folder = pure.parent.as_posix()
    known = PurePosixPath(split_slice(path)[0]).suffix.lower() in _SUFFIXES  # “cell.v2” has none
    bare = PurePosixPath(without_suffix(path)).name if known else pure.name
    return "" if folder == "." else folder, pure.name, bare


def _readings(name: str) -> list[str]:
    """A path as it may be meant: as it stands, without drive and backslashes, out of an address."""
    plain = name.replace("\\", "/").strip()
    found = [plain.lstrip("/").removeprefix("./")]
    if "://" in plain or "?" in plain or "%" in plain:
        parts = urlsplit(plain)
        inside = [value for values in parse_qs(parts.query).values() for value in values if "." in value]
        found += [unquote(text).lstrip("/") for text in (*inside, parts.path)]
    return [text for text in found if text]
