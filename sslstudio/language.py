"""The language that people read: texts are marked where they stand and looked up where they are shown.

Sources are English. ``tr`` and ``tr_many`` translate a literal at once; ``later`` marks one in a table that is built
when the program starts, and whoever shows it says ``tr``. Values are named: ``tr("{name} is gone").format(name=…)``.
Workers learn the language by ``SSLSTUDIO_LANGUAGE``; without it everything is English, so scripts read what they know.
"""

from __future__ import annotations

import gettext
import os
from functools import cache
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar

VARIABLE = "SSLSTUDIO_LANGUAGE"
# Each in its own words, as those who need it can read it.
LANGUAGES: dict[str, str] = {"en": "English", "de": "Deutsch"}
FOLDER = Path(__file__).parent / "locale"
S = TypeVar("S", bound=str)


class _Message(str):
    """A translated text whose numbers are written as in its language."""

    __slots__ = ()

    def format(self, *args: Any, **values: Any) -> str:
        return super().format(*map(_number, args), **{name: _number(value) for name, value in values.items()})


class _Decimal(float):
    """A number that is written with a decimal comma."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec).translate(_COMMA)


class _Whole(int):
    """A whole number whose groups of three are parted by points: ``{count:,}`` becomes 12.345."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec).translate(_COMMA)


_COMMA = str.maketrans(".,", ",.")


def tr(message: str) -> str:
    """The message in the language in force; itself where there is no translation."""
    return _told(_catalogue(current()).gettext(message)) if message else ""


def tr_many(one: str, many: str, count: int) -> str:
    """The message for this number, by the rules of the language in force."""
    return _told(_catalogue(current()).ngettext(one, many, int(count)))


def _told(text: str) -> str:
    return text if current() == "en" else _Message(text)


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return _Decimal(value)
    return _Whole(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def later(message: S) -> S:
    """Mark a message that is translated where it is used."""
    return message


def current() -> str:
    """The language in force, such as ``de``."""
    return nearest(os.environ.get(VARIABLE, "en"))


def choose(code: str) -> None:
    """Put a language in force, here and in every process that is started from here; ``de_AT`` is ``de``."""
    os.environ[VARIABLE] = nearest(code)


def is_chosen() -> bool:
    """Whether whoever started this process said which language it should speak."""
    return VARIABLE in os.environ


def nearest(code: str) -> str:
    """The language that comes nearest to what a system calls its own; English where there is none."""
    short = code.replace("-", "_").partition("_")[0].lower()
    return short if short in LANGUAGES else "en"


def within(words: str) -> str:
    """Words that stand alone, as they stand within a sentence: English begins them small, German keeps its nouns."""
    return words[:1].lower() + words[1:] if current() == "en" else words


def grouped(value: int) -> str:
    """A whole number in groups of three, with the comma or the point of the language in force: 12,345."""
    written = f"{value:,}"
    return written if current() == "en" else written.translate(_COMMA)


def decimal(value: float, digits: int) -> str:
    """A number with so many places, with the comma or the point of the language in force."""
    written = f"{value:.{digits}f}"
    return written if current() == "en" else written.replace(".", ",")


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.translation("sslstudio", FOLDER, [code], fallback=True)
