"""Custom fields: what a customisation added to a form, which no endpoint shows unless it is asked for by name."""

from __future__ import annotations

import fnmatch
import logging
import re
from typing import TYPE_CHECKING, Any, Final

from tap_acumatica.discovery import snake
from tap_acumatica.streams.columns import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_acumatica.discovery import Endpoint
    from tap_acumatica.streams.declarations import Entity

_SCALE: Final = 6
_WILD: Final = re.compile(r"[*?\[]")

_LOG: Final = logging.getLogger("tap-acumatica")


def asked_for(config: Mapping[str, Any], entity: Entity) -> bool:
    """Whether the settings want custom fields of an entity or its lines."""
    names = {entity.stream, entity.lines.stream if entity.lines else ""} - {""}
    return any((config.get("custom_fields") or {}).get(name) for name in names)


def columns_of_custom(
    endpoint: Endpoint, config: Mapping[str, Any], entity: Entity, collection: str = ""
) -> Iterator[Column]:
    """The columns of the custom fields that the settings want and the instance has.

    Args:
        endpoint: What the instance offers.
        config: The settings.
        entity: Whose fields.
        collection: The lines' collection; empty for the document itself.
    """
    stream = entity.stream if not collection else entity.lines.stream if entity.lines else ""
    patterns = (config.get("custom_fields") or {}).get(stream) or ()
    prefix = f"{collection}/" if collection else ""
    offered = {
        path.removeprefix(prefix): kind
        for path, kind in endpoint.custom.get(entity.entity, {}).items()
        if path.startswith(prefix) and "/" not in path.removeprefix(prefix)
    }
    taken: set[str] = set()
    for pattern in patterns:
        found = [name for name in offered if fnmatch.fnmatchcase(name, pattern)]
        if not found and not _WILD.search(pattern):
            _LOG.warning("custom_fields: %s has no field %s on this instance; left out", stream, pattern)
        for name in found:
            view, _, field = name.partition(".")
            column = f"custom_{snake(view)}_{snake(field)}"
            if column not in taken:
                taken.add(column)
                kind = offered[name]
                yield Column(
                    column,
                    kind,
                    ("custom", view, field),
                    f"{prefix}{name}",
                    "Custom field.",
                    scale=_SCALE if kind == "decimal" else None,
                )
