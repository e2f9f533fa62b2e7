"""Answers of the OData service: what stands in a page, and what is no page at all."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, overload
from urllib.parse import urlsplit

import msgspec
from typing_extensions import override

from tap_syspro.errors import ServerTroubleError, SessionEndedError, TransientError
from tap_syspro.service import Answer, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

_EXPIRED: Final = ("supplied userid is invalid", "session has expired")

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_decode_rows: Final = msgspec.json.Decoder(list[Row], float_hook=Decimal).decode


class _Page(msgspec.Struct):
    value: msgspec.Raw
    count: Any = msgspec.field(default=None, name="@odata.count")
    link: Any = msgspec.field(default=None, name="@odata.nextLink")


_decode_page: Final = msgspec.json.Decoder(_Page).decode


class LateRows(Sequence[Row]):
    """The rows of a page, which are decoded when one of them is looked at.

    The next page can be asked for as soon as the keys are known. To make the rows takes longer than all else that is
    done between two pages, and can be done while the service works.

    Args:
        where: What was asked, for messages.
        body: The rows, in JSON.
        count: How many they are.
    """

    def __init__(self, where: str, body: msgspec.Raw, count: int) -> None:
        self._where = where
        self._body = body
        self._count = count

    @functools.cached_property
    def _rows(self) -> list[Row]:
        body, self._body = self._body, msgspec.Raw()
        try:
            return _decode_rows(body)
        except (msgspec.DecodeError, UnicodeDecodeError):  # the values of keys were fine, another is not
            raise ServerTroubleError(f"{self._where}: the answer is broken JSON.") from None

    @override
    def __len__(self) -> int:
        return self._count

    @override
    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    @override
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        return self._rows[index]


@functools.lru_cache(maxsize=64)
def _key_decoder(order: tuple[str, ...]) -> Callable[[msgspec.Raw], list[Any]]:
    """Decodes the columns of a key alone."""
    fields = [(f"key_{place}", Any, None) for place in range(len(order))]
    names = {f"key_{place}": name for place, name in enumerate(order)}
    kind = msgspec.defstruct("Key", fields, rename=names)
    return msgspec.json.Decoder(list[kind], float_hook=Decimal).decode  # type: ignore[valid-type] # made here


def read_answer(response: requests.Response, order: tuple[str, ...]) -> Answer:
    """A page of rows; the columns that it is sorted by are looked at first.

    Raises:
        TransientError: It is something else.
        SessionEndedError: It says that the session has ended, with status 200.
    """
    where = f"GET {urlsplit(response.url).path}"
    try:
        page = _decode_page(response.content)
        if order:
            values = list(map(msgspec.structs.astuple, _key_decoder(order)(page.value)))
            rows: Sequence[Row] = LateRows(where, page.value, len(values))
        else:
            values, rows = None, _decode_rows(page.value)
    except msgspec.ValidationError:
        check_page(response)
        raise TransientError(f"{where}: the answer holds no rows.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        check_page(response)
        raise TransientError(f"{where}: the answer is no JSON.") from None
    count, link = page.count, page.link
    return Answer(rows, None if count is None else int(count), link if isinstance(link, str) else "", values)


def read_json(response: requests.Response) -> Any:  # noqa: ANN401 - whatever JSON holds
    """A document.

    Raises:
        TransientError: It is something else.
        SessionEndedError: It says that the session has ended, with status 200.
    """
    try:
        return _decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    check_page(response)
    raise TransientError(f"GET {urlsplit(response.url).path}: the answer is no JSON.")


def check_page(response: requests.Response) -> None:
    """Sort out what is no data.

    Raises:
        SessionEndedError: It says that the session has ended, with status 200.
        TransientError: It is a web page.
    """
    text = response.text[:2000].lower()
    path = urlsplit(response.url).path
    if any(sign in text for sign in _EXPIRED):
        raise SessionEndedError(f"GET {path}: the session has ended.")
    if "<html" in text:
        raise TransientError(
            f"GET {path}: a web page came instead of data; if it stays, odata_path_template is wrong."
        )
