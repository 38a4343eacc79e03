"""Texts for translators: reads what is marked in the sources, brings the .po files up to date, compiles the .mo files.

    ./studio texts            write sslstudio/locale/*/LC_MESSAGES/sslstudio.{po,mo}, say how much is translated
    ./studio texts --check    change nothing; say what is out of date

What is read: the literals given to ``tr``, ``tr_many`` and ``later``, and those in tables that are translated where
they are shown (``TABLES``). Babel is needed for it, which only developers have.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "sslstudio" / "locale"
# Calls whose literals are texts: which positions, and which names of arguments.
TABLES: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "Action": ((1, 2, 5), ("text", "tip")),
    "setting": ((1, 2), ("names",)),
    "MethodInfo": ((6 - 1,), ("summary",)),
}


@dataclass(frozen=True)
class Marked:
    """A marked text, its plural where it has one, and the file that it stands in."""

    text: str
    plural: str
    file: str
    line: int

    @property
    def id(self) -> str | tuple[str, str]:
        """As Babel names it."""
        return (self.text, self.plural) if self.plural else self.text


def marked() -> Iterator[Marked]:
    """Every marked text of the sources, in the order of files and lines."""
    for file in sorted((ROOT / "sslstudio").rglob("*.py")):
        yield from marked_in(file.read_text("utf-8"), file.relative_to(ROOT).as_posix())


def marked_in(source: str, name: str) -> Iterator[Marked]:
    """The marked texts of one source."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        for text, plural in _texts(call):
            if text:
                yield Marked(text, plural, name, call.lineno)


def _texts(call: ast.Call) -> Iterator[tuple[str, str]]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    words = [_literal(argument) for argument in call.args]
    if name in ("tr", "later"):
        yield words[0], ""
    elif name == "tr_many":
        yield words[0], words[1]
    elif name == "many" and len(words) > 1 and words[1]:  # the noun that follows a number
        yield f"{{count}} {words[1]}", f"{{count}} {(words[2:] or [''])[0] or words[1] + 's'}"
    elif name in TABLES:
        places, names = TABLES[name]
        yield from ((words[place], "") for place in places if place < len(words))
        for keyword in call.keywords:
            if keyword.arg in names:
                yield from ((text, "") for text in _literals(keyword.value))


def _literal(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _literals(node: ast.expr) -> list[str]:
    """The literal, or the values of a dictionary of literals."""
    return [_literal(value) for value in node.values] if isinstance(node, ast.Dict) else [_literal(node)]


def template() -> Catalog:
    """All marked texts, without translations."""
    made = Catalog(project="SSL Studio", charset="utf-8")
    for text in marked():
        made.add(text.id, locations=[(text.file, 0)])
    return made


def po(language: str) -> Path:
    """The file that translators edit."""
    return LOCALE / language / "LC_MESSAGES" / "sslstudio.po"


def languages() -> list[str]:
    """Those that have a folder."""
    return sorted(folder.name for folder in LOCALE.iterdir() if folder.is_dir())


def read(language: str) -> Catalog:
    """The catalogue of a language as it lies on disk."""
    with po(language).open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> Catalog:
    """The catalogue with what came and without what went; nothing is guessed from what looks alike."""
    made = read(language)
    made.update(template(), no_fuzzy_matching=True, update_creation_date=False)
    made.obsolete.clear()
    return made


def po_bytes(catalogue: Catalog) -> bytes:
    """As the .po file holds it."""
    out = BytesIO()
    write_po(out, catalogue, width=120, sort_by_file=True, include_lineno=False)
    return out.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    """As the program reads it."""
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    """Texts without a translation, or without one of their plural forms."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and not all(message.string if isinstance(message.string, tuple | list) else [message.string])
    ]


def wrong_values(catalogue: Catalog) -> list[str]:
    """Translations that name other values than their text; a singular may leave its number out."""
    found = []
    for message in catalogue:
        if not message.id or not message.string:
            continue
        ids = message.id if isinstance(message.id, tuple | list) else [message.id]
        strings = message.string if isinstance(message.string, tuple | list) else [message.string]
        wanted = values(ids[-1])
        for place, string in enumerate(strings):
            given = values(string) if string else wanted
            if given != wanted and not (
                len(strings) > 1 and place == 0 and given <= wanted and values(ids[0]) == given
            ):
                found.append(f"{ids[0]!r}: {sorted(given ^ wanted)}")
    return found


def values(text: str) -> set[str]:
    """The names of the values in a text, with how they are written: ``count:,``."""
    return set(re.findall(r"\{(\w*(?:![rs])?(?::[^{}]*)?)\}", text.replace("{{", "").replace("}}", "")))


def stale(language: str) -> list[str]:
    """Which of a language's files are not what they would be."""
    fresh = updated(language)
    mo = po(language).with_suffix(".mo")
    wrong = [] if po(language).read_bytes() == po_bytes(fresh) else [po(language).name]
    return wrong if mo.is_file() and mo.read_bytes() == mo_bytes(fresh) else [*wrong, mo.name]


def main() -> int:
    """Bring all languages up to date, or say which are not."""
    parser = argparse.ArgumentParser(prog="studio texts", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    words = parser.parse_args()
    code = 0
    for language in languages():
        catalogue = updated(language)
        if words.check:
            code = max(code, bool(stale(language)))
            sys.stdout.write("".join(f"{language}: {name} is out of date\n" for name in stale(language)))
        else:
            po(language).write_bytes(po_bytes(catalogue))
            po(language).with_suffix(".mo").write_bytes(mo_bytes(catalogue))
        missing = untranslated(catalogue)
        sys.stdout.write(f"{language}: {len(catalogue) - len(missing)} of {len(catalogue)} texts translated\n")
        sys.stdout.write("".join(f"  missing: {text}\n" for text in missing))
        sys.stdout.write("".join(f"  other values: {text}\n" for text in wrong_values(catalogue)))
    return code


if __name__ == "__main__":
    sys.exit(main())
