"""Small lists that are no objects: the dimensions of the company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from typing_extensions import override

from tap_sage_intacct.discovery import snake
from tap_sage_intacct.streams.columns import Column, boolean
from tap_sage_intacct.streams.feed import Feed
from tap_sage_intacct.streams.stream import IntacctStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_sage_intacct.paging import Row
    from tap_sage_intacct.tap import TapSageIntacct

_FIELDS: Final = {
    "objectName": "string",
    "objectLabel": "string",
    "termLabel": "string",
    "userDefinedDimension": "boolean",
    "enabledInGL": "boolean",
}


class DimensionsFeed(Feed):
    """The dimensions of the company, user-defined ones included, by `getDimensions`."""

    def __init__(self, tap: TapSageIntacct) -> None:
        super().__init__(tap)
        columns = [Column(snake(name), kind, name, name) for name, kind in _FIELDS.items()]
        self.streams = [IntacctStream(tap, "dimensions", columns, ("object_name",), self)]

    @override
    def read(self, streams: Sequence[IntacctStream], entity: str) -> None:
        self.put(streams[0], list(self.rows_of(streams[0], entity, 0)))

    @override
    def rows_of(self, stream: IntacctStream, entity: str, limit: int) -> Iterator[Row]:
        data = self.tap.client.ask(("getDimensions", None), entity)
        wanted = {column.name for column in stream.wanted}
        for element in data.iter("dimension"):
            row: Row = self.tap.origin(entity)
            for name, kind in _FIELDS.items():
                text = element.findtext(name) or None
                row[snake(name)] = boolean(text) if text and kind == "boolean" else text
            yield {name: value for name, value in row.items() if name in wanted}
