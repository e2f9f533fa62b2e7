"""What is wrong with the settings, in words for whoever filled them in."""

from __future__ import annotations

import copy
import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING, Any, Final

from singer_sdk.plugin_base import JSONSchemaValidator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError

_LONGEST: Final = 60
_KINDS: Final = {
    "array": "a list in JSON",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object in JSON",
    "string": "a text",
}


def complaints(
    plugin: str, schema: Mapping[str, Any], config: Mapping[str, Any], *zones: str
) -> Iterator[str]:
    """What must be put right, one sentence per mistake; the value of a secret is never part of it.

    Args:
        plugin: Name of the plugin, from which the names of its environment variables are made.
        schema: JSON Schema of its settings.
        config: The settings as they came.
        zones: Settings that name a time zone.
    """
    settings: Mapping[str, Mapping[str, Any]] = schema["properties"]
    required = schema.get("required", ())
    # what is required and empty is not set; the copy is for the SDK's validator, which fills in defaults
    given = {
        name: copy.deepcopy(value) for name, value in config.items() if value != "" or name not in required
    }
    for error in JSONSchemaValidator(schema).iter_errors(given):
        yield _sentence(plugin, settings, error)
    for name, setting in settings.items():
        yield from _unknown(name, setting, given.get(name))
        value = config.get(name)
        if setting.get("format") == "date-time" and value and not _is_moment(str(value)):
            yield f"{name}: {value!r} is not a date; write it like 2024-01-31 or 2024-01-31T00:00:00Z"
    for name in zones:
        value = config.get(name)
        if isinstance(value, str) and value != settings[name].get("default") and not _is_zone(value):
            yield f"{name}: {value!r} is not the name of a time zone; write it like Europe/Berlin or UTC"


def _sentence(plugin: str, settings: Mapping[str, Mapping[str, Any]], error: ValidationError) -> str:
    path = [str(part) for part in error.absolute_path]
    name = ".".join(path)
    if error.validator == "required":
        missing = error.message.split("'")[1]  # one error for each
        if path:
            return f"{name}: has no {missing}"
        variable = f"{plugin.replace('-', '_')}_{missing}".upper()
        return f"{missing}: is not set; put it into the configuration, or {variable} into the environment or .env"
    secret = not path or settings.get(path[0], {}).get("secret")
    shown = "this value" if secret or len(repr(error.instance)) > _LONGEST else repr(error.instance)
    return f"{name}: {shown} {_reason(error)}"


def _reason(error: ValidationError) -> str:
    wanted: Any = error.validator_value
    match error.validator:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            return f"is not {' or '.join(_KINDS[kind] for kind in kinds if kind != 'null')}"
        case "enum":
            return f"is not one of {', '.join(str(one) for one in wanted if one is not None)}"
        case "minimum":
            return f"is too small; the least is {wanted}"
        case "maximum":
            return f"is too large; the most is {wanted}"
    return f"does not fit ({error.validator} {wanted!r})"


def _unknown(path: str, schema: Mapping[str, Any], value: Any) -> Iterator[str]:  # noqa: ANN401
    """Names in the entries of a list, or in an object, that mean nothing there: a typing mistake would go unnoticed."""
    if isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _unknown(f"{path}.{number}", schema.get("items", {}), entry)
    elif isinstance(value, dict) and schema.get("properties"):
        known = schema["properties"]
        for name, entry in value.items():
            if name in known:
                yield from _unknown(f"{path}.{name}", known[name], entry)
            elif not isinstance(schema.get("additionalProperties"), dict):
                yield f"{path}: there is no {name!r}; it may have {', '.join(known)}"


def _is_moment(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
