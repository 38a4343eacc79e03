"""The file or folder that annotations are read from, looked into once."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from sslstudio.errors import UserError
from sslstudio.images.scan import natural_key
from sslstudio.language import tr

_DOCUMENTS = (".json", ".geojson", ".xml")
_PICTURES = (".png", ".tif", ".tiff", ".bmp", ".gif")
_LONG = frozenset(("coordinates", "counts", "points", "rle"))
_MORE = 4  # numbers than x, y and perhaps z
_NOT_ANNOTATIONS = ("classes.json", "info.json", "package.json")


@dataclass(frozen=True)
class Source:
    """A file or folder; everything is read at most once."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> Source:
        """The source at ``path``; raises UserError when nothing is there."""
        path = Path(path).expanduser().absolute()
        if not path.exists():
            raise UserError(
                tr("{path} is not there.").format(path=path), tr("Choose the file or folder that holds the masks.")
            )
        return cls(path)

    @cached_property
    def folder(self) -> Path:
        """The folder itself, or the one that the file lies in."""
        return self.path if self.path.is_dir() else self.path.parent

    @cached_property
    def files(self) -> tuple[str, ...]:
        """All files, relative to ``folder``, naturally sorted; hidden ones left out. Of a file: itself."""
        if not self.path.is_dir():
            return (self.path.name,)
        found = []
        for folder, folders, names in os.walk(self.path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            inside = Path(folder).relative_to(self.path)
            found += [(inside / name).as_posix() for name in names if not name.startswith(".")]
        return tuple(sorted(found, key=natural_key))

    def named(self, *suffixes: str) -> tuple[str, ...]:
        """The files with one of these endings, which are in lower case."""
        return tuple(name for name in self.files if name.lower().endswith(suffixes))

    @cached_property
    def documents(self) -> tuple[str, ...]:
        """JSON and XML files that may hold annotations."""
        return tuple(name for name in self.named(*_DOCUMENTS) if Path(name).name not in _NOT_ANNOTATIONS)

    @property
    def json_files(self) -> tuple[str, ...]:
        """The documents in JSON."""
        return tuple(name for name in self.documents if not name.lower().endswith(".xml"))

    @property
    def xml_files(self) -> tuple[str, ...]:
        """The documents in XML."""
        return tuple(name for name in self.documents if name.lower().endswith(".xml"))

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Pictures that may be masks."""
        return self.named(*_PICTURES)

    @cached_property
    def first(self) -> Any:
        """The first document that can be read, as ``document`` gives it; None where there is none.

        The one document of a source that was named as a file must be readable: raises UserError.
        """
        for name in (*self.json_files, *self.xml_files):  # an interface of Label Studio's is XML beside its JSON
            try:
                return self.document(name)
            except UserError:
                if len(self.documents) == 1 and not self.pictures:
                    raise
        return None

    def document(self, name: str) -> Any:
        """Parsed JSON, or the root element of an XML file; raises UserError in words."""
        file = self.folder / name
        known: dict[str, Any] = self._parsed
        if name not in known:
            value = _xml(file) if name.lower().endswith(".xml") else _json(file)
            if known:
                known.clear()  # one at a time: files of a hundred megabytes are common
            known[name] = value
        return known[name]

    @cached_property
    def _parsed(self) -> dict[str, Any]:
        return {}


def read_text(file: Path) -> str:
    """A text file in UTF-8; raises UserError in words."""
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(
            tr("{name} is not text in UTF-8.").format(name=file.name), tr("Export it again from where it came.")
        ) from None
    except OSError as error:
        raise UserError(
            tr("{name} cannot be read ({strerror}).").format(name=file.name, strerror=error.strerror or error),
            tr("Check its rights."),
        ) from None


def _json(file: Path) -> Any:
    text = read_text(file)
    if not text.strip():
        raise UserError(tr("{name} is empty.").format(name=file.name), tr("Export it again from where it came."))
    try:
        return json.loads(text, object_hook=_compact)
    except json.JSONDecodeError as error:
        raise UserError(
            tr("{name} is not valid JSON: {msg} in line {lineno}, column {colno}.").format(
                name=file.name, msg=error.msg, lineno=error.lineno, colno=error.colno
            ),
            tr("It may be cut off; export it again from where it came."),
        ) from None
    except RecursionError:
        raise UserError(
            tr("{name} is nested too deeply to be annotations.").format(name=file.name), tr("Choose another file.")
        ) from None


def _compact(row: dict[str, Any]) -> dict[str, Any]:
    """An object whose corners and run lengths are arrays: as lists of numbers they take ten times the memory."""
    for key in _LONG & row.keys():
        row[key] = _packed(row[key])
    if isinstance(outlines := row.get("segmentation"), list):  # of COCO: a flat list each, or one alone
        row["segmentation"] = _packed(outlines, flat=True)
    return row


def _packed(values: Any, flat: bool = False) -> Any:
    """Numbers, and unless ``flat`` pairs of them, as an array; lists of such lists one by one; others as they are."""
    if not isinstance(values, list) or not values:
        return values
    first = values[0]
    pairs = not flat and isinstance(first, list) and 0 < len(first) < _MORE and not isinstance(first[0], list)
    if pairs or isinstance(first, (int, float)):
        with contextlib.suppress(ValueError, OverflowError):  # where some have more numbers than others
            array = np.array(values)
            if array.dtype.kind in "if":
                return array
    return [_packed(value, flat) for value in values]


def _xml(file: Path) -> Any:
    text = read_text(file)
    if "<!DOCTYPE" in text[:2000] or "<!ENTITY" in text:
        raise UserError(
            tr("{name} declares entities of its own, which are not opened for safety.").format(name=file.name),
            tr("Export again."),
        )
    try:
        return ElementTree.fromstring(text.encode())
    except ElementTree.ParseError as error:
        line, column = error.position
        raise UserError(
            tr("{name} is not valid XML (line {line}, column {column}).").format(
                name=file.name, line=line, column=column + 1
            ),
            tr("It may be cut off; export it again from where it came."),
        ) from None
