"""Writing files of many areas row by row, so that the text of a huge mask never is in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from sslstudio.language import tr
from sslstudio.project.files import replace_file


def write_json(
    file: Path, document: dict[str, Any], key: str, rows: Iterable[Any], indent: int | None = None, *, settle: bool
) -> None:
    """A JSON object; of the one empty list in it, under ``key``, the ``rows`` are worked out while they are written.

    They may raise; the file then stands as it was. What of ``document`` they change has to come behind ``key``.
    """
    keys = list(document)
    at = keys.index(key)
    first = {name: document[name] for name in keys[:at]}

    def write(target: BinaryIO) -> None:
        outside, inside = ("\n" + " " * (indent or 0), "\n" + " " * (2 * (indent or 0))) if indent else ("", "")
        comma = "," if indent else ", "
        head = json.dumps({**first, key: []}, ensure_ascii=False, indent=indent)
        target.write(head[: head.rindex("]")].encode())
        begin = inside
        for row in rows:
            text = json.dumps(row, ensure_ascii=False, indent=indent)
            target.write((begin + (text.replace("\n", inside) if indent else text)).encode())
            begin = comma + inside
        end = "]" if begin == inside else outside + "]"
        for name in keys[at + 1 :]:
            value = json.dumps(document[name], ensure_ascii=False, indent=indent)
            end += comma + outside + f"{json.dumps(name)}: " + (value.replace("\n", outside) if indent else value)
        target.write((end + ("\n" if indent else "") + "}").encode())

    replace_file(file, write, tr("The file {name}").format(name=file.name), settle=settle)
