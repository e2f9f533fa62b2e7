"""Records whose fields are known beforehand: decoded in half the time that dictionaries take, and asked like them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import msgspec

from tap_exact_online.client import decode, exact

Decode = Callable[[bytes], object]
"""Decodes the body of an answer."""


class Record(msgspec.Struct, gc=False):
    """A record; a field that did not come is null."""

    def get(self, field: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The value of a field."""
        return getattr(self, field, None)

    def __getitem__(self, field: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The value of a field."""
        return getattr(self, field)


class Page(msgspec.Struct):
    """Records, and the address of those that follow."""

    results: list[Any]
    link: str | None = msgspec.field(default=None, name="__next")


@functools.lru_cache(maxsize=64)
def page_decoder(fields: tuple[str, ...]) -> Decode:
    """Make a function that decodes pages into a `Page` of `Record`; answers of other shapes come as they are.

    Args:
        fields: The fields of a record; others, such as `__metadata`, are passed over.
    """
    kind = msgspec.defstruct("Fields", [(field, Any, None) for field in fields], bases=(Record,), gc=False)
    page = msgspec.defstruct("Records", [("results", list[kind])], bases=(Page,))  # type: ignore[valid-type] # made here
    typed = msgspec.json.Decoder(msgspec.defstruct("Answer", [("d", page)]), float_hook=exact).decode

    def read(body: bytes) -> object:
        try:
            return typed(body).d  # type: ignore[attr-defined] # made here
        except msgspec.ValidationError:
            return decode(body)

    return read
