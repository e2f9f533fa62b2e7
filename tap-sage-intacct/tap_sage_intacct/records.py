"""Reads the records of an answer without a tree, which takes a third of the time.

Records are flat, and all those of an answer hold the same elements in the same order. So one pattern, made of the
first record, reads the others. What it does not fit goes through the XML parser, record by record; an answer that is
unusual as a whole goes through it as a whole.
"""

from __future__ import annotations

import functools
import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
if TYPE_CHECKING:
    Take = Callable[[tuple[str, ...], Sequence[str | None]], T]
    """Makes something of a record: of the names of its elements, and of their texts; empty ones have none."""

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
_NO_CHARACTERS: Final = tuple(map(chr, _NOT_ALLOWED))
# What XML forbids, and what its parsers change: a carriage return becomes the end of a line.
_UNUSUAL: Final = bytes({*range(0x20)} - {0x09, 0x0A})
_REFERENCE: Final = re.compile(r"&(?:#x[0-9A-Fa-f]{1,6};|#[0-9]{1,7};|amp;|lt;|gt;|quot;|apos;|)")
_EMPTY: Final = re.compile(r"<([\w.:-]+)/>")
_LESS: Final = "\0"
"""Stands for `<` until the elements are told apart; it is no character of XML."""
_NAMED: Final = {"amp": "&", "lt": _LESS, "gt": ">", "quot": '"', "apos": "'"}


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
        start: Where the inside of the first record begins in the answer.
        end: Where the inside of the last record ends in it.
    """

    envelope: bytes
    start: int
    end: int


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
    return Cut(body[:first] + body[last + len(closing) :], first + len(opening), last)


def read_records(body: bytes, parts: Cut, record: str, take: Take[T]) -> list[T]:
    """Read all records of an answer. They are read one by one, for large copies cost more than what is done with them.

    Args:
        body: The whole answer.
        parts: As `cut` gives them.
        record: Name of the elements that are records.
        take: Makes of a record what is kept of it.

    Raises:
        UnusualError: One of them is no whole element, or holds what XML forbids.
    """
    between = f"</{record}><{record}>".encode()
    known = _Characters()
    rows: list[T] = []
    tags: tuple[str, ...] = ()
    match = _pattern(tags)
    start = parts.start
    while start <= parts.end:
        end = body.find(between, start, parts.end)
        raw = body[start : parts.end if end < 0 else end]
        start += len(raw) + len(between)
        text = _text(raw, known)
        found = match(text)
        if found is None:
            expected, (tags, texts) = tags, _parsed(raw, record)
            if tags != expected:
                match = _pattern(tags)
        else:
            texts = [text or None for text in found.groups()]
            if _LESS in text:
                texts = [text and text.replace(_LESS, "<") for text in texts]
        rows.append(take(tags, texts))
    return rows


def _text(raw: bytes, known: _Characters) -> str:
    """The inside of a record with its references replaced and its empty elements written out."""
    if len(raw.translate(None, _UNUSUAL)) != len(raw):
        raise UnusualError("a control character")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise UnusualError(str(error)) from None
    if not text.isascii() and any(bad in text for bad in _NO_CHARACTERS):
        raise UnusualError("no character")
    if "&" in text:
        text = _REFERENCE.sub(lambda found: known[found[0]], text)
    return _EMPTY.sub(r"<\1></\1>", text) if "/>" in text else text


def read_element(element: etree._Element) -> tuple[tuple[str, ...], list[str | None]]:
    """The names and texts of an element's children."""
    children = list(element)
    return tuple(map(_tag_of, children)), list(map(_text_of, children))


def _parsed(inside: bytes, record: str) -> tuple[tuple[str, ...], list[str | None]]:
    """Read one record by the XML parser."""
    whole = b"<%s>%s</%s>" % (record.encode(), inside, record.encode())
    try:
        return read_element(etree.fromstring(whole, etree.XMLParser(**OPTIONS)))
    except etree.XMLSyntaxError as error:
        raise UnusualError(str(error)) from None


@functools.lru_cache(maxsize=256)
def _pattern(tags: tuple[str, ...]) -> Callable[[str], re.Match[str] | None]:
    """What reads records that consist of these elements."""
    return re.compile("".join(f"<{tag}>([^<]*+)</{tag}>" for tag in map(re.escape, tags))).fullmatch


class _Characters(dict[str, str]):
    """References -> the characters that they name."""

    def __missing__(self, reference: str) -> str:
        """Work out a reference that has not come before."""
        name = reference[1:-1]
        if name in _NAMED:
            made = _NAMED[name]
        elif name.startswith("#"):
            code = int(f"0{name[1:]}", 0) if name[1] == "x" else int(name[1:])
            if not is_character(code):
                raise UnusualError(reference)
            made = _LESS if chr(code) == "<" else chr(code)
        else:
            raise UnusualError(reference)
        self[reference] = made
        return made
