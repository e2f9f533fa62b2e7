"""Reads the records of an answer without a tree, which takes a fifth of the time.

Records are flat, and all those of an answer hold the same elements in the same order. So one pattern, made of the
first record, reads the others, and leaves their texts as the bytes that came: most of them are repeated on a page, and
are decoded and converted once. What the pattern does not fit goes through the XML parser, record by record; an answer
that is unusual as a whole goes through it as a whole.
"""

from __future__ import annotations

import functools
import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

R_co = TypeVar("R_co", covariant=True)

OPTIONS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": True,
}
_tag_of: Final = attrgetter("tag")
_text_of: Final = attrgetter("text")

_UTF_8: Final = re.compile(
    rb"\s*<(?!\?xml)|\s*<\?xml(?![^>]*encoding)|\s*<\?xml[^>]*encoding=[\"']utf-8[\"']", re.IGNORECASE
)
_BLANKS: Final = frozenset({0x09, 0x0A, 0x0D})
_LOWEST: Final = 0x20
_SURROGATES: Final = range(0xD800, 0xE000)
_NOT_ALLOWED: Final = frozenset({0xFFFE, 0xFFFF})
_HIGHEST: Final = 0x10FFFF
# What XML forbids, and what its parsers change: a carriage return becomes the end of a line.
_UNUSUAL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|\]\]>")
_REFERENCE: Final = re.compile(r"&(?:#x[0-9A-Fa-f]{1,6};|#[0-9]{1,7};|amp;|lt;|gt;|quot;|apos;|)")
_EMPTY: Final = re.compile(rb"<([\w.:-]+)/>")
_BLOCK: Final = 500
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}


def is_character(code: int) -> bool:
    """Whether XML 1.0 allows a character."""
    return code in _BLANKS or (
        _LOWEST <= code <= _HIGHEST and code not in _SURROGATES and code not in _NOT_ALLOWED
    )


class UnusualError(Exception):
    """The answer has to be read by the XML parser as a whole."""


class Cut(NamedTuple):
    """An answer cut apart.

    Attributes:
        envelope: What stands around the records.
        start: Where the first record begins in the answer.
        end: Where the last record ends in it.
    """

    envelope: bytes
    start: int
    end: int


class Run(NamedTuple):
    """Records that follow each other and hold the same elements.

    Attributes:
        tags: The names of the elements, in their order.
        plain: The texts of each record as they came, to be read by `text_of`.
        parsed: Or its texts as the XML parser read them; empty elements have none.
    """

    tags: tuple[str, ...]
    plain: Sequence[tuple[bytes, ...]]
    parsed: Sequence[list[str | None]] = ()


class Reader(Protocol[R_co]):
    """Makes something of all records of an answer."""

    def read(self, runs: Iterable[Run]) -> R_co:
        """Read them.

        Raises:
            UnusualError: The answer has to be read by the XML parser as a whole.
        """
        ...


class _Nothing:
    """Keeps nothing of any record."""

    def read(self, runs: Iterable[Run]) -> None:
        for _ in runs:
            pass


NOTHING: Final = _Nothing()
"""Reads answers whose records do not matter."""


def cut(body: bytes, record: str) -> Cut | None:
    """Cut an answer apart; None when it has no records, or is unusual.

    Args:
        body: The whole answer.
        record: Name of the elements that are records.
    """
    opening, closing = f"<{record}>".encode(), f"</{record}>".encode()
    first, last = body.find(opening), body.rfind(closing)
    if first < 0 or last < first or not _UTF_8.match(body) or b"<!" in body[:first]:
        return None
    end = last + len(closing)
    return Cut(body[:first] + body[end:], first, end)


def runs(body: bytes, parts: Cut, record: str) -> Iterator[Run]:
    """Read all records of an answer where they stand, for large copies cost more than what is done with them.

    Args:
        body: The whole answer.
        parts: As `cut` gives them.
        record: Name of the elements that are records.

    Raises:
        UnusualError: One of them is no whole element, or something stands between them.
    """
    tags: tuple[str, ...] = ()
    place = parts.start
    while place < parts.end:
        match = _pattern(record, tags)
        rows: list[tuple[bytes, ...]] = []
        while len(rows) < _BLOCK and (found := match(body, place, parts.end)):
            rows.append(found.groups())
            place = found.end()
        if rows:
            yield Run(tags, rows)
        if place < parts.end and len(rows) < _BLOCK:
            run, place = _next(body, place, parts.end, record, tags)
            tags = run.tags
            yield run


def last_record(body: bytes, parts: Cut, record: str) -> Run:
    """The last record of an answer alone.

    Raises:
        UnusualError: It is no whole element.
    """
    start = body.rfind(f"<{record}>".encode(), parts.start, parts.end)
    return _next(body, start, parts.end, record, ())[0]


def _next(body: bytes, place: int, end: int, record: str, tags: tuple[str, ...]) -> tuple[Run, int]:
    """One record that did not fit as it stands, and where it ends: with its empty elements written out, or parsed."""
    opening, closing = f"<{record}>".encode(), f"</{record}>".encode()
    stop = body.find(closing + opening, place, end)
    stop = end if stop < 0 else stop + len(closing)
    if not body.startswith(opening, place):
        raise UnusualError("something stands between records")
    whole = body[place:stop]
    written_out = _EMPTY.sub(rb"<\1></\1>", whole)
    if texts := _texts(written_out, record, tags):
        return Run(tags, [texts]), stop
    try:
        tags, parsed = read_element(etree.fromstring(whole, etree.XMLParser(**OPTIONS)))
    except etree.XMLSyntaxError as error:
        raise UnusualError(str(error)) from None
    if texts := _texts(written_out, record, tags):
        return Run(tags, [texts]), stop
    return Run(tags, (), [parsed]), stop


def _texts(whole: bytes, record: str, tags: tuple[str, ...]) -> tuple[bytes, ...] | None:
    """The texts of a record's elements if it consists of these and nothing else."""
    found = _pattern(record, tags)(whole, 0, len(whole))
    return found.groups() if found and found.end() == len(whole) else None


def read_element(element: etree._Element) -> tuple[tuple[str, ...], list[str | None]]:
    """The names and texts of an element's children."""
    children = list(element.iterchildren(etree.Element))  # comments are none
    return tuple(map(_tag_of, children)), list(map(_text_of, children))


@functools.lru_cache(maxsize=256)
def _pattern(record: str, tags: tuple[str, ...]) -> Callable[[bytes, int, int], re.Match[bytes] | None]:
    """What reads a record that consists of these elements."""
    inside = "".join(f"<{tag}>([^<]*+)</{tag}>" for tag in map(re.escape, tags))
    return re.compile(f"<{re.escape(record)}>{inside}</{re.escape(record)}>".encode()).match


def text_of(raw: bytes) -> str:
    """The text that XML means by what stands between two tags.

    Raises:
        UnusualError: It holds something that only the XML parser may judge.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise UnusualError(str(error)) from None
    if _UNUSUAL.search(text):
        raise UnusualError("a character that XML forbids")
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    """The character that a reference names."""
    name = found[0][1:-1]
    if name in _NAMED:
        return _NAMED[name]
    if not name:
        raise UnusualError(found[0])
    code = int(f"0{name[1:]}", 0) if name[1] == "x" else int(name[1:])
    if not is_character(code):
        raise UnusualError(found[0])
    return chr(code)
