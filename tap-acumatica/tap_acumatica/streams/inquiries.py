"""Streams of inquiry forms that answer with all their rows at once; read whole in every run."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_acumatica.decoding import decoder
from tap_acumatica.discovery import snake
from tap_acumatica.paging import Pages, Window
from tap_acumatica.streams.columns import TENANT, columns_of
from tap_acumatica.streams.feed import Doc, Feed
from tap_acumatica.streams.shapes import Shape, getter, values_reader
from tap_acumatica.streams.stream import AcumaticaStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_acumatica.discovery import Endpoint
    from tap_acumatica.paging import Record, Row
    from tap_acumatica.tap import TapAcumatica


@dataclasses.dataclass(frozen=True)
class Inquiry:
    """A stream of the results of an inquiry form that needs no parameters.

    Attributes:
        stream: Its name.
        entity: The inquiry's name on the endpoint.
        keys: Its natural key.
    """

    stream: str
    entity: str
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self.stream


class ResultsFeed(Feed):
    """Reads the results of an inquiry with one call."""

    def __init__(self, tap: TapAcumatica, endpoint: Endpoint, inquiry: Inquiry) -> None:
        super().__init__(tap)
        self._inquiry = inquiry
        results = endpoint.fields(inquiry.entity)["Results"].entity
        columns = columns_of(endpoint, results)
        self.streams = [AcumaticaStream(tap, inquiry.stream, columns, [snake(k) for k in inquiry.keys], self)]
        self._read: Callable[[Record], Row] = dict
        self._fetch: Callable[[], Sequence[Record]] = list

    @override
    def prepare(self, streams: Sequence[AcumaticaStream]) -> None:
        shape, answer = Shape(), Shape()
        names, values = values_reader(self.streams[0].wanted, self.tap.converters, shape)
        results = getter([answer.rows("Results", shape.made())])
        decode = decoder(answer.made())
        address, tenant = self.tap.site.entity(self._inquiry.entity), self.tap.site.tenant

        def fetch() -> Sequence[Record]:
            (rows,) = results(self.tap.client.put(address, {"$expand": "Results"}, {}, decode=decode))
            return rows or ()

        self._read = lambda record: {TENANT: tenant, **dict(zip(names, values(record), strict=True))}
        self._fetch = fetch

    @override
    def pages(self, keep: Window | None = None) -> Pages[Doc]:
        def fetch(_window: Window | None, _skip: int, _top: int) -> Sequence[Record]:
            return self._fetch()

        # The inquiry knows no pages: what comes is one page, however long.
        return Pages(fetch, str, lambda record: Doc("", self._read(record)), sys.maxsize)
