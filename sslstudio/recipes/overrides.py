"""Settings as words of the command line: ``key=value``, for a recipe and for its method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.recipes.settings import Recipe, unknown_setting, with_changes

R = TypeVar("R", bound=Recipe)


def pull(pairs: Sequence[str], *keys: str) -> dict[str, str]:
    """The values of those ``keys`` that are among the pairs; they decide what else is suggested."""
    found = dict(_split(pair) for pair in pairs)
    return {key: found[key] for key in keys if key in found}


def with_settings(recipe: R, pairs: Sequence[str]) -> R:
    """The recipe with all pairs applied; ``temperature=0.2`` and ``method.temperature=0.2`` reach the method.

    Raises UserError for an unknown key, naming a similar one, and for a value out of range.
    """
    method = getattr(recipe, "method", None)
    own = set(type(method).model_fields) - {"id"} if method is not None else set()
    general = set(type(recipe).model_fields) - {"method"}
    changes: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    for key, value in map(_split, pairs):
        name = key.removeprefix("method.")
        if key == "method":
            continue  # chosen before the rest was suggested
        if key in general:
            changes[key] = value
        elif name in own:
            inner[name] = value
        else:
            raise unknown_setting(key, sorted(general | own))
    if inner and method is not None:
        changes["method"] = {**method.model_dump(), **inner}
    return with_changes(recipe, changes)


def _split(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not equals or not key.strip():
        raise UserError(
            tr("“{pair}” is not a setting.").format(pair=pair),
            tr("Write --set key=value, for example --set batch_size=32."),
        )
    return key.strip(), value.strip()
