"""How a setting is declared: once, with type, default, range, unit, label and help.

The form in the window, ``--set key=value`` on the command line, the record in the run's folder and the
row in the manual all come from these declarations.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticUndefined

from sslstudio.errors import UserError
from sslstudio.language import tr


class Recipe(BaseModel):
    """Base of every recipe: frozen, strict about names, validated on construction."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


R = TypeVar("R", bound=Recipe)


def setting(
    default: Any,
    label: str,
    help: str,  # noqa: A002  (the word that forms and manuals use)
    *,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    names: dict[str, str] | None = None,
) -> Any:
    """Declare a field of a recipe; ``low`` and ``high`` are inclusive, ``names`` are the choices' labels."""
    extra: dict[str, Any] = {"unit": unit, "names": names or {}}
    return Field(default, title=label, description=help, ge=low, le=high, json_schema_extra=extra)


@dataclass(frozen=True)
class Setting:
    """One setting as forms, flags and manuals see it; ``choices`` maps values to labels."""

    key: str
    kind: Literal["int", "float", "bool", "text", "choice"]
    default: Any
    label: str
    help: str
    unit: str
    low: float | None
    high: float | None
    choices: dict[str, str]


def settings_of(recipe: type[Recipe]) -> tuple[Setting, ...]:
    """The declared settings of a recipe class, in order; nested recipes are left out."""
    found = []
    for key, field in recipe.model_fields.items():
        if field.title is None:
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        names = extra.get("names") or {}
        bounds: dict[str, Any] = {}
        for rule in field.metadata:
            bounds.setdefault("low", getattr(rule, "ge", None))
            bounds["low"] = bounds["low"] if bounds["low"] is not None else getattr(rule, "ge", None)
            bounds["high"] = getattr(rule, "le", None) if getattr(rule, "le", None) is not None else bounds.get("high")
        kind, choices = _kind_of(field.annotation, names if isinstance(names, dict) else {})
        default = None if field.default is PydanticUndefined else field.default
        found.append(
            Setting(
                key=key,
                kind=kind,
                default=default,
                label=tr(field.title),
                help=tr(field.description or ""),
                unit=str(extra.get("unit") or ""),
                low=bounds.get("low"),
                high=bounds.get("high"),
                choices=choices,
            )
        )
    return tuple(found)


def _kind_of(annotation: Any, names: dict) -> tuple[Literal["int", "float", "bool", "text", "choice"], dict[str, str]]:
    if get_origin(annotation) is Literal:
        return "choice", {str(value): tr(str(names.get(str(value), value))) for value in get_args(annotation)}
    if annotation is bool:
        return "bool", {}
    if annotation is int:
        return "int", {}
    if annotation is float:
        return "float", {}
    return "text", {str(k): tr(str(v)) for k, v in names.items()}


def build(recipe: type[R], values: dict[str, Any]) -> R:
    """Validate ``values`` into a recipe; raises UserError naming the setting and its range."""
    for key in values:
        if key not in recipe.model_fields:
            raise unknown_setting(key, list(recipe.model_fields))
    try:
        return recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UserError(
            tr("The setting “{key}” cannot be {input!r}: {msg}.").format(
                key=key, input=first["input"], msg=first["msg"].lower()
            ),
            tr("Choose another value."),
        ) from None


def unknown_setting(key: str, known: list[str]) -> UserError:
    """That there is no such setting, naming a similar one of those ``known``, or all."""
    near = difflib.get_close_matches(key.removeprefix("method."), known, n=1)
    hint = (
        tr("Did you mean “{near}”?").format(near=near[0])
        if near
        else tr("Known: {known}.").format(known=", ".join(known))
    )
    return UserError(tr("There is no setting “{key}”.").format(key=key), hint)


def with_changes(recipe: R, changes: dict[str, Any]) -> R:
    """A copy of ``recipe`` with some settings changed and all validated again."""
    return build(type(recipe), {**recipe.model_dump(), **changes})
