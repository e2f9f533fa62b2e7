"""Tells genuine events from others.

An event is `{"Content": {…}, "HashCode": "…"}`. HashCode is the HMAC-SHA256, in upper-case hexadecimal, of the exact
bytes of the Content object, keyed with the webhook secret of the application; so Content must be taken as it came and
never be written anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import re
from typing import Final

_CONTENT: Final = re.compile(rb'"Content"\s*:\s*(?=\{)')
_PARTS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}]')  # braces in texts do not count


class BadEventError(ValueError):
    """It is no event, or nobody vouches for it."""


@dataclasses.dataclass(frozen=True)
class Event:
    """What happened: the row itself is not told.

    Attributes:
        topic: What kind of thing changed.
        division: Where.
        client_id: The application that subscribed.
        action: Create, Update or Delete.
        key: Which one.
    """

    topic: str
    division: int
    client_id: str
    action: str
    key: str


def content_of(body: bytes) -> bytes:
    """The exact bytes of the Content object, from its brace to the matching one.

    Raises:
        BadEventError: There is none.
    """
    found = _CONTENT.search(body)
    if found is None:
        raise BadEventError("no Content")
    depth = 0
    for part in _PARTS.finditer(body, found.end()):
        depth += {b"{": 1, b"}": -1}.get(part[0], 0)
        if depth == 0:
            return body[found.end() : part.end()]
    raise BadEventError("Content has no end")


def hash_code(content: bytes, secret: str) -> str:
    """The signature of a Content object."""
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest().upper()


def read_event(body: bytes, secret: str) -> Event:
    """Read an event that is genuine.

    Raises:
        BadEventError: It is none.
    """
    content = content_of(body)
    try:
        document = json.loads(body)
        inner = json.loads(content)
    except ValueError:
        raise BadEventError("no JSON") from None
    given = document.get("HashCode") if isinstance(document, dict) else None
    if not isinstance(given, str) or not hmac.compare_digest(
        given.upper().encode(), hash_code(content, secret).encode()
    ):
        raise BadEventError("wrong HashCode")
    if document.get("Content") != inner:
        raise BadEventError("two Contents")  # the one that was signed must be the one that is read
    try:
        return Event(
            topic=str(inner["Topic"]),
            division=int(inner["Division"]),
            client_id=str(inner["ClientId"]).strip("{}").lower(),
            action=str(inner["Action"]).lower(),
            key=str(inner["Key"]),
        )
    except (KeyError, TypeError, ValueError):
        raise BadEventError("Content lacks something") from None
